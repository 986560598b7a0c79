"""Retry: what is repeated, after which pauses, how often, and what a caller is told in the end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.call import Call
from contracts.errors import (
    CircuitOpen,
    DeadlineExceeded,
    GatewayError,
    InvalidBody,
    Outcome,
    OutcomeUnknown,
    Overloaded,
    QuotaExceeded,
    RecordNotFound,
    StoreUnavailable,
    UpstreamAnswer,
    UpstreamAuthFailed,
    UpstreamInvalidResponse,
    UpstreamRejected,
    UpstreamUnavailable,
)
from contracts.operations import Member, Operation, RunAction, RunExport, RunImport, Upload, WriteBatch
from contracts.results import BatchDone, MemberDone, Result, Scan
from gateway.policies.budget import RetryBudget
from gateway.policies.retry import Pauses, Retry, repeatable
from gateway.settings import RetryBudgetSettings, RetryRule, RetrySettings
from tests.faults.wires import ManualClock
from tests.unit.gateway.policy_rig import (
    CHANGE,
    CREATE,
    DELETE,
    DONE,
    GET,
    LIST,
    REPLACE,
    Heard,
    Pieces,
    Upstream,
    asking,
)

SAID = UpstreamAnswer("rest", 429)
ACTION = RunAction(name="x")
IMPORT = RunImport(name="x", objects=())
EXPORT = RunExport(name="x")
SAFE_BATCH = WriteBatch(members=(Member(id="1", write=REPLACE), Member(id="2", write=DELETE)))
BATCH = WriteBatch(members=(Member(id="1", write=REPLACE), Member(id="2", write=CREATE)))


async def no_parts() -> AsyncIterator[Upload]:
    nothing: tuple[Upload, ...] = ()
    for upload in nothing:
        yield upload


UPLOAD = RunAction(name="x", parts=no_parts())


def unavailable(outcome: Outcome = Outcome.NOT_SENT, *, retryable: bool | None = None) -> GatewayError:
    return UpstreamUnavailable("down", outcome=outcome, retryable=retryable)


def throttled(retry_after: float | None = None) -> GatewayError:
    return QuotaExceeded("too many", upstream=SAID, retry_after=retry_after)


class Rig:
    """A retry over an upstream that says what it is told to; ``jitter`` is what the random numbers are."""

    def __init__(
        self,
        *told: Result | BaseException,
        settings: RetrySettings | None = None,
        reserve: int = 100,
        jitter: float = 1.0,
    ) -> None:
        self.clock = ManualClock()
        self.heard = Heard()
        self.upstream = Upstream(*told, clock=self.clock)
        self.budget = RetryBudget(RetryBudgetSettings(ratio=0.0, reserve=reserve))
        self.retry = Retry(
            settings or RetrySettings(),
            self.budget,
            environment="plant",
            adapter="rest",
            clock=self.clock,
            events=self.heard.events,
            random=lambda: jitter,
        )

    async def perform(self, operation: Operation, *, seconds: float = 60.0) -> Result:
        return await self.retry(asking(operation, self.clock, seconds=seconds), self.upstream)

    async def failed(self, operation: Operation, *, seconds: float = 60.0) -> GatewayError:
        with pytest.raises(GatewayError) as raised:
            await self.perform(operation, seconds=seconds)
        return raised.value

    @property
    def pauses(self) -> list[float]:
        at = self.upstream.at
        return [round(after - before, 6) for before, after in pairwise(at)]


NOT_SENT, REFUSED, UNKNOWN = Outcome.NOT_SENT, Outcome.REFUSED, Outcome.UNKNOWN


@pytest.mark.parametrize("operation", [GET, LIST, CREATE, REPLACE, DELETE, ACTION, IMPORT, BATCH, EXPORT])
def test_what_was_not_sent_is_always_repeated(operation: Operation) -> None:
    assert repeatable(operation, unavailable())


@pytest.mark.parametrize("operation", [GET, CREATE, REPLACE, ACTION, BATCH])
def test_the_upstreams_own_429_is_repeated_and_that_of_a_window_is_not(operation: Operation) -> None:
    assert repeatable(operation, throttled())
    assert not repeatable(operation, QuotaExceeded("full", outcome=NOT_SENT, retry_after=1.0))


@pytest.mark.parametrize(
    ("operation", "repeated"),
    [
        (GET, True),
        (EXPORT, True),
        (REPLACE, True),
        (CHANGE, True),
        (DELETE, True),
        (SAFE_BATCH, True),
        (CREATE, False),
        (ACTION, False),
        (IMPORT, False),
        (BATCH, False),
    ],
)
def test_what_is_unknown_is_repeated_when_that_can_double_nothing(
    operation: Operation, repeated: bool
) -> None:
    """Whatever the error says of itself; and never against what it says."""
    assert repeatable(operation, unavailable(UNKNOWN, retryable=True)) is repeated
    assert not repeatable(operation, unavailable(UNKNOWN, retryable=False))
    assert not repeatable(operation, OutcomeUnknown("lost"))


@pytest.mark.parametrize(("operation", "repeated"), [(GET, True), (REPLACE, False), (CREATE, False)])
def test_a_refused_failure_is_repeated_for_what_changes_nothing(operation: Operation, repeated: bool) -> None:
    assert repeatable(operation, unavailable(REFUSED)) is repeated


@pytest.mark.parametrize(
    "error",
    [
        Overloaded("full"),
        StoreUnavailable("lost"),
        CircuitOpen("open"),
        DeadlineExceeded("late"),
        DeadlineExceeded("late", outcome=UNKNOWN, retryable=True),
        UpstreamRejected("no"),
        UpstreamAuthFailed("no"),
        UpstreamInvalidResponse("what"),
        RecordNotFound("absent", outcome=REFUSED),
        InvalidBody("wrong"),
    ],
)
async def test_what_is_final_is_not_repeated(error: GatewayError) -> None:
    rig = Rig(error)
    assert await rig.failed(GET) is error
    assert (len(rig.upstream.calls), rig.budget.spend()) == (1, True)
    assert not rig.heard.lines("not retried")


async def test_a_form_that_is_read_once_is_never_repeated() -> None:
    for error in (unavailable(), throttled()):
        rig = Rig(error)
        await rig.failed(UPLOAD)
        assert len(rig.upstream.calls) == 1


async def test_it_ends_with_the_first_success() -> None:
    rig = Rig(unavailable(), DONE)
    call = asking(DELETE, rig.clock)
    assert await rig.retry(call, rig.upstream) is DONE
    assert (len(rig.upstream.calls), call.journal.attempts) == (2, 2)
    (line,) = rig.heard.lines("retry")
    told = {key: line[key] for key in ("environment", "adapter", "attempt", "pause_ms", "code", "outcome")}
    assert told == {
        "environment": "plant",
        "adapter": "rest",
        "attempt": 1,
        "pause_ms": 50,
        "code": "upstream_unavailable",
        "outcome": "not_sent",
    }


async def test_three_attempts_are_all() -> None:
    errors = [unavailable() for _ in range(4)]
    rig = Rig(*errors)
    call = asking(GET, rig.clock)
    with pytest.raises(UpstreamUnavailable) as raised:
        await rig.retry(call, rig.upstream)
    assert raised.value is errors[2]
    assert (len(rig.upstream.calls), call.journal.attempts) == (3, 3)


async def test_pauses_double_up_to_the_cap() -> None:
    rig = Rig(unavailable(), settings=RetrySettings(attempts=6, base=0.5, cap=3.0))
    await rig.failed(GET)
    assert rig.pauses == [0.5, 1.0, 2.0, 3.0, 3.0]


async def test_pauses_after_a_429_are_longer_and_as_long_as_it_asks() -> None:
    rig = Rig(throttled(), throttled(5.0), throttled(0.1), DONE, settings=RetrySettings(attempts=4))
    await rig.perform(CREATE)
    assert rig.pauses == [1.0, 5.0, 4.0]


@pytest.mark.parametrize(("jitter", "pauses"), [(0.0, [0.0, 0.0]), (0.25, [0.0125, 0.025])])
async def test_the_jitter_is_full(jitter: float, pauses: list[float]) -> None:
    rig = Rig(unavailable(), jitter=jitter)
    await rig.failed(GET)
    assert rig.pauses == pauses


async def test_a_failure_that_asks_for_time_gets_it_past_the_cap() -> None:
    rig = Rig(UpstreamUnavailable("503", outcome=REFUSED, retry_after=30.0), DONE, jitter=0.0)
    await rig.perform(GET)
    assert rig.pauses == [30.0]


@given(
    attempt=st.integers(1, 5_000),
    random=st.floats(0, 1),
    base=st.floats(0.001, 100),
    asked=st.none() | st.floats(0, 1_000),
)
def test_a_pause_is_within_its_bounds(attempt: int, random: float, base: float, asked: float | None) -> None:
    pauses = Pauses(attempts=3, base=base, throttled_base=base, cap=20.0)
    pause = pauses.after(attempt, unavailable(), random)
    assert 0.0 <= pause <= 20.0
    floored = pauses.after(attempt, UpstreamUnavailable("x", retry_after=asked), random)
    assert floored == max(pause, asked or 0.0)


@pytest.mark.parametrize(("seconds", "attempts"), [(0.0499, 1), (0.05, 1), (0.0501, 2), (0.1501, 3)])
async def test_no_attempt_begins_that_cannot_end_before_the_deadline(seconds: float, attempts: int) -> None:
    rig = Rig(unavailable())
    await rig.failed(GET, seconds=seconds)
    assert len(rig.upstream.calls) == attempts
    denied = [line["reason"] for line in rig.heard.lines("not retried")]
    assert denied == (["time"] if attempts < 3 else [])


async def test_an_absurd_retry_after_is_not_waited_for() -> None:
    rig = Rig(throttled(1e9))
    error = await rig.failed(GET)
    assert (len(rig.upstream.calls), error.retry_after) == (1, 1e9)
    assert rig.budget.spend()


async def test_without_budget_nothing_is_repeated() -> None:
    rig = Rig(unavailable(), reserve=3)
    for _ in range(3):
        await rig.failed(GET)
    assert len(rig.upstream.calls) == 3 + 3
    assert [line["reason"] for line in rig.heard.lines("not retried")] == ["budget", "budget"]


async def test_every_call_earns() -> None:
    rig = Rig(DONE)
    budget = RetryBudget(RetryBudgetSettings(ratio=0.5, reserve=1))
    retry = Retry(
        RetrySettings(),
        budget,
        environment="plant",
        adapter="rest",
        clock=rig.clock,
        events=rig.heard.events,
        random=lambda: 0.0,
    )
    assert budget.spend()
    for _ in range(2):
        assert not budget.spend()
        await retry(asking(GET, rig.clock), rig.upstream)
    assert budget.spend()


async def test_nothing_is_repeated_for_a_caller_who_has_left() -> None:
    rig = Rig(unavailable(), DONE)
    call = asking(GET, rig.clock)
    call.journal.left = True
    with pytest.raises(UpstreamUnavailable):
        await rig.retry(call, rig.upstream)
    assert len(rig.upstream.calls) == 1
    assert rig.clock.time == 1000.0


async def test_nothing_is_repeated_for_a_caller_who_leaves_in_the_pause() -> None:
    rig = Rig(unavailable(), DONE)
    call = asking(GET, rig.clock)

    class Leaving(ManualClock):
        async def sleep(self, seconds: float) -> None:
            call.journal.left = True

    retry = Retry(
        RetrySettings(),
        rig.budget,
        environment="plant",
        adapter="rest",
        clock=Leaving(),
        events=rig.heard.events,
        random=lambda: 0.0,
    )
    with pytest.raises(UpstreamUnavailable):
        await retry(call, rig.upstream)
    assert len(rig.upstream.calls) == 1


async def test_an_operation_can_have_rules_of_its_own() -> None:
    settings = RetrySettings(
        attempts=2,
        operations={
            "get": RetryRule(attempts=4, base=0.2),
            "create": RetryRule(attempts=1),
            "list": RetryRule(throttled_base=0.5, cap=0.04),
            "change": RetryRule(throttled_base=3.0),
        },
    )
    for operation, error, pauses in [
        (GET, unavailable(), [0.2, 0.4, 0.8]),
        (CREATE, unavailable(), []),
        (LIST, unavailable(), [0.04]),
        (LIST, throttled(), [0.04]),
        (CHANGE, throttled(), [3.0]),
        (REPLACE, unavailable(), [0.05]),
    ]:
        rig = Rig(error, settings=settings)
        await rig.failed(operation)
        assert rig.pauses == pauses


@pytest.mark.parametrize(
    "last", [unavailable(), throttled(), CircuitOpen("open"), DeadlineExceeded("late"), Overloaded("full")]
)
async def test_what_one_attempt_may_have_done_stays_unknown(last: GatewayError) -> None:
    """A caller who is told that nothing was sent would be told wrong."""
    rig = Rig(unavailable(UNKNOWN, retryable=True), last, settings=RetrySettings(attempts=2))
    error = await rig.failed(REPLACE)
    assert error is last
    assert error.outcome is UNKNOWN


async def test_it_stays_so_whatever_comes_after_and_is_not_so_before() -> None:
    unknown = unavailable(UNKNOWN, retryable=True)
    assert (await Rig(unknown, unavailable(), unavailable()).failed(REPLACE)).outcome is UNKNOWN
    assert (await Rig(unavailable()).failed(REPLACE)).outcome is NOT_SENT
    assert (await Rig(throttled()).failed(REPLACE)).outcome is REFUSED


async def test_what_the_upstream_says_in_the_end_stands() -> None:
    rig = Rig(unavailable(UNKNOWN, retryable=True), UpstreamRejected("no"))
    assert (await rig.failed(REPLACE)).outcome is REFUSED


async def test_a_record_that_is_gone_when_its_deletion_is_repeated_was_deleted() -> None:
    """The first attempt, whose answer was lost, may have done it; what was asked is so in any case."""
    lost, absent = unavailable(UNKNOWN, retryable=True), RecordNotFound("absent", outcome=REFUSED)
    assert await Rig(lost, absent).perform(DELETE) == DONE
    assert await Rig(lost, unavailable(), absent).perform(DELETE) == DONE
    for before in ((), (unavailable(),), (throttled(),)):
        assert await Rig(*before, absent).failed(DELETE) is absent
    assert await Rig(lost, absent).failed(REPLACE) is absent
    # So it is when the attempt before was another call with the same idempotency key.
    rig = Rig(absent)
    repeated = msgspec.structs.replace(asking(DELETE, rig.clock), doubtful=True)
    assert await rig.retry(repeated, rig.upstream) == DONE


async def test_so_it_is_in_a_batch() -> None:
    lost, absent = unavailable(UNKNOWN, retryable=True), RecordNotFound("absent", outcome=REFUSED)
    told = BatchDone(results=(MemberDone("1", absent), MemberDone("2", absent)))
    assert await Rig(told).perform(SAFE_BATCH) is told
    repeated = BatchDone(results=(MemberDone("1", absent), MemberDone("2", DONE)))
    assert await Rig(lost, told).perform(SAFE_BATCH) == repeated


async def test_a_read_that_was_sent_once_does_not_end_as_not_sent() -> None:
    rig = Rig(unavailable(UNKNOWN), unavailable(), settings=RetrySettings(attempts=2))
    assert (await rig.failed(GET)).outcome is UNKNOWN


async def test_a_write_that_was_refused_once_does_not_end_as_not_sent() -> None:
    rig = Rig(throttled(), unavailable(), settings=RetrySettings(attempts=2))
    assert (await rig.failed(CREATE)).outcome is REFUSED


async def read(result: Result) -> int:
    assert isinstance(result, Scan)
    return sum([len(piece) async for piece in result.pieces])


async def test_a_scan_is_repeated_until_it_has_begun() -> None:
    pieces = Pieces()
    rig = Rig(pieces.scan(0, unavailable()), unavailable(), pieces.scan(3))
    call = asking(LIST, rig.clock)
    assert await read(await rig.retry(call, rig.upstream)) == 3
    assert (call.journal.attempts, pieces.open) == (3, 0)
    assert rig.pauses == [0.05, 0.1]


async def test_a_scan_that_has_begun_is_not_repeated() -> None:
    pieces = Pieces()
    rig = Rig(pieces.scan(2, unavailable(UNKNOWN)), pieces.scan(3))
    with pytest.raises(UpstreamUnavailable):
        await read(await rig.perform(LIST))
    assert (len(rig.upstream.calls), pieces.open) == (1, 0)


async def test_a_scan_that_is_not_read_to_its_end_is_closed() -> None:
    pieces = Pieces()
    rig = Rig(pieces.scan(5))
    result = await rig.perform(LIST)
    assert isinstance(result, Scan)
    await anext(result.pieces)
    assert pieces.open == 1
    await result.pieces.aclose()
    assert pieces.open == 0


@given(
    told=st.lists(st.sampled_from(["not_sent", "unknown", "throttled", "rejected", "done"]), min_size=6),
    operation=st.sampled_from([GET, CREATE, REPLACE, ACTION]),
    seconds=st.floats(0.01, 30),
    jitter=st.floats(0, 1),
)
async def test_what_may_double_is_never_sent_after_it_may_have_been_done(
    told: list[str], operation: Operation, seconds: float, jitter: float
) -> None:
    ends: dict[str, Result | GatewayError] = {
        "not_sent": unavailable(),
        "unknown": unavailable(UNKNOWN, retryable=True),
        "throttled": throttled(),
        "rejected": UpstreamRejected("no"),
        "done": DONE,
    }
    rig = Rig(*(ends[name] for name in told), settings=RetrySettings(attempts=5), jitter=jitter)
    call: Call = asking(operation, rig.clock, seconds=seconds)
    with suppress(GatewayError):
        await rig.retry(call, rig.upstream)
    sent = told[: len(rig.upstream.calls)]
    assert len(sent) <= 5
    assert not {"rejected", "done"} & set(sent[:-1])
    assert all(at < call.deadline for at in rig.upstream.at)
    if not operation.idempotent:
        assert "unknown" not in sent[:-1]
