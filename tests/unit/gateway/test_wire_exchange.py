"""The wire over a transport that is swapped: metering, caps, the deadline, and whose error surfaces."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine

import httpx2
import msgspec
import pytest

from contracts.errors import (
    DeadlineExceeded,
    InvalidRequest,
    Outcome,
    OutcomeUnknown,
    Overloaded,
    UpstreamAuthFailed,
    UpstreamInvalidResponse,
    UpstreamUnavailable,
)
from contracts.wire import Slot, WireRequest
from gateway.wire import SendReport, UpstreamWire, WireSettings
from tests.faults.wires import READ, SECRET, WRITE, ManualClock, a_call, a_wire

SETTINGS = WireSettings(base_url="https://upstream.example/api/v1", max_response=1000)
Handler = Callable[[httpx2.Request], Coroutine[None, None, httpx2.Response]]


def over(handler: Handler) -> httpx2.AsyncBaseTransport:
    return httpx2.MockTransport(handler)


async def hello(request: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(200, headers=[("X-A", "1"), ("x-a", "2")], content=b"hello")


async def test_an_answer_is_read_whole() -> None:
    async with a_wire(SETTINGS, transport=over(hello)) as wire:
        answer = await wire.bound(a_call()).send(READ)
    assert (answer.status, answer.content) == (200, b"hello")
    assert answer.headers["x-a"] == "1, 2"


async def test_every_send_is_one_unit_in_the_journal_and_one_report() -> None:
    reports: list[SendReport] = []
    call = a_call()
    async with a_wire(SETTINGS, reports, over(hello)) as wire:
        bound = wire.bound(call)
        await bound.send(READ)
        async with bound.stream(WRITE) as stream:
            assert call.journal.units == 2
            assert [chunk async for chunk in stream.chunks()] == [b"hello"]
    assert call.journal.units == 2
    assert [(send.method, send.status, send.outcome) for send in call.journal.sends] == [
        ("GET", 200, "answered"),
        ("PUT", 200, "answered"),
    ]
    assert [(report.send, report.units) for report in reports] == [(send, 1) for send in call.journal.sends]


@pytest.mark.parametrize(
    ("raised", "request_", "expected", "units"),
    [
        (httpx2.ConnectError, WRITE, UpstreamUnavailable, 0),
        (httpx2.PoolTimeout, WRITE, Overloaded, 0),
        (httpx2.ReadTimeout, READ, UpstreamUnavailable, 1),
        (httpx2.ReadError, WRITE, OutcomeUnknown, 1),
        (httpx2.RemoteProtocolError, READ, UpstreamInvalidResponse, 1),
    ],
)
async def test_a_failure_costs_what_left(
    raised: type[httpx2.TransportError], request_: WireRequest, expected: type[Exception], units: int
) -> None:
    async def fail(request: httpx2.Request) -> httpx2.Response:
        raise raised("https://upstream.example")

    reports: list[SendReport] = []
    call = a_call()
    async with a_wire(SETTINGS, reports, over(fail)) as wire:
        with pytest.raises(expected) as caught:
            await wire.bound(call).send(request_)
    assert caught.value.__cause__ is caught.value.__context__ is None
    assert call.journal.units == reports[0].units == units
    assert call.journal.sends[0].outcome == ("unknown" if units else "not_sent")


async def test_what_is_refused_here_is_no_send() -> None:
    call = a_call()
    async with a_wire(SETTINGS, transport=over(hello)) as wire:
        with pytest.raises(InvalidRequest):
            await wire.bound(call).send(WireRequest(method="GET", target="/../x"))
    bare = UpstreamWire(SETTINGS, credential={}, clock=ManualClock(), transport=over(hello))
    with pytest.raises(UpstreamAuthFailed):
        async with bare.bound(call).stream(READ):
            pass
    assert call.journal.units == 0
    assert call.journal.sends == []


async def test_a_deadline_that_has_passed_sends_nothing() -> None:
    clock = ManualClock()
    wire = UpstreamWire(SETTINGS, credential={Slot.API_KEY: SECRET}, clock=clock, transport=over(hello))
    call = msgspec.structs.replace(a_call(), deadline=clock.monotonic())
    with pytest.raises(DeadlineExceeded) as caught:
        await wire.bound(call).send(READ)
    assert caught.value.outcome is Outcome.NOT_SENT
    assert call.journal.sends == []


async def test_a_deadline_that_passes_between_chunks_ends_the_stream() -> None:
    clock = ManualClock()
    wire = UpstreamWire(SETTINGS, credential={Slot.API_KEY: SECRET}, clock=clock, transport=over(hello))
    call = msgspec.structs.replace(a_call(), deadline=clock.monotonic() + 10)
    async with wire.bound(call).stream(READ) as stream:
        chunks = stream.chunks()
        await anext(chunks)
        await clock.sleep(10)
        with pytest.raises(DeadlineExceeded) as caught:
            await anext(chunks)
    assert caught.value.outcome is Outcome.UNKNOWN


async def test_the_duration_is_that_of_the_clock() -> None:
    clock = ManualClock()

    async def slow(request: httpx2.Request) -> httpx2.Response:
        await clock.sleep(1.5)
        return httpx2.Response(204, content=b"")

    wire = UpstreamWire(SETTINGS, credential={Slot.API_KEY: SECRET}, clock=clock, transport=over(slow))
    call = msgspec.structs.replace(a_call(), deadline=clock.monotonic() + 10)
    await wire.bound(call).send(READ)
    assert call.journal.sends[0].seconds == 1.5


async def test_the_requests_own_cap_goes_before_the_wires() -> None:
    async def large(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, content=bytes(1001))

    async with a_wire(SETTINGS, transport=over(large)) as wire:
        bound = wire.bound(a_call())
        with pytest.raises(UpstreamInvalidResponse, match="1000 bytes"):
            await bound.send(READ)
        allowed = msgspec.structs.replace(READ, max_response=1001)
        assert len((await bound.send(allowed)).content) == 1001


async def test_an_error_of_the_source_surfaces_as_it_is() -> None:
    class SourceBroke(Exception):
        pass

    async def source() -> AsyncIterator[bytes]:
        yield b"first"
        raise SourceBroke

    call = a_call()
    async with a_wire(SETTINGS, transport=over(hello)) as wire:
        with pytest.raises(SourceBroke):
            await wire.bound(call).send(msgspec.structs.replace(WRITE, content=source()))
    assert call.journal.sends[0].outcome == "not_sent"


async def test_a_cancelled_send_is_told_to_the_meter() -> None:
    reports: list[SendReport] = []
    waiting = asyncio.Event()

    async def forever(request: httpx2.Request) -> httpx2.Response:
        await request.extensions["trace"]("http11.send_request_headers.started", {})
        waiting.set()
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]

    async with a_wire(SETTINGS, reports, over(forever)) as wire:
        task = asyncio.create_task(wire.bound(a_call()).send(WRITE))
        await waiting.wait()
        assert not reports
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    (report,) = reports
    assert (report.units, report.send.status, report.send.outcome) == (1, None, "unknown")


def test_no_representation_shows_a_secret() -> None:
    settings = WireSettings(base_url="https://upstream.example", proxy="http://name:hush@proxy:3128")
    wire = UpstreamWire(settings, credential={Slot.API_KEY: SECRET}, clock=ManualClock())
    told = f"{settings!r}{settings}{wire!r}{wire.bound(a_call())!r}{wire.transport!r}"
    assert SECRET not in told
    assert "hush" not in told
