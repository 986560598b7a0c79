"""What goes on when the store that all replicas share is lost: a share of every window, in this process.

The store is never taken for open, and nothing is closed that need not be. While it is lost each unit is taken in a
local store, whose windows hold only the replica's share; what came of those units is told to the shared store when it
is back, before it is asked for the next one.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from math import floor
from typing import TypeVar

from msgspec.structs import replace

from gateway.clock import Clock
from gateway.quota.outage import Debt, Held, Unit
from gateway.quota.seen import Seen, current
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
from gateway.telemetry.events import Events

T = TypeVar("T")

EVERY = 1.0
"""How often a store that is lost is asked whether it is back, in seconds; also how long a refusal holds meanwhile."""


class LocalShare:
    """A :class:`~gateway.stores.ports.QuotaStore` that outlives the one that all share.

    ``ping`` raises StoreLost while the ``shared`` store is lost, ``local`` is this process's own, and
    ``shares`` says for each environment how much of every window this replica may use by itself.
    """

    def __init__(
        self,
        shared: QuotaStore,
        ping: Callable[[], Awaitable[None]],
        local: QuotaStore,
        shares: Mapping[str, float],
        clock: Clock,
        events: Events,
    ) -> None:
        self._shared = shared
        self._ping = ping
        self._local = local
        self._shares = shares
        self._clock = clock
        self._events = events
        self._seen: defaultdict[str, Seen] = defaultdict(Seen)
        self._held: dict[str, Held] = {}
        self._units: dict[str, Unit] = {}
        self._debts: deque[Debt] = deque()
        self._lost_at: float | None = None
        self._watching: asyncio.Task[None] | None = None

    def status(self) -> str | None:
        """What is to be said of the store: None while it answers."""
        if self._lost_at is None:
            return None
        seconds = self._clock.monotonic() - self._lost_at
        shares = " or ".join(f"{share * 100:g} %" for share in sorted(set(self._shares.values()))) or "0 %"
        return f"lost for {seconds:.0f} s; this replica goes on with {shares} of every window"

    async def aclose(self) -> None:
        """Ask no more whether the store is back."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    async def reserve(self, claim: Claim) -> Reserved | Full:
        """See the port. Raises StoreLost where the share of a window is less than a unit."""
        seen = self._seen[claim.environment]
        seen.claimed(claim.limits, claim.cold)
        while self._lost_at is None:
            asked = self._clock.monotonic()
            try:
                answer = await self._shared.reserve(seen.wary(claim))
            except StoreLost as error:
                # It may have been taken for all that.
                self._debts.append(_unsent(claim, asked))
                self._lose(error)
            else:
                await self._learn(claim, answer, asked)
                return answer
        return await self._reserve_share(claim, self._lost_at)

    async def renew(self, environment: str, reservations: Sequence[str], lease: int) -> frozenset[str]:
        """See the port. Raises StoreLost where there is nobody to ask."""
        own = [reservation for reservation in reservations if reservation in self._units]
        others = [reservation for reservation in reservations if reservation not in self._units]
        asked = self._clock.monotonic()
        held = await self._local.renew(environment, own, lease) if own else frozenset()
        for reservation in held & self._units.keys():
            self._units[reservation].lease_ends = asked + lease / 1000
        if not others:
            return held
        try:
            kept = await self._ask(lambda: self._shared.renew(environment, others, lease))
        except StoreLost:
            # Theirs run out, unless they are settled before.
            if not own:
                raise
            return held
        for reservation in kept & self._held.keys():
            self._held[reservation] = Held(environment, asked + lease / 1000)
        return held | kept

    async def settle(self, environment: str, reservation: str, throttled: Throttled | None = None) -> None:
        """See the port."""
        unit, now = self._units.get(reservation), self._clock.monotonic()
        if unit is None:
            held = self._held.pop(reservation, Held(environment, now))
            self._seen[environment].busy_until = now
            debt = Debt(
                environment=environment,
                reservation=reservation,
                since=now,
                forget_at=held.lease_ends,
                throttled=throttled,
            )
            await self._owe(debt)
            return
        await self._local.settle(environment, reservation, throttled)
        unit.ended = now
        if unit.restored:
            self._units.pop(reservation, None)
        if throttled is not None:
            # To the shared store the unit itself is settled from the start.
            name = f"{reservation}/refused"
            await self._owe(Debt(environment=environment, reservation=name, since=now, throttled=throttled))

    async def release(self, environment: str, reservation: str) -> None:
        """See the port. A unit that the shared store has been told of stays spent."""
        if self._units.pop(reservation, None) is not None:
            await self._local.release(environment, reservation)
            return
        self._held.pop(reservation, None)
        now = self._clock.monotonic()
        await self._owe(Debt(environment=environment, reservation=reservation, since=now, sent=False))

    async def standing(
        self, environment: str, limits: Sequence[Limit], periods: Sequence[Period]
    ) -> Standing:
        """See the port; of the local windows while the store is lost."""
        seen, now = self._seen[environment], self._now()
        with suppress(StoreLost):
            standing = await self._ask(lambda: self._shared.standing(environment, limits, periods))
            seen.told(standing.windows, limits, periods, now)
            return standing
        share = self._shares.get(environment, 0.0)
        shares = seen.shares(limits, share, current(periods, now)) if periods else tuple(limits)
        return await self._local.standing(environment, shares, periods)

    async def restore(
        self, environment: str, cold: int, spent: Sequence[Spent], taken: Sequence[Taken]
    ) -> str:
        """See the port."""
        return await self._ask(lambda: self._shared.restore(environment, cold, spent, taken))

    async def _ask(self, step: Callable[[], Awaitable[T]]) -> T:
        """What the shared store answers. Raises StoreLost, without asking while it is known to be lost."""
        if self._lost_at is not None:
            raise StoreLost("the store is lost")
        try:
            return await step()
        except StoreLost as error:
            self._lose(error)
            raise

    async def _learn(self, claim: Claim, answer: Reserved | Full, asked: float) -> None:
        """Note what a reply tells; a store that has lost its memory meanwhile is told what was known."""
        seen = self._seen[claim.environment]
        if seen.epoch is None:
            seen.epoch = answer.epoch
        forgotten = seen.epoch != answer.epoch
        if isinstance(answer, Reserved):
            self._held[claim.reservation] = Held(claim.environment, asked + claim.lease / 1000)
            seen.told(answer.windows, claim.limits, claim.periods, self._now(), taken=int(forgotten))
        if forgotten:
            with suppress(StoreLost):
                seen.epoch = await self.restore(claim.environment, seen.cold, seen.spent(), ())

    async def _reserve_share(self, claim: Claim, lost_at: float) -> Reserved | Full:
        """A unit of this replica's share. Raises StoreLost where that is less than one."""
        seen, share = self._seen[claim.environment], self._shares.get(claim.environment, 0.0)
        period = current(claim.periods, self._now())
        limits = seen.shares(claim.limits, share, period)
        if any(limit.enforced and not limit.daily and not limit.limit for limit in limits):
            raise StoreLost("the store is lost, and this replica's share of a window is less than a unit")
        asked = self._clock.monotonic()
        wait = self._settling(claim.environment, lost_at, asked)
        if wait > 0:
            longest = max(limits, key=lambda limit: 0 if limit.daily else limit.length)
            return Full(limit=longest.key, opens_in=min(wait, _EVERY), epoch=_LOCAL)
        answer = await self._local.reserve(replace(claim, limits=limits, cold=0))
        if self._lost_at != lost_at:
            await self._local.release(claim.environment, claim.reservation)
            return await self.reserve(claim)
        if isinstance(answer, Full):
            # What is full here need not be so in the shared store, which may be back any second.
            return replace(answer, opens_in=min(answer.opens_in, _EVERY))
        lease_ends = asked + claim.lease / 1000
        self._units[claim.reservation] = Unit(claim=claim, starts=period.starts, lease_ends=lease_ends)
        return answer

    def _settling(self, environment: str, lost_at: float, now: float) -> int:
        """How long what was sent through the shared store may still count in a burst, in milliseconds.

        A unit that it gave may arrive as long as it is under way, at the latest when its lease ends.
        """
        seen = self._seen[environment]
        ends = [min(held.lease_ends, now) for held in self._held.values() if held.environment == environment]
        last = max(lost_at, seen.busy_until, *ends)
        return seen.span - floor((now - last) * 1000)

    async def _owe(self, debt: Debt) -> None:
        """Tell the shared store now, or when it is back."""
        try:
            await self._ask(lambda: debt.pay(self._shared, debt.since))
        except StoreLost:
            self._debts.append(debt)

    def _lose(self, error: StoreLost) -> None:
        if self._lost_at is None:
            self._lost_at = self._clock.monotonic()
            self._events.store_lost(error)
            self._watching = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            await self._clock.sleep(EVERY)
            with suppress(StoreLost):
                await self._ping()
                await self._return()
                return

    async def _return(self) -> None:
        """Tell the shared store all that it does not know, and ask it again from then on. Raises StoreLost."""
        told = False
        while not told or self._debts or any(not unit.restored for unit in self._units.values()):
            for environment in tuple(self._seen):
                await self._restore(environment)
            while self._debts:
                await self._debts[0].pay(self._shared, self._clock.monotonic())
                self._debts.popleft()
            told = True
        # Nothing was awaited since there was nothing left to tell.
        lost_at, self._lost_at = self._lost_at, None
        self._units = {name: unit for name, unit in self._units.items() if unit.ended is None}
        if lost_at is not None:
            self._events.store_found(self._clock.monotonic() - lost_at)

    async def _restore(self, environment: str) -> None:
        seen, now = self._seen[environment], self._clock.monotonic()
        standing = await self._shared.standing(environment, (), ())
        forgotten = seen.epoch is not None and standing.epoch != seen.epoch
        units = [
            unit
            for unit in self._units.values()
            if unit.claim.environment == environment and not unit.restored
        ]
        if not units and not forgotten:
            return
        taken = tuple(unit.taken(now) for unit in units)
        spent = seen.spent() if forgotten else ()
        seen.epoch = await self._shared.restore(environment, seen.cold, spent, taken)
        for unit in units:
            unit.restored = True
            for limit in unit.claim.limits:
                if limit.daily:
                    seen.restore(limit.key, unit.starts)

    def _now(self) -> int:
        """The wall clock, in milliseconds since 1970."""
        return int(self._clock.now() * 1000)


_EVERY = round(EVERY * 1000)
_LOCAL = "local"


def _unsent(claim: Claim, now: float) -> Debt:
    return Debt(environment=claim.environment, reservation=claim.reservation, since=now, sent=False)
