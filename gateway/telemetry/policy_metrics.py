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
            "How long calls waited for a slot of the quota or a place, in seconds; only those that waited.",
            {"band": list(Band)},
        )
        self._events = counted(
            registry,
            "events",
            "What happened on the way: retry (an attempt was repeated), retry_denied (there was too little left for "
            "that), throttled (the upstream refused for its own quota), shadowed (a window that is not enforced would "
            "have refused), lapsed (a slot ran out before its request had left), circuit_opened, store_error.",
            {"event": EVENTS, "environment": environments, "adapter": adapters},
        )
        self._keys = counted(
            registry,
            "idempotency_keys",
            "Writes with an idempotency key: begun, replayed (answered as before), in_flight (the first one still "
            "runs), mismatch (the key stands for another body), unknown (what became of the first one).",
            {"state": KEYS},
        )
        self.store_lost = Gauge(
            "ultimo_gateway_store_lost",
            "1 while the store cannot be reached, and this replica goes on with its own share of every window.",
            registry=registry,
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
