"""What holds whatever is asked and whenever: of the windows, of a step taken twice, and of two stores side by side."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.stores.memory import MemoryStore
from gateway.stores.ports import Reserved, Store
from gateway.stores.sqlite import SqliteStore
from tests.stores import scripts
from tests.stores.claims import ENVIRONMENT, StoreClock, burst, claim, day
from tests.stores.scripts import PERIODS, Pause, Restart, Step, plain

LENGTH = 1_000
MARGIN = 50
LEVELS = tuple(
    limit
    for level, slots, units in (("environment/acme", 4, 12), ("tenant/n", 3, 11), ("client/n:c", 2, 10))
    for limit in (
        burst(slots, key=f"{level}/burst", length=LENGTH, margin=MARGIN),
        day(units, key=f"{level}/day"),
    )
)


class Unit(msgspec.Struct):
    """A unit as its holder sees it; it may have been counted upstream at any moment from ``start`` to ``end``.

    ``lapsed`` are leases before that, in which the same one may have been sent instead.
    """

    start: int
    end: int
    lease_ends: int
    levels: int
    open: bool = True
    lapsed: list[tuple[int, int]] = []

    def may_be_within(self, begins: int, ends: int) -> bool:
        """Whether it may have been counted in a stretch of time."""
        return any(start < ends and end >= begins for start, end in [(self.start, self.end), *self.lapsed])


class Holder:
    """Takes units from a store, settles, releases and forgets them, and keeps its own account of it."""

    def __init__(self) -> None:
        self.clock = StoreClock()
        self.store = MemoryStore(self.clock)
        self.units: dict[str, Unit] = {}
        self.spent_twice: list[int] = []
        self.asked = 0

    @property
    def now(self) -> int:
        return int(self.clock.now() * 1000)

    async def reserve(self, levels: int, lease: int) -> None:
        self.asked += 1
        name = f"r{self.asked}"
        before = await self.used()
        limits = LEVELS[: 2 * levels]
        answer = await self.store.quota.reserve(claim(name, *limits, periods=PERIODS, lease=lease))
        taken = int(isinstance(answer, Reserved))
        counted = [taken if number < 2 * levels else 0 for number in range(len(LEVELS))]
        assert [after - was for was, after in zip(before, await self.used(), strict=True)] == counted
        if taken:
            self.units[name] = Unit(self.now, self.now + lease, self.now + lease, levels)

    async def again(self, which: int, lease: int) -> None:
        """A reply was lost; if the lease is over, it is another unit."""
        for name, unit in self._open(which):
            limits = LEVELS[: 2 * unit.levels]
            answer = await self.store.quota.reserve(claim(name, *limits, periods=PERIODS, lease=lease))
            if unit.lease_ends > self.now:
                assert isinstance(answer, Reserved)
                unit.end = unit.lease_ends = self.now + lease
            elif isinstance(answer, Reserved):
                self.spent_twice.append(unit.levels)
                unit.lapsed = [*unit.lapsed, (unit.start, unit.end)]
                unit.start, unit.end = self.now, self.now + lease
                unit.lease_ends = unit.end

    async def settle(self, which: int) -> None:
        for name, unit in self._open(which):
            unit.open = False
            unit.end = min(self.now, unit.lease_ends)
            await self.store.quota.settle(ENVIRONMENT, name)

    async def release(self, which: int) -> None:
        for name, _ in self._open(which):
            del self.units[name]
            await self.store.quota.release(ENVIRONMENT, name)

    async def renew(self, which: int, lease: int) -> None:
        for name, unit in self._open(which):
            held = await self.store.quota.renew(ENVIRONMENT, [name], lease)
            assert held == ({name} if unit.lease_ends > self.now else set())
            if held:
                unit.end = unit.lease_ends = self.now + lease

    async def used(self) -> list[int]:
        standing = await self.store.quota.standing(ENVIRONMENT, LEVELS, PERIODS)
        return [state.used for state in standing.windows]

    async def check(self) -> None:
        """No window of the length holds more than the limit, wherever in their time the units were counted."""
        for number, limit in enumerate(LEVELS):
            mine = [unit for unit in self.units.values() if unit.levels > number // 2]
            if limit.daily:
                twice = [levels for levels in self.spent_twice if levels > number // 2]
                assert (await self.used())[number] == len(mine) + len(twice) <= limit.limit
                continue
            ends = {end for unit in mine for end in (unit.end, *(end for _, end in unit.lapsed))}
            for moment in ends:
                within = [unit for unit in mine if unit.may_be_within(moment, moment + LENGTH)]
                assert len(within) <= limit.limit
        usage = await self.store.ledger.usage(ENVIRONMENT, "0", "9")
        assert sum(one.units for one in usage) == len(self.units) + len(self.spent_twice)

    def _open(self, which: int) -> list[tuple[str, Unit]]:
        found = [(name, unit) for name, unit in self.units.items() if unit.open]
        return [found[which % len(found)]] if found else []


leases = st.sampled_from([50, 400, 5_000])
acts = st.one_of(
    st.tuples(st.just("reserve"), st.integers(1, 3), leases),
    st.tuples(st.just("reserve"), st.just(3), leases),
    st.tuples(st.just("again"), st.integers(0, 9), leases),
    st.tuples(st.just("settle"), st.integers(0, 9)),
    st.tuples(st.just("release"), st.integers(0, 9)),
    st.tuples(st.just("renew"), st.integers(0, 9), leases),
    st.tuples(st.just("advance"), st.integers(1, 700)),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(acts, max_size=60))
def test_no_window_ever_holds_more_than_its_limit(script: list[tuple[str, *tuple[int, ...]]]) -> None:
    async def play() -> None:
        holder = Holder()
        for act, *values in script:
            if act == "advance":
                holder.clock.move(values[0] / 1000)
            else:
                await getattr(holder, act)(*values)
        await holder.check()

    asyncio.run(play())


twice_steps = st.one_of(
    scripts.quota_steps, scripts.quota_steps, scripts.key_steps, scripts.other_steps, scripts.pauses
)


@settings(max_examples=300, deadline=None)
@given(st.lists(twice_steps, max_size=40))
def test_a_step_taken_twice_counts_once(script: list[Step | Pause]) -> None:
    async def play() -> None:
        clocks = StoreClock(), StoreClock()
        once, twice = MemoryStore(clocks[0]), MemoryStore(clocks[1])
        for store in (once, twice):
            for key in ("k1", "k2"):
                await store.idempotency.begin(key, b"x", 5_000, 86_400_000)
        for step in script:
            if isinstance(step, Pause):
                for clock in clocks:
                    clock.move(step.length / 1000)
                continue
            expected = plain(await step.do(once))
            assert plain(await step.do(twice)) == expected, step
            again = plain(await step.do(twice))
            assert again == expected or step.name in ("trip", "renew"), step
            assert await _all(once) == await _all(twice), step

    asyncio.run(play())


async def _all(store: Store) -> tuple[object, ...]:
    standing = await store.quota.standing(ENVIRONMENT, scripts.ALL, PERIODS)
    return plain(standing), await store.ledger.usage(ENVIRONMENT, "0", "9")


any_steps = st.one_of(
    scripts.quota_steps,
    scripts.quota_steps,
    scripts.beginning,
    scripts.key_steps,
    scripts.other_steps,
    scripts.standing,
    scripts.using,
    scripts.pauses,
    st.builds(Restart),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(any_steps, max_size=40))
def test_memory_and_sqlite_agree_step_by_step(script: list[Step | Pause | Restart]) -> None:
    async def play(path: Path) -> None:
        clock = StoreClock()
        memory, sqlite = MemoryStore(clock), SqliteStore(path, clock)
        for step in script:
            if isinstance(step, Pause):
                clock.move(step.length / 1000)
            elif isinstance(step, Restart):
                await sqlite.close()
                sqlite = SqliteStore(path, clock)
            else:
                assert plain(await step.do(sqlite)) == plain(await step.do(memory)), step
        assert await _all(sqlite) == await _all(memory)
        await sqlite.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play(Path(folder) / "gateway.db"))
