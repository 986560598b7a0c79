"""Limits, with a clock that is moved by hand. Vendor page "Limits and Quotas"."""

import pytest

from adapters.sandbox import ApiKey, SandboxOptions
from adapters.sandbox.errors import Refusal
from adapters.sandbox.limits import Limiter
from tests.unit.sandbox.client import NOON, Client, Clock, serving

KEY = ApiKey(name="k", secret="k")


def limiter(clock: Clock, **options: object) -> Limiter:
    return Limiter(SandboxOptions(clock=clock, keys=(KEY,), **options))  # type: ignore[arg-type]


def admitted(limits: Limiter, calls: int, key: ApiKey = KEY) -> int:
    """How many of ``calls`` are let in."""
    done = 0
    for _ in range(calls):
        try:
            limits.admit(key)
        except Refusal:
            continue
        else:
            done += 1
    return done


@pytest.mark.parametrize("mode", ["fixed", "sliding"])
async def test_the_101st_call_in_ten_seconds_is_refused(mode: str) -> None:
    async with serving(limits=mode) as client:
        for _ in range(100):
            assert (await client.get("Priority('01')")).status == 200
        reply = await client.get("Priority('01')", key="sandbox-erp")
        assert reply.error == (429, "TooManyRequests")
        assert reply.json["message"]
        assert "Retry-After" not in reply.headers
        client.clock.now += 10
        assert (await client.get("Priority('01')")).status == 200


async def test_retry_after_is_sent_when_wanted() -> None:
    async with serving(limits="fixed", rate=1, retry_after=7) as client:
        await client.get("Priority('01')")
        assert (await client.get("Priority('01')")).headers["Retry-After"] == "7"


async def test_control_and_unknown_keys_are_not_counted() -> None:
    async with serving(limits="fixed", rate=2) as client:
        for _ in range(5):
            await client.get("Equipment", key="wrong")
            await client.call("GET", "/_sandbox/limits")
        assert (await client.get("Priority('01')")).status == 200
        usages = (await client.call("GET", "/_sandbox/limits")).json["limits"]
        assert usages[0] == {"name": "rate", "limit": 2, "used": 1, "resets_at": NOON + 10}
        assert usages[1]["used"] == 1


async def test_refused_work_is_counted_too() -> None:
    async with serving(limits="fixed", rate=2) as client:
        await client.get("Nothing")
        await client.run("REST_Nothing", None, {})
        assert (await client.get("Priority('01')")).status == 429


def test_fixed_windows_let_a_burst_over_the_edge() -> None:
    clock = Clock(NOON + 9)
    limits = limiter(clock)
    assert admitted(limits, 150) == 100
    clock.now += 1
    assert admitted(limits, 150) == 100


def test_sliding_windows_do_not() -> None:
    clock = Clock(NOON + 9)
    limits = limiter(clock, limits="sliding")
    assert admitted(limits, 60) == 60
    clock.now += 5
    assert admitted(limits, 60) == 40
    clock.now += 4.9
    assert admitted(limits, 60) == 0
    clock.now += 0.1
    assert admitted(limits, 100) == 60


def test_the_day_starts_at_its_hour_in_its_zone() -> None:
    clock = Clock(NOON)
    limits = limiter(clock, rate=10**6, daily=3, day_start="02:00", zone="Europe/Amsterdam")
    assert admitted(limits, 5) == 3
    clock.now = NOON + 12 * 3600 + 59 * 60
    assert admitted(limits, 5) == 0
    clock.now = NOON + 13 * 3600
    assert admitted(limits, 5) == 3
    assert limits.usages()[1].resets_at == NOON + 37 * 3600


def test_before_its_hour_the_day_is_that_of_yesterday() -> None:
    limits = limiter(Clock(NOON - 12 * 3600), day_start="02:00")
    assert limits.usages()[1].resets_at == NOON - 10 * 3600


def test_a_day_with_a_clock_change_has_23_hours() -> None:
    limits = limiter(Clock(1_648_335_600.0), zone="Europe/Amsterdam")
    assert limits.usages()[1].resets_at == 1_648_335_600.0 + 23 * 3600


def test_a_rolling_day_is_the_last_24_hours() -> None:
    clock = Clock(NOON)
    limits = limiter(clock, rate=10**6, daily=3, day_start=None)
    assert admitted(limits, 2) == 2
    clock.now += 3600
    assert admitted(limits, 2) == 1
    clock.now = NOON + 86_400
    assert admitted(limits, 5) == 2


def test_ten_thousand_a_day_for_all_keys() -> None:
    assert admitted(limiter(Clock(), rate=10**6), 10_005) == 10_000


def test_a_key_has_its_own_day() -> None:
    small = ApiKey(name="small", secret="small", daily_quota=2)
    limits = Limiter(SandboxOptions(clock=Clock(), keys=(KEY, small)))
    assert admitted(limits, 5, small) == 2
    assert admitted(limits, 200) == 98


def test_off_lifts_the_counts() -> None:
    limits = limiter(Clock(), limits="off")
    assert admitted(limits, 1000) == 1000


async def test_reset_forgets_what_was_taken(client: Client) -> None:
    async with serving(limits="fixed", rate=1) as limited:
        await limited.get("Priority('01')")
        assert (await limited.get("Priority('01')")).status == 429
        limited.sandbox.reset()
        assert (await limited.get("Priority('01')")).status == 200
