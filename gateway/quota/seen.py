"""What a replica last saw of an environment in the store that all share, and what its own share of the windows is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import floor

from msgspec.structs import replace

from gateway.stores.ports import Claim, Limit, Period, Spent, WindowState

HOUR = 3_600_000
"""A log that is at least as long is no burst: what was seen taken of it is gone, as with a day."""


class Seen:
    """One environment, as the replies of the shared store told it; times are in milliseconds.

    ``span`` is how long a burst can matter at most, ``lease`` how long a unit may be under way of which nobody hears,
    ``cold`` how long a store that lost its memory stays closed.
    ``busy_until`` is the monotonic second at which a unit of the shared store was last answered.
    ``restored`` are the units of daily windows that the local store counted and that the shared one was told since.
    """

    def __init__(self) -> None:
        self.epoch: str | None = None
        self.span = 0
        self.lease = 0
        self.cold = 0
        self.busy_until = 0.0
        self.restored: Counter[tuple[str, int]] = Counter()
        self._used: dict[tuple[str, int], int] = {}

    @property
    def quiet(self) -> int:
        """How long after a loss nothing can matter any more that any replica had sent, or was about to."""
        return self.lease + self.span

    def claimed(self, claim: Claim) -> None:
        """Learn from a claim how long bursts and leases are."""
        lengths = (limit.length + limit.margin for limit in claim.limits if _bursts(limit))
        self.span = max(self.span, max(lengths, default=0))
        self.lease = max(self.lease, claim.lease)
        self.cold = max(self.span, claim.cold)

    def wary(self, claim: Claim) -> Claim:
        """The claim, for a store that was known already: what was sent before it lost its memory counts.

        That the configuration trusts a new store is meant for the very first one.
        """
        return claim if self.epoch is None or claim.cold == self.cold else replace(claim, cold=self.cold)

    def told(
        self,
        windows: Sequence[WindowState],
        limits: Sequence[Limit],
        periods: Sequence[Period],
        now: int,
        taken: int = 0,
    ) -> None:
        """Learn from a reply how far windows are used; a day never looks less used than before.

        ``taken`` are the units that a store which had lost its memory has counted with this reply.
        """
        for state, limit in zip(windows, limits, strict=True):
            if limit.daily:
                name = limit.key, _period_of(state, periods, now).starts
                self._used[name] = max(state.used, self._used.get(name, 0) + taken)
            elif not _bursts(limit):
                self._used[limit.key, 0] = state.used
        oldest = min((period.starts for period in periods), default=0)
        for key, starts in [name for name in self._used if 0 < name[1] < oldest]:
            del self._used[key, starts]
            del self.restored[key, starts]

    def spent(self) -> tuple[Spent, ...]:
        """The days that are known, for a store that may have forgotten them."""
        return tuple(
            Spent(key=key, starts=starts, used=used) for (key, starts), used in self._used.items() if starts
        )

    def restore(self, key: str, starts: int) -> None:
        """The shared store now counts one more unit of a day, of which the local one had known."""
        self.restored[key, starts] += 1
        self._used[key, starts] = self._used.get((key, starts), 0) + 1

    def shares(self, limits: Sequence[Limit], share: float, period: Period) -> tuple[Limit, ...]:
        """The windows of a replica that has only ``share`` of each; of days it is that of what was left."""
        return tuple(self._share(limit, share, period) for limit in limits)

    def _share(self, limit: Limit, share: float, period: Period) -> Limit:
        name = limit.key, period.starts if limit.daily else 0
        used, before = self._used.get(name, 0), self.restored[name]
        size = before + part(max(0, limit.limit - used), share)
        upto = before + part(max(0, limit.upto - used), share)
        if _bursts(limit) and size and limit.upto:
            upto = max(1, upto)
        if not limit.enforced:
            size = max(1, size)
        return replace(limit, limit=size, upto=upto)


def part(whole: int, share: float) -> int:
    """The share of a whole in units, rounded down."""
    return floor(whole * share + 1e-9)


def current(periods: Sequence[Period], now: int) -> Period:
    """The period that contains ``now``, else the last one; ValueError when there is none at all."""
    if not periods:
        raise ValueError("no period is named")
    return next((period for period in periods if period.starts <= now < period.ends), periods[-1])


def _bursts(limit: Limit) -> bool:
    return not limit.daily and limit.length + limit.margin < HOUR


def _period_of(state: WindowState, periods: Sequence[Period], now: int) -> Period:
    """The period that a state tells of: the one that ends after its ``resets_in``, as far as clocks agree."""
    return min(periods, key=lambda period: abs(period.ends - state.resets_in - now))
