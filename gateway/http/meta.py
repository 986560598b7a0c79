"""What the gateway says of itself: tenants, capabilities, health, metrics."""

from __future__ import annotations

from gateway.http.answers import Answer, json_answer
from gateway.http.exchange import Degraded, Exchange
from gateway.http.negotiation import accepted
from gateway.http.parameters import flag, parse_parameters
from gateway.http.plans import plan_answer
from gateway.http.queries import COMMON
from gateway.telemetry.metrics import CONTENT_TYPE

_FRESH = (b"cache-control", b"no-store")


async def tenants(exchange: Exchange) -> Answer:
    """The tenants that the credential may use."""
    accepted(exchange.headers.get(b"accept"))
    if flag(parse_parameters(exchange.scope["query_string"], COMMON), "dry_run"):
        return plan_answer(exchange)
    visible = exchange.services.tenants.visible(exchange.client.settings)
    return json_answer(
        {"items": [{"name": tenant.name, "environment": tenant.settings.environment} for tenant in visible]}
    )


async def capabilities(exchange: Exchange) -> Answer:
    """Which operation is served by which adapter, and what none serves."""
    accepted(exchange.headers.get(b"accept"))
    if flag(parse_parameters(exchange.scope["query_string"], COMMON), "dry_run"):
        return plan_answer(exchange)
    return json_answer({"items": exchange.tenant.capabilities()})


async def livez(exchange: Exchange) -> Answer:
    """The process answers; that is all."""
    exchange.quiet = True
    return Answer(200, b'{"status":"live"}', ((b"content-type", b"application/json"), _FRESH))


async def readyz(exchange: Exchange) -> Answer:
    """Whether each part can serve; 503 when one cannot, or the process is about to end.

    What serves with less than all says so, with 200.
    """
    exchange.quiet = True
    lifecycle = exchange.services.lifecycle
    found = {name: await check() for name, check in exchange.services.checks.items()}
    worst = max((_badness(state) for state in found.values()), default=0)
    status = "draining" if lifecycle.draining else ("ready", "degraded", "not ready")[worst]
    parts = {name: _said(state) for name, state in found.items()}
    return json_answer(
        {"status": status, "config": lifecycle.config, "parts": parts},
        status=503 if lifecycle.draining or worst == 2 else 200,
    )


def _badness(state: str | Degraded | None) -> int:
    return 1 if isinstance(state, Degraded) else 2 * (state is not None)


def _said(state: str | Degraded | None) -> str:
    return f"degraded: {state.text}" if isinstance(state, Degraded) else state or "ok"


async def metrics(exchange: Exchange) -> Answer:
    """The Prometheus text."""
    exchange.quiet = True
    text = await exchange.services.metrics()
    return Answer(200, text, ((b"content-type", CONTENT_TYPE.encode()), _FRESH))
