"""Counters for Prometheus, in a registry of their own.

Labels take values from what is configured and from what the code knows; everything else counts as ``other``.
"""

from __future__ import annotations

import platform
from collections.abc import Collection

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from contracts.errors import GatewayError
from contracts.operations import OPERATIONS
from gateway.telemetry.policy_metrics import PolicyMetrics
from gateway.telemetry.series import NONE, WithoutCreated, counted, timed

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


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
        self._calls = counted(
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
        self._seconds = timed(
            registry, "call_seconds", "How long calls took, waiting included.", {"operation": operations}
        )
        self._requests = counted(
            registry,
            "upstream_requests",
            "Requests sent upstream; status is a class, 'none' without an answer.",
            {"environment": environments, "adapter": adapters, "status": statuses},
        )
        self._units = counted(
            registry,
            "upstream_units",
            "Units taken from the quota of an environment.",
            {"environment": environments, "tenant": tenants},
        )
        self.policies = PolicyMetrics(registry, environments, tenants, adapters)
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
        return generate_latest(WithoutCreated(self._registry))


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
