"""The scripts of the Valkey store and the steps of the other stores decide alike, on any sequence of steps."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.stores.memory import MemoryStore
from gateway.stores.ports import Claim, QuotaStore, Reserved, Spent, Taken, Throttled
from tests.stores.claims import ENVIRONMENT, StoreClock, burst, claim, day, days
from tests.stores.valkeys import ServerTime, valkey_store
from tests.support.valkey import Valkey

AHEAD = 3_600_000
LIMITS = (
    burst(6, upto=5, length=10_000, margin=250, adapts=True),
    day(40),
    burst(4, key="tenant/north/burst", length=5_000, enforced=False),
    burst(20, key="tenant/north/day", length=86_400_000),
)

names = st.sampled_from([f"r{number}" for number in range(12)])
refusals = st.builds(
    Throttled, retry_after=st.sampled_from([None, 0, 900, 4_000]), window=st.just(10_000), limit=st.just(6)
)
steps = st.one_of(
    st.tuples(st.just("reserve"), names),
    st.tuples(st.just("reserve"), names),
    st.tuples(st.just("settle"), names),
    st.tuples(st.just("settle"), names),
    st.tuples(st.just("throttle"), names, refusals),
    st.tuples(st.just("release"), names),
    st.tuples(st.just("renew"), st.lists(names, min_size=1, max_size=4, unique=True)),
    st.tuples(st.just("restore"), names, st.sampled_from([0, 3_000, 20_000]), st.integers(0, 10)),
    st.tuples(st.just("advance"), st.sampled_from([1, 700, 5_000, 10_250, 61_000, 300_000])),
)
Step = tuple[object, ...]


class Store:
    """A store's quota, and the steps as they are taken in it."""

    def __init__(self, quota: QuotaStore, moment: int) -> None:
        self._quota = quota
        self._periods = days(moment)
        self._known: set[str] = set()

    async def take(self, step: Step) -> object:
        match step:
            case ("reserve", str(name)):
                answer = await self._quota.reserve(self._claim(name))
                if isinstance(answer, Reserved):
                    self._known.add(name)
                return replace(answer, epoch="")
            case ("settle", str(name)):
                await self._quota.settle(ENVIRONMENT, name)
            case ("throttle", str(name), Throttled() as throttled):
                await self._quota.settle(ENVIRONMENT, name, throttled)
            # What is not taken is void from then on for the one, and nothing to the other.
            case ("release", str(name)) if name in self._known:
                self._known.discard(name)
                await self._quota.release(ENVIRONMENT, name)
            case ("renew", list(reservations)):
                return await self._quota.renew(ENVIRONMENT, reservations, 7_000)
            case ("restore", str(name), int(held_for), int(used)):
                spent = Spent(key=LIMITS[1].key, starts=self._periods[1].starts, used=used)
                taken = Taken(claim=self._claim(f"{name}-elsewhere"), held_for=held_for)
                await self._quota.restore(ENVIRONMENT, 0, [spent], [taken])
        return None

    async def standing(self) -> object:
        return replace(await self._quota.standing(ENVIRONMENT, LIMITS, self._periods), epoch=None)

    def _claim(self, name: str) -> Claim:
        return claim(name, *LIMITS, periods=self._periods, lease=7_000)


@settings(max_examples=40, deadline=None)
@given(script=st.lists(steps, max_size=40))
def test_they_say_the_same_step_by_step(server: Valkey, script: Sequence[Step]) -> None:
    asyncio.run(_compare(server, script))


async def _compare(server: Valkey, script: Sequence[Step]) -> None:
    remote, time = valkey_store(server), ServerTime(server)
    await remote.quota.restore(ENVIRONMENT, 0, (), ())
    # Ahead of its clock, where one can let it stand.
    moment = time.now() + AHEAD
    clock = StoreClock((moment + 0.5) / 1000)
    local = MemoryStore(clock)
    await local.quota.restore(ENVIRONMENT, 0, (), ())
    both = Store(remote.quota, moment), Store(local.quota, moment)
    try:
        for step in script:
            if step[0] == "advance":
                assert isinstance(step[1], int)
                moment += step[1]
                clock.move(step[1] / 1000)
            time.stand(ENVIRONMENT, moment)
            answers = [await store.take(step) for store in both]
            assert answers[0] == answers[1], step
            time.stand(ENVIRONMENT, moment)
            standings = [await store.standing() for store in both]
            assert standings[0] == standings[1], step
            ledgers = [await store.ledger.usage(ENVIRONMENT, "0", "9") for store in (remote, local)]
            assert ledgers[0] == ledgers[1], step
    finally:
        await remote.close()
