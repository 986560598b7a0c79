"""Every store alike: what the upstream's own refusals for its quota do to an environment."""

from __future__ import annotations

from gateway.stores.ports import UPSTREAM, Full, Reserved, Throttled
from tests.stores.claims import burst
from tests.stores.conftest import Subject

WINDOW = 300
LOG = burst(100, length=WINDOW, adapts=True)
MINUTE = 60_000


def told(retry_after: int | None = None, *, window: int = WINDOW) -> Throttled:
    return Throttled(retry_after=retry_after, window=window, limit=100)


async def holds(subject: Subject) -> int:
    return (await subject.standing(LOG)).windows[0].limit


async def refuse(subject: Subject, name: str, throttled: Throttled) -> None:
    assert isinstance(await subject.reserve(name, LOG), Reserved)
    await subject.settle(name, throttled)


async def opens_in(subject: Subject, name: str = "asked") -> int:
    """How long the upstream wants to be left alone; 0 when the unit was taken."""
    answer = await subject.reserve(name, LOG)
    if isinstance(answer, Reserved):
        return 0
    assert answer.limit == UPSTREAM
    return answer.opens_in


async def test_a_refusal_closes_the_environment_for_what_it_asks(subject: Subject) -> None:
    await refuse(subject, "r1", told(50_000))
    assert subject.about(await opens_in(subject), 50_000)
    standing = await subject.standing(LOG)
    assert subject.about(standing.closed_for, 50_000)
    assert standing.strikes == 1


async def test_a_refusal_without_a_time_closes_it_for_the_window(subject: Subject) -> None:
    await refuse(subject, "r1", told(window=20_000))
    wait = await opens_in(subject)
    assert subject.about(wait, 20_000)


async def test_it_opens_again_by_itself(subject: Subject) -> None:
    await refuse(subject, "r1", told(WINDOW))
    await subject.advance(WINDOW + 1)
    assert await opens_in(subject) == 0


async def test_a_refusal_that_is_told_twice_is_one(subject: Subject) -> None:
    await refuse(subject, "r1", told(50_000))
    await subject.settle("r1", told(50_000))
    assert (await subject.standing(LOG)).strikes == 1
    assert await holds(subject) == 50


async def test_units_that_were_under_way_together_are_one_refusal(subject: Subject) -> None:
    for number in range(10):
        await subject.reserve(f"r{number}", LOG)
    for number in range(10):
        await subject.settle(f"r{number}", told(1_000 * (number + 10)))
    standing = await subject.standing(LOG)
    assert standing.strikes == 1
    assert standing.windows[0].limit == 50
    assert subject.about(standing.closed_for, 19_000), "the longest of what was asked for"


async def test_an_answer_from_before_the_closing_opens_nothing(subject: Subject) -> None:
    await subject.reserve("earlier", LOG)
    await refuse(subject, "r1", told(50_000))
    await subject.settle("earlier")
    assert await opens_in(subject) > 0
    assert (await subject.standing(LOG)).strikes == 1


async def test_an_answer_from_after_it_ends_the_row(subject: Subject) -> None:
    await refuse(subject, "r1", told(50))
    await subject.advance(60)
    await subject.reserve("later", LOG)
    await subject.settle("later")
    assert (await subject.standing(LOG)).strikes == 0


async def test_what_a_window_holds_is_halved_and_rises_step_by_step(subject: Subject) -> None:
    await refuse(subject, "r1", told(0))
    assert await holds(subject) in ({50} if subject.exact else {50, 60})
    await subject.advance(WINDOW + 10)
    assert await holds(subject) in ({60} if subject.exact else {60, 70, 80})
    await subject.advance(5 * WINDOW)
    assert await holds(subject) == 100


async def test_it_begins_to_rise_when_the_environment_is_open_again(subject: Subject) -> None:
    await refuse(subject, "r1", told(2 * WINDOW))
    await subject.advance(2 * WINDOW + 10)
    assert await holds(subject) in ({50} if subject.exact else {50, 60})


async def test_a_second_refusal_halves_what_was_left(subject: Subject) -> None:
    await refuse(subject, "r1", told(0, window=60_000))
    await refuse(subject, "r2", told(0, window=60_000))
    standing = await subject.standing(LOG)
    assert standing.strikes == 2
    assert standing.windows[0].limit == 25


async def test_a_unit_may_fill_the_same_part_of_what_is_left(subject: Subject) -> None:
    """Bulk, which may fill 4 of 10, has 2 of the 5 that are left; and what does not adapt stays as it is."""
    log = burst(10, upto=4, adapts=True)
    own = burst(10, key="tenant/north/burst")
    await subject.reserve("r1", log, own)
    await subject.settle("r1", Throttled(retry_after=0, window=60_000, limit=10))
    second = await subject.reserve("r2", log, own)
    assert isinstance(second, Reserved)
    assert [state.limit for state in second.windows] == [5, 10]
    refused = await subject.reserve("r3", log, own)
    assert isinstance(refused, Full)
    assert refused.limit == log.key
    assert isinstance(await subject.reserve("urgent", burst(10, adapts=True), own), Reserved)


async def test_a_unit_with_no_part_of_what_is_left_waits_for_the_rise(subject: Subject) -> None:
    log = burst(2, upto=1, adapts=True)
    await subject.reserve("r1", log)
    await subject.settle("r1", Throttled(retry_after=0, window=50_000, limit=2))
    refused = await subject.reserve("r2", log)
    assert isinstance(refused, Full)
    assert refused.limit == log.key
    assert subject.about(refused.opens_in, 50_000)


async def test_a_window_never_holds_less_than_one(subject: Subject) -> None:
    log = burst(1, adapts=True)
    await subject.reserve("r1", log)
    await subject.settle("r1", Throttled(retry_after=0, window=60_000, limit=1))
    assert (await subject.standing(log)).windows[0].limit == 1


async def test_nor_does_one_that_is_smaller_than_the_burst(subject: Subject) -> None:
    small = burst(2, adapts=True)
    for name in ("r1", "r2"):
        await refuse(subject, name, told(0, window=60_000))
    assert (await subject.standing(small)).windows[0].limit == 1


async def test_a_refusal_of_a_forgotten_unit_closes_and_is_no_strike(subject: Subject) -> None:
    await subject.reserve("r1", LOG)
    await subject.settle("forgotten", told(50_000))
    assert await opens_in(subject) > 0
    standing = await subject.standing(LOG)
    assert (standing.strikes, standing.windows[0].limit) == (0, 100)


async def ask_from_now_on(subject: Subject) -> None:
    """Three refusals in a row: the day is used up."""
    for number in range(3):
        await refuse(subject, f"strike {number}", told(0))


async def test_from_the_third_refusal_on_one_unit_a_minute_asks(subject: Subject) -> None:
    await ask_from_now_on(subject)
    assert subject.about(await opens_in(subject), MINUTE)
    await subject.advance(MINUTE)
    assert await opens_in(subject, "asker") == 0
    assert subject.about(await opens_in(subject, "other"), MINUTE), "one at a time"
    assert await opens_in(subject, "asker") == 0, "it may still ask again"


async def test_it_asks_half_as_often_each_time_up_to_a_quarter_of_an_hour(subject: Subject) -> None:
    await ask_from_now_on(subject)
    held = await holds(subject)
    for number, minutes in enumerate((1, 2, 4, 8, 15, 15)):
        assert subject.about(await opens_in(subject), minutes * MINUTE)
        await subject.advance(minutes * MINUTE)
        await refuse(subject, f"asker {number}", told(0))
    assert (await subject.standing(LOG)).strikes == 9
    assert await holds(subject) >= held, "who only asked says nothing about the burst"


async def test_an_answer_to_the_one_that_asks_opens_the_environment(subject: Subject) -> None:
    await ask_from_now_on(subject)
    await subject.advance(MINUTE)
    assert await opens_in(subject, "asker") == 0
    await subject.advance(1)
    await subject.settle("asker")
    assert await opens_in(subject, "next") == 0
    assert await opens_in(subject, "and another") == 0
    assert (await subject.standing(LOG)).strikes == 0


async def test_if_the_one_that_asks_is_not_sent_another_one_may(subject: Subject) -> None:
    await ask_from_now_on(subject)
    await subject.advance(MINUTE)
    assert await opens_in(subject, "asker") == 0
    await subject.release("asker")
    assert await opens_in(subject, "another") == 0


async def test_if_the_one_that_asks_goes_silent_another_one_may_later(subject: Subject) -> None:
    await ask_from_now_on(subject)
    await subject.advance(MINUTE)
    await subject.reserve("asker", LOG, lease=10_000)
    await subject.advance(MINUTE)
    assert await opens_in(subject, "another") == 0


async def test_the_one_that_asks_is_waited_for_as_long_as_it_is_held(subject: Subject) -> None:
    await ask_from_now_on(subject)
    await subject.advance(MINUTE)
    await subject.reserve("asker", LOG, lease=90_000)
    await subject.advance(MINUTE)
    assert subject.about(await opens_in(subject, "another"), 30_000)
    assert subject.about((await subject.standing(LOG)).closed_for, 30_000)
    await subject.settle("asker")
    assert await opens_in(subject, "another") == 0


async def test_a_longer_pause_that_the_upstream_asks_for_goes_before(subject: Subject) -> None:
    await refuse(subject, "r1", told(0))
    await refuse(subject, "r2", told(0))
    await refuse(subject, "r3", told(3_600_000))
    assert subject.about(await opens_in(subject), 3_600_000)


async def test_a_unit_that_finds_a_window_full_does_not_ask(subject: Subject) -> None:
    own = burst(1, key="tenant/north/burst", length=3_600_000)
    await subject.reserve("own", LOG, own)
    await ask_from_now_on(subject)
    await subject.advance(MINUTE)
    refused = await subject.reserve("no asker", LOG, own)
    assert isinstance(refused, Full)
    assert refused.limit == own.key
    assert await opens_in(subject, "asker") == 0
