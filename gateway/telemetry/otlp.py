"""Spans over OpenTelemetry, sent by OTLP over HTTP. The only file that knows OpenTelemetry, which may be absent.

Nothing of it is set globally. Spans leave in batches from a thread of its own; a collector that is slow or down costs
spans, never calls. ``OTEL_RESOURCE_ATTRIBUTES``, ``OTEL_SERVICE_NAME``, ``OTEL_EXPORTER_OTLP_HEADERS``,
``OTEL_BSP_SCHEDULE_DELAY`` and the like mean what the SDK says that they mean.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.environment_variables import OTEL_SDK_DISABLED
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.trace import Span as OtelSpan

from gateway.settings import TracingSettings
from gateway.telemetry.tracing import Attributes, Kind, Span
from gateway.version import VERSION

FAREWELL = 3.0
"""The most seconds that the end of the process waits for spans to be handed over."""

_KINDS = {"server": SpanKind.SERVER, "client": SpanKind.CLIENT, "internal": SpanKind.INTERNAL}


def otlp_tracer(
    settings: TracingSettings, now: Callable[[], float], environ: Mapping[str, str] = os.environ
) -> OtelTracer | None:
    """A tracer that sends to the endpoint of the settings; ``now`` answers Unix seconds.

    None where ``OTEL_SDK_DISABLED`` is true: the SDK's spans have no ids then.
    """
    if environ.get(OTEL_SDK_DISABLED, "").strip().lower() == "true":
        return None
    # What its threads still say when the process has taken its leave goes nowhere, and not to standard error.
    library = logging.getLogger("opentelemetry")
    if not library.handlers:
        library.addHandler(logging.NullHandler())
    exporter = OTLPSpanExporter(endpoint=settings.endpoint)
    return OtelTracer(settings.ratio, exporter, BatchSpanProcessor(exporter), now)


class OtelTracer:
    """The :class:`~gateway.telemetry.tracing.Tracer` over OpenTelemetry's SDK."""

    def __init__(
        self,
        ratio: float,
        exporter: SpanExporter,
        processor: SpanProcessor,
        now: Callable[[], float],
        farewell: float = FAREWELL,
    ) -> None:
        """``ratio`` of the traces that begin here is recorded; of others the caller has decided that."""
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(ratio)), resource=_resource(), shutdown_on_exit=False
        )
        self._provider.add_span_processor(processor)
        self._exporter = exporter
        self._tracer = self._provider.get_tracer("ultimo-gateway", VERSION)
        self._now = now
        self._farewell = farewell

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
        context = Context()
        if parent is not None:
            above = NonRecordingSpan(_span_context(parent, remote=kind == "server"))
            context = set_span_in_context(above, context)
        span = self._tracer.start_span(
            name,
            context,
            _KINDS[kind],
            attributes,
            [Link(_span_context(link)) for link in links],
            start_time=_nanoseconds(self._now() if began is None else began),
        )
        return _Span(span, self._now)

    async def aclose(self) -> None:
        loop, over = asyncio.get_running_loop(), asyncio.Event()

        def hand_over() -> None:
            self._provider.shutdown()
            with suppress(RuntimeError):
                # When it took too long the loop may have ended before.
                loop.call_soon_threadsafe(over.set)

        # The end of the process waits for threads of an executor, whatever they wait for; for this one it does not.
        threading.Thread(target=hand_over, name="traces", daemon=True).start()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._farewell):
                await over.wait()
                return
        # Ends the pauses between its tries, after which it does not try again.
        self._exporter.shutdown()


class _Span:
    def __init__(self, span: OtelSpan, now: Callable[[], float]) -> None:
        self._span = span
        self._now = now
        own = span.get_span_context()
        self.traceparent = f"00-{own.trace_id:032x}-{own.span_id:016x}-{own.trace_flags:02x}"
        self.recording = span.is_recording()

    def set(self, attributes: Attributes) -> None:
        self._span.set_attributes({**attributes})

    def failed(self, kind: str) -> None:
        self._span.set_attribute("error.type", kind)
        self._span.set_status(Status(StatusCode.ERROR, kind))

    def end(self) -> None:
        if self.recording:
            self._span.end(_nanoseconds(self._now()))


def _resource() -> Resource:
    """What sends: the operator's own words in the environment stand above ours."""
    own = Resource.create({"service.name": "ultimo-gateway", "service.version": VERSION})
    return own.merge(OTELResourceDetector().detect())


def _span_context(traceparent: str, *, remote: bool = False) -> SpanContext:
    _, trace, span, flags = traceparent.split("-")
    return SpanContext(
        int(trace, 16), int(span, 16), is_remote=remote, trace_flags=TraceFlags(int(flags, 16))
    )


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1_000_000_000)
