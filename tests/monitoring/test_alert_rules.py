"""The PrometheusRule: every alert is there, asks only for what there is, and tells somebody what to do."""

from __future__ import annotations

import re

import helm_python as helm
import pytest

from tests.monitoring import promql
from tests.monitoring.conftest import RUNBOOK_URL, Manifest, of_kind, render
from tests.monitoring.promql import Series

ALERTS = {
    "UltimoGatewayDayQuotaExhaustedSoon",
    "UltimoGatewayDayQuotaExhausted",
    "UltimoGatewayUpstreamThrottled",
    "UltimoGatewayCircuitOpen",
    "UltimoGatewayErrorBudgetBurn",
    "UltimoGatewayStoreLost",
    "UltimoGatewayQueueWait",
    "UltimoGatewayConfigMismatch",
    "UltimoGatewayConfigRefused",
    "UltimoGatewayCertificateExpiring",
    "UltimoGatewayDown",
}
RELEASE = {"namespace": "prod", "job": "ultimo-gateway-operations"}


def test_every_alert_is_there(alerts: list[Manifest]) -> None:
    assert {alert["alert"] for alert in alerts} == ALERTS


def test_rules_ask_only_for_series_labels_and_values_that_there_are(
    rules: list[Manifest], series: Series
) -> None:
    found = {rule.get("alert") or rule["record"]: promql.faults(rule["expr"], series) for rule in rules}
    assert {name: faults for name, faults in found.items() if faults} == {}


def test_rules_ask_for_this_release_alone(rules: list[Manifest], manifests: list[Manifest]) -> None:
    services = {service["metadata"]["name"] for service in of_kind("Service", manifests)}
    assert RELEASE["job"] in services
    for rule in rules:
        for selector in promql.selectors(promql.parse(rule["expr"])):
            assert promql.matched(selector).items() >= RELEASE.items(), f"{rule}: {selector}"


def test_an_alert_keeps_the_labels_that_tell_releases_apart(alerts: list[Manifest]) -> None:
    for alert in alerts:
        summed = re.findall(r"by \(([^)]*)\)", alert["expr"])
        assert all({"namespace", "job"} <= set(labels.split(", ")) for labels in summed), alert["expr"]


def test_an_alert_says_what_is_wrong_and_where_to_read_on(alerts: list[Manifest], series: Series) -> None:
    for alert in alerts:
        assert alert["labels"]["severity"] in ("critical", "warning")
        told = alert["annotations"]
        assert set(told) == {"summary", "description", "runbook_url"}
        assert told["runbook_url"] == f"{RUNBOOK_URL}#{alert['alert'].lower()}"
        text = told["summary"] + told["description"]
        named = set(re.findall(r"\$labels\.(\w+)", text))
        assert named <= promql.labels(promql.parse(alert["expr"]), series)
        for inner in re.findall(r"printf `([^`]*)`", text):
            assert promql.faults(inner.replace("%q", '"plant-a"'), series) == []


def test_what_is_critical_is_decided(alerts: list[Manifest]) -> None:
    """Nobody is woken for what can wait, and somebody is for everything that callers feel."""
    critical = {alert["alert"] for alert in alerts if alert["labels"]["severity"] == "critical"}
    assert critical == {
        "UltimoGatewayDown",
        "UltimoGatewayErrorBudgetBurn",
        "UltimoGatewayDayQuotaExhausted",
        "UltimoGatewayUpstreamThrottled",
        "UltimoGatewayStoreLost",
        "UltimoGatewayCertificateExpiring",
    }


def test_thresholds_are_values() -> None:
    values = {"slo": 0.999, "quotaHours": 4, "queueWaitSeconds": 2.5, "certificateDays": 30}
    (manifest,) = of_kind(
        "PrometheusRule", render({"rules": {"enabled": True, **values}}, name="other", namespace="test")
    )
    rules = [rule for group in manifest["spec"]["groups"] for rule in group["rules"] if "alert" in rule]
    texts = {rule["alert"]: rule["expr"] + rule["annotations"]["description"] for rule in rules}
    assert "> 6 * (1 - 0.999)" in texts["UltimoGatewayErrorBudgetBurn"]
    assert "< 4 * 3600" in texts["UltimoGatewayDayQuotaExhaustedSoon"]
    assert "> 2.5" in texts["UltimoGatewayQueueWait"]
    assert any("< 30 * 86400" in rule["expr"] for rule in rules)
    assert all('namespace="test", job="other-ultimo-gateway-operations"' in rule["expr"] for rule in rules)
    assert {rule["annotations"]["runbook_url"].partition("#")[0] for rule in rules} == {"README.md"}
    left_over = "RELEASE|RUNBOOK|SLO|QUOTA_HOURS|QUEUE_WAIT|CERTIFICATE_DAYS"
    assert not re.search(rf"\b({left_over})\b", str(manifest["spec"]))


@pytest.mark.parametrize("slo", [0.9, 1, 99.5])
def test_an_objective_for_which_nothing_could_fire_is_refused(slo: float) -> None:
    with pytest.raises(helm.HelmError, match="slo"):
        render({"rules": {"enabled": True, "slo": slo}})


def test_the_operator_finds_the_rules_by_their_labels(manifests: list[Manifest]) -> None:
    (manifest,) = of_kind("PrometheusRule", manifests)
    assert manifest["apiVersion"] == "monitoring.coreos.com/v1"
    assert manifest["metadata"]["labels"]["prometheus"] == "main"


def test_a_cluster_without_prometheus_gets_neither_rules_nor_dashboard() -> None:
    manifests = render({})
    assert of_kind("PrometheusRule", manifests) == []
    assert not [manifest for manifest in manifests if manifest["metadata"]["name"].endswith("-dashboard")]
