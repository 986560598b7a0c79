"""Which windows are known to be full, so that nobody asks the store for what it has just refused.

Pure; times are seconds on the gateway's monotonic clock.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import msgspec

from gateway.stores.ports import Full, Limit

RECHECK = 5.0
"""Seconds after which the store is asked again all the same: another replica may have given units back."""


class Closure(msgspec.Struct, frozen=True):
    """``limit`` cannot open before ``opens``; None is the upstream itself. The store is asked again at ``again``.

    ``since`` is when that became known.
    """

    limit: Limit | None
    opens: float
    again: float
    since: float


class Closures:
    """What is known to be full in one environment."""

    def __init__(self) -> None:
        self._upstream: Closure | None = None
        self._throttled: Closure | None = None
        self._full: dict[str, dict[int, Closure]] = {}
        self._taken = -math.inf

    def taken(self, now: float) -> None:
        """A unit was taken: whatever was known before to be shut is not, or not for everybody."""
        self._taken = now

    def upstream_opens(self, now: float) -> float | None:
        """When the upstream wants to be asked again; None when nothing is known that it refuses."""
        return self._opens((self._upstream, self._throttled), now)

    def room_in(self, limit: Limit, now: float) -> float | None:
        """When there is room in a window again that is known to be full; None for one that is not."""
        full = self._full.get(limit.key, {})
        return self._opens((closure for upto, closure in full.items() if upto >= limit.upto), now)

    def _opens(self, closures: Iterable[Closure | None], now: float) -> float | None:
        shut = [it.opens for it in closures if it is not None and it.opens > now and it.since >= self._taken]
        return max(shut, default=None)

    def full(self, answer: Full, limits: Iterable[Limit], asked: float) -> None:
        """The store has refused a unit of these limits, that it was asked for at ``asked``."""
        limit = next((limit for limit in limits if limit.key == answer.limit), None)
        closure = _closure(limit, asked + max(1, answer.opens_in) / 1000, asked)
        if limit is None:
            self._upstream = closure
        else:
            self._full.setdefault(limit.key, {})[limit.upto] = closure

    def throttled(self, opens: float, now: float) -> None:
        """The upstream itself has just said that it takes no more until ``opens``."""
        known = self._throttled if self._throttled is not None and now < self._throttled.again else None
        self._throttled = _later(known, _closure(None, opens, now))

    def reopened(self, limits: Iterable[Limit]) -> None:
        """A unit was given back: of these there is room again."""
        for limit in limits:
            self._full.pop(limit.key, None)

    def tried(self) -> bool:
        """The upstream has taken one; whether it is worth asking if it takes more."""
        told, self._upstream = self._upstream, None
        return told is not None

    def longest(self, limits: Sequence[Limit], now: float) -> Closure | None:
        """What keeps a unit of these limits from being asked for, and does so longest."""
        longest: Closure | None = None
        for closure in (self._upstream, self._throttled) if limits else ():
            if closure is not None and now < closure.again:
                longest = _later(longest, closure)
        for limit in limits:
            for upto, closure in self._full.get(limit.key, {}).items():
                # What is full up to a mark is full up to each lower one.
                if upto >= limit.upto and now < closure.again:
                    longest = _later(longest, closure)
        return longest


def _closure(limit: Limit | None, opens: float, now: float) -> Closure:
    return Closure(limit, opens, min(opens, now + RECHECK), now)


def _later(one: Closure | None, other: Closure) -> Closure:
    return one if one is not None and one.opens > other.opens else other
