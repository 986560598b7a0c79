"""What metrics tell of things as they stand, made anew for each scrape: what is not known is not told.

Nothing is kept between two scrapes, so no name can outlive its configuration and no value its truth.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

import msgspec
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from gateway.stores.ports import Standing

_MILLISECONDS = 1000

Kind = Literal["upstream", "client", "ca"]
"""Who shows a certificate: the upstream, or a tenant; or with which others are verified."""


class EnvironmentNow(msgspec.Struct, frozen=True, kw_only=True):
    """One environment as it stands.

    ``day_ends`` is in seconds since 1970, ``waiting`` a number of requests, and ``refusing`` says of each adapter
    whether its circuit refuses calls. ``quota`` has the enforced windows; None when the store could not be asked.
    """

    name: str
    day_ends: float
    waiting: int
    refusing: Mapping[str, bool]
    quota: Standing | None


class CertificateNow(msgspec.Struct, frozen=True, kw_only=True):
    """When a certificate ends, in seconds since 1970."""

    environment: str
    kind: Kind
    name: str
    ends: float


def families(
    environments: Iterable[EnvironmentNow], certificates: Iterable[CertificateNow]
) -> Iterator[Metric]:
    """The metrics of all of them, each there even where it has no value."""
    environments = tuple(environments)
    yield from _windows(environments)
    yield from _environments(environments)
    circuits = _gauge(
        "circuit_open",
        "1 while calls over an interface are refused since it kept failing; 0 again when its pause is over and the "
        "next call may try it.",
        ("environment", "adapter"),
    )
    for environment in environments:
        for adapter, refuses in environment.refusing.items():
            circuits.add_metric((environment.name, adapter), float(refuses))
    yield circuits
    expiry = _gauge(
        "certificate_expiry_timestamp_seconds",
        "When a certificate ends: of kind upstream the one that an interface showed last, of kind client that of a "
        "tenant, of kind ca the last of an environment's ca_file.",
        ("environment", "kind", "name"),
    )
    for it in certificates:
        expiry.add_metric((it.environment, it.kind, it.name), it.ends)
    yield expiry


def _windows(environments: Iterable[EnvironmentNow]) -> Iterator[Metric]:
    labels = ("environment", "level", "name", "window")
    used = _gauge(
        "quota_used_units", "Units that are taken of an enforced window, by all replicas together.", labels
    )
    limit = _gauge(
        "quota_limit_units",
        "Units that an enforced window holds now; less than configured for a while after the upstream has refused.",
        labels,
    )
    remaining = _gauge("quota_remaining_units", "Units that are left of an enforced window.", labels)
    for environment in environments:
        for state in environment.quota.windows if environment.quota else ():
            values = (environment.name, *state.key.split("/", 2))
            used.add_metric(values, state.used)
            limit.add_metric(values, state.limit)
            remaining.add_metric(values, max(0, state.limit - state.used))
    yield from (used, limit, remaining)


def _environments(environments: Iterable[EnvironmentNow]) -> Iterator[Metric]:
    ends = _gauge(
        "quota_day_ends_timestamp_seconds",
        "When the day of an environment's quota begins anew; of a rolling day always 24 hours from now.",
        ("environment",),
    )
    closed = _gauge(
        "upstream_closed_seconds",
        "How much longer nothing is sent, since the upstream has refused for its own quota; 0 while it is open.",
        ("environment",),
    )
    waiting = _gauge(
        "queue_waiting", "Requests that wait in this process for a slot or a place.", ("environment",)
    )
    for environment in environments:
        ends.add_metric((environment.name,), environment.day_ends)
        waiting.add_metric((environment.name,), environment.waiting)
        if environment.quota is not None:
            closed.add_metric((environment.name,), environment.quota.closed_for / _MILLISECONDS)
    yield from (ends, closed, waiting)


def _gauge(name: str, about: str, labels: tuple[str, ...]) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"ultimo_gateway_{name}", about, labels=labels)
