"""What a replica did by itself while the shared store was lost, and still has to tell it."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from gateway.stores.ports import Claim, QuotaStore, Taken, Throttled


class Held(Struct, frozen=True):
    """A unit that the shared store gave and that is under way, at the latest until ``lease_ends``."""

    environment: str
    lease_ends: float


class Unit(Struct, kw_only=True):
    """A unit that the local store gave, in the period that starts at ``starts``; moments are monotonic seconds.

    ``ended`` is when its answer came, ``restored`` whether the shared store has been told of it.
    """

    claim: Claim
    starts: int
    lease_ends: float
    ended: float | None = None
    restored: bool = False

    def taken(self, now: float) -> Taken:
        """It, for the shared store: its slots stay for the longest log after its answer, or after its lease."""
        lengths = (limit.length + limit.margin for limit in self.claim.limits if not limit.daily)
        ended = self.lease_ends if self.ended is None else self.ended
        held_for = max(lengths, default=0) + round((ended - now) * 1000)
        return Taken(claim=self.claim, held_for=max(0, held_for))


class Debt(Struct, frozen=True, kw_only=True):
    """What became of a unit: the shared store has to be told, and could not be when it happened, at ``since``.

    One that was answered needs no telling after ``forget_at``, since its lease has taken care of it.
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
        elif now < self.forget_at:
            await store.settle(self.environment, self.reservation)


def _later(throttled: Throttled, seconds: float) -> Throttled:
    """The refusal as it is to be told so much later."""
    pause = throttled.window if throttled.retry_after is None else throttled.retry_after
    return replace(throttled, retry_after=max(0, pause - round(seconds * 1000)))
