"""Every store alike: how full the windows are, who may fill them how far, and when there is room again."""

from __future__ import annotations

import pytest

from gateway.stores.ports import Full, Period, Reserved, WindowState
from tests.stores.claims import DAY, ENVIRONMENT, burst, claim, day
from tests.stores.conftest import Subject

SHORT = 300


async def test_a_less_urgent_unit_leaves_the_rest_to_others(subject: Subject) -> None:
    log, daily = burst(5, upto=2), day(5, upto=3)
    assert isinstance(await subject.reserve("r1", log, daily), Reserved)
    assert isinstance(await subject.reserve("r2", log, daily), Reserved)
    refused = await subject.reserve("r3", log, daily)
    assert isinstance(refused, Full)
    assert refused.limit == log.key
    assert isinstance(await subject.reserve("urgent", burst(5), day(5)), Reserved)
    refused = await subject.reserve("r4", burst(5), daily)
    assert isinstance(refused, Full)
    assert refused.limit == daily.key


async def test_room_is_told_for_when_enough_slots_come_free(subject: Subject) -> None:
    log = burst(3, length=20_000)
    for name, pause in (("r1", 1_000), ("r2", 0)):
        await subject.reserve(name, log)
        await subject.settle(name)
        if subject.exact:
            await subject.advance(pause)
    refused = await subject.reserve("bulk", burst(3, upto=1, length=20_000))
    assert isinstance(refused, Full)
    assert subject.about(refused.opens_in, 20_000), "both must go"
    refused = await subject.reserve("bulk", burst(3, upto=2, length=20_000))
    assert isinstance(refused, Full)
    assert subject.about(refused.opens_in, 19_000 if subject.exact else 20_000), "the first must go"


async def test_a_held_slot_may_come_free_as_if_it_were_settled_now(subject: Subject) -> None:
    log = burst(1, length=5_000, margin=10)
    await subject.reserve("r1", log, lease=60_000)
    refused = await subject.reserve("r2", log)
    assert isinstance(refused, Full)
    assert subject.about(refused.opens_in, 5_010)


async def test_a_window_that_is_not_enforced_counts_and_says_so(subject: Subject) -> None:
    log, daily = burst(1, enforced=False), day(1, enforced=False)
    first = await subject.reserve("r1", log, daily)
    second = await subject.reserve("r2", log, daily)
    assert isinstance(first, Reserved)
    assert isinstance(second, Reserved)
    assert (first.over, second.over) == ((), (log.key, daily.key))
    assert [state.used for state in second.windows] == [2, 2]


async def test_a_day_ends_and_another_begins(subject: Subject) -> None:
    now = subject.now()
    today, tomorrow = (
        Period(now - 1000, now + 700, "2025-03-10"),
        Period(now + 700, now + 99_000, "2025-03-11"),
    )
    daily, both = day(1), (today, tomorrow)
    await subject.quota.reserve(claim("r1", daily, periods=both))
    refused = await subject.quota.reserve(claim("r2", daily, periods=both))
    assert isinstance(refused, Full)
    assert refused.opens_in <= 700
    await subject.advance(refused.opens_in)
    assert isinstance(await subject.quota.reserve(claim("r2", daily, periods=both)), Reserved)
    assert [
        (one.day, one.units) for one in await subject.ledger.usage(ENVIRONMENT, "2025-03-10", "2025-03-11")
    ] == [("2025-03-10", 1), ("2025-03-11", 1)]


async def test_a_unit_is_given_back_to_the_day_it_was_taken_in(subject: Subject) -> None:
    now = subject.now()
    both = (Period(now - 1000, now + 700, "2025-03-10"), Period(now + 700, now + 99_000, "2025-03-11"))
    daily = day(5)
    await subject.quota.reserve(claim("old", daily, periods=both))
    await subject.advance(710)
    await subject.quota.reserve(claim("new", daily, periods=both))
    await subject.release("old")
    assert (await subject.standing(daily, periods=both)).windows[0].used == 1
    assert [one.day for one in await subject.ledger.usage(ENVIRONMENT, "0", "9")] == ["2025-03-11"]


async def test_where_the_clock_is_outside_all_days_it_is_the_askers_day(subject: Subject) -> None:
    """Somebody has set a clock: the upstream's day goes on all the same, and so must the count of it."""
    daily, far = day(3), tuple(Period(n * DAY, (n + 1) * DAY, f"1970-01-0{n + 1}") for n in range(3))
    for number in range(3):
        assert isinstance(await subject.quota.reserve(claim(f"r{number}", daily, periods=far)), Reserved)
        await subject.advance(5 * 60_000)
    state = (await subject.standing(daily, periods=far)).windows[0]
    assert (state.used, state.resets_in) == (3, DAY)
    refused = await subject.quota.reserve(claim("r3", daily, periods=far))
    assert isinstance(refused, Full)
    assert (refused.limit, refused.opens_in) == (daily.key, DAY)
    assert [(one.day, one.units) for one in await subject.ledger.usage(ENVIRONMENT, "0", "9")] == [
        ("1970-01-02", 3)
    ]


async def test_no_day_at_all_is_the_askers_mistake(subject: Subject) -> None:
    with pytest.raises(ValueError, match="no period is named"):
        await subject.quota.reserve(claim("r1", day(1), periods=()))
    with pytest.raises(ValueError, match="no period is named"):
        await subject.quota.standing(ENVIRONMENT, [day(1)], ())
    assert (await subject.standing(day(1))).epoch is None


async def test_what_was_taken_long_ago_is_not_recent(subject: Subject) -> None:
    daily = day(100)
    await subject.reserve("r1", daily)
    await subject.advance(50 * 60_000)
    await subject.reserve("r2", daily)
    assert (await subject.standing(daily)).windows[0].recent == 2
    await subject.advance(15 * 60_000)
    assert (await subject.standing(daily)).windows[0].recent == 1


async def test_a_rolling_day_tells_what_is_recent_too(subject: Subject) -> None:
    rolling = burst(100, length=DAY, margin=250)
    for name in ("r1", "r2"):
        await subject.reserve(name, rolling)
        await subject.settle(name)
    await subject.advance(50 * 60_000)
    await subject.reserve("r3", rolling)
    assert (await subject.standing(rolling)).windows[0].recent == 3
    await subject.advance(15 * 60_000)
    state = (await subject.standing(rolling)).windows[0]
    assert (state.used, state.recent) == (3, 1)


async def test_environments_have_nothing_to_do_with_each_other(subject: Subject) -> None:
    log = burst(1)
    await subject.reserve("r1", log)
    other = claim("r1", log, periods=subject.periods, environment="other")
    assert isinstance(await subject.quota.reserve(other), Reserved)


async def test_how_things_stand_is_told_without_changing_them(subject: Subject) -> None:
    log, daily = burst(3, length=9_000), day(10)
    before = await subject.standing(log, daily)
    assert before.epoch is None
    assert (before.closed_for, before.strikes) == (0, 0)
    assert before.windows[0] == WindowState(key=log.key, limit=3, used=0, resets_in=0)
    taken = await subject.reserve("r1", log, daily)
    await subject.settle("r1")
    after = await subject.standing(log, daily)
    assert isinstance(taken, Reserved)
    assert after.epoch == taken.epoch
    assert [state.used for state in after.windows] == [1, 1]
    assert subject.about(after.windows[0].resets_in, 9_000)
    assert subject.about(after.windows[1].resets_in, 23 * 3_600_000)


async def test_a_store_that_knows_nothing_takes_its_logs_for_full(subject: Subject) -> None:
    log, daily = burst(3, length=SHORT), day(3)
    refused = await subject.reserve("r1", log, daily, cold=SHORT)
    assert isinstance(refused, Full)
    assert refused.limit == log.key
    assert refused.opens_in <= SHORT
    state = (await subject.standing(log)).windows[0]
    assert state.used == state.limit or not subject.exact
    assert await subject.units() == 0
    await subject.advance(refused.opens_in + 1)
    taken = await subject.reserve("r1", log, daily, cold=SHORT)
    assert isinstance(taken, Reserved)
    assert taken.epoch == refused.epoch


async def test_a_log_of_a_day_is_a_window_like_the_others(subject: Subject) -> None:
    """A rolling day: ten thousand slots, and what is full opens with the first of them."""
    rolling = burst(200, key="environment/acme/day", length=86_400_000)
    for number in range(200):
        await subject.reserve(f"r{number}", rolling)
        await subject.settle(f"r{number}")
    refused = await subject.reserve("more", rolling)
    assert isinstance(refused, Full)
    assert refused.limit == rolling.key
    assert refused.opens_in <= 86_400_000
    assert refused.opens_in > 86_400_000 - 60_000
