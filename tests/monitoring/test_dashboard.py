"""The Grafana dashboard: it shows only what there is, everything that there is, and says how to read it."""

from __future__ import annotations

import re
from itertools import combinations

import pytest

from tests.monitoring import promql
from tests.monitoring.conftest import CHART, Manifest, of_kind
from tests.monitoring.promql import Series

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
BUILT_IN = {"__rate_interval"}


@pytest.fixture(scope="module")
def panels(dashboard: Manifest) -> list[Manifest]:
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


@pytest.fixture(scope="module")
def targets(panels: list[Manifest]) -> list[Manifest]:
    return [target for panel in panels for target in panel["targets"]]


@pytest.fixture(scope="module")
def variables(dashboard: Manifest) -> dict[str, Manifest]:
    return {variable["name"]: variable for variable in dashboard["templating"]["list"]}


def test_grafana_finds_it_by_its_label_and_gets_it_as_it_is(manifests: list[Manifest]) -> None:
    (manifest,) = (
        found for found in of_kind("ConfigMap", manifests) if "ultimo-gateway.json" in found["data"]
    )
    assert manifest["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert manifest["metadata"]["name"] == "ultimo-gateway-dashboard"
    stored = (CHART / "files" / "dashboard.json").read_text()
    assert manifest["data"]["ultimo-gateway.json"].strip() == stored.strip()


def test_it_asks_only_for_series_labels_and_values_that_there_are(
    panels: list[Manifest], metrics: Series
) -> None:
    found = {
        panel["title"]: faults
        for panel in panels
        for target in panel["targets"]
        if (faults := promql.faults(target["expr"], metrics))
    }
    assert found == {}


def test_it_asks_for_the_releases_that_are_chosen(targets: list[Manifest]) -> None:
    for target in targets:
        for selector in promql.selectors(promql.parse(target["expr"])):
            chosen = promql.matched(selector)
            assert (chosen["namespace"], chosen["job"]) == ("$namespace", "$job"), target["expr"]


def test_everything_that_is_exported_is_shown(targets: list[Manifest], metrics: Series) -> None:
    shown = {
        selector.name for target in targets for selector in promql.selectors(promql.parse(target["expr"]))
    }
    derived = {name for name in metrics if name.endswith(("_sum", "_count"))}
    assert set(metrics) - derived - shown == set()


def test_legends_name_labels_that_are_left(targets: list[Manifest]) -> None:
    for target in targets:
        for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
            assert re.search(rf"by \(([^)]*, )?{label}[,)]", target["expr"]), target


def test_every_panel_says_how_to_read_it(panels: list[Manifest]) -> None:
    assert len({panel["title"] for panel in panels}) == len(panels)
    for panel in panels:
        assert len(panel["description"]) > 40, panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"], panel["title"]


def test_the_rows_lead_from_the_question_to_the_cause(dashboard: Manifest) -> None:
    assert [panel["title"] for panel in dashboard["panels"] if panel["type"] == "row"] == [
        "Is it well?",
        "Who burns the quota?",
        "Waiting",
        "The upstream",
        "What the policies did",
        "The store",
        "Versions, configurations, certificates",
    ]


def test_panels_have_their_own_ids_and_places(dashboard: Manifest) -> None:
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [panel["gridPos"] for panel in panels]
    assert all(place["x"] >= 0 and place["x"] + place["w"] <= 24 for place in places)
    assert [pair for pair in combinations(places, 2) if _overlap(*pair)] == []


def test_every_query_goes_to_the_data_source_that_is_chosen(
    dashboard: Manifest, panels: list[Manifest], targets: list[Manifest], variables: dict[str, Manifest]
) -> None:
    assert variables["datasource"]["type"] == "datasource"
    asking = [variable for variable in variables.values() if variable["type"] == "query"]
    for place in (*panels, *targets, *asking, *dashboard["annotations"]["list"]):
        assert place["datasource"] == SOURCE


def test_variables_that_are_used_exist_and_the_other_way_round(
    dashboard: Manifest, targets: list[Manifest], variables: dict[str, Manifest]
) -> None:
    asked = [target["expr"] for target in targets]
    asked += [str(variable.get("definition")) for variable in variables.values()]
    asked += [annotation["expr"] for annotation in dashboard["annotations"]["list"]]
    used = set(re.findall(r"\$\{?(\w+)", " ".join(asked))) - BUILT_IN
    assert used | {"datasource"} == set(variables)


def test_variables_are_values_of_labels_that_there_are(
    variables: dict[str, Manifest], metrics: Series
) -> None:
    assert {"namespace", "environment", "tenant"} <= set(variables)
    for variable in variables.values():
        if variable["type"] == "query":
            asked = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["definition"])
            assert asked is not None
            assert promql.faults(asked[1], metrics) == []
            assert asked[2] in promql.labels(promql.parse(asked[1]), metrics)


def _overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return (
        one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    )
