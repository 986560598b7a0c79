"""The SQLite store when its file cannot be used: it says so, touches nothing, and goes on when it can."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable
from pathlib import Path

import pytest

from gateway.stores.ports import StoreLost
from tests.stores.claims import ENVIRONMENT, claim, entry
from tests.stores.conftest import Open
from tests.stores.script import LIMITS, PERIODS, STEPS

ROOT = Path(__file__).resolve().parents[2]


async def lost(doing: Awaitable[object]) -> str:
    with pytest.raises(StoreLost) as raised:
        await doing
    return str(raised.value)


async def test_a_file_of_a_newer_gateway_is_left_alone(open_store: Open, tmp_path: Path) -> None:
    await open_store().ping()
    await open_store().close()
    with sqlite3.connect(tmp_path / "gateway.db") as file:
        file.execute("PRAGMA user_version = 2")
    file.close()
    said = await lost(open_store().ping())
    assert said == "gateway.db: written by a newer gateway (schema 2, this one knows 1)"


async def test_a_database_of_something_else_is_left_alone(open_store: Open, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.db") as file:
        file.execute("CREATE TABLE thing (name TEXT)")
    file.close()
    before = (tmp_path / "other.db").read_bytes()
    assert await lost(open_store(name="other.db").ping()) == "other.db: a database of something else"
    assert (tmp_path / "other.db").read_bytes() == before


async def test_what_is_no_database_is_lost(open_store: Open, tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("not a database " * 100)
    assert await lost(open_store(name="text.db").ping()) == "text.db: file is not a database"
    (tmp_path / "folder.db").mkdir()
    assert await lost(open_store(name="folder.db").ping()) == "folder.db: unable to open database file"
    assert await lost(open_store(name="nowhere/gateway.db").ping()) == "gateway.db: No such file or directory"


async def test_a_file_that_breaks_is_lost_with_every_step(open_store: Open, tmp_path: Path) -> None:
    store = open_store()
    for step in STEPS:
        await step(store)
    await store.close()
    with (tmp_path / "gateway.db").open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(200_000))
    again = open_store()
    now = PERIODS
    for number in range(3):
        said = await lost(again.quota.reserve(claim(f"x{number}", *LIMITS, periods=now)))
        assert said == "gateway.db: database disk image is malformed"


async def test_a_row_that_cannot_be_read_is_a_loss_too(open_store: Open, tmp_path: Path) -> None:
    store, now = open_store(), PERIODS
    await store.quota.reserve(claim("r1", *LIMITS, periods=now))
    with sqlite3.connect(tmp_path / "gateway.db") as file:
        file.execute("UPDATE environment SET body = x'c1'")
    file.close()
    said = await lost(store.quota.reserve(claim("r2", *LIMITS, periods=now)))
    assert said == "gateway.db: a row that cannot be read"


async def test_a_file_that_is_locked_is_lost_until_it_is_free(open_store: Open, tmp_path: Path) -> None:
    store = open_store()
    await store.ping()
    other = sqlite3.connect(tmp_path / "gateway.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    began = asyncio.get_running_loop().time()
    asking = asyncio.create_task(lost(store.ledger.add("e1", [entry(calls=1)])))
    turns = 0
    while not asking.done():
        await asyncio.sleep(0.01)
        turns += 1
    assert await asking == "gateway.db: database is locked"
    assert turns > 20, "the loop went on"
    assert asyncio.get_running_loop().time() - began < 10
    other.execute("ROLLBACK")
    other.close()
    await store.ledger.add("e1", [entry(calls=1)])
    assert await store.ledger.usage(ENVIRONMENT, "0", "9") == (entry(calls=1),)


def test_a_disk_without_room_is_lost_until_there_is_some(tmp_path: Path) -> None:
    """What was answered is there, and the step that was lost counts once when it is asked again."""
    command = [sys.executable, "-m", "tests.stores.full_disk", str(tmp_path / "gateway.db")]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    added, said, calls = done.stdout.strip().split("|")
    assert int(added) > 0
    assert said.startswith("gateway.db: ")
    assert str(tmp_path) not in said
    assert calls == f"[{int(added) + 1}]"
