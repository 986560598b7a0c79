"""How long calls wait, as the autoscaler asks for it: the rule for the Prometheus Adapter in the chart's README."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from gateway.telemetry.metrics import Metrics
from tests.monitoring import promql
from tests.monitoring.conftest import CHART
from tests.monitoring.promql import Series

PROMTOOL = shutil.which("promtool")
PODS = {
    "waits": {"queue_seconds_sum": "0+60x20", "queue_seconds_count": "0+30x20"},
    "waited": {"queue_seconds_sum": "5+0x20", "queue_seconds_count": "5+0x20"},
    "never": {},
}
"""Pod → its series of ten minutes, two in a minute, by their names."""


@pytest.fixture(scope="module")
def rule() -> dict[str, str]:
    blocks = re.findall(r"```yaml\n(.*?)```", (CHART / "README.md").read_text(), re.DOTALL)
    (found,) = [yaml.safe_load(block)["rules"]["custom"][0] for block in blocks if block.startswith("rules:")]
    assert found["name"] == {"as": "ultimo_gateway_queue_wait_seconds"}
    return {name: found[name] for name in ("seriesQuery", "metricsQuery")}


@pytest.fixture(scope="module")
def query(rule: dict[str, str]) -> str:
    """As the adapter asks it for some pods of a namespace."""
    matchers = 'namespace="ultimo",pod=~"waits|waited|never"'
    return rule["metricsQuery"].replace("<<.GroupBy>>", "pod").replace("<<.LabelMatchers>>", matchers)


def test_it_is_made_of_what_there_is(rule: dict[str, str], query: str, metrics: Series) -> None:
    assert promql.faults(query, metrics) == []
    assert promql.faults(rule["seriesQuery"], metrics) == []


def test_it_is_found_before_a_call_has_waited(rule: dict[str, str]) -> None:
    """The adapter looks for pods by this series: one that comes with the first call is no sign of them."""
    fresh = Metrics(version="1", config_hash="a", tenants=(), environments=(), adapters=())
    name = rule["seriesQuery"].partition("{")[0]
    assert re.search(rf"^{name} 0", fresh.render().decode(), re.MULTILINE)


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not on the PATH; it comes with Prometheus")
def test_it_is_the_mean_wait_and_zero_where_nobody_waits(query: str, tmp_path: Path) -> None:
    series = {
        f'ultimo_gateway_{name}{{namespace="ultimo", pod="{pod}"}}': values
        for pod, own in PODS.items()
        for name, values in ({"calls_in_flight": "4+0x20"} | own).items()
    }
    samples = [{"labels": f'{{pod="{pod}"}}', "value": 2 * (pod == "waits")} for pod in PODS]
    case = {
        "interval": "30s",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [{"expr": query, "eval_time": "8m", "exp_samples": samples}],
    }
    (tmp_path / "case.yaml").write_text(yaml.safe_dump({"tests": [case]}))
    command = [str(PROMTOOL), "test", "rules", "case.yaml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
