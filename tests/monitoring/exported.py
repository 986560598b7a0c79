"""What Prometheus can know of the gateway: the metrics that it exports, their labels, and the values of these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from prometheus_client import Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics import MetricWrapperBase

from contracts.call import Band
from gateway.http.problem_kinds import KINDS
from gateway.settings.traffic import Window
from gateway.telemetry.metrics import Metrics
from gateway.telemetry.policy_metrics import EVENTS, KEYS
from gateway.telemetry.series import NONE
from gateway.telemetry.standing import Kind, families

SCRAPED = frozenset({"namespace", "job", "pod"})
"""The labels that a ServiceMonitor puts on everything."""

VALUES: Mapping[str, frozenset[str]] = {
    "event": frozenset(EVENTS),
    "window": frozenset(get_args(Window)),
    "level": frozenset({"environment", "tenant", "client"}),
    "state": frozenset(KEYS),
    "band": frozenset(Band),
    "status": frozenset({"1xx", "2xx", "3xx", "4xx", "5xx", NONE}),
    "code": frozenset({*KINDS, NONE}),
    "kind": frozenset(get_args(Kind)),
    "outcome": frozenset({"taken", "refused"}),
}
"""Label → the values that it takes, where the code knows them all."""

_SERIES = {Counter: ("_total",), Histogram: ("_bucket", "_sum", "_count")}


def metrics() -> dict[str, frozenset[str]]:
    """Series name → its labels, those of the scrape included, as /metrics renders them."""
    exporting = Metrics(
        version="1.2.3",
        config_hash="0123456789abcdef",
        tenants=["erp"],
        environments=["plant-a"],
        adapters=["rest"],
    )
    found = {"up": SCRAPED}
    for collector in exporting._registry._collector_to_names:
        assert isinstance(collector, MetricWrapperBase)
        labels = SCRAPED.union(collector._labelnames)
        for ending in _SERIES.get(type(collector), ("",)):
            bucket = {"le"} if ending == "_bucket" else set()
            found[collector._name + ending] = labels | bucket
    for gauge in families((), ()):
        assert isinstance(gauge, GaugeMetricFamily)
        found[gauge.name] = SCRAPED.union(gauge._labelnames)
    return found
