"""What a replica did by itself while the shared store was lost, and still has to tell it."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from itertools import islice

from msgspec import Struct
from msgspec.structs import replace

from gateway.clock import Clock
from gateway.quota.seen import Seen
from gateway.stores.ports import Claim, QuotaStore, Taken, Throttled

AT_ONCE = 200
"""How many units the shared store is told of in one step, which others wait for."""


class Held(Struct, frozen=True):
    """A unit of the shared store that is under way; its lease runs until ``lease_ends``."""

    environment: str
    lease_ends: float


class Unit(Struct, kw_only=True):
    """A unit that the local store gave, in the period that starts at ``starts``; moments are monotonic seconds.

    ``ended`` is when its answer came, ``tried`` says that the shared store may have been told of it.
    """

    claim: Claim
    starts: int
    lease_ends: float
    ended: float | None = None
    tried: bool = False

    def taken(self, now: float) -> Taken:
        """It, for the shared store: its slots stay for the longest log after its answer, or after its lease."""
        lengths = (limit.length + limit.margin for limit in self.claim.limits if not limit.daily)
        ended = self.lease_ends if self.ended is None else self.ended
        held_for = max(lengths, default=0) + round((ended - now) * 1000)
        return Taken(claim=self.claim, held_for=max(0, held_for), ended=self.ended is not None)


class Debt(Struct, frozen=True, kw_only=True):
    """What became of a unit: the shared store has to be told, and could not be when it happened, at ``since``.

    One that was answered needs no telling after ``forget_at``: its slots cannot matter any more.
    """

    environment: str
    reservation: str
    since: float
    forget_at: float = 0.0
    sent: bool = True
    throttled: Throttled | None = None

    async def pay(self, store: QuotaStore, now: float) -> None:
        """Tell it. Raises StoreLost."""
        if not self.sent:
            await store.release(self.environment, self.reservation)
        elif self.throttled is not None:
            await store.settle(self.environment, self.reservation, _later(self.throttled, now - self.since))
        elif now <= self.forget_at:
            await store.settle(self.environment, self.reservation)


class Untold:
    """The units of a replica: those ``held`` of the shared store, and its ``own``, which that does not know of yet.

    ``debts`` are what became of units that the shared store knows, or may know. ``heard_at`` is when that last took
    one of all these.
    """

    def __init__(self, shared: QuotaStore, local: QuotaStore, clock: Clock) -> None:
        self.held: dict[str, Held] = {}
        self.own: dict[str, Unit] = {}
        self.debts: deque[Debt] = deque()
        self.heard_at = 0.0
        self._shared = shared
        self._local = local
        self._clock = clock

    async def tell(self, seen: Mapping[str, Seen]) -> bool:
        """Tell the shared store everything; whether it had lost its memory, and so begins closed. Raises StoreLost.

        When it returns there is nothing left to tell, and nothing was awaited since that was so.
        """
        forgotten = False
        for environment in tuple(seen):
            forgotten |= await self._remind(environment, seen[environment])
        while self.own or self.debts:
            for environment in {unit.claim.environment for unit in self.own.values()}:
                await self._hand_over(environment, seen[environment])
            while self.debts:
                await self.debts[0].pay(self._shared, self._clock.monotonic())
                self.debts.popleft()
                self.heard_at = self._clock.monotonic()
        return forgotten

    async def _remind(self, environment: str, seen: Seen) -> bool:
        """Tell a store that has lost its memory, or the end of it, what was seen there."""
        if seen.epoch is None:
            return False
        epoch = await self._shared.restore(environment, seen.cold, (), ())
        self.heard_at = self._clock.monotonic()
        if epoch == seen.epoch:
            return False
        seen.epoch = await self._shared.restore(environment, seen.cold, seen.spent(), ())
        return True

    async def _hand_over(self, environment: str, seen: Seen) -> None:
        """The shared store takes over the next units, with all that is still to come of them."""
        mine = ((name, unit) for name, unit in self.own.items() if unit.claim.environment == environment)
        units = dict(islice(mine, AT_ONCE))
        for unit in units.values():
            unit.tried = True
        taken = [unit.taken(self._clock.monotonic()) for unit in units.values()]
        epoch = await self._shared.restore(environment, seen.cold, (), taken)
        self.heard_at = self._clock.monotonic()
        seen.epoch = seen.epoch or epoch
        for (name, unit), told in zip(units.items(), taken, strict=True):
            if self.own.pop(name, None) is None:
                continue
            for limit in unit.claim.limits:
                if limit.daily:
                    seen.restore(limit.key, unit.starts)
            if unit.ended is None:
                self.held[name] = Held(environment, unit.lease_ends)
                await self._local.settle(environment, name)
            elif not told.ended:
                self.debts.append(answered(name, Held(environment, unit.lease_ends), unit.ended, seen.span))


def answered(reservation: str, held: Held, now: float, span: int, throttled: Throttled | None = None) -> Debt:
    """That a unit of the shared store was answered now; its burst can matter for ``span`` milliseconds more."""
    return Debt(
        environment=held.environment,
        reservation=reservation,
        since=now,
        forget_at=max(held.lease_ends, now + span / 1000),
        throttled=throttled,
    )


def unsent(environment: str, reservation: str, now: float) -> Debt:
    """That a unit which the shared store gave, or may have given, is not needed."""
    return Debt(environment=environment, reservation=reservation, since=now, sent=False)


def _later(throttled: Throttled, seconds: float) -> Throttled:
    """The refusal as it is to be told so much later."""
    pause = throttled.window if throttled.retry_after is None else throttled.retry_after
    return replace(throttled, retry_after=max(0, pause - round(seconds * 1000)))
