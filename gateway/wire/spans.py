"""The spans of what leaves: one for the wait at the gate, where there was one, and one for each request."""

from __future__ import annotations

import httpx2

from contracts.call import Call
from gateway.clock import Clock
from gateway.telemetry.tracing import CANCELLED, Attributes, Span, Tracer, described, end, recorded
from gateway.wire.gate import Gate, Passage


class GateInSpan:
    """A gate whose waits have a span; a call that is let through at once has none."""

    def __init__(self, gate: Gate, tracer: Tracer, clock: Clock) -> None:
        self._gate = gate
        self._tracer = tracer
        self._clock = clock

    @property
    def counts(self) -> bool:
        return self._gate.counts

    async def enter(self, call: Call) -> Passage:
        if not recorded(call.traceparent):
            return await self._gate.enter(call)
        began, waits = self._clock.now(), call.journal.waits
        try:
            passage = await self._gate.enter(call)
        except BaseException as error:
            self._waited(call, began, waits, error)
            raise
        self._waited(call, began, waits)
        return passage

    def _waited(self, call: Call, began: float, waits: int, error: BaseException | None = None) -> None:
        """Whether it waited is known only now, and so the span begins in the past."""
        if call.journal.waits == waits:
            return
        attributes = {"ultimo_gateway.priority": call.band.value}
        end(
            self._tracer.start("quota wait", parent=call.traceparent, attributes=attributes, began=began),
            error,
        )


class RequestSpans:
    """The spans of the requests to one address, by the semantic conventions of OpenTelemetry for HTTP clients."""

    def __init__(self, tracer: Tracer, address: tuple[str, int]) -> None:
        """``address`` is host and port; the operator's traces may name the upstream, unlike the API's errors."""
        self._tracer = tracer
        self._address: Attributes = {"server.address": address[0], "server.port": address[1]}

    def departing(self, call: Call, request: httpx2.Request, template: str | None) -> Span | None:
        """The span of a request that is about to leave, whose context leaves with it; None where nobody traces."""
        if not recorded(call.traceparent):
            return None
        attributes: dict[str, str | int | bool] = {
            **self._address,
            **described(call.operation),
            "http.request.method": request.method,
        }
        if template is not None:
            attributes["url.template"] = template
        if call.attempt > 1:
            attributes["http.request.resend_count"] = call.attempt - 1
        span = self._tracer.start(
            f"{request.method} {template}" if template is not None else request.method,
            kind="client",
            parent=call.traceparent,
            attributes=attributes,
            links=call.links,
        )
        request.headers["traceparent"] = span.traceparent
        return span


def finish(span: Span, status: int, error: Exception | None, units: int) -> None:
    """The request is over. ``status`` is 0 when no answer came, ``error`` what it ended in, if that was no answer."""
    span.set({"ultimo_gateway.units": units})
    if status:
        span.set({"http.response.status_code": status})
    if error is not None:
        end(span, error)
        return
    if status >= 400 or not status:
        span.failed(str(status) if status else CANCELLED)
    span.end()
