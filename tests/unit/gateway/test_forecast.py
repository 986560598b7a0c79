"""When a day's window is used up, if it goes on as in the last hour."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.quota.forecast import HOUR, forecast, rolling_forecast
from gateway.quota.windows import Windows
from gateway.settings import EnvironmentSettings
from gateway.stores.ports import WindowState

ZONE = ZoneInfo("Europe/Amsterdam")
WINDOWS = Windows("plant", EnvironmentSettings(zone=ZONE), {})


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp()


def state(*, used: int, recent: int, limit: int = 4000) -> WindowState:
    return WindowState(key="environment/plant/day", limit=limit, used=used, resets_in=0, recent=recent)


@pytest.mark.parametrize(
    ("now", "used", "recent", "exhausted_at", "per_hour", "text"),
    [
        ("2026-11-23T13:20", 3300, 700, "2026-11-23T14:20:00+01:00", 700, "at this rate exhausted at 14:20"),
        # 100 units in the first ten minutes of the day are 600 an hour.
        ("2026-11-23T00:10", 100, 100, "2026-11-23T06:40:00+01:00", 600, "at this rate exhausted at 06:40"),
        # Of the 600 of the last hour 500 were yesterday's.
        ("2026-11-23T00:10", 100, 600, "2026-11-23T06:40:00+01:00", 600, "at this rate exhausted at 06:40"),
        ("2026-11-23T13:20", 100, 10, None, 10, "at this rate it lasts until 00:00, when it begins anew"),
        ("2026-11-23T23:20", 3300, 700, None, 700, "at this rate it lasts until 00:00, when it begins anew"),
        ("2026-11-23T13:20", 100, 0, None, 0, "nothing was used in the last hour"),
        ("2026-11-23T13:20", 4000, 12, "2026-11-23T13:20:00+01:00", 12, "exhausted"),
        ("2026-11-23T13:20", 4100, 0, "2026-11-23T13:20:00+01:00", 0, "exhausted"),
    ],
)
def test_a_forecast(
    now: str, used: int, recent: int, exhausted_at: str | None, per_hour: int, text: str
) -> None:
    moment = at(now)
    told = forecast(state(used=used, recent=recent), WINDOWS.periods(moment)[1], moment, ZONE)
    assert (told.exhausted_at, told.per_hour, told.text) == (exhausted_at, per_hour, text)


@pytest.mark.parametrize(
    ("used", "recent", "exhausted_at", "text"),
    [
        # 100 go each hour, 600 come: the 1,600 that are left are enough for 3.2 hours.
        (2400, 600, "2026-11-23T16:32:00+01:00", "at this rate exhausted at 16:32"),
        (2400, 100, None, "at this rate it lasts"),
        (2400, 150, None, "at this rate it lasts"),
        (2400, 0, None, "nothing was used in the last hour"),
        (4000, 0, "2026-11-23T13:20:00+01:00", "exhausted"),
    ],
)
def test_a_forecast_for_the_last_24_hours(
    used: int, recent: int, exhausted_at: str | None, text: str
) -> None:
    told = rolling_forecast(state(used=used, recent=recent), at("2026-11-23T13:20"), ZONE)
    assert (told.exhausted_at, told.per_hour, told.text) == (exhausted_at, recent, text)


@given(
    used=st.integers(0, 10_000),
    recent=st.integers(0, 10_000),
    limit=st.integers(1, 10_000),
    second=st.integers(0, 86_399),
)
def test_at_its_rate_the_window_is_full_when_the_forecast_says_and_not_before(
    used: int, recent: int, limit: int, second: int
) -> None:
    now = at("2026-11-23T00:00") + second
    day = WINDOWS.periods(now)[1]
    told = forecast(state(used=used, recent=recent, limit=limit), day, now, ZONE)
    hours = 1 if recent > used else min(HOUR, max(60_000, now * 1000 - day.starts)) / HOUR
    if told.exhausted_at is None:
        left_of_day = (day.ends / 1000 - now) / 3600
        assert used + recent / hours * left_of_day <= limit + 1e-6
        return
    exhausted = datetime.fromisoformat(told.exhausted_at).timestamp()
    assert exhausted < day.ends / 1000
    until = (exhausted - now) / 3600
    # The moment is told in whole seconds, the one before it.
    assert used + recent / hours * until <= max(limit, used) + 1e-6
    assert used + recent / hours * (until + 1 / 3600) >= limit - 1e-6
