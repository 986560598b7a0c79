"""The runbook: an entry for each alert, and nothing in it that is not there when somebody needs it."""

from __future__ import annotations

import re

import pytest

from gateway.cli import main
from gateway.http.problem_kinds import KINDS
from tests.architecture import source
from tests.monitoring import promql
from tests.monitoring.conftest import Manifest
from tests.monitoring.promql import Series

WITHOUT_ALERT = {"a pod is not ready", "a rollout hangs", "callers see outcome_unknown"}
PARTS = ["**Means.**", "**Look at.**", "**Do", "**Do not", "**Ends by itself**"]


@pytest.fixture(scope="module")
def entries(runbook: str) -> dict[str, str]:
    """Heading → what stands under it."""
    parts = re.split(r"^### (.+)$", runbook, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_every_alert_has_its_entry(entries: dict[str, str], alerts: list[Manifest]) -> None:
    assert set(entries) == {alert["alert"] for alert in alerts} | WITHOUT_ALERT


def test_every_link_of_an_alert_leads_to_its_entry(entries: dict[str, str], alerts: list[Manifest]) -> None:
    anchors = {_anchor(heading) for heading in entries}
    assert {alert["annotations"]["runbook_url"].partition("#")[2] for alert in alerts} <= anchors
    assert set(re.findall(r"\]\(#([^)]+)\)", "".join(entries.values()))) <= anchors


def test_every_entry_answers_the_same_questions_in_the_same_order(entries: dict[str, str]) -> None:
    for heading in entries.keys() - WITHOUT_ALERT:
        places = [entries[heading].find(part) for part in PARTS]
        assert places[0] >= 0, heading
        assert places == sorted(places), heading


def test_its_queries_ask_for_what_there_is(runbook: str, series: Series) -> None:
    blocks = re.findall(r"```promql\n(.*?)```", runbook, flags=re.DOTALL)
    queries = [line for block in blocks for line in block.strip().splitlines()]
    assert len(queries) >= 8
    found = {query: promql.faults(query, series) for query in queries}
    assert {query: faults for query, faults in found.items() if faults} == {}


@pytest.mark.parametrize(
    "wanted", ["quota --config", "usage --config --by", "doctor --config --tenant", "config check"]
)
def test_its_commands_exist(wanted: str, runbook: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = wanted.split()
    command = [word for word in words if not word.startswith("--")]
    assert f"gateway {' '.join(command)}" in runbook
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])
    assert ended.value.code == 0
    help_text = capsys.readouterr().out
    assert all(word in help_text for word in words if word.startswith("--"))


def test_it_names_no_other_commands(runbook: str) -> None:
    used = set(re.findall(r"^gateway (\w+)|`gateway (\w+)", runbook, flags=re.MULTILINE))
    assert {first or second for first, second in used} <= {"quota", "usage", "doctor", "config"}


def test_it_looks_for_lines_and_fields_that_the_gateway_writes(runbook: str) -> None:
    code = "".join(path.read_text() for path in source.modules("gateway").values())
    programs = re.findall(r"jq -Rc 'fromjson\? \| (.*?)'", runbook)
    assert len(programs) >= 8
    for program in programs:
        for event in re.findall(r'\.event == "([^"]+)"', program):
            assert f'"{event}"' in code, event
        shown = re.findall(r"\{([^}]*)\}", program)
        fields = {*re.findall(r"\.([a-z_]+)", program), *", ".join(shown).split(", ")} - {""}
        own = {"event", "level", "timestamp"}
        assert {field for field in fields - own if f"{field}=" not in code} == set(), program


def test_its_error_codes_exist(entries: dict[str, str]) -> None:
    rows = re.findall(r"^\| (`.+?) \|", entries["UltimoGatewayErrorBudgetBurn"], flags=re.MULTILINE)
    codes = {code for row in rows for code in re.findall(r"`(\w+)`", row)}
    serious = {code for code, kind in KINDS.items() if kind.status >= 500}
    assert codes == serious - {"operation_not_supported"}


def _anchor(heading: str) -> str:
    """As GitHub makes it of a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
