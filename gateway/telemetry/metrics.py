"""Counters for Prometheus, in a registry of their own.

Labels take values from what is configured and from what the code knows; everything else counts as ``other``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import Metric

from contracts.errors import GatewayError
from contracts.operations import OPERATIONS
from gateway.telemetry.about import About
from gateway.telemetry.policy_metrics import PolicyMetrics
from gateway.telemetry.series import NONE, Children, Names, Together, counted, timed

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


class Metrics:
    """Everything that is counted. Counting is for one thread; :meth:`render` may run in another.

    ``tenants`` and ``environments`` are the configured names, ``adapters`` those that are installed.
    """

    def __init__(
        self,
        *,
        version: str,
        config_hash: str,
        tenants: Iterable[str],
        environments: Iterable[str],
        adapters: Iterable[str],
        now: float = 0.0,
    ) -> None:
        """``now`` is in seconds since 1970."""
        self._registry = registry = CollectorRegistry()
        self._tenants, self._environments = Names(tenants), Names(environments)
        tenants, environments, adapters = self._tenants, self._environments, frozenset(adapters)
        operations = [kind.kind for kind in OPERATIONS]
        self._calls = _calls(registry, tenants, operations, adapters)
        self._seconds = timed(
            registry,
            "call_seconds",
            "How long calls took, in seconds, waiting and repetitions included.",
            {"operation": operations},
        )
        self._requests = _requests(registry, environments, adapters)
        self._units = counted(
            registry,
            "upstream_units",
            "Units that requests took from the quota of an environment: one each, where the interface counts.",
            {"environment": environments, "tenant": tenants},
        )
        self._upstream_seconds = timed(
            registry,
            "upstream_seconds",
            "How long requests took that left, in seconds, from the wait for a connection to the end of the answer.",
            {"environment": environments, "adapter": adapters},
        )
        self.policies = PolicyMetrics(registry, environments, adapters)
        self.in_flight = _in_flight(registry)
        self._about = About(registry, version)
        self._about.runs(config_hash, now)

    def configured(
        self, config_hash: str, *, tenants: Iterable[str], environments: Iterable[str], now: float
    ) -> None:
        """Another configuration runs, since ``now``; from here on its names are counted under their own."""
        self._tenants.become(tenants)
        self._environments.become(environments)
        self._about.runs(config_hash, now)
        self._about.reloaded(refused=False)

    def refused(self) -> None:
        """A configuration was refused; the former one runs on."""
        self._about.reloaded(refused=True)

    def call(
        self,
        *,
        tenant: str,
        operation: str,
        adapter: str | None,
        status: int,
        code: str | None,
        seconds: float,
    ) -> None:
        """Count a call that ended with an HTTP status and, when it failed, the code of its error."""
        self._calls.of((tenant, operation, adapter or NONE, _class(status), code or NONE)).inc()
        self._seconds.of((operation,)).observe(seconds)

    def upstream(
        self,
        *,
        environment: str,
        tenant: str,
        adapter: str | None,
        status: int | None,
        seconds: float | None,
        units: int = 1,
    ) -> None:
        """Count a request; ``status`` is None when no answer came, ``seconds`` when it has not left."""
        self._requests.of((environment, adapter or NONE, _class(status))).inc()
        self._units.of((environment, tenant)).inc(units)
        if seconds is not None:
            self._upstream_seconds.of((environment, adapter or NONE)).observe(seconds)

    def render(self, beside: Iterable[Metric] = ()) -> bytes:
        """The text that Prometheus scrapes, of :data:`CONTENT_TYPE`, with what is told ``beside`` the counts."""
        return generate_latest(Together(self._registry, beside))


def _calls(
    registry: CollectorRegistry, tenants: Names, operations: Collection[str], adapters: Collection[str]
) -> Children[Counter]:
    labels = {
        "tenant": tenants,
        "operation": operations,
        "adapter": adapters,
        "status": _STATUSES,
        "code": _codes(GatewayError),
    }
    about = "Calls of the API, by how they ended; status is a class, code that of the error, or 'none'."
    return counted(registry, "calls", about, labels)


def _in_flight(registry: CollectorRegistry) -> Gauge:
    about = "Requests under way, this one for the metrics among them."
    return Gauge("ultimo_gateway_calls_in_flight", about, registry=registry)


def _requests(
    registry: CollectorRegistry, environments: Names, adapters: Collection[str]
) -> Children[Counter]:
    labels = {"environment": environments, "adapter": adapters, "status": _STATUSES}
    about = (
        "Requests to the upstream, those included that found no connection; status is a class, or 'none' without "
        "an answer."
    )
    return counted(registry, "upstream_requests", about, labels)


_STATUSES = ("1xx", "2xx", "3xx", "4xx", "5xx")


def _class(status: int | None) -> str:
    return NONE if status is None else f"{status // 100}xx"


def _codes(error: type[GatewayError]) -> set[str]:
    """The codes of an error and of all that are derived from it."""
    own = {error.code} if "code" in vars(error) else set()
    return own.union(*(_codes(derived) for derived in error.__subclasses__()))
