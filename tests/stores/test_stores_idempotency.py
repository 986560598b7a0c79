"""Every store alike: writes that are repeated with the same key run once."""

from __future__ import annotations

from gateway.stores.ports import Begun, Done, Doubtful, Mismatch, Running
from tests.stores.conftest import Subject

KEY = "north/portal/4711"
BODY = b"\x00\xff one body"
LEASE = 60_000
SHORT = 250
KEEP = 86_400_000


async def begin(
    subject: Subject, *, lease: int = LEASE, keep: int = KEEP, body: bytes = BODY
) -> Begun | Running | Mismatch | Doubtful | Done:
    return await subject.idempotency.begin(KEY, body, lease, keep)


async def begun(subject: Subject, *, lease: int = LEASE, keep: int = KEEP) -> int:
    answer = await begin(subject, lease=lease, keep=keep)
    assert isinstance(answer, Begun)
    return answer.fence


async def test_the_first_answer_is_replayed_byte_for_byte(subject: Subject) -> None:
    fence = await begun(subject)
    assert await subject.idempotency.depart(KEY, fence)
    answer = bytes(range(256)) * 20
    assert await subject.idempotency.finish(KEY, fence, answer, settled=True)
    assert await begin(subject) == Done(answer)
    assert await begin(subject) == Done(answer)


async def test_an_empty_answer_is_an_answer(subject: Subject) -> None:
    assert await subject.idempotency.finish(KEY, await begun(subject), b"", settled=True)
    assert await begin(subject) == Done(b"")


async def test_only_one_runs_at_a_time(subject: Subject) -> None:
    await begun(subject)
    other = await begin(subject)
    assert isinstance(other, Running)
    assert subject.about(other.ends_in, LEASE)


async def test_another_request_with_the_same_key_is_told_so(subject: Subject) -> None:
    fence = await begun(subject)
    assert await begin(subject, body=b"another") == Mismatch()
    await subject.idempotency.finish(KEY, fence, b"x", settled=True)
    assert await begin(subject, body=b"another") == Mismatch()


async def test_keys_have_nothing_to_do_with_each_other(subject: Subject) -> None:
    first = await begun(subject)
    other = await subject.idempotency.begin("north/portal/4712", BODY, LEASE, KEEP)
    assert isinstance(other, Begun)
    assert other.fence != first


async def test_a_run_that_goes_silent_before_it_sent_begins_anew(subject: Subject) -> None:
    old = await begun(subject, lease=SHORT)
    await subject.advance(SHORT + 10)
    new = await begun(subject)
    assert new > old
    assert not await subject.idempotency.depart(KEY, old)
    assert not await subject.idempotency.renew(KEY, old, LEASE)
    assert not await subject.idempotency.finish(KEY, old, b"late", settled=True)
    await subject.idempotency.forget(KEY, old)
    assert isinstance(await begin(subject), Running), "the old one changed nothing"


async def test_a_run_that_goes_silent_after_it_sent_is_doubtful(subject: Subject) -> None:
    old = await begun(subject, lease=SHORT)
    await subject.idempotency.depart(KEY, old)
    await subject.advance(SHORT + 10)
    taken_over = await begin(subject)
    assert isinstance(taken_over, Doubtful)
    assert taken_over.answer is None
    assert taken_over.fence > old
    assert not await subject.idempotency.finish(KEY, old, b"late", settled=True)
    assert isinstance(await begin(subject), Running), "one looks at a time"
    assert await subject.idempotency.finish(KEY, taken_over.fence, b"found", settled=True)
    assert await begin(subject) == Done(b"found")


async def test_who_takes_over_what_is_doubtful_and_goes_silent_leaves_it_so(subject: Subject) -> None:
    old = await begun(subject, lease=SHORT)
    await subject.idempotency.depart(KEY, old)
    await subject.advance(SHORT + 10)
    assert isinstance(await begin(subject, lease=SHORT), Doubtful)
    await subject.advance(SHORT + 10)
    assert isinstance(await begin(subject), Doubtful)


async def test_an_outcome_that_is_not_known_is_told_to_the_next(subject: Subject) -> None:
    fence = await begun(subject)
    await subject.idempotency.depart(KEY, fence)
    assert await subject.idempotency.finish(KEY, fence, b"unknown", settled=False)
    again = await begin(subject)
    assert isinstance(again, Doubtful)
    assert again.answer == b"unknown"
    assert again.fence > fence
    await subject.idempotency.finish(KEY, again.fence, b"still unknown", settled=False)
    assert isinstance(await begin(subject), Doubtful)


async def test_what_never_left_frees_the_key(subject: Subject) -> None:
    fence = await begun(subject)
    await subject.idempotency.depart(KEY, fence)
    await subject.idempotency.forget(KEY, fence)
    assert isinstance(await begin(subject, body=b"another"), Begun)


async def test_a_look_up_that_never_left_leaves_the_doubt(subject: Subject) -> None:
    fence = await begun(subject)
    await subject.idempotency.finish(KEY, fence, b"unknown", settled=False)
    looking = await begin(subject)
    assert isinstance(looking, Doubtful)
    await subject.idempotency.forget(KEY, looking.fence)
    again = await begin(subject)
    assert isinstance(again, Doubtful)
    assert again.answer == b"unknown"


async def test_to_forget_what_is_done_changes_nothing(subject: Subject) -> None:
    fence = await begun(subject)
    await subject.idempotency.finish(KEY, fence, b"done", settled=True)
    await subject.idempotency.forget(KEY, fence)
    assert await begin(subject) == Done(b"done")


async def test_a_lease_is_renewed(subject: Subject) -> None:
    fence = await begun(subject, lease=400)
    assert await subject.idempotency.renew(KEY, fence, LEASE)
    await subject.advance(410)
    assert isinstance(await begin(subject), Running)
    assert await subject.idempotency.depart(KEY, fence)


async def test_nothing_departs_when_the_lease_is_over(subject: Subject) -> None:
    fence = await begun(subject, lease=SHORT)
    await subject.advance(SHORT + 10)
    assert not await subject.idempotency.depart(KEY, fence)
    assert await subject.idempotency.renew(KEY, fence, LEASE), "nobody else has it"
    assert await subject.idempotency.depart(KEY, fence)


async def test_to_renew_what_has_ended_does_not_revive_it(subject: Subject) -> None:
    fence = await begun(subject)
    await subject.idempotency.finish(KEY, fence, b"unknown", settled=False)
    await subject.idempotency.renew(KEY, fence, LEASE)
    assert not await subject.idempotency.depart(KEY, fence)
    assert isinstance(await begin(subject), Doubtful)


async def test_each_step_may_be_taken_twice(subject: Subject) -> None:
    fence = await begun(subject)
    assert [await subject.idempotency.depart(KEY, fence) for _ in range(2)] == [True, True]
    for _ in range(2):
        assert await subject.idempotency.finish(KEY, fence, b"done", settled=True)
    assert await begin(subject) == Done(b"done")


async def test_a_key_that_nobody_knows_is_nobodys(subject: Subject) -> None:
    assert not await subject.idempotency.renew(KEY, 1, LEASE)
    assert not await subject.idempotency.depart(KEY, 1)
    assert not await subject.idempotency.finish(KEY, 1, b"x", settled=True)
    await subject.idempotency.forget(KEY, 1)


async def test_everything_is_forgotten_in_the_end(subject: Subject) -> None:
    fence = await begun(subject, keep=400)
    await subject.idempotency.finish(KEY, fence, b"done", settled=True)
    await subject.advance(410)
    again = await begin(subject, body=b"another")
    assert isinstance(again, Begun)
    assert again.fence > fence, "who still holds the old fence changes nothing"
