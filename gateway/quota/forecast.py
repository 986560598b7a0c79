"""When a day's window will be used up, if it goes on as in the last hour."""

from __future__ import annotations

from datetime import datetime, tzinfo

import msgspec

from gateway.stores.ports import Period, WindowState

HOUR = 3_600_000
_LEAST = 60_000
"""Milliseconds of a day below which a few units would make a rate of thousands."""


class Forecast(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What becomes of a window at the rate of the last hour, or of the day so far where that is less.

    ``exhausted_at`` is a moment (ISO 8601), null when the window lasts until it begins anew;
    ``per_hour`` are units, and ``text`` says both in words.
    """

    exhausted_at: str | None
    per_hour: int
    text: str


def forecast(state: WindowState, day: Period, now: float, zone: tzinfo) -> Forecast:
    """The forecast for a window of the ``day`` that ``now`` (seconds since 1970) is in; its times in ``zone``."""
    moment = now * 1000
    per_hour = state.recent * HOUR / min(HOUR, max(_LEAST, moment - day.starts))
    left = state.limit - state.used
    if left <= 0:
        at, text = moment, "exhausted"
    elif per_hour <= 0:
        return Forecast(exhausted_at=None, per_hour=0, text="nothing was used in the last hour")
    else:
        at = moment + left / per_hour * HOUR
        text = f"at this rate exhausted at {datetime.fromtimestamp(at / 1000, zone):%H:%M}"
    if at >= day.ends:
        text = f"at this rate it lasts until {datetime.fromtimestamp(day.ends / 1000, zone):%H:%M}, when it begins anew"
        return Forecast(exhausted_at=None, per_hour=round(per_hour), text=text)
    return Forecast(exhausted_at=moment_text(at, zone), per_hour=round(per_hour), text=text)


def moment_text(moment: float, zone: tzinfo) -> str:
    """A moment in milliseconds since 1970, as ISO 8601 with the offset of the zone."""
    return datetime.fromtimestamp(moment / 1000, zone).isoformat(timespec="seconds")
