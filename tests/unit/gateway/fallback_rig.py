"""Replicas of a gateway over one store that may be lost, and a clock that stands still until it is moved."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from gateway.quota.fallback import EVERY, GATHERING, LocalShare
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
from tests.stores.claims import ENVIRONMENT, burst, claim, day, days
from tests.unit.gateway.policy_rig import Heard

BURST = burst(100, length=10_000, margin=250)
DAY = day(10_000)
LEASE = 5.0
SPAN = 10.25
QUIET = LEASE + SPAN
"""Seconds after which nothing can matter any more of what the shared store gave to anybody."""


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
        """Let time pass; who wakes on the way does what he has to at his moment."""
        await self._settle()
        until = self.passed + seconds
        while due := [sleeper for sleeper in self._sleepers if sleeper[0] <= until]:
            sleeper = min(due, key=lambda sleeper: sleeper[0])
            self._sleepers.remove(sleeper)
            self.passed = max(self.passed, sleeper[0])
            if not sleeper[1].done():
                sleeper[1].set_result(None)
            await self._settle()
        self.passed = until

    async def _settle(self) -> None:
        for _ in range(30):
            await asyncio.sleep(0)


class SharedQuota:
    """A store that may be lost: before the step is taken, or after it, when only the reply is.

    It is ``deaf`` from the next reply on, or after so many ``replies`` to a restoring.
    """

    def __init__(self, clock: TestClock) -> None:
        self._clock = clock
        self.store = MemoryStore(clock)
        self.lost = False
        self.deaf = False
        self.replies: int | None = None
        self.mistaken = False

    def forget_all(self) -> None:
        self.store = MemoryStore(self._clock)

    async def ping(self) -> None:
        if self.mistaken:
            raise ValueError("of which nobody had thought")
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
        if self.replies is not None:
            self.deaf, self.replies = self.replies == 0, self.replies - 1
        self._reply()
        return epoch


class Replica:
    """One replica over a store that may be lost."""

    def __init__(self, clock: TestClock, shared: SharedQuota, share: float = 0.1, cold: int = 0) -> None:
        self.clock = clock
        self.shared = shared
        self.cold = cold
        self.heard = Heard()
        self.periods = days(round(clock.now() * 1000))
        local = MemoryStore(clock).quota
        self.share = LocalShare(shared, shared.ping, local, {ENVIRONMENT: share}, clock, self.heard.events)

    def claim(self, name: str, *limits: Limit, lease: int = 5_000) -> Claim:
        return claim(name, *(limits or (BURST, DAY)), periods=self.periods, lease=lease, cold=self.cold)

    async def reserve(self, name: str, *limits: Limit, lease: int = 5_000) -> Reserved | Full:
        return await self.share.reserve(self.claim(name, *limits, lease=lease))

    async def settle(self, name: str, throttled: Throttled | None = None) -> None:
        await self.share.settle(ENVIRONMENT, name, throttled)

    async def renew(self, name: str, lease: int = 5_000) -> bool:
        try:
            return name in await self.share.renew(ENVIRONMENT, [name], lease)
        except StoreLost:
            return False

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
        await self.clock.pass_by(QUIET)

    async def find(self) -> None:
        self.shared.lost = self.shared.deaf = False
        self.shared.replies = None
        await self.clock.pass_by(EVERY)
        await self.clock.pass_by(GATHERING)
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
