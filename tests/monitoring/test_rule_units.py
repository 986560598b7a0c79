"""The rules at work: for each alert, series that fire it and a near miss that does not (``rules/*.yaml``).

promtool runs them where it is on the PATH; everywhere they are held against the rules, and against the metrics that
there are, so that they cannot tell of series that no gateway exports.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.monitoring import promql
from tests.monitoring.conftest import RUNBOOK_URL, Manifest
from tests.monitoring.promql import Series

FILES = sorted((Path(__file__).parent / "rules").glob("*.yaml"))
PROMTOOL = shutil.which("promtool")
RELEASE = 'namespace="prod", job="ultimo-gateway-operations"'
VALUE = re.compile(r"(-?[0-9]+([+-][0-9]+)?(x[0-9]+)?|_(x[0-9]+)?|stale)")


def unit_tests(file: Path) -> str:
    return file.read_text().replace("RELEASE", RELEASE).replace("RUNBOOK", RUNBOOK_URL)


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not on the PATH; it comes with Prometheus")
def test_promtool_finds_that_they_fire_when_they_should(spec: Manifest, tmp_path: Path) -> None:
    (tmp_path / "rendered.yaml").write_text(yaml.safe_dump(spec))
    for file in FILES:
        (tmp_path / file.name).write_text(unit_tests(file))
    command = [str(PROMTOOL), "test", "rules", *(file.name for file in FILES)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_they_tell_of_series_that_there_are(file: Path, series: Series) -> None:
    for case in yaml.safe_load(unit_tests(file))["tests"]:
        for given in case["input_series"]:
            assert promql.faults(given["series"], series) == [], case["name"]
            assert all(VALUE.fullmatch(value) for value in str(given["values"]).split()), given
        for asked in case.get("promql_expr_test", ()):
            assert promql.faults(asked["expr"], series) == []
            assert all(promql.parse(sample["labels"]) for sample in asked["exp_samples"])


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_they_expect_what_the_rules_say(file: Path, alerts: list[Manifest]) -> None:
    by_name = {(alert["alert"], alert["labels"]["severity"]): alert for alert in alerts}
    for case in yaml.safe_load(unit_tests(file))["tests"]:
        for asked in case["alert_rule_test"]:
            assert asked["alertname"] in {name for name, _ in by_name}
            for fired in asked["exp_alerts"]:
                alert = by_name[asked["alertname"], fired["exp_labels"]["severity"]]
                for name, template in alert["annotations"].items():
                    assert re.fullmatch(_filled(template), fired["exp_annotations"][name]), case["name"]


def test_each_alert_fires_once_and_narrowly_misses_once(rules: list[Manifest]) -> None:
    cases = [case for file in FILES for case in yaml.safe_load(unit_tests(file))["tests"]]
    for alert in (rule for rule in rules if "alert" in rule):
        severity, sources = alert["labels"]["severity"], _sources(alert["expr"], rules)
        fired = {
            severity in [expected["exp_labels"]["severity"] for expected in asked["exp_alerts"]]
            for case in cases
            if sources & {_name(given["series"]) for given in case["input_series"]}
            for asked in case["alert_rule_test"]
            if asked["alertname"] == alert["alert"]
        }
        assert fired == {True, False}, f"{alert['alert']} ({severity})"


def _filled(template: str) -> str:
    """A pattern for what Prometheus makes of an annotation: anything may stand for what is in braces."""
    return ".*".join(re.escape(part) for part in re.split(r"\s*\{\{.*?\}\}\s*", template))


def _name(series: str) -> str:
    return series.partition("{")[0]


def _sources(expression: str, rules: list[Manifest]) -> set[str]:
    """The metrics that an expression asks for, also through what the rules record."""
    recorded = {rule["record"]: rule["expr"] for rule in rules if "record" in rule}
    names = {selector.name or "" for selector in promql.selectors(promql.parse(expression))}
    return {
        source
        for name in names
        for source in (_sources(recorded[name], rules) if name in recorded else {name})
    }
