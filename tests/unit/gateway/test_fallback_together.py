"""Two replicas that lose their store and find it again: together never more than the window, and each unit once."""

from __future__ import annotations

import asyncio

from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import Struct

from gateway.quota.fallback import EVERY, GATHERING
from gateway.stores.ports import Reserved
from tests.faults.checkers import busiest
from tests.stores.claims import ENVIRONMENT
from tests.unit.gateway.fallback_rig import BURST, DAY, LEASE, SPAN, Replica, SharedQuota, TestClock

Move = tuple[str, int, float]

who = st.integers(0, 1)
acts = st.one_of(
    st.tuples(st.sampled_from(["reserve", "settle", "release", "renew"]), who, st.integers(0, 30)),
    st.tuples(st.just("burst"), who, st.sampled_from([5, 50, 120])),
    st.tuples(st.just("pass"), who, st.sampled_from([0.3, 0.6, 1, 3, 6, 11])),
)
outages = st.tuples(
    st.lists(acts, max_size=12),
    st.sampled_from(["lose", "lose", "deafen"]).map(lambda how: [(how, 0, 0.0)]),
    st.lists(acts, max_size=8),
    st.sampled_from([0.3, 11, 17, 90]).map(lambda seconds: [("pass", 0, 1.0), ("pass", 0, seconds)]),
    st.lists(acts, max_size=8),
    st.just([("find", 0, 0.0)]),
    st.lists(acts, max_size=12),
)


def _joined(rounds: list[tuple[list[Move], ...]]) -> list[Move]:
    return [move for parts in rounds for part in parts for move in part]


scripts = st.lists(outages, min_size=1, max_size=3).map(_joined)


class Unit(Struct):
    """A unit that is under way; it may leave until ``lapses``."""

    name: str
    lapses: float


class Fleet:
    """Two replicas, and what left them: each unit as late as it may, when it is answered or when its lease is over."""

    def __init__(self, cold: int) -> None:
        self.clock = TestClock()
        self.shared = SharedQuota(self.clock)
        self.replicas = [Replica(self.clock, self.shared, cold=cold) for _ in range(2)]
        self.sent: list[float] = []
        self._under_way: list[list[Unit]] = [[], []]
        self._count = 0

    async def move(self, kind: str, who: int, count: float) -> None:
        replica, units = self.replicas[who], self._under_way[who]
        self._count += 1
        name = f"u{who}-{self._count}"
        match kind:
            case "reserve":
                if isinstance(await replica.reserve(name), Reserved):
                    units.append(Unit(name, self.clock.monotonic() + LEASE))
            case "renew" if units:
                unit = units[int(count) % len(units)]
                if await replica.renew(unit.name) and self.clock.monotonic() < unit.lapses:
                    unit.lapses = self.clock.monotonic() + LEASE
            case "settle" if units:
                await self._answer(who, int(count) % len(units))
            case "release" if units:
                await replica.release(units.pop(int(count) % len(units)).name)
            case "burst":
                self.sent += [self.clock.monotonic()] * await replica.take(f"{name}.", int(count))
            case "lose":
                self.shared.lost = True
            case "deafen":
                self.shared.deaf = True
            case "find":
                self.shared.lost = self.shared.deaf = False
            case "pass":
                await self.clock.pass_by(count)

    async def end(self) -> None:
        """All is answered, and all are back."""
        for who, units in enumerate(self._under_way):
            while units:
                await self._answer(who, 0)
        await self.move("find", 0, 0)
        for _ in range(3):
            await self.clock.pass_by(EVERY)
            await self.clock.pass_by(GATHERING)

    async def close(self) -> None:
        for replica in self.replicas:
            await replica.share.aclose()

    async def _answer(self, who: int, which: int) -> None:
        unit = self._under_way[who].pop(which)
        self.sent.append(min(self.clock.monotonic(), unit.lapses))
        await self.replicas[who].settle(unit.name)


SENT_AT_THE_LAST_MOMENT: list[Move] = [
    *[("reserve", 1, 0.0)] * 100,
    ("lose", 0, 0.0),
    ("pass", 0, 1.0),
    ("pass", 0, 11.0),
    ("burst", 0, 50.0),
]
BACK_BEFORE_THE_OTHER: list[Move] = [
    ("lose", 0, 0.0),
    ("pass", 0, 1.0),
    ("pass", 0, 17.0),
    ("burst", 0, 50.0),
    ("find", 0, 0.0),
    *[("pass", 0, 0.3), ("burst", 0, 120.0), ("burst", 1, 120.0)] * 4,
]
BACK_FOR_A_MOMENT: list[Move] = [
    ("burst", 0, 5.0),
    ("deafen", 0, 0.0),
    ("burst", 1, 5.0),
    ("pass", 0, 12.0),
    ("find", 0, 0.0),
    ("pass", 0, 0.9),
    ("burst", 0, 120.0),
    ("lose", 0, 0.0),
    ("pass", 0, 6.0),
    ("burst", 1, 50.0),
]


@settings(max_examples=150, deadline=None)
@given(script=scripts)
@example(script=SENT_AT_THE_LAST_MOMENT)
@example(script=BACK_BEFORE_THE_OTHER)
@example(script=BACK_FOR_A_MOMENT)
def test_never_more_than_the_window_holds_and_nothing_twice(script: list[Move]) -> None:
    asyncio.run(_play(script))


async def _play(script: list[Move]) -> None:
    fleet = Fleet(cold=int(SPAN * 1000))
    try:
        # They look after the store at different moments.
        for replica in (0, 1):
            await fleet.move("reserve", replica, 0)
            await fleet.clock.pass_by(0.5)
        await fleet.clock.pass_by(SPAN)
        for kind, who, count in script:
            await fleet.move(kind, who, count)
        await fleet.end()
        assert busiest([*fleet.sent, -1e6], 10.0) <= BURST.limit
        assert [replica.share.status() for replica in fleet.replicas] == [None, None]
        assert await fleet.replicas[0].used(DAY) == [len(fleet.sent)], "each one is counted, and once"
        ledger = await fleet.shared.store.ledger.usage(ENVIRONMENT, "0", "9")
        assert sum(entry.units for entry in ledger) == len(fleet.sent)
    finally:
        await fleet.close()
