"""What is told of the quota: the windows in ``/quota``, and the headers of answers."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from contracts.call import Band
from gateway.quota.view import LastKnown, limit_header, policy_header, upstream_shown, windows_shown
from gateway.quota.windows import Windows
from gateway.settings import (
    ClientQuotaSettings,
    EnvironmentSettings,
    QuotaSettings,
    TenantQuotaSettings,
    TenantSettings,
)
from gateway.settings.traffic import DaySettings
from gateway.stores.ports import Limit, Standing, WindowState

NOW = 1_750_068_000.0  # 2025-06-16 12:00 in Amsterdam
QUOTAS = {
    "shared": TenantQuotaSettings(),
    "own": TenantQuotaSettings(day="40%", clients={"erp": ClientQuotaSettings(day=1000, burst=10)}),
    "shadow": TenantQuotaSettings(day=500, shadow=("day",)),
}


def windows(quota: QuotaSettings | None = None) -> Windows:
    environment = EnvironmentSettings(zone=ZoneInfo("Europe/Amsterdam"), quota=quota or QuotaSettings())
    tenants = {name: TenantSettings(environment="plant", quota=share) for name, share in QUOTAS.items()}
    return Windows("plant", environment, tenants)


def limits(tenant: str, client: str = "", quota: QuotaSettings | None = None) -> tuple[Limit, ...]:
    return windows(quota).limits(tenant, client, Band.NORMAL)


def known(limit: Limit, used: int, resets_in: int, since: float = 0) -> LastKnown:
    return limit, WindowState(key=limit.key, limit=limit.limit, used=used, resets_in=resets_in), since


def test_the_policy_is_the_tenants_share_where_it_has_one() -> None:
    assert policy_header(limits("shared")) == b'"burst";q=100;w=10, "day";q=10000;w=86400'
    assert policy_header(limits("own")) == b'"burst";q=100;w=10, "day";q=4000;w=86400'
    assert policy_header(limits("own", "erp")) == b'"burst";q=100;w=10, "day";q=4000;w=86400'


def test_a_window_that_is_not_enforced_is_no_policy() -> None:
    assert policy_header(limits("shadow")) == b'"burst";q=100;w=10, "day";q=10000;w=86400'
    assert policy_header(limits("shared", quota=QuotaSettings(shadow=("burst",)))) == b'"day";q=10000;w=86400'
    assert policy_header(limits("shared", quota=QuotaSettings(shadow=("burst", "day")))) == b""


def test_what_is_left_is_the_least_over_all_levels() -> None:
    burst, day, tenant_day, client_burst, client_day = limits("own", "erp")
    told = [
        known(burst, 60, 3000),
        known(day, 5000, 41_200_000),
        known(tenant_day, 3500, 41_200_000),
        known(client_burst, 9, 7001),
        known(client_day, 7, 41_200_000),
    ]
    assert limit_header(told, 0) == b'"burst";r=1;t=8, "day";r=500;t=41200'


def test_what_is_known_ages() -> None:
    burst, day = limits("shared")
    told = [known(burst, 60, 3000, since=100), known(day, 12_000, 20_000, since=100)]
    assert limit_header(told, 100) == b'"burst";r=40;t=3, "day";r=0;t=20'
    assert limit_header(told, 102.5) == b'"burst";r=40;t=1, "day";r=0;t=18'
    assert limit_header(told, 105) == b'"burst";r=40;t=0, "day";r=0;t=15', (
        "slots have come free, and none went"
    )
    assert limit_header(told, 110) == b'"day";r=0;t=10'
    assert limit_header(told, 120) == b""
    assert limit_header([], 0) == b""


def test_a_window_that_is_not_enforced_leaves_everything() -> None:
    _, day, shadowed = limits("shadow")
    assert limit_header([known(day, 0, 1000), known(shadowed, 499, 1000)], 0) == b'"day";r=10000;t=1'


@given(st.integers(0, 200), st.integers(0, 12_000), st.integers(0, 86_400_000), st.floats(0, 100_000))
def test_never_more_is_told_to_be_left_than_there_is(
    burst_used: int, day_used: int, resets_in: int, age: float
) -> None:
    burst, day = limits("shared")
    told = [known(burst, burst_used, min(resets_in, 10_250)), known(day, day_used, resets_in)]
    for item in filter(None, limit_header(told, age).decode().split(", ")):
        name, left, seconds = item.split(";")
        used, limit = (burst_used, 100) if name == '"burst"' else (day_used, 10_000)
        assert left == f"r={max(0, limit - used)}"
        assert 0 <= int(seconds.removeprefix("t=")) <= 86_400


def test_a_window_is_shown_with_what_it_holds_now() -> None:
    of_windows = windows()
    burst, day = of_windows.limits("shared", "", Band.NORMAL)
    standing = Standing(
        windows=(
            WindowState(key=burst.key, limit=50, used=60, resets_in=1200),
            WindowState(key=day.key, limit=10_000, used=9300, resets_in=43_200_000, recent=700),
        ),
        closed_for=0,
        strikes=0,
        epoch="e",
    )
    of_burst, of_day = windows_shown((burst, day), standing, of_windows, NOW)
    assert (of_burst.level, of_burst.window, of_burst.limit, of_burst.used, of_burst.remaining) == (
        "environment",
        "burst",
        50,
        60,
        0,
    )
    assert (of_burst.resets_in, of_burst.resets_at) == (2, "2025-06-16T12:00:01+02:00")
    assert of_burst.forecast is None
    assert of_day.resets_at == "2025-06-17T00:00:00+02:00"
    assert of_day.forecast is not None
    assert of_day.forecast.exhausted_at == "2025-06-16T13:00:00+02:00"


def test_a_day_that_rolls_has_a_forecast_too() -> None:
    of_windows = windows(QuotaSettings(day=DaySettings(rolling=True)))
    of = of_windows.limits("shared", "", Band.NORMAL)
    states = tuple(
        WindowState(
            key=limit.key, limit=limit.limit, used=limit.limit // 2, resets_in=1, recent=limit.limit // 4
        )
        for limit in of
    )
    standing = Standing(windows=states, closed_for=0, strikes=0, epoch="e")
    burst, day = windows_shown(of, standing, of_windows, NOW)
    assert burst.forecast is None
    assert day.forecast is not None
    assert day.forecast.text == "at this rate exhausted at 14:10"


def test_an_upstream_that_is_closed_says_for_how_long_and_why() -> None:
    def shown(closed_for: int, strikes: int) -> object:
        return upstream_shown(Standing(windows=(), closed_for=closed_for, strikes=strikes, epoch="e")).text

    assert upstream_shown(Standing(windows=(), closed_for=0, strikes=1, epoch="e")).closed_for == 0
    assert shown(9500, 1) == "nothing is sent to the upstream for 10 s: it refused for its own quota"
    assert shown(60_000, 3) == "nothing is sent to the upstream for 60 s: its day seems to be used up"
