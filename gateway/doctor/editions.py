"""Which edition the upstream is and what it can, as far as one answer tells: what is configured, and what was found.

Source: the vendor's table of who may use what. REST reads: every edition, in the cloud and on-premises. REST writes and
batches: the cloud alone. Connectors, over Connector.ashx or SOAP: Premium and Enterprise, and on-premises. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from contracts.adapter import Adapter
from contracts.errors import (
    ConnectorNotFound,
    GatewayError,
    OperationNotSupported,
    UpstreamAuthFailed,
    UpstreamRejected,
)
from contracts.operations import CreateRecord, WriteBatch
from gateway.doctor.answers import ANSWERED, refuses_writes
from gateway.doctor.findings import Finding, Place, ok, unknown, wrong
from gateway.doctor.question import Asked, Question

CLOUD = (".ultimo.net", ".ultimo.com")
"""The domains of the vendor's cloud."""

_TOLD: Mapping[str, str] = MappingProxyType(
    {
        "batch": "it takes REST writes, so it is in the cloud",
        "connector": "it has connectors, so it is Premium or Enterprise, or on-premises",
        "soap": "it has connectors, so it is Premium or Enterprise, or on-premises",
    }
)
"""What it says of an upstream that an adapter's question was answered."""


def found(
    adapters: Mapping[str, Adapter], question: Question, asked: Asked, place: Place, address: str
) -> Iterator[Finding]:
    """Each adapter that is configured, then writes, then the edition; nothing where nothing was sent."""
    if asked.requests == 0:
        return
    there = _there(asked, question)
    for name, adapter in adapters.items():
        if name != question.adapter:
            yield _unasked(name)
        elif there is None:
            yield unknown(f"adapter {name}", "not told: no answer of the interface's own came")
        elif there:
            yield ok(f"adapter {name}", "is configured, and answers")
        else:
            yield _absent(name, adapter, asked, place)
    if there and WriteBatch.kind not in adapters[question.adapter].capabilities.operations:
        yield from _writes(adapters)
    yield _edition(question.adapter, there, address)


def _unasked(name: str) -> Finding:
    """An adapter to which no request went."""
    return unknown(
        f"adapter {name}",
        "is configured, and was not asked: a tenant spends one unit",
        f"--adapter {name} asks this one instead",
    )


def _there(asked: Asked, question: Question) -> bool | None:
    """Whether the interface is there and does what it is configured for; None where no answer tells."""
    error = asked.error
    if asked.answer is None:
        return None
    if error is None or isinstance(error, (*ANSWERED, ConnectorNotFound)):
        return True
    if isinstance(error, OperationNotSupported) or refuses_writes(asked, question):
        return False
    if isinstance(error, UpstreamAuthFailed) and error.upstream is not None:
        # A login that failed, or a code, is the interface's own word; a bare 401 may be anybody's before it.
        return True if asked.answer.status == 500 or error.upstream.code is not None else None
    return True if _empty_batch(error, question) else None


def _empty_batch(error: GatewayError, question: Question) -> bool:
    """A batch interface may well refuse a batch with nothing in it; another would not know it for one."""
    return isinstance(error, UpstreamRejected) and question.operation.kind == WriteBatch.kind


def _absent(name: str, adapter: Adapter, asked: Asked, place: Place) -> Finding:
    detail = asked.error.detail if isinstance(asked.error, OperationNotSupported) else "writes are refused"
    if adapter.capabilities.scans:
        advice = f"make the connector there, have it activated, or correct {place.adapter(name)}"
    else:
        advice = (
            f"on-premises takes no REST writes: take '{name}' out of tenants.{place.tenant}.adapters, say "
            "'writes: false' of rest, and name import connectors for what is written"
        )
    return wrong(f"adapter {name}", f"is configured, and cannot be used: {detail}", advice)


def _writes(adapters: Mapping[str, Adapter]) -> Iterator[Finding]:
    """A read cannot tell whether the environment takes writes, and nothing is written to find out."""
    writing = [
        name
        for name, adapter in adapters.items()
        if CreateRecord.kind in adapter.capabilities.operations and not adapter.capabilities.tells_keys
    ]
    if writing:
        batches = [name for name, it in adapters.items() if WriteBatch.kind in it.capabilities.operations]
        yield unknown(
            "writes",
            f"configured over {', '.join(writing)}; a read cannot tell, and nothing is written to find out",
            f"--adapter {batches[0]} sends a batch with nothing in it, which only the cloud takes"
            if batches
            else "in the cloud it takes them, on-premises it does not",
        )


def _edition(adapter: str, there: bool | None, address: str) -> Finding:
    host = urlsplit(address).hostname or ""
    told = [_TOLD[adapter]] if there and adapter in _TOLD else []
    if host.endswith(CLOUD):
        told.append(f"{host} is a host of the vendor's cloud")
    if told:
        return ok("edition", "; ".join(told))
    if there:
        return unknown(
            "edition", f"what {adapter} was asked is answered alike by every edition, wherever it is"
        )
    return unknown("edition", "no answer tells it")
