"""The proof of the idea: the same script of calls gives the same JSON, whichever protocol serves a tenant."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.four_tenants import SCRIPT, TENANTS, Played, Step, play

README = Path(__file__).resolve().parents[2] / "README.md"
BEGIN, END = "<!-- the same script, four tenants -->", "<!-- end of the script -->"

pytestmark = pytest.mark.asyncio(loop_scope="module")

ByTenant = dict[str, list[Played]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def played() -> ByTenant:
    return dict(zip(TENANTS, await asyncio.gather(*map(play, TENANTS)), strict=True))


@pytest.mark.parametrize(("index", "step"), list(enumerate(SCRIPT)), ids=[step.title for step in SCRIPT])
async def test_every_tenant_answers_the_same_or_refuses_as_documented(
    played: ByTenant, index: int, step: Step
) -> None:
    served = {name: played[name][index].outcome for name in TENANTS if name not in step.refused}
    first = next(iter(served.values()))
    assert {name: outcome for name, outcome in served.items() if outcome != first} == {}, first
    refused = {name: played[name][index].outcome.code for name in step.refused}
    assert refused == dict(step.refused)
    assert all(outcome.status < HTTPStatus.INTERNAL_SERVER_ERROR for outcome in served.values()), first


async def test_the_table_in_the_readme_is_what_was_played(played: ByTenant) -> None:
    text = README.read_text()
    shown = text[text.index(BEGIN) + len(BEGIN) : text.index(END)].strip()
    assert shown == table(played)


def table(played: ByTenant) -> str:
    """The README's table: status and units where the answer is the same, else the code of the refusal."""
    lines = [
        "| call | " + " | ".join(f"`{name}`" for name in TENANTS) + " |",
        "|---|" + "---|" * len(TENANTS),
    ]
    for index, step in enumerate(SCRIPT):
        cells = [_cell(played[name][index], name in step.refused) for name in TENANTS]
        lines.append(f"| {step.title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(played: Played, refused: bool) -> str:
    outcome, units = played.outcome, played.units
    if refused:
        return f"`{outcome.code}`"
    said = str(outcome.status) if outcome.code is None else f"{outcome.status} `{outcome.code}`"
    return said if units is None else f"{said} · {units}"
