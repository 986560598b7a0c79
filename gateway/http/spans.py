"""The span of a call of the API, until its last byte, by OpenTelemetry's conventions for HTTP servers.

Its name is the route's template. The path itself has the keys of records in it, and the query filters: neither shows.
A caller decides by a flag what is recorded: so there is none before it is known who calls, and strangers cost nothing.
"""

from __future__ import annotations

from gateway.http.exchange import Exchange
from gateway.http.problem_kinds import KINDS


def begin(exchange: Exchange, route: str) -> None:
    """Where calls are traced: everything further happens under this span, which is what the caller is told of."""
    tracer = exchange.services.tracer
    if tracer is None:
        return
    attributes = {
        "http.request.method": exchange.method,
        "http.route": route,
        "url.scheme": exchange.scope["scheme"],
        "ultimo_gateway.request_id": exchange.request_id,
    }
    exchange.span = tracer.start(
        f"{exchange.method} {route}", kind="server", parent=exchange.traceparent, attributes=attributes
    )
    exchange.traceparent = exchange.span.traceparent


def end(exchange: Exchange, status: int) -> None:
    """What became known of it, once. As in the log: what a caller did wrong is no failure, but has its code."""
    span = exchange.span
    if span is None:
        return
    if span.recording:
        span.set({name: value for name, value in _facts(exchange, status).items() if value is not None})
        failure = exchange.failure
        if failure is not None and KINDS[failure.code].status >= 500:
            span.failed(failure.code)
    span.end()


def _facts(exchange: Exchange, status: int) -> dict[str, str | int | None]:
    journal, failure = exchange.journal, exchange.failure
    return {
        "http.response.status_code": status,
        "error.type": None if failure is None else failure.code,
        "ultimo_gateway.outcome": None if failure is None else failure.outcome.value,
        "ultimo_gateway.tenant": exchange.tenant_name,
        "ultimo_gateway.client": exchange.client_name,
        "ultimo_gateway.operation": exchange.operation,
        "ultimo_gateway.entity": exchange.entity,
        "ultimo_gateway.adapter": journal.adapter,
        "ultimo_gateway.cache": None if journal.cache is None else journal.cache.how,
        "ultimo_gateway.idempotency": exchange.key_state,
        "ultimo_gateway.units": journal.units,
        "ultimo_gateway.attempts": journal.attempts,
        "ultimo_gateway.asked": exchange.asked,
        "ultimo_gateway.failed": exchange.failures.total(),
    }
