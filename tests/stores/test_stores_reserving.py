"""Every store alike: units taken, settled, given back and left to lapse."""

from __future__ import annotations

from gateway.stores.ports import Full, Reserved
from tests.stores.claims import ENVIRONMENT, burst, day
from tests.stores.conftest import Subject

SHORT = 300


async def test_a_unit_is_taken_in_every_window(subject: Subject) -> None:
    log, daily = burst(3, margin=5), day(10)
    taken = await subject.reserve("r1", log, daily)
    assert isinstance(taken, Reserved)
    assert [(state.key, state.limit, state.used) for state in taken.windows] == [
        (log.key, 3, 1),
        (daily.key, 10, 1),
    ]
    assert taken.over == ()
    assert taken.windows[1].recent == 1
    assert await subject.units() == 1


async def test_a_unit_is_taken_in_no_window_when_one_is_full(subject: Subject) -> None:
    log, own, daily = burst(5), burst(1, key="tenant/north/burst"), day(10)
    await subject.reserve("r1", log, own, daily)
    refused = await subject.reserve("r2", log, own, daily)
    assert isinstance(refused, Full)
    assert refused.limit == own.key
    assert [await subject.used(limit) for limit in (log, own, daily)] == [1, 1, 1]
    assert await subject.units() == 1


async def test_the_window_that_is_full_longest_is_named(subject: Subject) -> None:
    log, daily = burst(1), day(1)
    await subject.reserve("r1", log, daily)
    refused = await subject.reserve("r2", log, daily)
    assert isinstance(refused, Full)
    assert refused.limit == daily.key
    assert subject.about(refused.opens_in, 23 * 3_600_000)


async def test_what_is_asked_again_counts_once(subject: Subject) -> None:
    log, daily = burst(1, enforced=False), day(10)
    await subject.reserve("r0", log, daily)
    first = await subject.reserve("r1", log, daily)
    again = await subject.reserve("r1", log, daily)
    assert isinstance(first, Reserved)
    assert isinstance(again, Reserved)
    assert again.over == first.over == (log.key,)
    assert [state.used for state in again.windows] == [2, 2]
    assert await subject.units() == 2


async def test_what_is_asked_again_is_answered_when_the_window_is_full(subject: Subject) -> None:
    log = burst(1, length=SHORT)
    await subject.reserve("r1", log)
    assert isinstance(await subject.reserve("r1", log), Reserved)
    await subject.settle("r1")
    assert isinstance(await subject.reserve("r1", log), Reserved)
    await subject.advance(SHORT + 10)
    assert await subject.used(log) == 0, "it was not held anew"
    assert isinstance(await subject.reserve("r1", log), Reserved)


async def test_what_is_asked_again_after_the_lease_is_another_unit(subject: Subject) -> None:
    """Others may have its slot by now, and what may have been sent stays spent."""
    log, daily = burst(1, length=200), day(5)
    await subject.reserve("r1", log, daily, lease=100)
    await subject.advance(400)
    assert isinstance(await subject.reserve("r2", log, daily), Reserved)
    assert isinstance(await subject.reserve("r1", log, daily), Full)
    await subject.release("r2")
    assert isinstance(await subject.reserve("r1", log, daily), Reserved)
    assert [await subject.used(log), await subject.used(daily)] == [1, 2]


async def test_a_slot_stays_taken_for_its_length_and_margin_after_the_answer(subject: Subject) -> None:
    log = burst(1, length=SHORT, margin=50)
    await subject.reserve("r1", log)
    await subject.advance(SHORT + 100)
    assert isinstance(await subject.reserve("r2", log), Full), "no answer, so the slot has not begun to leave"
    await subject.settle("r1")
    refused = await subject.reserve("r2", log)
    assert isinstance(refused, Full)
    assert refused.opens_in <= SHORT + 50
    if subject.exact:
        await subject.advance(SHORT + 49)
        assert isinstance(await subject.reserve("r2", log), Full)
        await subject.advance(1)
    else:
        await subject.advance(refused.opens_in + 1)
    assert isinstance(await subject.reserve("r2", log), Reserved)


async def test_a_unit_that_nobody_holds_frees_its_slots_after_the_lease(subject: Subject) -> None:
    log, daily = burst(1, length=SHORT), day(10)
    await subject.reserve("r1", log, daily, lease=SHORT)
    await subject.advance(SHORT + 10)
    assert isinstance(await subject.reserve("r2", log, daily), Full)
    await subject.advance(SHORT)
    assert isinstance(await subject.reserve("r2", log, daily), Reserved)
    assert await subject.used(daily) == 2, "what may have been sent stays spent"


async def test_who_holds_on_keeps_the_slot(subject: Subject) -> None:
    log = burst(1, length=100)
    await subject.reserve("r1", log, lease=400)
    held = await subject.quota.renew(ENVIRONMENT, ["r1", "unknown"], 60_000)
    assert held == {"r1"}
    await subject.advance(600)
    assert isinstance(await subject.reserve("r2", log), Full)


async def test_a_lease_that_is_over_cannot_be_renewed(subject: Subject) -> None:
    log = burst(2, length=60_000)
    await subject.reserve("lapsed", log, lease=100)
    await subject.reserve("settled", log)
    await subject.settle("settled")
    await subject.advance(110)
    assert await subject.quota.renew(ENVIRONMENT, ["lapsed", "settled"], 1000) == frozenset()


async def test_an_answer_that_comes_after_the_lease_takes_the_slot_again(subject: Subject) -> None:
    """The upstream may have counted it only now."""
    log = burst(1, length=200)
    await subject.reserve("late", log, lease=100)
    await subject.advance(400)
    assert await subject.used(log) == 0
    await subject.settle("late")
    assert await subject.used(log) == 1


async def test_the_end_of_a_unit_of_which_nothing_is_known_changes_nothing(subject: Subject) -> None:
    log, daily = burst(3), day(3)
    await subject.settle("nobody")
    await subject.release("nobody")
    assert (await subject.standing(log, daily)).epoch is None
    await subject.reserve("r1", log, daily)
    await subject.settle("nobody")
    await subject.release("nobody")
    assert [await subject.used(log), await subject.used(daily), await subject.units()] == [1, 1, 1]


async def test_what_was_not_sent_is_given_back_everywhere(subject: Subject) -> None:
    log, daily = burst(1), day(1)
    await subject.reserve("r1", log, daily)
    await subject.release("r1")
    await subject.release("r1")
    standing = await subject.standing(log, daily)
    assert [(state.used, state.recent) for state in standing.windows] == [(0, 0), (0, 0)]
    assert await subject.units() == 0
    assert isinstance(await subject.reserve("r2", log, daily), Reserved)


async def test_what_is_settled_is_not_given_back(subject: Subject) -> None:
    log, daily = burst(2), day(2)
    await subject.reserve("r1", log, daily)
    await subject.settle("r1")
    await subject.release("r1")
    assert [await subject.used(log), await subject.used(daily), await subject.units()] == [1, 1, 1]


async def test_to_settle_twice_does_not_hold_the_slot_longer(subject: Subject) -> None:
    log = burst(1, length=SHORT)
    await subject.reserve("r1", log)
    await subject.settle("r1")
    await subject.advance(SHORT - 100)
    await subject.settle("r1")
    await subject.advance(110)
    assert await subject.used(log) == 0
