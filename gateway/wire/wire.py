"""The wire itself: one pool per tenant and interface, from which every call gets a wire of its own.

Every request waits at the gate before it leaves. It is counted in the call's journal when its first byte
leaves, as a unit too where its interface counts in the quota, and told to gate and meter when it is over. No
exception of a transport gets past here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import TypeVar

import httpx2
import msgspec

from contracts.call import Call, UpstreamSend
from contracts.errors import DeadlineExceeded, Outcome, Overloaded
from contracts.wire import Slot, Wire, WireRequest, WireResponse, WireStream
from gateway.clock import Clock
from gateway.telemetry.tracing import Span, Tracer
from gateway.wire.departure import Departure
from gateway.wire.egress import Body, Egress
from gateway.wire.failures import failure
from gateway.wire.gate import Gate, Lapsed
from gateway.wire.inflate import PIECE, Inflater
from gateway.wire.settings import WireSettings
from gateway.wire.spans import GateInSpan, RequestSpans, finish
from gateway.wire.transport import AiohttpTransport

T = TypeVar("T")

ANSWERED = "answered"
"""The outcome of a send that was answered whole; otherwise it is a value of :class:`Outcome`."""


class SendReport(msgspec.Struct, frozen=True):
    """One send, told to the meter when it is over. ``units`` is 1, or 0 when it did not leave or does not count."""

    call: Call
    send: UpstreamSend
    units: int


Meter = Callable[[SendReport], None]


class UpstreamWire:
    """The way to one upstream address with one tenant's credential."""

    def __init__(
        self,
        settings: WireSettings,
        *,
        credential: Mapping[Slot, str],
        clock: Clock,
        meter: Meter | None = None,
        gate: Gate | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        """``transport`` stands in for the real one, which opens its pool at the first request.

        Without a ``gate`` everything leaves at once, and counts.

        Raises :class:`ValueError` for an address or a secret that could not be sent and
        :class:`OSError` for certificate files that cannot be read.
        """
        self.egress = Egress(settings.base_url, credential)
        self.transport = AiohttpTransport(settings) if transport is None else transport
        self._timeouts = {
            "connect": settings.connect_timeout,
            "read": settings.read_timeout,
            "write": settings.write_timeout,
            "pool": settings.pool_timeout,
        }
        self._hurried = {name: limit for name, limit in self._timeouts.items() if name != "read"}
        self.max_response = settings.max_response
        self.clock = clock
        self.meter = meter
        self.gate = gate if gate is None or tracer is None else GateInSpan(gate, tracer, clock)
        self.spans = None if tracer is None else RequestSpans(tracer, self.egress.address)

    def bound(self, call: Call) -> Wire:
        """The wire of one call: its deadline holds on it, its journal is written by it."""
        return _BoundWire(self, call)

    def timeouts(self, remaining: float) -> Mapping[str, float]:
        """httpx2's ``timeout`` extension for a call with ``remaining`` seconds left.

        What the deadline comes before needs no clock of its own; a timer costs as much as all of the
        checks of a request together, and most calls are spared the one between two arrivals of bytes.
        """
        return self._timeouts if self._timeouts["read"] < remaining else self._hurried

    async def close(self) -> None:
        """Close every connection; calls that are still under way break off."""
        await self.transport.aclose()


class _BoundWire:
    def __init__(self, upstream: UpstreamWire, call: Call) -> None:
        self._upstream = upstream
        self._call = call

    async def send(self, request: WireRequest) -> WireResponse:
        exchange = _Exchange(self._upstream, self._call, request)
        try:
            await exchange.enter()
            return await exchange.guarded(exchange.whole)
        finally:
            await exchange.close()

    @asynccontextmanager
    async def stream(self, request: WireRequest) -> AsyncIterator[WireStream]:
        exchange = _Exchange(self._upstream, self._call, request)
        try:
            await exchange.enter()
            await exchange.guarded(exchange.open)
            yield exchange
        finally:
            await exchange.close()


class _Exchange:
    """One request and its answer, from the first check to the last byte."""

    def __init__(self, upstream: UpstreamWire, call: Call, request: WireRequest) -> None:
        """Raises what the egress rules raise; nothing has been sent then."""
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self._upstream = upstream
        self._call = call
        self._template = request.template
        self._repeatable = request.repeatable
        self._cap = upstream.max_response if request.max_response is None else request.max_response
        self._departure = Departure(call, counts=upstream.gate is None or upstream.gate.counts)
        self._request = upstream.egress.request(request, call, {"trace": self._departure.trace})
        self._began: float | None = None
        self._failed: Outcome | None = None
        self._error: Exception | None = None
        self._span: Span | None = None
        self._stream: httpx2.AsyncByteStream | None = None

    async def enter(self) -> None:
        """Wait at the gate, which keeps to the deadline. Raises what :meth:`gateway.wire.gate.Gate.enter` raises."""
        if self._upstream.gate is not None:
            self._departure.passage = await self._upstream.gate.enter(self._call)

    async def guarded(self, step: Callable[[], Awaitable[T]]) -> T:
        """Take one step before the deadline. Raises what :meth:`contracts.wire.Wire.send` raises."""
        remaining = self._remaining()
        if remaining <= 0:
            raise self._late()
        try:
            async with asyncio.timeout(remaining):
                return await step()
        except Exception as error:
            failed = self._failure(error)
        # Outside the handler, so that nothing of the transport's hangs on to what is raised.
        raise failed

    async def open(self) -> None:
        """Send, and take in the head of the answer."""
        if self._call.departing is not None and not self._call.operation.safe:
            await self._call.departing()
        if self._upstream.spans is not None:
            self._span = self._upstream.spans.departing(self._call, self._request, self._template)
        self._request.extensions["timeout"] = self._upstream.timeouts(self._remaining())
        self._began = self._upstream.clock.monotonic()
        response = await self._upstream.transport.handle_async_request(self._request)
        if not isinstance(response.stream, httpx2.AsyncByteStream):
            raise TypeError("the transport's answer is not an asynchronous stream")
        self._stream = response.stream
        self._departure.note()
        self.status = response.status_code
        self.headers = _headers(response.headers.raw)
        self._inflater = Inflater(self.headers.get("content-encoding", ""), self._cap)
        self._chunks = aiter(self._stream)
        self._pieces: Iterator[bytes] = iter(())

    async def whole(self) -> WireResponse:
        """Send, and take in the whole answer."""
        await self.open()
        content = []
        while piece := await self._next():
            content.append(piece)
            if len(piece) == PIECE:
                # Inflating takes the loop's time: between full pieces the others get their turn.
                await asyncio.sleep(0)
        return WireResponse(self.status, self.headers, b"".join(content))

    async def chunks(self) -> AsyncIterator[bytes]:
        while piece := await self.guarded(self._next):
            yield piece

    async def close(self) -> None:
        """Give the connection back, or close it when the answer was not read to its end; report the send."""
        try:
            if self._stream is not None:
                await self._stream.aclose()
        finally:
            self._departure.over(self.status or None, self.headers)
            if self._span is not None:
                finish(self._span, self.status, self._error, self._departure.units)
            if self._began is not None:
                self._report(self._upstream.clock.monotonic() - self._began)

    async def _next(self) -> bytes:
        """The next piece of the content; empty at its end."""
        while True:
            for piece in self._pieces:
                if piece:
                    return piece
            chunk = await anext(self._chunks, None)
            if chunk is None:
                self._inflater.finish()
                return b""
            self._pieces = self._inflater.feed(chunk)

    def _failure(self, error: Exception) -> Exception:
        """What a failed step ends in; an error of the body's source, or one of our own, stays what it is."""
        body = self._request.stream
        if isinstance(body, Body) and body.error is not None:
            error = body.error
        elif isinstance(error, TimeoutError):
            error = self._late()
        elif isinstance(error, Lapsed):
            error = Overloaded(
                "the slot for this request ran out before it had left; not sent", retry_after=1
            )
        elif isinstance(error, httpx2.HTTPError):
            error = failure(error, repeatable=self._repeatable, sent=self._departure.happened)
            if error.outcome is not Outcome.NOT_SENT:
                self._departure.note()
        self._error = error
        self._failed = Outcome.UNKNOWN if self._departure.happened else Outcome.NOT_SENT
        return error

    def _remaining(self) -> float:
        return self._call.deadline - self._upstream.clock.monotonic()

    def _late(self) -> DeadlineExceeded:
        if not self._departure.happened:
            return DeadlineExceeded("the deadline passed before anything was sent")
        return DeadlineExceeded(
            "the deadline passed while the upstream was asked",
            outcome=Outcome.UNKNOWN,
            retryable=self._repeatable,
        )

    def _report(self, seconds: float) -> None:
        if self._failed is not None:
            outcome = self._failed.value
        elif self.status:
            outcome = ANSWERED
        else:
            outcome = (Outcome.UNKNOWN if self._departure.happened else Outcome.NOT_SENT).value
        send = UpstreamSend(self._request.method, self.status or None, seconds, outcome)
        self._call.journal.sends.append(send)
        if self._upstream.meter is not None:
            self._upstream.meter(SendReport(self._call, send, self._departure.units))


def _headers(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Names in lower case; a field that comes several times is one list (RFC 9110 §5.3)."""
    headers: dict[str, str] = {}
    for name, value in raw:
        key = name.decode("latin-1").lower()
        text = value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers
