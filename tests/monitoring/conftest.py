"""The chart as Helm renders it, once for all tests: its rules, its dashboard; and what there is to ask for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import helm_python as helm
import pytest
import yaml

from tests.monitoring import exported, promql
from tests.monitoring.promql import Series

CHART = Path(__file__).resolve().parents[2] / "helm"
RUNBOOK_URL = "https://wiki.example.org/gateway.md"

Manifest = dict[str, Any]


def render(
    monitoring: dict[str, object], *, name: str = "ultimo-gateway", namespace: str = "prod"
) -> list[Manifest]:
    """Every manifest of a release that needs no configuration of its own."""
    values = {"sandbox": {"enabled": True}, "monitoring": monitoring}
    with helm.Chart.load(CHART) as chart:
        rendered = chart.render(values, name=name, namespace=namespace)
    texts = (text for path, text in rendered.items() if path.endswith(".yaml"))
    return [manifest for text in texts for manifest in yaml.safe_load_all(text) if manifest]


def of_kind(kind: str, manifests: list[Manifest]) -> list[Manifest]:
    return [manifest for manifest in manifests if manifest["kind"] == kind]


@pytest.fixture(scope="session")
def manifests() -> list[Manifest]:
    rules = {"enabled": True, "runbookUrl": RUNBOOK_URL, "labels": {"prometheus": "main"}}
    return render({"rules": rules, "dashboard": {"enabled": True}})


@pytest.fixture(scope="session")
def spec(manifests: list[Manifest]) -> Manifest:
    """What the PrometheusRule says: a rules file of Prometheus."""
    (manifest,) = of_kind("PrometheusRule", manifests)
    found: Manifest = manifest["spec"]
    return found


@pytest.fixture(scope="session")
def rules(spec: Manifest) -> list[Manifest]:
    return [rule for group in spec["groups"] for rule in group["rules"]]


@pytest.fixture(scope="session")
def alerts(rules: list[Manifest]) -> list[Manifest]:
    return [rule for rule in rules if "alert" in rule]


@pytest.fixture(scope="session")
def dashboard(manifests: list[Manifest]) -> Manifest:
    (text,) = (
        text
        for manifest in of_kind("ConfigMap", manifests)
        for name, text in manifest["data"].items()
        if name.endswith(".json")
    )
    found: Manifest = json.loads(text)
    return found


@pytest.fixture(scope="session")
def metrics() -> Series:
    return exported.metrics()


@pytest.fixture(scope="session")
def series(metrics: Series, rules: list[Manifest]) -> Series:
    """The metrics, and what the rules record of them."""
    known = dict(metrics)
    for rule in rules:
        if "record" in rule:
            known[rule["record"]] = frozenset(promql.labels(promql.parse(rule["expr"]), known))
    return known


@pytest.fixture(scope="session")
def runbook() -> str:
    """The part of the chart's README that the alerts lead to."""
    section = (CHART / "README.md").read_text().partition("\n## Runbook\n")[2]
    return section.partition("\n## ")[0]
