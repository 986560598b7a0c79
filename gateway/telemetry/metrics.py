"""Counters for Prometheus, in a registry of their own.

A count is one look-up and one addition: the child of each set of labels is kept ready. Labels take
values from what is configured and from what the code knows; everything else counts as ``other``, so
that no caller can make series.
"""

from __future__ import annotations

import platform
from collections.abc import Collection, Iterator, Mapping
from typing import Generic, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from contracts.errors import GatewayError
from contracts.operations import OPERATIONS

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
OTHER = "other"
NONE = "none"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

Labels = Mapping[str, Collection[str]]
"""The labels of a metric and the values that each may take."""

M = TypeVar("M", bound=MetricWrapperBase)


class Metrics:
    """Everything that is counted. Counting is for one thread; :meth:`render` may run in another.

    ``tenants``, ``environments`` and ``adapters`` are the configured names.
    """

    def __init__(
        self,
        *,
        version: str,
        config_hash: str,
        tenants: Collection[str],
        environments: Collection[str],
        adapters: Collection[str],
    ) -> None:
        self._registry = registry = CollectorRegistry()
        operations, statuses = [kind.kind for kind in OPERATIONS], _STATUSES
        self._calls = _counted(
            registry,
            "calls",
            "Calls, by how they ended; status is a class, code is 'none' without an error.",
            {
                "tenant": tenants,
                "operation": operations,
                "adapter": adapters,
                "status": statuses,
                "code": _codes(GatewayError),
            },
        )
        self._seconds = _timed(
            registry, "call_seconds", "How long calls took, waiting included.", {"operation": operations}
        )
        self._requests = _counted(
            registry,
            "upstream_requests",
            "Requests sent upstream; status is a class, 'none' without an answer.",
            {"environment": environments, "adapter": adapters, "status": statuses},
        )
        self._units = _counted(
            registry,
            "upstream_units",
            "Units taken from the quota of an environment.",
            {"environment": environments, "tenant": tenants},
        )
        self.in_flight = Gauge("ultimo_gateway_calls_in_flight", "Calls under way.", registry=registry)
        _about(registry, version, config_hash)

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
        self, *, environment: str, tenant: str, adapter: str | None, status: int | None, units: int = 1
    ) -> None:
        """Count a request that left; ``status`` is None when no answer came."""
        self._requests.of((environment, adapter or NONE, _class(status))).inc()
        self._units.of((environment, tenant)).inc(units)

    def render(self) -> bytes:
        """The text that Prometheus scrapes, of :data:`CONTENT_TYPE`."""
        return generate_latest(_WithoutCreated(self._registry))


class _Children(Generic[M]):
    """A metric's children by the values of their labels."""

    def __init__(self, metric: M, labels: Labels) -> None:
        self._metric = metric
        self._known = tuple(frozenset((*values, NONE)) for values in labels.values())
        self._children: dict[tuple[str, ...], M] = {}

    def of(self, labels: tuple[str, ...]) -> M:
        child = self._children.get(labels)
        if child is None:
            bounded = tuple(
                value if value in known else OTHER for value, known in zip(labels, self._known, strict=True)
            )
            child = self._metric.labels(*bounded)
            if bounded == labels:
                self._children[labels] = child
        return child


def _counted(registry: CollectorRegistry, name: str, about: str, labels: Labels) -> _Children[Counter]:
    return _Children(Counter(f"ultimo_gateway_{name}", about, tuple(labels), registry=registry), labels)


def _timed(registry: CollectorRegistry, name: str, about: str, labels: Labels) -> _Children[Histogram]:
    histogram = Histogram(f"ultimo_gateway_{name}", about, tuple(labels), buckets=SECONDS, registry=registry)
    return _Children(histogram, labels)


class _WithoutCreated(Collector):
    """Leaves the ``_created`` series out: twice as many series, which nobody reads."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        for metric in self._registry.collect():
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            yield metric


_STATUSES = ("1xx", "2xx", "3xx", "4xx", "5xx")


def _class(status: int | None) -> str:
    return NONE if status is None else f"{status // 100}xx"


def _codes(error: type[GatewayError]) -> set[str]:
    """The codes of an error and of all that are derived from it."""
    own = {error.code} if "code" in vars(error) else set()
    return own.union(*(_codes(derived) for derived in error.__subclasses__()))


def _about(registry: CollectorRegistry, version: str, config_hash: str) -> None:
    build = Gauge("ultimo_gateway_build_info", "What runs.", ("version", "python"), registry=registry)
    build.labels(version, platform.python_version()).set(1)
    config = Gauge(
        "ultimo_gateway_config_info", "Which configuration it runs with.", ("hash",), registry=registry
    )
    config.labels(config_hash).set(1)
