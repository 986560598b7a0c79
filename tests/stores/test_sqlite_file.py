"""The SQLite store's file: made, shared, reopened, and kept small."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.clock import SystemClock
from gateway.stores.memory import MemoryStore
from gateway.stores.ports import Full, Period, Reserved, StoreLost
from gateway.stores.sqlite.file import open_file
from tests.stores.claims import DAY, ENVIRONMENT, StoreClock, burst, claim, day, days, entry
from tests.stores.conftest import Open
from tests.stores.script import STEPS, seen
from tests.stores.sharing import take_units

ROOT = Path(__file__).resolve().parents[2]


def periods(clock: StoreClock) -> tuple[Period, ...]:
    return days(int(clock.now() * 1000))


async def test_nothing_is_opened_before_it_is_used(open_store: Open, tmp_path: Path) -> None:
    store = open_store()
    assert list(tmp_path.iterdir()) == []
    await store.close()
    assert list(tmp_path.iterdir()) == []


async def test_the_file_is_its_owners_alone(open_store: Open, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        await open_store().ping()
    finally:
        os.umask(before)
    files = sorted(tmp_path.iterdir())
    assert [path.name for path in files] == ["gateway.db", "gateway.db-shm", "gateway.db-wal"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_a_commit_survives_a_power_cut(tmp_path: Path) -> None:
    """As far as SQLite promises it: a log that is written first, and waited for."""
    connection = open_file(tmp_path / "gateway.db")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,), "FULL"
    connection.close()


async def test_two_may_make_the_file_at_once(open_store: Open) -> None:
    for number in range(5):
        stores = [open_store(name=f"new{number}.db") for _ in range(3)]
        await asyncio.gather(*(store.ledger.add(f"e{id(store)}", [entry(calls=1)]) for store in stores))
        assert [one.calls for one in await stores[0].ledger.usage(ENVIRONMENT, "0", "9")] == [3]


async def test_all_is_there_after_a_restart(open_store: Open) -> None:
    reference = MemoryStore(StoreClock())
    store = open_store()
    for step in STEPS:
        await step(reference)
        await step(store)
    epoch = (await store.quota.standing(ENVIRONMENT, (), ())).epoch
    await store.close()
    again = open_store()
    assert (await again.quota.standing(ENVIRONMENT, (), ())).epoch == epoch
    assert await seen(again) == await seen(reference)


async def test_a_burst_that_is_known_needs_no_cold_wait(open_store: Open) -> None:
    clock = StoreClock()
    log = burst(2, length=10_000)
    first = open_store(clock)
    refused = await first.quota.reserve(claim("r0", log, periods=periods(clock), cold=10_000))
    assert isinstance(refused, Full)
    clock.move(10)
    await first.quota.reserve(claim("r1", log, periods=periods(clock), cold=10_000))
    await first.close()
    later = StoreClock(clock.wall + 1)
    answers = [
        await open_store(later).quota.reserve(claim(name, log, periods=periods(later), cold=10_000))
        for name in ("r2", "r3")
    ]
    assert isinstance(answers[0], Reserved)
    assert isinstance(answers[1], Full), "the slot from before is still taken"
    assert answers[0].epoch == refused.epoch


async def test_time_goes_on_where_the_file_ends(open_store: Open) -> None:
    """The machine's clock was set back an hour while the gateway was down: the slot is no longer taken for that."""
    log = burst(1, length=10_000)
    clock = StoreClock()
    first = open_store(clock)
    await first.quota.reserve(claim("r1", log, periods=periods(clock)))
    await first.quota.settle(ENVIRONMENT, "r1")
    await first.close()
    behind = StoreClock(clock.wall - 3600)
    second = open_store(behind)
    refused = await second.quota.reserve(claim("r2", log, periods=periods(clock)))
    assert isinstance(refused, Full)
    assert refused.opens_in == 10_000
    behind.move(10)
    assert isinstance(await second.quota.reserve(claim("r2", log, periods=periods(clock))), Reserved)


async def test_a_file_from_far_ahead_counts_the_day_and_keeps_the_ledger(open_store: Open) -> None:
    """The machine's clock was years ahead for a while: the logs go on from there, the day is today's."""
    ahead, now = StoreClock(StoreClock().wall + 5 * 366 * DAY / 1000), StoreClock()
    log, daily = burst(1, length=10_000), day(10)
    first = open_store(ahead)
    await first.quota.reserve(claim("r1", log, daily, periods=periods(ahead)))
    await first.quota.settle(ENVIRONMENT, "r1")
    await first.close()
    second = open_store(now)
    assert isinstance(await second.quota.reserve(claim("r2", log, daily, periods=periods(now))), Full)
    now.move(10)
    assert isinstance(await second.quota.reserve(claim("r2", log, daily, periods=periods(now))), Reserved)
    await second.ledger.add("e1", [entry(day="2025-03-10", calls=1)])
    await second.ledger.add("e2", [entry(day="2025-03-11", calls=1)])
    assert (await second.quota.standing(ENVIRONMENT, (daily,), periods(now))).windows[0].used == 1
    assert [one.day for one in await second.ledger.usage(ENVIRONMENT, "0", "9")] == [
        "2025-03-10",
        "2025-03-11",
    ]


async def test_a_second_process_shares_exactly(open_store: Open, tmp_path: Path) -> None:
    store = open_store(SystemClock())
    await store.ping()
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.stores.sharing",
        str(tmp_path / "gateway.db"),
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    mine, (output, _) = await asyncio.gather(take_units(store, "parent", 160), child.communicate())
    assert mine + int(output) == 120
    assert [one.units for one in await store.ledger.usage(ENVIRONMENT, "0", "9")] == [120]


async def test_another_one_may_read_while_a_write_is_under_way(open_store: Open, tmp_path: Path) -> None:
    store = open_store()
    await store.ledger.add("e1", [entry(calls=1)])
    writing = sqlite3.connect(tmp_path / "gateway.db", isolation_level=None)
    writing.execute("BEGIN IMMEDIATE")
    reader = open_store()
    assert await reader.ledger.usage(ENVIRONMENT, "0", "9") == (entry(calls=1),)
    standing = await reader.quota.standing(ENVIRONMENT, (), ())
    assert standing.epoch is None
    writing.close()


async def test_steps_that_wait_together_are_each_taken(open_store: Open) -> None:
    store, daily = open_store(), day(30)
    now = periods(StoreClock())
    answers = await asyncio.gather(
        *(store.quota.reserve(claim(f"r{number}", daily, periods=now)) for number in range(600))
    )
    assert sum(isinstance(answer, Reserved) for answer in answers) == 30
    assert (await store.quota.standing(ENVIRONMENT, (daily,), now)).windows[0].used == 30


async def test_a_step_that_fails_takes_no_other_with_it(open_store: Open) -> None:
    store, daily, now = open_store(), day(30), periods(StoreClock())
    mistaken: tuple[Period, ...] = ()
    answers = await asyncio.gather(
        *(
            store.quota.reserve(claim(f"r{number}", daily, periods=mistaken if number % 2 else now))
            for number in range(20)
        ),
        return_exceptions=True,
    )
    assert [type(answer) for answer in answers] == [Reserved, ValueError] * 10
    assert (await store.quota.standing(ENVIRONMENT, (daily,), now)).windows[0].used == 10


async def test_who_has_gone_leaves_the_step_to_be_taken(open_store: Open) -> None:
    store, daily, now = open_store(), day(30), periods(StoreClock())
    asking = asyncio.create_task(store.quota.reserve(claim("r1", daily, periods=now)))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert (await store.quota.standing(ENVIRONMENT, (daily,), now)).windows[0].used == 1


async def test_what_waits_is_taken_before_the_file_is_closed(open_store: Open, tmp_path: Path) -> None:
    store = open_store()
    adding = [asyncio.create_task(store.ledger.add(f"e{n}", [entry(calls=1)])) for n in range(20)]
    await asyncio.sleep(0)
    await store.close()
    await store.close()
    await asyncio.gather(*adding)
    with pytest.raises(StoreLost, match="closed"):
        await store.ping()
    assert [path.name for path in tmp_path.iterdir()] == ["gateway.db"]
    assert [one.calls for one in await open_store().ledger.usage(ENVIRONMENT, "0", "9")] == [20]


async def test_what_is_over_is_deleted(open_store: Open, tmp_path: Path) -> None:
    clock = StoreClock()
    store, log, daily = open_store(clock), burst(900, length=1_000), day(900)

    async def one(name: str) -> None:
        await store.quota.reserve(claim(name, log, daily, periods=periods(clock)))
        await store.quota.settle(ENVIRONMENT, name)
        await store.idempotency.begin(name, b"x", 1, 1_000)
        await store.ledger.add(name, [entry(calls=1)])

    for batch in "abc":
        await asyncio.gather(*(one(f"{batch}{number}") for number in range(100)))
        clock.move(4 * DAY / 1000)
    for number in range(10):
        await store.quota.reserve(claim(f"last{number}", log, daily, periods=periods(clock)))
    with sqlite3.connect(tmp_path / "gateway.db") as file:
        left = {
            table: file.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("reservation", "slot", "idempotency", "entry", "day", "pace", "ledger")
        }
        assert file.execute("SELECT slots FROM log").fetchall() == [(left["slot"],)]
    file.close()
    assert left == {
        "reservation": 10,
        "slot": 10,
        "idempotency": 0,
        "entry": 0,
        "day": 1,
        "pace": 1,
        "ledger": 1,
    }
