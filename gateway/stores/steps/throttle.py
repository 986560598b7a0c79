"""What the upstream's own refusals for its quota do to an environment: closing, holding less, asking now and then."""

from __future__ import annotations

import msgspec

from gateway.stores.ports import Throttled

ASKING_FROM = 3
"""From this refusal in a row on it is the day that is used up, and one unit at a time is let through to ask."""

ASK_EVERY = 60_000
ASK_AT_LEAST_EVERY = 900_000


class Throttle(msgspec.Struct, frozen=True, kw_only=True):
    """The upstream's patience with an environment; moments and durations in milliseconds.

    Nothing passes until ``closed_until``. ``closings`` counts the refusals, and ``struck`` is that count after the last
    *strike*, a refusal of a unit that was taken since the strike before: the units that were under way together
    are refused together, and are one strike. ``strikes`` are those in a row. ``asker`` is the reservation that was
    let through to ask.

    What adapts held ``lowered`` of ``whole`` at ``rises_from`` and rises by a tenth of the whole each ``window``
    after that; ``whole`` is 0 before the first strike.
    """

    closed_until: int = 0
    closings: int = 0
    struck: int = 0
    strikes: int = 0
    asker: str | None = None
    lowered: int = 0
    whole: int = 0
    window: int = 1
    rises_from: int = 0

    @property
    def asking(self) -> bool:
        """Whether only one unit at a time may pass, to ask."""
        return self.strikes >= ASKING_FROM


def holds(throttle: Throttle, limit: int, now: int) -> int:
    """What a window of ``limit`` that adapts holds now: at least 1."""
    if not throttle.whole:
        return limit
    windows = max(0, now - throttle.rises_from) // max(1, throttle.window)
    risen = min(throttle.whole, throttle.lowered + windows * _tenth(throttle.whole))
    return max(1, limit * risen // throttle.whole)


def rises_in(throttle: Throttle, now: int) -> int:
    """How long until what adapts holds more."""
    window = max(1, throttle.window)
    if now < throttle.rises_from:
        return throttle.rises_from + window - now
    return window - (now - throttle.rises_from) % window


def refused(throttle: Throttle, told: Throttled, closings: int, now: int) -> Throttle:
    """The upstream refused a unit that was taken after so many ``closings`` (-1: nobody knows when)."""
    pause = told.window if told.retry_after is None else told.retry_after
    count = throttle.closings + 1
    if closings < throttle.struck:
        until = max(throttle.closed_until, now + pause)
        return msgspec.structs.replace(throttle, closings=count, closed_until=until)
    strikes = throttle.strikes + 1
    if strikes >= ASKING_FROM:
        pause = max(pause, _ask_every(strikes))
    struck = msgspec.structs.replace(
        throttle,
        closings=count,
        struck=count,
        strikes=strikes,
        closed_until=max(throttle.closed_until, now + pause),
        asker=None,
    )
    # A unit that only asked says nothing about the burst: what that holds stays as it is.
    return struck if throttle.asking else _halved(struck, told, now)


def answered(throttle: Throttle, closings: int, now: int) -> Throttle:
    """The upstream did not refuse a unit that was taken after so many ``closings``: open, if it is the newest word."""
    if closings != throttle.closings or not throttle.strikes:
        return throttle
    return msgspec.structs.replace(
        throttle, strikes=0, asker=None, closed_until=min(throttle.closed_until, now)
    )


def asks(throttle: Throttle, reservation: str, now: int) -> Throttle:
    """This unit is let through to ask; the next one may when the pause is over."""
    return msgspec.structs.replace(
        throttle, asker=reservation, closed_until=now + _ask_every(throttle.strikes)
    )


def spared(throttle: Throttle, reservation: str, now: int) -> Throttle:
    """The unit was not sent; if it was to ask, another one may."""
    if throttle.asker != reservation:
        return throttle
    return msgspec.structs.replace(throttle, asker=None, closed_until=now)


def _halved(throttle: Throttle, told: Throttled, now: int) -> Throttle:
    return msgspec.structs.replace(
        throttle,
        lowered=max(1, holds(throttle, told.limit, now) // 2),
        whole=told.limit,
        window=told.window,
        rises_from=throttle.closed_until,
    )


def _ask_every(strikes: int) -> int:
    return int(min(ASK_EVERY * 2 ** min(strikes - ASKING_FROM, 10), ASK_AT_LEAST_EVERY))


def _tenth(whole: int) -> int:
    return -(-whole // 10)
