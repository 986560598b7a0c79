"""The ledger's recorder: every call stands in it once, whatever happens to the store."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Sequence

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.quota.recorder import OTHER, PAUSE, SUMS, Done, Recorder
from gateway.settings import LogSettings
from gateway.stores.memory import MemoryStore
from gateway.stores.ports import LedgerEntry, StoreLost
from gateway.telemetry.events import Events
from gateway.telemetry.log import build_logger
from gateway.telemetry.metrics import Metrics

NOON = 1_750_068_000.0  # 2025-06-16 12:00 in Amsterdam
TODAY = "2025-06-16"
DONE = Done(day=TODAY, environment="plant", tenant="demo", client="erp", operation="list", adapter="rest")
STATES = ("store answers", "store lost", "reply lost")


class Clock:
    """Time that goes on when it is told to; a sleeper wakes when its time has come."""

    def __init__(self) -> None:
        self.time = NOON
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.time + seconds, woken))
        await woken

    async def advance(self, seconds: float) -> None:
        await asyncio.sleep(0)  # whoever is about to fall asleep does
        self.time += seconds
        for due, woken in self._sleepers:
            if due <= self.time and not woken.done():
                woken.set_result(None)
        for _ in range(10):
            await asyncio.sleep(0)


class Ledger:
    """A ledger in memory, whose way to it fails as ``states`` say; the last one stays."""

    def __init__(self, clock: Clock) -> None:
        self._ledger = MemoryStore(clock).ledger
        self.states: list[str] = ["store answers"]
        self.added = 0

    async def add(self, entry_id: str, entries: Sequence[LedgerEntry]) -> None:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        await asyncio.sleep(0)
        if state == "store lost":
            raise StoreLost("gone")
        await self._ledger.add(entry_id, entries)
        self.added += 1
        if state == "reply lost":
            raise StoreLost("no reply")

    async def usage(self, environment: str, first_day: str, last_day: str) -> tuple[LedgerEntry, ...]:
        return await self._ledger.usage(environment, first_day, last_day)


class Rig:
    def __init__(self) -> None:
        self.clock = Clock()
        self.ledger = Ledger(self.clock)
        self.log = io.BytesIO()
        metrics = Metrics(version="0", config_hash="0", tenants=(), environments=(), adapters=())
        events = Events(build_logger(LogSettings(format="json"), self.log), metrics)
        self.recorder = Recorder(self.ledger, self.clock, events)

    async def stored(self) -> tuple[LedgerEntry, ...]:
        """What stands in the ledger, without asking the recorder."""
        return await self.ledger.usage("plant", "2000-01-01", "2099-12-31")

    @property
    def errors(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.log.getvalue().splitlines()]


async def test_the_calls_of_a_second_are_added_together_once() -> None:
    rig = Rig()
    for records in (3, 4):
        rig.recorder.note(
            msgspec.structs.replace(DONE, records=records, saved=2, refused=records == 4, waits=1)
        )
    assert await rig.stored() == ()
    await rig.clock.advance(PAUSE)
    expected = LedgerEntry(
        day=TODAY,
        environment="plant",
        tenant="demo",
        client="erp",
        operation="list",
        adapter="rest",
        calls=2,
        records=7,
        saved=4,
        refusals=1,
        waits=2,
    )
    assert await rig.stored() == (expected,)
    assert rig.ledger.added == 1
    rig.recorder.note(DONE)
    await rig.clock.advance(PAUSE)
    assert [entry.calls for entry in await rig.stored()] == [3]
    await rig.recorder.aclose()


async def test_what_is_asked_for_holds_what_ended_just_now() -> None:
    rig = Rig()
    rig.recorder.note(DONE)
    (entry,) = await rig.recorder.usage("plant", "2025-06-16", "2025-06-16")
    assert entry.calls == 1
    await rig.recorder.aclose()


async def test_a_call_counts_on_its_day() -> None:
    rig = Rig()
    for day in (TODAY, "2025-06-17"):
        rig.recorder.note(msgspec.structs.replace(DONE, day=day))
    await rig.recorder.aclose()
    assert [entry.day for entry in await rig.stored()] == [TODAY, "2025-06-17"]


async def test_while_the_store_is_lost_the_figures_wait_and_one_line_says_so() -> None:
    rig = Rig()
    rig.ledger.states = ["store lost"]
    for _ in range(5):
        rig.recorder.note(DONE)
        await rig.clock.advance(PAUSE)
    assert rig.errors == ["store error"]
    rig.ledger.states = ["store answers"]
    await rig.clock.advance(PAUSE)
    assert [entry.calls for entry in await rig.stored()] == [5]
    await rig.recorder.aclose()


async def test_at_the_end_what_is_left_is_added() -> None:
    rig = Rig()
    rig.recorder.note(DONE)
    await rig.recorder.aclose()
    assert [entry.calls for entry in await rig.stored()] == [1]


async def test_an_end_without_a_store_is_an_end_all_the_same() -> None:
    rig = Rig()
    rig.ledger.states = ["store lost"]
    rig.recorder.note(DONE)
    await rig.recorder.aclose()
    assert rig.errors == ["store error"]


async def test_more_sums_than_are_kept_go_together_and_none_is_lost() -> None:
    rig = Rig()
    for number in range(SUMS + 5):
        rig.recorder.note(msgspec.structs.replace(DONE, client=str(number)))
    await rig.recorder.aclose()
    entries = await rig.stored()
    assert sum(entry.calls for entry in entries) == SUMS + 5
    assert [entry.calls for entry in entries if entry.client == OTHER] == [5]


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(["note", "second", "ask", "begin to ask", *STATES]), max_size=40))
def test_whatever_is_lost_on_the_way_each_call_stands_in_the_ledger_once(script: list[str]) -> None:
    async def play() -> None:
        rig, noted = Rig(), 0
        asking: list[asyncio.Task[None]] = []
        for step in script:
            if step == "note":
                rig.recorder.note(DONE)
                noted += 1
            elif step == "second":
                await rig.clock.advance(PAUSE)
            elif step == "begin to ask":
                asking.append(asyncio.create_task(rig.recorder.flush()))
                await asyncio.sleep(0)
            elif step == "ask":
                try:
                    entries = await rig.recorder.usage("plant", "2025-06-16", "2025-06-16")
                except StoreLost:
                    continue
                assert sum(entry.calls for entry in entries) == noted
            else:
                rig.ledger.states.append(step)
        rig.ledger.states = ["store answers"]
        await asyncio.gather(*asking, return_exceptions=True)
        await rig.recorder.aclose()
        assert sum(entry.calls for entry in await rig.stored()) == noted

    asyncio.run(play())
