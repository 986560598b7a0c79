"""The windows and days of an environment, from its configuration."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from contracts.call import Band
from gateway.quota.windows import DAY, Windows
from gateway.settings import EnvironmentSettings, TenantSettings
from gateway.settings.traffic import (
    BurstSettings,
    CeilingSettings,
    ClientQuotaSettings,
    DaySettings,
    QuotaSettings,
    TenantQuotaSettings,
)

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
PLAIN = QuotaSettings()


def windows(quota: QuotaSettings = PLAIN, **tenants: TenantQuotaSettings) -> Windows:
    return Windows(
        "plant",
        EnvironmentSettings(zone=AMSTERDAM, quota=quota),
        {name: TenantSettings(environment="plant", quota=shares) for name, shares in tenants.items()},
    )


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def test_an_environment_alone_has_the_upstreams_numbers() -> None:
    burst, day = windows(demo=TenantQuotaSettings()).limits("demo", "erp", Band.NORMAL)
    assert (burst.key, burst.limit, burst.upto, burst.length, burst.margin) == (
        "environment/plant/burst", 100, 100, 10_000, 250,
    )  # fmt: skip
    assert (burst.daily, burst.adapts, burst.enforced) == (False, True, True)
    assert (day.key, day.limit, day.upto, day.length) == ("environment/plant/day", 10_000, 10_000, DAY)
    assert (day.daily, day.adapts, day.enforced) == (True, False, True)


def test_shares_are_of_what_is_not_left_to_others() -> None:
    quota = QuotaSettings(burst=BurstSettings(headroom=20), day=DaySettings(headroom=2_000))
    erp = ClientQuotaSettings(burst=1, day="1%")
    found = windows(quota, demo=TenantQuotaSettings(burst="50%", day=4_000, clients={"erp": erp}))
    assert [(limit.key, limit.limit) for limit in found.limits("demo", "erp", Band.NORMAL)] == [
        ("environment/plant/burst", 80),
        ("environment/plant/day", 8_000),
        ("tenant/demo/burst", 40),
        ("tenant/demo/day", 4_000),
        ("client/demo:erp/burst", 1),
        ("client/demo:erp/day", 80),
    ]
    assert len(found.limits("demo", "another", Band.NORMAL)) == 4
    assert not any(limit.adapts for limit in found.limits("demo", "erp", Band.NORMAL)[1:])
    assert (found.burst_limit, found.burst_window, found.cold) == (80, 10_000, 10_250)


def test_a_band_fills_a_window_up_to_its_ceiling_and_always_with_one() -> None:
    quota = QuotaSettings(ceilings=CeilingSettings(normal=0.9, bulk=0.25))
    found = windows(quota, demo=TenantQuotaSettings(burst=3))
    for band, upto in ((Band.INTERACTIVE, [100, 3]), (Band.NORMAL, [90, 2]), (Band.BULK, [25, 1])):
        limits = found.limits("demo", "erp", band)
        assert [limits[0].upto, limits[2].upto] == upto


def test_shadow_is_for_each_level_and_window() -> None:
    shares = TenantQuotaSettings(
        burst=10, day=10, shadow=("burst",), clients={"erp": ClientQuotaSettings(day=5)}
    )
    found = windows(QuotaSettings(shadow=("day",)), demo=shares)
    enforced = {limit.key: limit.enforced for limit in found.limits("demo", "erp", Band.NORMAL)}
    assert [key for key, held in enforced.items() if not held] == [
        "environment/plant/day",
        "tenant/demo/burst",
    ]


def test_a_rolling_day_is_a_log_of_24_hours() -> None:
    day = windows(QuotaSettings(day=DaySettings(rolling=True))).limits("demo", "erp", Band.NORMAL)[1]
    assert (day.daily, day.length, day.margin) == (False, DAY, 0)


def test_who_trusts_a_new_store_waits_for_nothing() -> None:
    assert windows(QuotaSettings(cold_start="trust")).cold == 0


def test_a_day_begins_at_its_time_in_its_zone() -> None:
    quota = QuotaSettings(day=DaySettings(reset="06:00", zone=ZoneInfo("America/New_York")))
    yesterday, today, tomorrow = windows(quota).periods(at("2026-11-22T10:59:59+00:00"))
    assert (yesterday.label, today.label, tomorrow.label) == ("2026-11-20", "2026-11-21", "2026-11-22")
    assert today.ends == at("2026-11-22T11:00:00+00:00") * 1000
    assert windows(quota).periods(at("2026-11-22T11:00:00+00:00"))[1].label == "2026-11-22"


def test_days_on_which_clocks_change_have_23_and_25_hours() -> None:
    found = windows()
    for moment, hours in (
        ("2026-03-29T12:00+02:00", 23),
        ("2026-10-25T12:00+01:00", 25),
        ("2026-11-22T12:00+01:00", 24),
    ):
        today = found.periods(at(moment))[1]
        assert today.ends - today.starts == hours * 3_600_000


@given(
    now=st.integers(631_152_000, 2_840_140_800),
    zone=st.sampled_from(
        ["Europe/Amsterdam", "UTC", "America/St_Johns", "Asia/Kolkata", "Australia/Lord_Howe"]
    ),
    reset=st.sampled_from(["00:00", "02:30", "06:00", "23:59"]),
)
def test_every_moment_is_in_today_and_days_meet(now: int, zone: str, reset: str) -> None:
    found = windows(QuotaSettings(day=DaySettings(reset=reset, zone=ZoneInfo(zone))))
    for later in (now, now + 3_600, now + 86_400):
        yesterday, today, tomorrow = found.periods(later)
        assert today.starts <= later * 1000 < today.ends
        assert (yesterday.ends, today.ends) == (today.starts, tomorrow.starts)


def test_every_window_is_named_once_whoever_has_it() -> None:
    shares = TenantQuotaSettings(day=40, clients={"erp": ClientQuotaSettings(burst=5)})
    keys = [limit.key for limit in windows(demo=shares, other=TenantQuotaSettings(burst=2)).every()]
    own = ["environment/plant/burst", "environment/plant/day"]
    assert keys == [*own, "tenant/demo/day", "client/demo:erp/burst", "tenant/other/burst"]
    assert [limit.key for limit in windows().every()] == own


def test_a_rolling_day_never_ends() -> None:
    noon = at("2026-03-28T12:00+01:00")
    assert windows().day_ends(noon) == at("2026-03-29T00:00+01:00")
    # The day of the change to summer time has 23 hours.
    assert windows().day_ends(at("2026-03-29T12:00+02:00")) == at("2026-03-30T00:00+02:00")
    assert windows(QuotaSettings(day=DaySettings(rolling=True))).day_ends(noon) == noon + 86_400
