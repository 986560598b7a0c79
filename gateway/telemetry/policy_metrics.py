"""What is counted of the policies and the stores: waiting, repeating, refusing, remembering."""

from __future__ import annotations

from collections.abc import Collection

from prometheus_client import CollectorRegistry, Gauge

from contracts.call import Band
from gateway.telemetry.series import NONE, Names, counted, measured, timed

EVENTS = ("retry", "retry_denied", "throttled", "shadowed", "lapsed", "circuit_opened", "store_error")
KEYS = ("begun", "replayed", "in_flight", "mismatch", "unknown")
LEVELS = ("environment", "tenant", "client")
WINDOWS = ("burst", "day")


class PolicyMetrics:
    """Counters of :class:`~gateway.telemetry.events.Events`."""

    def __init__(
        self,
        registry: CollectorRegistry,
        environments: Names,
        tenants: Names,
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
        self._owners, self._environments, self._tenants = Names(()), environments, tenants
        quota = {"environment": environments, "level": LEVELS, "name": self._owners, "window": WINDOWS}
        self._used = measured(registry, "quota_used_units", "Units taken of a window.", quota)
        self._limit = measured(registry, "quota_limit_units", "Units that a window holds now.", quota)
        self._circuits = measured(
            registry,
            "circuit_open",
            "1 while an interface is left alone.",
            {"environment": environments, "adapter": adapters},
        )
        self.store_lost = Gauge(
            "ultimo_gateway_store_lost", "1 while the store cannot be reached.", registry=registry
        )
        self.renamed()

    def renamed(self) -> None:
        """The names of environments and tenants are others now; what was measured of the former is forgotten."""
        self._owners.become((*self._environments, *self._tenants))
        for gauge in (self._used, self._limit, self._circuits):
            gauge.clear()

    def waited(self, band: str, seconds: float) -> None:
        """Time a call that waited for a slot."""
        self._waits.of((band,)).observe(seconds)

    def event(self, event: str, environment: str = NONE, adapter: str = NONE) -> None:
        """Count what a policy did; ``event`` is one of :data:`EVENTS`."""
        self._events.of((event, environment, adapter)).inc()

    def key(self, state: str) -> None:
        """Count a write with an idempotency key; ``state`` is one of :data:`KEYS`."""
        self._keys.of((state,)).inc()

    def window(self, environment: str, level: str, name: str, window: str, *, used: int, limit: int) -> None:
        """Set how full a window of the quota is; clients share the name ``other``."""
        labels = (environment, level, name, window)
        self._used.of(labels).set(used)
        self._limit.of(labels).set(limit)

    def circuit(self, environment: str, adapter: str, *, opened: bool) -> None:
        """Set whether an interface is left alone."""
        self._circuits.of((environment, adapter)).set(int(opened))
