"""Spans as a collector gets them: over OTLP/HTTP on a socket, or kept in memory by the SDK; read in the same way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import msgspec
from aiohttp import web
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1 import trace_pb2
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from gateway.clock import SystemClock
from gateway.telemetry.otlp import OtelTracer

ERROR = trace_pb2.Status.STATUS_CODE_ERROR


class Seen(msgspec.Struct, frozen=True):
    """One span; ``parent`` is empty for the first one of a trace, ``links`` are span ids."""

    name: str
    kind: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, str | int]
    links: tuple[str, ...]
    failed: bool
    began: int
    ended: int


class Traces:
    """What was exported; ``sent`` are the bytes of it, ``resource`` what sent it."""

    def __init__(self, *sent: bytes) -> None:
        self.sent = list(sent)
        self.resource: dict[str, str | int] = {}

    def spans(self) -> list[Seen]:
        """All of them, in the order in which they began."""
        found: list[Seen] = []
        for body in self.sent:
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                self.resource = {item.key: item.value.string_value for item in resource.resource.attributes}
                found += [_seen(span) for scope in resource.scope_spans for span in scope.spans]
        return sorted(found, key=lambda span: span.began)

    def named(self, name: str) -> list[Seen]:
        """Those of one name."""
        return [span for span in self.spans() if span.name == name]

    def tree(self) -> list[str]:
        """Each span with what it says of itself, under its parent; equal ones beside each other once, counted."""
        spans = self.spans()
        ids = {span.id for span in spans}
        return _drawn([span for span in spans if span.parent not in ids], spans, "")


class Collector(Traces):
    """A collector on a socket; ``url`` is its endpoint."""

    url = ""

    async def take(self, request: web.Request) -> web.Response:
        self.sent.append(await request.read())
        return web.Response(body=b"", content_type="application/x-protobuf")


@asynccontextmanager
async def collector() -> AsyncIterator[Collector]:
    """One that takes everything, until the context ends."""
    running = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", running.take)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        running.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1/traces"
        yield running
    finally:
        await runner.cleanup()


class Kept(InMemorySpanExporter):
    """Keeps spans as they end."""

    def traces(self) -> Traces:
        """As they would have been sent."""
        return Traces(encode_spans(self.get_finished_spans()).SerializeToString())


def keeping(ratio: float = 1.0) -> tuple[OtelTracer, Kept]:
    """A tracer, and where its spans go."""
    kept = Kept()
    return OtelTracer(ratio, kept, SimpleSpanProcessor(kept), SystemClock().now), kept


def _seen(span: trace_pb2.Span) -> Seen:
    return Seen(
        span.name,
        trace_pb2.Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        {item.key: item.value.string_value or item.value.int_value for item in span.attributes},
        tuple(link.span_id.hex() for link in span.links),
        span.status.code == ERROR,
        span.start_time_unix_nano,
        span.end_time_unix_nano,
    )


def _drawn(roots: Iterable[Seen], spans: list[Seen], indent: str) -> list[str]:
    lines: list[str] = []
    for span in roots:
        beneath = [other for other in spans if other.parent == span.id]
        line = f"{indent}{span.name}{_said(span)}"
        if not beneath and lines and lines[-1].partition(" ×")[0] == line:
            lines[-1] = f"{line} ×{int(lines[-1].partition(' ×')[2] or 1) + 1}"
        else:
            lines += [line, *_drawn(beneath, spans, indent + "  ")]
    return lines


def _said(span: Seen) -> str:
    said = [
        f" {short}={span.attributes[name]}"
        for short, name in (
            ("status", "http.response.status_code"),
            ("attempt", "ultimo_gateway.attempt"),
            ("error", "error.type"),
        )
        if name in span.attributes and (short != "attempt" or span.name == "breaker")
    ]
    return "".join(said) + (f" links={len(span.links)}" if span.links else "")
