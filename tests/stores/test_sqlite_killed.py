"""A process that is killed at any step leaves whole steps in the SQLite store's file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gateway.stores.memory import MemoryStore
from gateway.stores.ports import Store
from gateway.stores.sqlite import SqliteStore
from tests.stores.claims import StoreClock
from tests.stores.script import STEPS, seen

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def graves(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What processes left that were killed at each step."""
    folder = tmp_path_factory.mktemp("killed")
    subprocess.run([sys.executable, "-m", "tests.stores.doomed", str(folder)], cwd=ROOT, check=True)
    return folder


@pytest.mark.parametrize("number", range(len(STEPS)))
@pytest.mark.parametrize(("word", "taken"), [("before", 0), ("after", 1)])
async def test_a_process_that_is_killed_leaves_whole_steps(
    graves: Path, number: int, word: str, taken: int
) -> None:
    reference: Store = MemoryStore(StoreClock())
    for step in STEPS[: number + taken]:
        await step(reference)
    store = SqliteStore(graves / f"{number}-{word}.db", StoreClock())
    assert await seen(store) == await seen(reference)
    await store.close()
