"""The one question that is worth its unit: over an adapter, what is asked; and asking it, once.

It changes nothing. A list is asked for one record. An export connector, which can only give all, is asked for one
key where it narrows by keys; else no more than the head of its answer is read. Where none is configured, one is
asked for that cannot exist. A batch has nothing in it. It goes past the gate, so that its unit is counted like any
other, and over the wire, which lets no second one out.
"""

from __future__ import annotations

import asyncio
import traceback
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import msgspec

from contracts.adapter import Adapter, Capabilities
from contracts.addressing import Resolved
from contracts.call import Call
from contracts.conditions import equals
from contracts.errors import DeadlineExceeded, GatewayError, Outcome
from contracts.operations import ListRecords, Operation, Query, RunExport, WriteBatch
from contracts.paths import KeyPart, ObjectPath, Segment
from contracts.results import Scan
from contracts.schema import Entity, PropertyType, Schema
from contracts.wire import Wire, WireRequest, WireResponse, WireStream
from gateway.clock import Clock
from gateway.tenants import Interface
from gateway.wire import UpstreamWire
from gateway.wire.observed import Answer, Observed

CLIENT = "doctor"
"""Who it is that asks, in the ledger."""

USUAL = "Equipment"
"""What most keys are granted to read."""

NOBODYS = "ultimo-gateway-doctor"
"""The connector that nobody has."""

FEW = "0"
"""The value that one record has at most, or a few, of whatever it is the value."""


GRACE = 1.0
"""Seconds after the deadline in which gate and wire, which keep it, say what they waited for."""


class AdapterFailed(GatewayError):
    """An adapter raised what adapters do not raise."""

    code = "internal_error"
    title = "The adapter failed"


class OneAlone(GatewayError):
    """An adapter wanted a second request for what one was to tell."""

    code = "internal_error"
    title = "One request is all that is sent"


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked over an adapter, in the vocabulary of operations; ``entity`` is whose records, if anybody's."""

    adapter: str
    operation: Operation
    text: str
    entity: str | None = None


def question(name: str, adapter: Adapter, schema: Schema, entity: str | None) -> Question | None:
    """What to ask this adapter; None when it can do nothing that could be asked without harm.

    ``entity`` is the one that the operator wants to be asked for.
    """
    can = adapter.capabilities
    if ListRecords.kind in can.operations:
        return _list(name, can, schema, entity)
    if RunExport.kind in can.operations:
        return Question(
            adapter=name,
            operation=RunExport(name=NOBODYS),
            text=f"the export connector '{NOBODYS}', which is not there",
        )
    if WriteBatch.kind in can.operations:
        return Question(adapter=name, operation=WriteBatch(members=()), text="a batch with nothing in it")
    return None


def _list(name: str, can: Capabilities, schema: Schema, wanted: str | None) -> Question | None:
    served = can.entities.get(ListRecords.kind)
    entity = _entity(schema, wanted, served, can)
    if entity is None:
        return None
    place = Resolved(ObjectPath((Segment(entity.name),)), entity, single=False)
    by = _narrows(entity, can)
    if not can.scans:
        query, text = Query(limit=1), f"at most one {entity.name}"
    elif by is None:
        query, text = Query(), f"every {entity.name}, of which only the head of the answer is read"
    else:
        query = Query(filter=equals((by,), KeyPart(None, FEW)))
        text = f"every {entity.name} whose {by} is '{FEW}'"
    operation = ListRecords(place=place, query=query, whole=can.scans)
    return Question(adapter=name, operation=operation, text=text, entity=entity.name)


def _entity(
    schema: Schema, wanted: str | None, served: Sequence[str] | None, can: Capabilities
) -> Entity | None:
    """The one that the operator wants, if it is served; else the usual one, or of a few the one that costs least."""
    if wanted is not None:
        found = schema.find(wanted)
        return found if found is not None and (served is None or found.name in served) else None
    if served is None:
        return schema.find(USUAL)
    entities = [found for name in served if (found := schema.find(name)) is not None]
    return next((found for found in entities if _narrows(found, can)), entities[0] if entities else None)


def _narrows(entity: Entity, can: Capabilities) -> str | None:
    """A text that a scan of the entity goes by."""
    for name in can.narrows.get(entity.name, ()):
        found = entity.find(name)
        if found is not None and found.type is PropertyType.STRING:
            return found.name
    return None


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. ``answer`` is the head of the answer, None without one; ``error`` what it means, None if it is
    as it should be. ``waited`` is in seconds.
    """

    requests: int
    units: int
    waited: float
    answer: Answer | None = None
    error: GatewayError | None = None


async def ask(tenant: str, question: Question, interface: Interface, clock: Clock, deadline: float) -> Asked:
    """Ask before ``deadline`` (on the monotonic clock): for a turn, and then the upstream."""
    call = Call(
        operation=question.operation,
        tenant=tenant,
        client=CLIENT,
        request_id=f"{CLIENT}-{uuid.uuid4().hex[:12]}",
        deadline=deadline,
    )
    call.journal.operation, call.journal.adapter = question.operation.kind, question.adapter
    wire = interface.wire
    observed = None
    if isinstance(wire, UpstreamWire):
        observed = wire.transport = Observed(wire.transport, clock)
    error = await _fault(call, interface, deadline - clock.monotonic())
    return Asked(
        requests=call.journal.requests,
        units=call.journal.units,
        waited=call.journal.queue_seconds,
        answer=None if observed is None else observed.answer,
        error=error,
    )


async def _fault(call: Call, interface: Interface, seconds: float) -> GatewayError | None:
    """What the question ends in; of an adapter that fails, or comes to no end, a report is made all the same."""
    try:
        async with asyncio.timeout(seconds + GRACE):
            await _perform(call, interface)
    except GatewayError as error:
        return error
    except TimeoutError:
        return DeadlineExceeded("the adapter came to no end in time", outcome=_outcome(call))
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{type(error).__name__} in {Path(last.filename).name}, line {last.lineno}"
        return AdapterFailed(f"the adapter itself fails ({where})", outcome=_outcome(call))
    return None


def _outcome(call: Call) -> Outcome:
    return Outcome.UNKNOWN if call.journal.requests else Outcome.NOT_SENT


async def _perform(call: Call, interface: Interface) -> None:
    result = await interface.adapter.perform(call, _Once(interface.wire.bound(call)))
    if isinstance(result, Scan):
        async with aclosing(result.pieces) as pieces:
            async for _ in pieces:
                break  # that the first records can be read says enough, and a set may be of any size


class _Once:
    """A wire that lets one request out, whatever an adapter would send after it."""

    def __init__(self, wire: Wire) -> None:
        self._wire: Wire | None = wire

    async def send(self, request: WireRequest) -> WireResponse:
        return await self._next().send(request)

    @asynccontextmanager
    async def stream(self, request: WireRequest) -> AsyncIterator[WireStream]:
        async with self._next().stream(request) as answer:
            yield answer

    def _next(self) -> Wire:
        wire, self._wire = self._wire, None
        if wire is None:
            raise OneAlone(
                "it would send another request, and one is all that is spent", outcome=Outcome.UNKNOWN
            )
        return wire
