"""The gate in its place: the wire asks it before every send and tells it what became of each, exactly once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx2
import msgspec
import pytest

from contracts.call import Call
from contracts.errors import (
    GatewayError,
    InvalidRequest,
    Outcome,
    Overloaded,
    QuotaExceeded,
    StoreUnavailable,
)
from contracts.wire import Slot, WireRequest
from gateway.quota.gate import QuotaGate
from gateway.settings.traffic import BurstSettings, QuotaSettings
from gateway.wire import SendReport, UpstreamWire, WireSettings
from gateway.wire.gate import Gate, Lapsed, Passage
from tests.faults.server import Connection, FaultServer
from tests.faults.wires import READ, SECRET, WRITE, ManualClock, a_call
from tests.unit.gateway.admission_rig import Rig, settled
from tests.unit.gateway.policy_rig import CHANGE

SETTINGS = WireSettings(base_url="https://upstream.example/api/v1")
SENDING = "http11.send_request_headers.started"
Handler = Callable[[httpx2.Request], Awaitable[httpx2.Response]]


class Pass:
    """A passage that remembers; ``lapsed`` is when it is checked."""

    def __init__(self, *, lapsed: bool = False) -> None:
        self.lapsed = lapsed
        self.left: list[tuple[bool, int | None, float | None]] = []

    def check(self) -> None:
        if self.lapsed:
            raise Lapsed

    def leave(self, *, departed: bool, status: int | None, retry_after: float | None) -> None:
        self.left.append((departed, status, retry_after))


class Turnstile:
    """A gate that gives out one passage, or raises."""

    def __init__(
        self, passage: Pass | None = None, error: Exception | None = None, *, counts: bool = True
    ) -> None:
        self.passage = passage or Pass()
        self.error = error
        self.counts = counts
        self.entered = 0

    async def enter(self, call: Call) -> Passage:
        self.entered += 1
        if self.error is not None:
            raise self.error
        return self.passage


def a_wire(gate: Gate, handler: Handler, reports: list[SendReport] | None = None) -> UpstreamWire:
    async def handled(request: httpx2.Request) -> httpx2.Response:
        await request.extensions["trace"](SENDING, {})
        return await handler(request)

    return UpstreamWire(
        SETTINGS,
        credential={Slot.API_KEY: SECRET},
        clock=ManualClock(),
        meter=None if reports is None else reports.append,
        gate=gate,
        transport=httpx2.MockTransport(handled),
    )


def a_write(**more: object) -> Call:
    return msgspec.structs.replace(a_call(seconds=1e9), operation=CHANGE, **more)


async def fine(request: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(200, content=b"{}")


async def test_a_send_enters_and_leaves_once() -> None:
    gate, call = Turnstile(), a_call(seconds=1e9)
    wire = a_wire(gate, fine)
    await wire.bound(call).send(READ)
    async with wire.bound(call).stream(READ) as stream:
        assert gate.passage.left == [(True, 200, None)]
        assert [chunk async for chunk in stream.chunks()] == [b"{}"]
    assert gate.passage.left == [(True, 200, None)] * 2
    assert (call.journal.requests, call.journal.units) == (2, 2)


async def test_what_does_not_count_is_a_request_and_no_unit() -> None:
    reports: list[SendReport] = []
    call = a_call(seconds=1e9)
    await a_wire(Turnstile(counts=False), fine, reports).bound(call).send(READ)
    assert (call.journal.requests, call.journal.units, reports[0].units) == (1, 0, 0)


@pytest.mark.parametrize(
    "error", [QuotaExceeded("full", outcome=Outcome.NOT_SENT), Overloaded("many"), StoreUnavailable("lost")]
)
async def test_what_the_gate_refuses_surfaces_and_nothing_leaves(error: GatewayError) -> None:
    async def never(request: httpx2.Request) -> httpx2.Response:
        raise AssertionError

    reports: list[SendReport] = []
    gate, call = Turnstile(error=error), a_call(seconds=1e9)
    with pytest.raises(type(error)):
        await a_wire(gate, never, reports).bound(call).send(READ)
    assert (call.journal.requests, call.journal.sends, reports, gate.passage.left) == (0, [], [], [])


async def test_what_may_not_leave_does_not_ask_the_gate() -> None:
    gate = Turnstile()
    with pytest.raises(InvalidRequest):
        await a_wire(gate, fine).bound(a_call(seconds=1e9)).send(WireRequest(method="GET", target="/../x"))
    assert gate.entered == 0


@pytest.mark.parametrize(
    ("headers", "wait"), [({}, None), ({"Retry-After": "7"}, 7.0), ({"Retry-After": "soon"}, None)]
)
async def test_a_429_is_told_with_what_the_upstream_asks(headers: dict[str, str], wait: float | None) -> None:
    async def throttled(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(429, headers=headers, content=b"")

    gate = Turnstile()
    await a_wire(gate, throttled).bound(a_call(seconds=1e9)).send(READ)
    assert gate.passage.left == [(True, 429, wait)]


async def test_a_passage_that_lapsed_sends_nothing() -> None:
    gate, call = Turnstile(Pass(lapsed=True)), a_write()
    with pytest.raises(Overloaded) as caught:
        await a_wire(gate, fine).bound(call).send(WRITE)
    assert (caught.value.outcome, caught.value.retryable) == (Outcome.NOT_SENT, True)
    assert gate.passage.left == [(False, None, None)]
    assert (call.journal.requests, call.journal.units, call.journal.writing) == (0, 0, 0)


async def test_a_passage_that_lapses_while_the_connection_is_made_closes_it() -> None:
    """Over a real socket: the connection is there, and no byte goes over it."""

    async def listen(connection: Connection) -> None:
        assert await connection.reader.read(1) == b""

    gate = Turnstile(Pass(lapsed=True))
    async with FaultServer(listen) as server:
        settings = WireSettings(base_url=server.url)
        wire = UpstreamWire(settings, credential={Slot.API_KEY: SECRET}, clock=ManualClock(), gate=gate)
        with pytest.raises(Overloaded):
            await wire.bound(a_call(seconds=1e9)).send(READ)
        await wire.close()
        assert (server.connections, server.arrivals) == (1, 0)
    assert gate.passage.left == [(False, None, None)]


async def test_a_write_is_noted_before_it_leaves_and_each_time() -> None:
    told: list[str] = []

    async def departing() -> None:
        told.append("departing")

    async def handler(request: httpx2.Request) -> httpx2.Response:
        told.append(f"sent {call.journal.writing}")
        return httpx2.Response(200, content=b"{}")

    call = a_write(departing=departing)
    bound = a_wire(Turnstile(), handler).bound(call)
    await bound.send(WRITE)
    await bound.send(WRITE)
    assert told == ["departing", "sent 1"] * 2
    assert call.journal.writing == 0
    told.clear()
    call = msgspec.structs.replace(call, operation=a_call().operation)
    await a_wire(Turnstile(), handler).bound(call).send(READ)
    assert told == ["sent 0"]


async def test_a_write_that_must_not_leave_gives_its_passage_back() -> None:
    async def departing() -> None:
        raise StoreUnavailable("the key is lost")

    gate, call = Turnstile(), a_write(departing=departing)
    with pytest.raises(StoreUnavailable):
        await a_wire(gate, fine).bound(call).send(WRITE)
    assert gate.passage.left == [(False, None, None)]
    assert call.journal.sends == []


@pytest.mark.parametrize("raised", [httpx2.ConnectError, httpx2.ReadError])
async def test_a_failure_leaves_as_it_departed(raised: type[httpx2.TransportError]) -> None:
    async def fail(request: httpx2.Request) -> httpx2.Response:
        raise raised("no")

    gate, call = Turnstile(), a_write()
    with pytest.raises(GatewayError):
        await a_wire(gate, fail).bound(call).send(WRITE)
    assert gate.passage.left == [(True, None, None)]
    assert (call.journal.requests, call.journal.writing) == (1, 0)


async def test_a_cancelled_send_leaves_too() -> None:
    async def forever(request: httpx2.Request) -> httpx2.Response:
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]

    gate, call = Turnstile(), a_write()
    task = asyncio.create_task(a_wire(gate, forever).bound(call).send(WRITE))
    await settled()
    assert call.journal.writing == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert gate.passage.left == [(True, None, None)]
    assert call.journal.writing == 0


async def test_a_body_that_breaks_in_its_source_leaves_too() -> None:
    async def source() -> AsyncIterator[bytes]:
        yield b"first"
        raise RuntimeError("source")

    gate = Turnstile()
    with pytest.raises(RuntimeError):
        await a_wire(gate, fine).bound(a_write()).send(msgspec.structs.replace(WRITE, content=source()))
    assert len(gate.passage.left) == 1


def never(_: Call) -> GatewayError | None:
    return None


async def test_the_quota_gate_charges_what_the_caller_asked_for() -> None:
    quota = QuotaSettings(burst=BurstSettings(limit=5), cold_start="trust")
    async with Rig(quota) as rig:
        gate = QuotaGate(rig.admission, "demo", "batch", counts=True, barred=never)
        call = rig.call()
        (await gate.enter(call)).leave(departed=True, status=200, retry_after=None)
        call.journal.operation = "batch"
        (await gate.enter(call)).leave(departed=True, status=200, retry_after=None)
        accounts = [claim.account for claim in rig.store.claims]
        assert [(it.tenant, it.client, it.operation, it.adapter) for it in accounts] == [
            ("demo", "tests", "get", "batch"),
            ("demo", "tests", "batch", "batch"),
        ]
        free = QuotaGate(rig.admission, "demo", "soap", counts=False, barred=never)
        assert (gate.counts, free.counts) == (True, False)
        (await free.enter(call)).leave(departed=True, status=200, retry_after=None)
        assert rig.store.reserved == 2
