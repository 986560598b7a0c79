"""A replica without the store: its share of every window, nothing twice, and all of it told when the store is back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.quota.fallback import EVERY, LocalShare
from gateway.stores.memory import MemoryStore
from gateway.stores.ports import (
    Claim,
    Full,
    Limit,
    Period,
    QuotaStore,
    Reserved,
    Spent,
    Standing,
    StoreLost,
    Taken,
    Throttled,
)
from tests.faults.checkers import busiest
from tests.stores.claims import ENVIRONMENT, burst, claim, day, days
from tests.unit.gateway.policy_rig import Heard

BURST = burst(100, length=10_000, margin=250)
DAY = day(10_000)
SPAN = 10.25


class TestClock:
    """Stands still until it is moved; who sleeps wakes when his time has come."""

    __test__ = False

    def __init__(self) -> None:
        self.passed = 0.0
        self.jumped = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> float:
        return 1_700_000_000.0 + self.passed + self.jumped

    def monotonic(self) -> float:
        return self.passed

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.passed + seconds, woken))
        await woken

    async def pass_by(self, seconds: float) -> None:
        """Let time pass, and all who wake do what they have to."""
        await self._settle()
        self.passed += seconds
        for entry in [entry for entry in self._sleepers if entry[0] <= self.passed]:
            self._sleepers.remove(entry)
            if not entry[1].done():
                entry[1].set_result(None)
        await self._settle()

    async def _settle(self) -> None:
        for _ in range(30):
            await asyncio.sleep(0)


class SharedQuota:
    """A store that may be lost: before the step is taken, or after it, when only the reply is."""

    def __init__(self, clock: TestClock) -> None:
        self._clock = clock
        self.store = MemoryStore(clock)
        self.lost = False
        self.deaf = False

    def forget_all(self) -> None:
        self.store = MemoryStore(self._clock)

    async def ping(self) -> None:
        if self.lost:
            raise StoreLost("gone")

    def _reach(self) -> QuotaStore:
        if self.lost:
            raise StoreLost("gone")
        return self.store.quota

    def _reply(self) -> None:
        if self.deaf:
            self.lost = True
            raise StoreLost("no reply")

    async def reserve(self, claim: Claim) -> Reserved | Full:
        answer = await self._reach().reserve(claim)
        self._reply()
        return answer

    async def renew(self, environment: str, reservations: Sequence[str], lease: int) -> frozenset[str]:
        return await self._reach().renew(environment, reservations, lease)

    async def settle(self, environment: str, reservation: str, throttled: Throttled | None = None) -> None:
        await self._reach().settle(environment, reservation, throttled)
        self._reply()

    async def release(self, environment: str, reservation: str) -> None:
        await self._reach().release(environment, reservation)

    async def standing(
        self, environment: str, limits: Sequence[Limit], periods: Sequence[Period]
    ) -> Standing:
        return await self._reach().standing(environment, limits, periods)

    async def restore(
        self, environment: str, cold: int, spent: Sequence[Spent], taken: Sequence[Taken]
    ) -> str:
        epoch = await self._reach().restore(environment, cold, spent, taken)
        self._reply()
        return epoch


class Replica:
    """One replica over a store that may be lost."""

    def __init__(self, clock: TestClock, shared: SharedQuota, share: float = 0.1) -> None:
        self.clock = clock
        self.shared = shared
        self.heard = Heard()
        self.periods = days(round(clock.now() * 1000))
        local = MemoryStore(clock).quota
        self.share = LocalShare(shared, shared.ping, local, {ENVIRONMENT: share}, clock, self.heard.events)

    def claim(self, name: str, *limits: Limit, lease: int = 5_000) -> Claim:
        return claim(name, *(limits or (BURST, DAY)), periods=self.periods, lease=lease)

    async def reserve(self, name: str, *limits: Limit, lease: int = 5_000) -> Reserved | Full:
        return await self.share.reserve(self.claim(name, *limits, lease=lease))

    async def settle(self, name: str, throttled: Throttled | None = None) -> None:
        await self.share.settle(ENVIRONMENT, name, throttled)

    async def release(self, name: str) -> None:
        await self.share.release(ENVIRONMENT, name)

    async def take(self, prefix: str, most: int, *limits: Limit) -> int:
        """How many units there are, of ``most`` that are asked for and answered at once."""
        for number in range(most):
            if not isinstance(await self.reserve(f"{prefix}{number}", *limits), Reserved):
                return number
            await self.settle(f"{prefix}{number}")
        return most

    async def lose(self) -> None:
        """Lose the store, notice it, and let pass what may still count."""
        self.shared.lost = True
        assert isinstance(await self.reserve("noticing"), Full)
        await self.clock.pass_by(SPAN)

    async def find(self) -> None:
        self.shared.lost = self.shared.deaf = False
        await self.clock.pass_by(EVERY)
        assert self.share.status() is None

    async def used(self, *limits: Limit) -> list[int]:
        """What the shared store itself has counted."""
        quota = self.shared.store.quota
        return [one.used for one in (await quota.standing(ENVIRONMENT, limits, self.periods)).windows]


@asynccontextmanager
async def replica_of(share: float = 0.1) -> AsyncIterator[Replica]:
    clock = TestClock()
    made = Replica(clock, SharedQuota(clock), share)
    try:
        yield made
    finally:
        await made.share.aclose()


@pytest.fixture
async def replica() -> AsyncIterator[Replica]:
    async with replica_of() as made:
        yield made


async def test_while_the_store_answers_it_alone_is_asked(replica: Replica) -> None:
    assert await replica.take("r", 100) == 100
    assert isinstance(await replica.reserve("more"), Full)
    assert replica.share.status() is None
    assert await replica.used(BURST, DAY) == [100, 100]


async def test_a_share_of_the_burst_goes_on_and_no_more(replica: Replica) -> None:
    await replica.take("r", 3)
    await replica.lose()
    assert await replica.take("l", 20) == 10
    await replica.clock.pass_by(SPAN)
    assert await replica.take("m", 20) == 10


async def test_what_was_sent_just_before_counts(replica: Replica) -> None:
    """A hundred may have gone out in the moment before; only when they cannot matter any more do others follow."""
    assert await replica.take("r", 100) == 100
    replica.shared.lost = True
    assert await replica.take("l", 1) == 0
    await replica.clock.pass_by(SPAN - 0.001)
    assert await replica.take("l", 1) == 0
    await replica.clock.pass_by(0.001)
    assert await replica.take("l", 20) == 10


async def test_a_second_loss_counts_what_was_sent_before_it_too(replica: Replica) -> None:
    await replica.take("known", 1)
    await replica.lose()
    await replica.take("l", 5)
    await replica.find()
    assert await replica.take("r", 50) == 50
    replica.shared.lost = True
    assert await replica.take("m", 1) == 0
    await replica.clock.pass_by(SPAN)
    assert await replica.take("m", 20) == 10


async def test_what_is_still_under_way_may_arrive_yet(replica: Replica) -> None:
    await replica.reserve("slow", lease=60_000)
    replica.shared.lost = True
    await replica.take("l", 1)
    await replica.clock.pass_by(30)
    assert await replica.take("l", 1) == 0
    await replica.settle("slow")
    await replica.clock.pass_by(SPAN)
    assert await replica.take("l", 20) == 10


async def test_a_lease_that_is_over_is_waited_for_no_longer(replica: Replica) -> None:
    await replica.reserve("silent", lease=2_000)
    replica.shared.lost = True
    await replica.take("l", 1)
    await replica.clock.pass_by(2 + SPAN)
    assert await replica.take("l", 20) == 10


async def test_a_share_of_what_was_left_of_the_day_goes_on(replica: Replica) -> None:
    small = day(100)
    await replica.take("r", 40, small)
    await replica.lose()
    assert await replica.take("l", 50, small) == 6


async def test_a_day_that_is_used_up_stays_so(replica: Replica) -> None:
    small = day(10)
    await replica.take("r", 10, small)
    await replica.lose()
    refused = await replica.reserve("l", small)
    assert isinstance(refused, Full)
    assert refused.limit == small.key
    assert refused.opens_in <= EVERY * 1000, "the store may be back any second"


async def test_each_loss_has_its_share_of_what_was_left_then(replica: Replica) -> None:
    small = day(100)
    await replica.lose()
    assert await replica.take("l", 50, small) == 10
    await replica.find()
    assert await replica.used(small) == [10]
    await replica.lose()
    assert await replica.take("m", 50, small) == 9
    await replica.find()
    assert await replica.used(small) == [19]


async def test_a_rolling_day_counts_what_was_seen_of_it(replica: Replica) -> None:
    rolling = burst(100, key=DAY.key, length=86_400_000)
    await replica.take("r", 90, rolling)
    await replica.lose()
    assert await replica.take("l", 50, rolling) == 1


async def test_a_share_of_less_than_a_unit_lets_nothing_pass() -> None:
    async with replica_of(share=0.005) as replica:
        replica.shared.lost = True
        with pytest.raises(StoreLost):
            await replica.reserve("l")


async def test_a_log_that_is_not_enforced_holds_nothing_back(replica: Replica) -> None:
    shadow = burst(1, key="tenant/north/burst", length=10_000, enforced=False)
    await replica.lose()
    assert await replica.take("l", 20, BURST, shadow) == 10
    shadow = replace(shadow, limit=0, upto=0, adapts=True)
    await replica.clock.pass_by(SPAN)
    assert await replica.take("m", 20, BURST, shadow) == 10


async def test_an_urgent_call_has_more_of_the_share_than_bulk(replica: Replica) -> None:
    await replica.lose()
    assert await replica.take("l", 50, replace(BURST, upto=80)) == 8
    assert await replica.take("m", 50, BURST) == 2


async def test_bulk_has_at_least_a_unit_of_a_small_share(replica: Replica) -> None:
    await replica.take("r", 1)
    await replica.lose()
    assert await replica.take("l", 50, replace(BURST, limit=10, upto=8)) == 1


async def test_everything_is_told_when_the_store_is_back(replica: Replica) -> None:
    await replica.take("r", 4)
    await replica.lose()
    await replica.take("l", 6)
    assert await replica.used(DAY) == [4]
    await replica.find()
    assert await replica.used(BURST, DAY) == [6, 10]
    assert await replica.take("after", 200) == 94


async def test_a_unit_under_way_is_told_and_holds_its_slot(replica: Replica) -> None:
    await replica.take("known", 1)
    await replica.lose()
    await replica.reserve("under-way")
    await replica.find()
    assert await replica.used(BURST, DAY) == [1, 2]
    await replica.settle("under-way")
    assert await replica.used(BURST, DAY) == [1, 2]
    await replica.clock.pass_by(5 + SPAN)
    assert await replica.used(BURST, DAY) == [0, 2]


async def test_what_was_not_sent_is_told_nowhere(replica: Replica) -> None:
    await replica.lose()
    await replica.reserve("l")
    await replica.release("l")
    await replica.find()
    assert await replica.used(BURST, DAY) == [0, 0]


async def test_a_step_whose_reply_is_lost_counts_once(replica: Replica) -> None:
    await replica.take("r", 1)
    replica.shared.deaf = True
    assert isinstance(await replica.reserve("twice"), Full)
    assert await replica.used(DAY) == [2]
    await replica.find()
    assert await replica.used(BURST, DAY) == [1, 1]


async def test_a_restoring_whose_reply_is_lost_counts_once(replica: Replica) -> None:
    await replica.lose()
    await replica.take("l", 5)
    replica.shared.lost, replica.shared.deaf = False, True
    await replica.clock.pass_by(EVERY)
    assert replica.share.status() is not None
    await replica.find()
    assert await replica.used(DAY) == [5]


async def test_what_became_of_shared_units_is_told_later(replica: Replica) -> None:
    for name in ("answered", "unsent"):
        await replica.reserve(name, lease=60_000)
    replica.shared.lost = True
    await replica.settle("answered")
    await replica.release("unsent")
    await replica.find()
    assert await replica.used(BURST, DAY) == [1, 1]
    await replica.clock.pass_by(SPAN)
    assert await replica.used(BURST, DAY) == [0, 1]


async def test_an_answer_is_not_told_when_its_lease_took_care_of_it(replica: Replica) -> None:
    await replica.reserve("answered", lease=2_000)
    replica.shared.lost = True
    await replica.settle("answered")
    await replica.clock.pass_by(2 + SPAN)
    await replica.find()
    assert await replica.used(BURST, DAY) == [0, 1]


async def test_a_refusal_of_the_upstream_closes_the_local_share_and_then_the_store(replica: Replica) -> None:
    await replica.lose()
    await replica.reserve("l")
    await replica.settle("l", Throttled(retry_after=60_000, window=10_000, limit=100))
    refused = await replica.reserve("m")
    assert isinstance(refused, Full)
    assert refused.limit == "upstream"
    await replica.clock.pass_by(20 - EVERY)
    await replica.find()
    standing = await replica.share.standing(ENVIRONMENT, (), ())
    assert standing.closed_for == 40_000


async def test_leases_are_held_where_they_were_given(replica: Replica) -> None:
    await replica.reserve("shared", lease=60_000)
    assert await replica.share.renew(ENVIRONMENT, ["shared", "nobody"], 90_000) == {"shared"}
    replica.shared.lost = True
    with pytest.raises(StoreLost):
        await replica.share.renew(ENVIRONMENT, ["shared"], 60_000)
    await replica.settle("shared")
    await replica.clock.pass_by(SPAN)
    await replica.reserve("local")
    assert await replica.share.renew(ENVIRONMENT, ["local", "shared"], 60_000) == {"local"}
    await replica.clock.pass_by(30)
    assert await replica.share.renew(ENVIRONMENT, ["local"], 60_000) == {"local"}


async def test_a_store_that_forgot_everything_is_told_what_was_known(replica: Replica) -> None:
    await replica.take("r", 30, DAY)
    replica.shared.forget_all()
    await replica.take("s", 1, DAY)
    assert await replica.used(DAY) == [31]
    assert replica.share.status() is None


async def test_one_that_forgot_everything_is_trusted_no_more(replica: Replica) -> None:
    """The claims here say that a store which knows nothing may be trusted: for the first time, it may."""
    assert await replica.take("r", 100) == 100
    replica.shared.forget_all()
    assert await replica.take("s", 1) == 0
    await replica.clock.pass_by(SPAN)
    assert await replica.take("s", 200) == 100
    assert await replica.used(DAY) == [200]


async def test_a_store_that_was_lost_and_forgot_everything_begins_closed(replica: Replica) -> None:
    await replica.take("r", 30)
    await replica.lose()
    await replica.take("l", 5)
    replica.shared.forget_all()
    await replica.find()
    assert await replica.used(DAY) == [35]
    assert await replica.take("after", 1) == 0, "others may have sent, of which nobody knows"
    await replica.clock.pass_by(SPAN)
    assert await replica.take("after", 200) == 100


async def test_a_store_that_is_lost_from_the_start(replica: Replica) -> None:
    await replica.lose()
    assert await replica.take("l", 20) == 10
    await replica.find()
    assert await replica.used(DAY) == [10]


async def test_what_is_said_of_it(replica: Replica) -> None:
    replica.shared.lost = True
    await replica.reserve("l")
    await replica.clock.pass_by(12)
    assert replica.share.status() == "lost for 12 s; this replica goes on with 10 % of every window"
    await replica.find()
    assert len(replica.heard.lines("store lost")) == 1
    assert [line["seconds"] for line in replica.heard.lines("store found")] == [13.0]


async def test_the_local_windows_are_told_of_meanwhile(replica: Replica) -> None:
    await replica.take("r", 100)
    await replica.lose()
    await replica.take("l", 3)
    standing = await replica.share.standing(ENVIRONMENT, (BURST, DAY), replica.periods)
    assert [(state.limit, state.used) for state in standing.windows] == [(10, 3), (990, 3)]


async def test_a_clock_that_jumps_changes_nothing(replica: Replica) -> None:
    await replica.take("r", 5)
    await replica.lose()
    await replica.take("l", 5)
    replica.clock.jumped = -1_800.0
    assert await replica.take("m", 20) == 5
    await replica.find()
    assert await replica.used(DAY) == [15]


moves = st.one_of(
    st.tuples(st.sampled_from(["reserve", "settle", "release"]), st.integers(0, 30)),
    st.tuples(st.just("burst"), st.integers(1, 120)),
    st.tuples(st.sampled_from(["lose", "deafen", "find"]), st.just(0)),
    st.tuples(st.just("pass"), st.sampled_from([1, 3, 6, 11])),
)


@settings(max_examples=150, deadline=None)
@given(script=st.lists(moves, min_size=5, max_size=60))
def test_never_more_than_the_window_holds_and_nothing_twice(script: list[tuple[str, int]]) -> None:
    asyncio.run(_play(script))


async def _play(script: list[tuple[str, int]]) -> None:
    """A unit is sent when it is answered, which is as late as can be; those that are not are never sent."""
    sent: list[float] = []
    held: list[str] = []
    unsent = 0
    async with replica_of() as replica:
        for number, (move, count) in enumerate(script):
            match move:
                case "reserve":
                    if isinstance(await replica.reserve(f"u{number}", lease=600_000), Reserved):
                        held.append(f"u{number}")
                case "settle" if held:
                    sent.append(replica.clock.monotonic())
                    await replica.settle(held.pop(count % len(held)))
                case "release" if held:
                    await replica.release(held.pop(count % len(held)))
                    unsent += 1
                case "burst":
                    sent += [replica.clock.monotonic()] * await replica.take(f"b{number}-", count)
                case "lose":
                    replica.shared.lost = True
                case "deafen":
                    replica.shared.deaf = True
                case "find":
                    replica.shared.lost = replica.shared.deaf = False
                case "pass":
                    await replica.clock.pass_by(count)
        for name in held:
            sent.append(replica.clock.monotonic())
            await replica.settle(name)
        if replica.share.status():
            await replica.find()
        assert busiest([*sent, -1e6], 10.0) <= BURST.limit
        used = (await replica.used(DAY))[0]
        assert len(sent) <= used <= len(sent) + unsent, "each one is counted, and once"
