"""What goes on when the store that all replicas share is lost: a share of every window, in this process.

The store is never taken for open, and nothing is closed that need not be. While it is lost each unit is taken in a
local store, whose windows hold only the replica's share. Three pauses keep the replicas from meeting in one window,
since none knows of the others while the store is lost:

* none begins with its share before nothing can matter any more of what any of them was given by the store;
* each notices a loss, also one that has nothing to send;
* none goes back to the store before all of them had the time to tell it of their shares.

A replica that alone has lost the store sends its share beside what the others send: for that ``headroom`` is left.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from math import ceil, floor
from typing import TypeVar

from msgspec.structs import replace

from gateway.clock import Clock
from gateway.quota.outage import Debt, Held, Unit, Untold, answered, unsent
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

GATHERING = 3.0
"""Seconds in which every replica finds a store that is back: a look each second, and two for what times out."""


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
        self._untold = Untold(shared, local, clock)
        self._lost_at: float | None = None
        self._silent_since = 0.0
        self._found_at: float | None = None
        self._why = ""
        self._heard_at = 0.0
        self._watching: asyncio.Task[None] | None = None

    def status(self) -> str | None:
        """What is to be said of the store: None while it answers."""
        if self._lost_at is None:
            return None
        seconds = self._clock.monotonic() - self._lost_at
        shares = " or ".join(f"{share * 100:g} %" for share in sorted(set(self._shares.values()))) or "0 %"
        return f"lost for {seconds:.0f} s ({self._why}); this replica goes on with {shares} of every window"

    def allow(self, shares: Mapping[str, float]) -> None:
        self._shares = shares

    async def aclose(self) -> None:
        """Look no more after the store."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    async def reserve(self, claim: Claim) -> Reserved | Full:
        """See the port. Raises StoreLost where the share of a window is less than a unit."""
        seen = self._seen[claim.environment]
        seen.claimed(claim)
        self._look_after()
        while self._lost_at is None:
            asked = self._clock.monotonic()
            try:
                answer = await self._shared.reserve(seen.wary(claim))
            except StoreLost as error:
                # It may have been taken for all that.
                self._untold.debts.append(unsent(claim.environment, claim.reservation, asked))
                self._lose(error)
            else:
                await self._learn(claim, answer, asked)
                return answer
        return await self._reserve_share(claim, self._lost_at)

    async def renew(self, environment: str, reservations: Sequence[str], lease: int) -> frozenset[str]:
        """See the port. Raises StoreLost where there is nobody to ask."""
        own = [reservation for reservation in reservations if reservation in self._untold.own]
        others = [reservation for reservation in reservations if reservation not in self._untold.own]
        asked = self._clock.monotonic()
        held = await self._local.renew(environment, own, lease) if own else frozenset()
        for reservation in held & self._untold.own.keys():
            self._untold.own[reservation].lease_ends = asked + lease / 1000
        if not others:
            return held
        try:
            kept = await self._ask(lambda: self._shared.renew(environment, others, lease))
        except StoreLost:
            # Theirs run out, unless they are settled before.
            if not own:
                raise
            return held
        for reservation in kept & self._untold.held.keys():
            self._untold.held[reservation] = Held(environment, asked + lease / 1000)
        return held | kept

    async def settle(self, environment: str, reservation: str, throttled: Throttled | None = None) -> None:
        """See the port."""
        unit, now, seen = self._untold.own.get(reservation), self._clock.monotonic(), self._seen[environment]
        if unit is None:
            held = self._untold.held.pop(reservation, Held(environment, now))
            seen.busy_until = now
            await self._owe(answered(reservation, held, now, seen.span, throttled))
            return
        await self._local.settle(environment, reservation, throttled)
        unit.ended = now
        if throttled is not None:
            # The unit itself is told of as answered, if it is.
            name = f"{reservation}/refused"
            await self._owe(Debt(environment=environment, reservation=name, since=now, throttled=throttled))

    async def release(self, environment: str, reservation: str) -> None:
        """See the port."""
        unit = self._untold.own.pop(reservation, None)
        if unit is not None:
            await self._local.release(environment, reservation)
        if unit is None or unit.tried:
            self._untold.held.pop(reservation, None)
            await self._owe(unsent(environment, reservation, self._clock.monotonic()))

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
        if self._lost_at is not None and self._found_at is None:
            raise StoreLost("the store is lost")
        asked = self._clock.monotonic()
        try:
            answer = await step()
        except StoreLost as error:
            self._lose(error)
            raise
        self._heard_at = asked
        return answer

    async def _learn(self, claim: Claim, answer: Reserved | Full, asked: float) -> None:
        """Note what a reply tells; a store that has lost its memory meanwhile is told what was known."""
        self._heard_at = asked
        seen = self._seen[claim.environment]
        if seen.epoch is None:
            seen.epoch = answer.epoch
        forgotten = seen.epoch != answer.epoch
        if isinstance(answer, Reserved):
            self._untold.held[claim.reservation] = Held(claim.environment, asked + claim.lease / 1000)
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
        wait = self._pause(claim.environment, asked)
        if wait > 0:
            longest = max(limits, key=lambda limit: 0 if limit.daily else limit.length)
            return Full(limit=longest.key, opens_in=min(wait, _EVERY), epoch=_LOCAL)
        answer = await self._local.reserve(replace(claim, limits=limits, cold=0))
        if self._lost_at != lost_at or self._found_at is not None:
            await self._local.release(claim.environment, claim.reservation)
            return await self.reserve(claim)
        if isinstance(answer, Full):
            # What is full here need not be so in the shared store, which may be back any second.
            return replace(answer, opens_in=min(answer.opens_in, _EVERY))
        lease_ends = asked + claim.lease / 1000
        self._untold.own[claim.reservation] = Unit(claim=claim, starts=period.starts, lease_ends=lease_ends)
        return answer

    def _pause(self, environment: str, now: float) -> int:
        """How long nothing leaves, in milliseconds: others may not be done with the store, or be back from it later.

        A unit that it gave may arrive as long as it is under way, at the latest when its lease ends. Of one of
        this replica's own that is answered still later, it may have been then.
        """
        if self._found_at is not None:
            return max(1, ceil((self._found_at + GATHERING - now) * 1000))
        seen = self._seen[environment]
        silent_since = max(self._silent_since, self._untold.heard_at)
        last = max(silent_since + seen.lease / 1000, seen.busy_until)
        return seen.span - floor((now - last) * 1000)

    async def _owe(self, debt: Debt) -> None:
        """Tell the shared store now, or when it is back."""
        try:
            await self._ask(lambda: debt.pay(self._shared, debt.since))
        except StoreLost:
            self._untold.debts.append(debt)

    def _lose(self, error: StoreLost) -> None:
        now = self._clock.monotonic()
        if self._lost_at is None:
            self._lost_at, self._why = now, str(error)
            self._events.store_lost(error)
            self._look_after()
        elif self._found_at is None:
            return
        # Until now it may have answered others, also where it was back for a moment only.
        self._silent_since, self._found_at = now, None

    def _look_after(self) -> None:
        """Hear of a loss, and of its end, also with nothing to send."""
        self._watching = self._watching or asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            await self._clock.sleep(EVERY)
            try:
                if self._lost_at is None:
                    await self._listen()
                else:
                    await self._return(self._lost_at)
            except StoreLost as error:
                self._lose(error)
            except Exception as error:
                # Whatever it is: a watch that ended here would leave the replica with its share for ever.
                self._silent_since, self._found_at = self._clock.monotonic(), None
                self._events.store_error("watch", error)

    async def _listen(self) -> None:
        """Ask the store something when nobody else does. Raises StoreLost."""
        if self._clock.monotonic() - self._heard_at >= EVERY:
            environment = next(iter(self._seen))
            await self._ask(lambda: self._shared.standing(environment, (), ()))

    async def _return(self, lost_at: float) -> None:
        """Tell the shared store all that it does not know, and ask it again from then on. Raises StoreLost."""
        await self._ping()
        forgotten = await self._untold.tell(self._seen)
        quiet = min((seen.quiet for seen in self._seen.values() if seen.quiet), default=0)
        if not forgotten and self._clock.monotonic() - lost_at + GATHERING >= quiet / 1000:
            # Others may have begun with their shares, of which the store will hear; an emptied one is closed as long.
            self._found_at = self._clock.monotonic()
            await self._clock.sleep(GATHERING)
            if self._found_at is None:
                return
            await self._untold.tell(self._seen)
        # Nothing was awaited since there was nothing left to tell.
        self._lost_at = self._found_at = None
        self._events.store_found(self._clock.monotonic() - lost_at)

    def _now(self) -> int:
        """The wall clock, in milliseconds since 1970."""
        return int(self._clock.now() * 1000)


_EVERY = round(EVERY * 1000)
_LOCAL = "local"
