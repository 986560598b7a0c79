"""Every adapter that is installed, put to every scenario: what one serves, all who serve it answer alike.

What an adapter does not serve is listed, with the reason that it gives, in ``unserved/<adapter>.txt``. After
a change that was meant: ``CONFORMANCE=record pytest tests/conformance``, then read the difference.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio

from contracts.adapter import Adapter, AdapterSpec
from contracts.conformance import Scenario, Served, check, check_capabilities, scenarios, unserved
from contracts.operations import OPERATIONS
from gateway.registry import discover
from tests.conformance.rigs import Rig, opened, options, rigged

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "golden"
ADAPTERS: Mapping[str, AdapterSpec] = discover()
SANDBOX = "http://upstream.example"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rigs() -> AsyncIterator[Mapping[str, Rig]]:
    async with rigged(ADAPTERS) as running:
        yield running


@pytest.fixture(params=ADAPTERS)
def adapter(request: pytest.FixtureRequest) -> tuple[str, Adapter]:
    """An adapter with its name; one that is not told of the sandbox fails here."""
    name = str(request.param)
    assert name in options(), f"say in rigs.py what the adapter '{name}' is to be told of the sandbox"
    return name, opened(ADAPTERS[name], SANDBOX)


@pytest.mark.parametrize("scenario", scenarios(), ids=lambda scenario: scenario.name)
async def test_all_who_serve_it_answer_alike(scenario: Scenario, rigs: Mapping[str, Rig]) -> None:
    done = {name: await check(scenario, rig.adapter, rig.bind) for name, rig in rigs.items()}
    seen = {name: one.seen for name, one in done.items() if isinstance(one, Served) and one.whole}
    assert len(set(seen.values())) <= 1, seen


async def test_what_it_says_of_itself_makes_sense(adapter: tuple[str, Adapter]) -> None:
    check_capabilities(adapter[1])


async def test_what_it_does_not_serve_is_listed(adapter: tuple[str, Adapter]) -> None:
    name, opened_adapter = adapter
    reasons = {scenario.name: unserved(scenario, opened_adapter) for scenario in scenarios()}
    lines = [f"{scenario} | {reason}\n" for scenario, reason in reasons.items() if reason is not None]
    listed = HERE / "unserved" / f"{name}.txt"
    if os.environ.get("CONFORMANCE") == "record":
        listed.parent.mkdir(exist_ok=True)
        listed.write_text("".join(lines))
    assert listed.read_text() == "".join(lines)


async def test_there_is_a_scenario_for_each_kind_that_it_serves(adapter: tuple[str, Adapter]) -> None:
    played = {scenario.kind for scenario in scenarios() if unserved(scenario, adapter[1]) is None}
    assert played == adapter[1].capabilities.operations


async def test_there_is_a_golden_file_for_each_kind_that_it_serves(adapter: tuple[str, Adapter]) -> None:
    """A file's name begins with the kind of operation whose bytes it shows."""
    name, opened_adapter = adapter
    shown = {file.stem.split("-")[0] for file in (GOLDEN / name).glob("*.txt")}
    assert opened_adapter.capabilities.operations - shown == set()


async def test_there_is_a_scenario_for_every_operation() -> None:
    assert {scenario.kind for scenario in scenarios()} == {operation.kind for operation in OPERATIONS}
    names = [scenario.name for scenario in scenarios()]
    assert len(set(names)) == len(names)
