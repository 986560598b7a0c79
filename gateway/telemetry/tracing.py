"""What a trace is made of: spans, who starts them, and how one names its parent.

A span's context travels with the call as text, the ``traceparent`` of W3C Trace Context, and nowhere else: calls wait
in queues and are served by tasks of others. Whoever starts a span goes on with ``Call.traceparent`` set to its own.
A span holds names, numbers and codes; never a body, a record's key, a filter, a secret or the text of an error.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from contracts.errors import GatewayError
from contracts.operations import (
    ChangeRecord,
    CreateRecord,
    DeleteRecord,
    GetRecord,
    ListRecords,
    Operation,
    ReplaceRecord,
)

Kind = Literal["server", "client", "internal"]
Attributes = Mapping[str, str | int | bool]

CANCELLED = "cancelled"
"""The ``error.type`` of what was broken off: the caller went away, the gateway ended, or another came first."""

_SAMPLED = frozenset("13579bdf")
_OF_ONE_ENTITY = (ListRecords, GetRecord, CreateRecord, ReplaceRecord, ChangeRecord, DeleteRecord)


class Span(Protocol):
    """A stretch of time with a name; :meth:`end` ends it, once."""

    @property
    def traceparent(self) -> str:
        """It as the parent of another one (W3C Trace Context §3.2)."""
        ...

    @property
    def recording(self) -> bool:
        """Whether anybody will see it; what is set on one that is not recorded costs, and is lost."""
        ...

    def set(self, attributes: Attributes) -> None: ...

    def failed(self, kind: str) -> None:
        """It ended in an error; ``kind`` is its code, or what else groups errors of its sort."""
        ...

    def end(self) -> None: ...


class Tracer(Protocol):
    """Starts spans, and decides of each trace that begins here whether it is recorded."""

    def start(
        self,
        name: str,
        *,
        kind: Kind = "internal",
        parent: str | None = None,
        attributes: Attributes | None = None,
        links: Sequence[str] = (),
        began: float | None = None,
    ) -> Span:
        """A span from now on, or from ``began`` in Unix seconds.

        ``parent`` and ``links`` are as ``traceparent``; without a parent it begins a trace.
        """
        ...

    async def aclose(self) -> None:
        """Hand over what has not been yet, within some seconds."""
        ...


def recorded(traceparent: str | None) -> bool:
    """Whether the trace of this parent is recorded: its flag ``sampled`` (W3C Trace Context §3.2.2.5.1)."""
    return traceparent is not None and traceparent[-1] in _SAMPLED


def trace_id(traceparent: str) -> str:
    """The 32 digits that all spans of a trace share."""
    return traceparent.split("-", 2)[1]


def span_id(traceparent: str) -> str:
    """The 16 digits of the span itself."""
    return traceparent.split("-", 3)[2]


def described(operation: Operation) -> dict[str, str | int | bool]:
    """What an operation is, and of which entity; nothing that a caller wrote."""
    if isinstance(operation, _OF_ONE_ENTITY):
        return {
            "ultimo_gateway.operation": operation.kind,
            "ultimo_gateway.entity": operation.place.entity.name,
        }
    return {"ultimo_gateway.operation": operation.kind}


def end(span: Span, error: BaseException | None = None) -> None:
    """End it as what it stands for has ended."""
    if error is not None:
        span.failed(error_type(error))
    span.end()


def error_type(error: BaseException) -> str:
    """The code of an error of ours; of any other one its class."""
    if isinstance(error, GatewayError):
        return error.code
    return CANCELLED if isinstance(error, asyncio.CancelledError | GeneratorExit) else type(error).__name__
