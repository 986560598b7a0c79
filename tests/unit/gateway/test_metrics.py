"""Counters: what they count, under which labels, and that no caller can make series."""

from __future__ import annotations

from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from gateway.telemetry.metrics import Metrics


def metrics() -> Metrics:
    return Metrics(
        version="1.2.3",
        config_hash="abc",
        tenants=["demo"],
        environments=["plant-a"],
        adapters=["rest", "batch"],
    )


def samples(counted: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(counted.render().decode())
        for sample in family.samples
    }


def value(counted: Metrics, name: str, **labels: str) -> float | None:
    return samples(counted).get((f"ultimo_gateway_{name}", frozenset(labels.items())))


def call(counted: Metrics, **changed: Any) -> None:
    fields: dict[str, Any] = {
        "tenant": "demo",
        "operation": "get",
        "adapter": "rest",
        "status": 200,
        "code": None,
        "seconds": 0.03,
    }
    counted.call(**(fields | changed))


def test_a_call_counts_once_with_how_it_ended() -> None:
    counted = metrics()
    call(counted)
    call(counted)
    call(counted, status=404, code="record_not_found")
    labels = {"tenant": "demo", "operation": "get", "adapter": "rest"}
    assert value(counted, "calls_total", **labels, status="2xx", code="none") == 2
    assert value(counted, "calls_total", **labels, status="4xx", code="record_not_found") == 1


def test_durations_fall_into_buckets_in_seconds() -> None:
    counted = metrics()
    call(counted, seconds=0.03)
    call(counted, seconds=2)
    assert value(counted, "call_seconds_bucket", operation="get", le="0.025") == 0
    assert value(counted, "call_seconds_bucket", operation="get", le="0.05") == 1
    assert value(counted, "call_seconds_bucket", operation="get", le="+Inf") == 2
    assert value(counted, "call_seconds_sum", operation="get") == 2.03


def test_every_send_is_a_request_and_a_unit() -> None:
    counted = metrics()
    counted.upstream(environment="plant-a", tenant="demo", adapter="rest", status=200, seconds=0.2)
    counted.upstream(environment="plant-a", tenant="demo", adapter="rest", status=None, seconds=None)
    assert value(counted, "upstream_requests_total", environment="plant-a", adapter="rest", status="2xx") == 1
    assert (
        value(counted, "upstream_requests_total", environment="plant-a", adapter="rest", status="none") == 1
    )
    assert value(counted, "upstream_units_total", environment="plant-a", tenant="demo") == 2


def test_calls_under_way_go_up_and_down() -> None:
    counted = metrics()
    counted.in_flight.inc()
    counted.in_flight.inc()
    counted.in_flight.dec()
    assert value(counted, "calls_in_flight") == 1


def test_it_says_what_runs() -> None:
    names = {name: dict(labels) for name, labels in samples(metrics())}
    assert names["ultimo_gateway_build_info"]["version"] == "1.2.3"
    assert names["ultimo_gateway_config_info"] == {"hash": "abc"}


def test_no_caller_can_make_series() -> None:
    counted = metrics()
    call(counted)
    before = len(samples(counted))
    call(counted, tenant="x", operation="x", adapter="x", status=999, code="x")
    after = samples(counted)
    for number in range(100):
        call(
            counted,
            tenant=f"x{number}",
            operation=f"x{number}",
            adapter=f"x{number}",
            status=999,
            code=f"x{number}",
        )
    assert samples(counted).keys() == after.keys()
    assert len(after) > before
    others = dict.fromkeys(("tenant", "operation", "adapter", "status", "code"), "other")
    assert value(counted, "calls_total", **others) == 101


def test_calls_without_tenant_or_adapter_are_counted_as_such() -> None:
    counted = metrics()
    call(counted, tenant="none", adapter=None, status=401, code="unauthenticated")
    labels = {
        "tenant": "none",
        "operation": "get",
        "adapter": "none",
        "status": "4xx",
        "code": "unauthenticated",
    }
    assert value(counted, "calls_total", **labels) == 1


def test_registries_are_apart_and_have_no_created_series() -> None:
    one, other = metrics(), metrics()
    call(one)
    assert not any(name.endswith("calls_total") for name, _ in samples(other))
    assert not any(name.endswith("_created") for name, _ in samples(one))
