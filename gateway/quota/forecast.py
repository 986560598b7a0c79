"""When a day's window will be used up, if it goes on as in the last hour."""

from __future__ import annotations

from datetime import datetime, tzinfo

import msgspec

from gateway.stores.ports import Period, WindowState

HOUR = 3_600_000
DAY_HOURS = 24
_LEAST = 60_000
"""Milliseconds of a day below which a few units would make a rate of thousands."""


class Forecast(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What becomes of a window at the rate of the last hour, or of the day so far where that is all there is.

    ``exhausted_at`` is a moment (ISO 8601), null when the window lasts until it begins anew, or for another 24 hours;
    ``per_hour`` are units, and ``text`` says both in words.
    """

    exhausted_at: str | None
    per_hour: int
    text: str


def forecast(state: WindowState, day: Period, now: float, zone: tzinfo) -> Forecast:
    """The forecast for a window of the ``day`` that ``now`` (seconds since 1970) is in; its times in ``zone``."""
    moment = now * 1000
    # More in the last hour than in the day: some of it was yesterday's, and the hour is a whole one.
    known = HOUR if state.recent > state.used else min(HOUR, max(_LEAST, moment - day.starts))
    per_hour = state.recent * HOUR / known
    lasts = f"at this rate it lasts until {datetime.fromtimestamp(day.ends / 1000, zone):%H:%M}, when it begins anew"
    return _told(state, per_hour, per_hour, moment, day.ends, lasts, zone)


def rolling_forecast(state: WindowState, now: float, zone: tzinfo) -> Forecast:
    """The forecast for a window of the last 24 hours, from which as many units go each hour as came on the average."""
    moment = now * 1000
    growth = state.recent - state.used / DAY_HOURS
    return _told(
        state, state.recent, growth, moment, moment + DAY_HOURS * HOUR, "at this rate it lasts", zone
    )


def _told(
    state: WindowState, per_hour: float, growth: float, moment: float, ends: float, lasts: str, zone: tzinfo
) -> Forecast:
    """``growth`` is by how much more is used each hour, ``lasts`` what is said when that is not the end of it."""
    left = state.limit - state.used
    if left <= 0:
        return Forecast(exhausted_at=moment_text(moment, zone), per_hour=round(per_hour), text="exhausted")
    if per_hour <= 0:
        return Forecast(exhausted_at=None, per_hour=0, text="nothing was used in the last hour")
    at = moment + left / growth * HOUR if growth > 0 else ends
    if at >= ends:
        return Forecast(exhausted_at=None, per_hour=round(per_hour), text=lasts)
    text = f"at this rate exhausted at {datetime.fromtimestamp(at / 1000, zone):%H:%M}"
    return Forecast(exhausted_at=moment_text(at, zone), per_hour=round(per_hour), text=text)


def moment_text(moment: float, zone: tzinfo) -> str:
    """A moment in milliseconds since 1970, as ISO 8601 with the offset of the zone."""
    return datetime.fromtimestamp(moment / 1000, zone).isoformat(timespec="seconds")
