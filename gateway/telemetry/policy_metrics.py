"""What is counted of the policies and the stores: waiting, repeating, refusing, remembering."""

from __future__ import annotations

from collections.abc import Collection

from prometheus_client import CollectorRegistry, Gauge

from contracts.call import Band
from gateway.telemetry.series import NONE, Names, counted, timed

EVENTS = ("retry", "retry_denied", "throttled", "shadowed", "lapsed", "circuit_opened", "store_error")
KEYS = ("begun", "replayed", "in_flight", "mismatch", "unknown")


class PolicyMetrics:
    """Counters of :class:`~gateway.telemetry.events.Events`."""

    def __init__(
        self,
        registry: CollectorRegistry,
        environments: Names,
        adapters: Collection[str],
    ) -> None:
        self._waits = timed(
            registry,
            "queue_seconds",
            "How long calls waited for a slot, those that did.",
            {"band": list(Band)},
        )
        self._events = counted(
            registry,
            "events",
            "What the policies did: retry, retry_denied, throttled, shadowed, lapsed, circuit_opened, store_error.",
            {"event": EVENTS, "environment": environments, "adapter": adapters},
        )
        self._keys = counted(
            registry,
            "idempotency_keys",
            "Writes with an idempotency key, by what became known of it.",
            {"state": KEYS},
        )
        self.store_lost = Gauge(
            "ultimo_gateway_store_lost", "1 while the store cannot be reached.", registry=registry
        )

    def waited(self, band: str, seconds: float) -> None:
        """Time a call that waited for a slot."""
        self._waits.of((band,)).observe(seconds)

    def event(self, event: str, environment: str = NONE, adapter: str = NONE) -> None:
        """Count what a policy did; ``event`` is one of :data:`EVENTS`."""
        self._events.of((event, environment, adapter)).inc()

    def key(self, state: str) -> None:
        """Count a write with an idempotency key; ``state`` is one of :data:`KEYS`."""
        self._keys.of((state,)).inc()
