"""Asks the one question: past the gate, so that its unit is counted like any other, and over the wire, once."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import msgspec

from contracts.call import Call
from contracts.errors import GatewayError, InvalidRequest, Outcome
from contracts.results import Scan
from contracts.wire import Wire, WireRequest, WireResponse, WireStream
from gateway.clock import Clock
from gateway.doctor.questions import Question
from gateway.tenants import Interface
from gateway.wire import UpstreamWire
from gateway.wire.observed import Answer, Observed

CLIENT = "doctor"
"""Who it is that asks, in the ledger."""


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
    error = None
    try:
        await _perform(call, interface)
    except GatewayError as raised:
        error = raised
    return Asked(
        requests=call.journal.requests,
        units=call.journal.units,
        waited=call.journal.queue_seconds,
        answer=None if observed is None else observed.answer,
        error=error,
    )


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
            raise InvalidRequest("one request is all that is sent to find out", outcome=Outcome.REFUSED)
        return wire
