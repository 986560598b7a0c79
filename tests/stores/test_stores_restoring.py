"""Every store alike: taking over what another memory knows."""

from __future__ import annotations

from gateway.stores.ports import Full, Reserved, Spent, Taken
from tests.stores.claims import ENVIRONMENT, burst, claim, day
from tests.stores.conftest import Subject


async def test_days_are_raised_to_what_is_known(subject: Subject) -> None:
    daily, other = day(10), day(10, key="tenant/north/day")
    starts = subject.periods[1].starts
    for number in range(5):
        await subject.reserve(f"r{number}", daily, other)
    known = [Spent(key=daily.key, starts=starts, used=8)]
    known.append(Spent(key=other.key, starts=starts, used=2))
    for _ in range(2):
        await subject.quota.restore(ENVIRONMENT, 0, known, ())
    assert [await subject.used(daily), await subject.used(other)] == [8, 5]


async def test_units_are_taken_over_once(subject: Subject) -> None:
    log, daily = burst(5), day(10)
    await subject.reserve("shared", log, daily)
    unit = Taken(claim=subject.claim("local", log, daily), held_for=60_000)
    already = Taken(claim=subject.claim("shared", log, daily), held_for=60_000)
    starts = subject.periods[1].starts
    for _ in range(2):
        await subject.quota.restore(
            ENVIRONMENT, 0, [Spent(key=daily.key, starts=starts, used=1)], [unit, already]
        )
    assert [await subject.used(log), await subject.used(daily), await subject.units()] == [2, 2, 2]
    assert isinstance(await subject.reserve("local", log, daily), Reserved)
    await subject.settle("local")
    await subject.release("local")
    assert await subject.used(daily) == 2


async def test_a_unit_is_known_hours_after_it_was_taken_over(subject: Subject) -> None:
    log, daily = burst(5), day(10)
    unit = Taken(claim=subject.claim("local", log, daily), held_for=60_000)
    await subject.quota.restore(ENVIRONMENT, 0, (), [unit])
    await subject.advance(20 * 3_600_000)
    await subject.quota.restore(ENVIRONMENT, 0, (), [unit])
    assert [await subject.used(daily), await subject.units()] == [1, 1]


async def test_units_count_on_top_of_the_days(subject: Subject) -> None:
    daily = day(100)
    spent = Spent(key=daily.key, starts=subject.periods[1].starts, used=40)
    units = [Taken(claim=subject.claim(f"l{number}", daily), held_for=0) for number in range(3)]
    await subject.quota.restore(ENVIRONMENT, 0, [spent], units)
    assert await subject.used(daily) == 43


async def test_slots_stay_taken_for_what_is_left(subject: Subject) -> None:
    log = burst(5, length=10_000)
    await subject.quota.restore(ENVIRONMENT, 0, (), [Taken(claim=subject.claim("l1", log), held_for=300)])
    assert await subject.used(log) == 1
    await subject.advance(310)
    assert await subject.used(log) == 0


async def test_slots_of_shorter_logs_come_free_sooner(subject: Subject) -> None:
    """A unit that was settled a quarter of a minute ago is out of the burst, and in the rolling day."""
    log, rolling = burst(5, length=10_000), burst(5, key="environment/acme/day", length=86_400_000)
    unit = Taken(claim=subject.claim("l1", log, rolling), held_for=86_400_000 - 15_000)
    await subject.quota.restore(ENVIRONMENT, 0, (), [unit])
    assert [await subject.used(log), await subject.used(rolling)] == [0, 1]


async def test_a_unit_of_a_day_that_is_gone_counts_where_its_claim_ends(subject: Subject) -> None:
    daily = day(5)
    gone = claim("old", daily, periods=subject.periods[:1])
    await subject.quota.restore(ENVIRONMENT, 0, (), [Taken(claim=gone, held_for=0)])
    assert await subject.used(daily) == 0
    assert [one.day for one in await subject.ledger.usage(ENVIRONMENT, "0", "9")] == [
        subject.periods[0].label
    ]


async def test_an_environment_that_was_unknown_begins_closed(subject: Subject) -> None:
    log = burst(5)
    epoch = await subject.quota.restore(ENVIRONMENT, 30_000, (), ())
    refused = await subject.reserve("r1", log)
    assert isinstance(refused, Full)
    assert refused.epoch == epoch
    assert subject.about(refused.opens_in, 30_000)


async def test_one_that_was_known_stays_open(subject: Subject) -> None:
    log = burst(5)
    taken = await subject.reserve("r1", log)
    assert isinstance(taken, Reserved)
    assert await subject.quota.restore(ENVIRONMENT, 30_000, (), ()) == taken.epoch
    assert isinstance(await subject.reserve("r2", log), Reserved)
