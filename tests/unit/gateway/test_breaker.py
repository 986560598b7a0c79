"""The circuit breaker: what opens it, who may try it, what closes it, and what it does without its store."""

from __future__ import annotations

import asyncio

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
from contracts.operations import Operation
from contracts.results import BatchDone, MemberDone, ReadingsTaken, ReadingTaken, Result, Scan
from gateway.policies.breaker import Breaker, of_error, of_result
from gateway.policies.circuit import Circuit, Verdict
from gateway.settings import BreakerSettings
from gateway.stores.memory import MemoryStore
from gateway.stores.ports import BreakerStore, Closed, Open, Probe, StoreLost
from tests.faults.wires import ManualClock
from tests.unit.gateway.policy_rig import DONE, GET, LIST, Heard, Pieces, Upstream, asking

NOT_SENT, REFUSED, UNKNOWN = Outcome.NOT_SENT, Outcome.REFUSED, Outcome.UNKNOWN
DOWN = UpstreamUnavailable("down", outcome=NOT_SENT)
REJECTED = UpstreamRejected("no", upstream=UpstreamAnswer("rest", 400))
BUSY = Overloaded("full")


class LosableStore:
    """The circuits of a store that can be lost, or slow until that is set; ``asked`` are its steps."""

    def __init__(self, store: BreakerStore) -> None:
        self.lost = False
        self.slow: asyncio.Event | None = None
        self.reached = asyncio.Event()
        self.asked: list[str] = []
        self._store = store

    async def _reach(self, step: str) -> None:
        self.reached.set()
        if self.slow is not None:
            await self.slow.wait()
        if self.lost:
            raise StoreLost("no answer")
        self.asked.append(step)

    async def trip(self, circuit: str, base: int, longest: int, jitter: float) -> Open:
        await self._reach("trip")
        return await self._store.trip(circuit, base, longest, jitter)

    async def probe(self, circuit: str, holder: str, lease: int) -> Closed | Open | Probe:
        await self._reach("probe")
        return await self._store.probe(circuit, holder, lease)

    async def close(self, circuit: str) -> None:
        await self._reach("close")
        await self._store.close(circuit)


class Plant:
    """Replicas over one store; ``upstream`` says what it is told to. Without jitter unless asked for."""

    def __init__(self, settings: BreakerSettings | None = None, *, jitter: float = 0.5) -> None:
        self.clock = ManualClock()
        self.heard = Heard()
        self.settings = settings or BreakerSettings()
        self.store = LosableStore(MemoryStore(self.clock).breakers)
        self.upstream = Upstream(DONE)
        self.jitter = jitter
        self.circuit = self.replica()

    def replica(self) -> Circuit:
        return Circuit(
            self.settings,
            self.store,
            environment="plant",
            adapter="rest",
            clock=self.clock,
            events=self.heard.events,
            random=lambda: self.jitter,
        )

    async def perform(
        self,
        told: Result | BaseException = DONE,
        *,
        circuit: Circuit | None = None,
        operation: Operation = GET,
        seconds: float = 30.0,
        waited: float = 0.0,
    ) -> Result | BaseException:
        """How one call ends, of which the upstream says ``told``; it has ``waited`` for other slots before."""
        self.upstream.told = [told]
        call = asking(operation, self.clock, seconds=seconds)
        call.journal.queue_seconds = waited
        try:
            breaker = Breaker(circuit or self.circuit, self.clock, self.settings.slow)
            return await breaker(call, self.upstream)
        except GatewayError as error:
            return error

    async def several(self, count: int, told: Result | BaseException) -> None:
        for _ in range(count):
            await self.perform(told)

    async def refused(self, circuit: Circuit | None = None) -> CircuitOpen:
        """The refusal of a call that must not have reached the upstream."""
        before = len(self.upstream.calls)
        error = await self.perform(circuit=circuit)
        assert isinstance(error, CircuitOpen)
        assert len(self.upstream.calls) == before
        return error


async def test_it_opens_after_five_failures_in_a_row() -> None:
    plant = Plant()
    await plant.several(4, DOWN)
    assert await plant.perform() is DONE
    await plant.several(4, DOWN)
    assert plant.circuit.state() == "closed"
    await plant.several(1, DOWN)
    assert plant.circuit.state() == "open for 5 s"
    error = await plant.refused()
    assert (error.outcome, error.retryable, error.retry_after) == (NOT_SENT, True, 5.0)
    (line,) = plant.heard.lines("circuit opened")
    told = {key: line[key] for key in ("environment", "adapter", "seconds", "reason")}
    assert told == {
        "environment": "plant",
        "adapter": "rest",
        "seconds": 5.0,
        "reason": "5 failures in a row",
    }


async def test_it_opens_when_half_of_twenty_fail() -> None:
    plant = Plant()
    for _ in range(9):
        await plant.perform(DOWN)
        await plant.perform()
    await plant.perform()
    assert plant.circuit.state() == "closed"
    await plant.perform(DOWN)
    assert plant.circuit.state() == "open for 5 s"
    assert plant.heard.lines("circuit opened")[0]["reason"] == "10 of 20 calls failed in 30 s"


async def test_less_than_half_is_borne() -> None:
    plant = Plant()
    for _ in range(30):
        await plant.perform()
        await plant.perform(DOWN)
        await plant.perform()
    assert plant.circuit.state() == "closed"


async def test_what_is_older_than_thirty_seconds_does_not_count() -> None:
    plant = Plant()
    for _ in range(9):
        await plant.perform(DOWN)
        await plant.perform()
    plant.clock.time += 30.0
    for _ in range(9):
        await plant.perform()
        await plant.perform(DOWN)
    assert plant.circuit.state() == "closed"
    plant.clock.time += 29.9
    await plant.perform()
    await plant.perform(DOWN)
    assert plant.circuit.state() != "closed"


async def test_failures_that_are_older_do_not_count_among_the_new_ones() -> None:
    plant = Plant()
    for _ in range(9):
        await plant.perform(DOWN)
        await plant.perform()
    plant.clock.time += 30.0
    await plant.several(18, DONE)
    await plant.several(2, DOWN)
    assert plant.circuit.state() == "closed"


async def test_a_call_that_goes_well_opens_nothing() -> None:
    plant = Plant(BreakerSettings(failures=100))
    await plant.several(10, DOWN)
    await plant.several(10, DONE)
    assert plant.circuit.state() == "closed"
    await plant.perform(DOWN)
    assert plant.circuit.state() != "closed"


async def test_what_says_nothing_does_not_end_a_row() -> None:
    plant = Plant()
    await plant.several(4, DOWN)
    await plant.several(9, BUSY)
    await plant.perform(DOWN)
    assert plant.circuit.state() != "closed"


async def test_closed_it_asks_the_store_nothing() -> None:
    plant = Plant()
    for _ in range(4):
        await plant.perform(DOWN)
        await plant.perform()
    assert plant.store.asked == []


@pytest.mark.parametrize(
    "error",
    [
        DOWN,
        UpstreamUnavailable("500", outcome=REFUSED, upstream=UpstreamAnswer("rest", 500)),
        UpstreamUnavailable("lost", outcome=UNKNOWN),
        UpstreamInvalidResponse("what"),
        UpstreamInvalidResponse("a redirect", upstream=UpstreamAnswer("rest", 302), outcome=REFUSED),
        OutcomeUnknown("lost"),
        DeadlineExceeded("slow", outcome=UNKNOWN),
    ],
)
def test_what_counts_as_a_failure(error: GatewayError) -> None:
    assert of_error(error, late=True) is Verdict.FAILED


@pytest.mark.parametrize(
    "error",
    [
        REJECTED,
        RecordNotFound("absent", outcome=REFUSED),
        InvalidBody("lacks", outcome=REFUSED),
        QuotaExceeded("429", upstream=UpstreamAnswer("rest", 429)),
        UpstreamAuthFailed("401", upstream=UpstreamAnswer("rest", 401)),
        UpstreamInvalidResponse("418", upstream=UpstreamAnswer("rest", 418), outcome=REFUSED),
        UpstreamInvalidResponse("404", upstream=UpstreamAnswer("rest", 404), outcome=UNKNOWN),
    ],
)
def test_what_is_an_answer(error: GatewayError) -> None:
    assert of_error(error, late=True) is Verdict.ANSWERED


@pytest.mark.parametrize(
    "error",
    [
        BUSY,
        StoreUnavailable("lost"),
        QuotaExceeded("full", outcome=NOT_SENT),
        QuotaExceeded("full"),
        DeadlineExceeded("late"),
        InvalidBody("wrong"),
        asyncio.CancelledError(),
        ValueError("a mistake of ours"),
    ],
)
def test_what_says_nothing_of_the_upstream(error: BaseException) -> None:
    assert of_error(error, late=True) is Verdict.SILENT


class Slow(Upstream):
    """An upstream that has not answered when the deadline comes; a call waits for its slot for ``queued`` seconds."""

    def __init__(self, clock: ManualClock, *, queued: float = 0.0) -> None:
        super().__init__(DONE)
        self.clock = clock
        self.queued = queued

    async def __call__(self, call: Call) -> Result:
        call.journal.queue_seconds += self.queued
        self.clock.time = call.deadline
        raise DeadlineExceeded("late", outcome=UNKNOWN)


@pytest.mark.parametrize(
    ("seconds", "queued", "opens"),
    [(0.5, 0.0, False), (9.9, 0.0, False), (10.0, 0.0, True), (30.0, 20.5, False), (30.0, 19.5, True)],
)
async def test_a_callers_impatience_is_no_failure_of_the_upstream(
    seconds: float, queued: float, opens: bool
) -> None:
    plant = Plant()
    plant.upstream = Slow(plant.clock, queued=queued)
    for _ in range(5):
        # Also what it waited before, for another request of the same call, is not the upstream's.
        await plant.perform(seconds=seconds, waited=7.0)
    assert (plant.circuit.state() != "closed") is opens


async def test_it_refuses_while_it_pauses_and_while_it_is_tried() -> None:
    plant = await tripped()
    assert plant.circuit.refuses
    plant.clock.time += 4.9
    assert plant.circuit.refuses
    # Nobody is refused from here on until somebody tries it.
    plant.clock.time += 0.2
    assert not plant.circuit.refuses
    trial = await plant.circuit.enter(asking(GET, plant.clock))
    # However long that takes.
    plant.clock.time += 20
    assert plant.circuit.refuses
    await plant.circuit.leave(trial, Verdict.ANSWERED)
    assert not plant.circuit.refuses


async def test_an_impatient_call_neither_closes_nor_prolongs_what_it_tries() -> None:
    plant = await tripped()
    plant.clock.time += 5
    sound, plant.upstream = plant.upstream, Slow(plant.clock)
    await plant.perform(seconds=0.5)
    assert plant.circuit.state() == "to be tried"
    plant.upstream = sound
    plant.clock.time += 0.002
    assert await plant.perform() is DONE
    assert plant.circuit.state() == "closed"


@pytest.mark.parametrize("error", [DeadlineExceeded("late", outcome=UNKNOWN), OutcomeUnknown("lost")])
def test_a_part_that_came_too_late_says_as_much_as_a_call_that_did(error: GatewayError) -> None:
    result = BatchDone(results=(MemberDone("1", DONE), MemberDone("2", error)))
    assert of_result(result, late=False) is of_error(error, late=False)
    assert of_result(result, late=True) is Verdict.FAILED


def test_a_result_of_many_parts_is_what_its_last_sent_part_is() -> None:
    fine, lost = ReadingTaken(line_id="1"), ReadingTaken(error=OutcomeUnknown("lost"))
    rest, wrong = ReadingTaken(error=DOWN), ReadingTaken(error=REJECTED)
    for parts, verdict in [
        ((fine, lost, rest, rest), Verdict.FAILED),
        ((lost, fine), Verdict.ANSWERED),
        ((fine, rest), Verdict.ANSWERED),
        ((fine, wrong), Verdict.ANSWERED),
        ((rest,), Verdict.SILENT),
    ]:
        assert of_result(ReadingsTaken(results=parts), late=True) is verdict
    torn = BatchDone(results=(MemberDone("1", DONE), MemberDone("2", OutcomeUnknown("torn"))))
    assert of_result(torn, late=True) is Verdict.FAILED
    assert of_result(DONE, late=True) is Verdict.ANSWERED


async def test_refusals_never_open_it() -> None:
    plant = Plant()
    for _ in range(50):
        for error in (REJECTED, BUSY, QuotaExceeded("429", upstream=UpstreamAnswer("rest", 429))):
            await plant.perform(error)
    assert plant.circuit.state() == "closed"


async def tripped(settings: BreakerSettings | None = None, **more: float) -> Plant:
    plant = Plant(settings, **more)
    await plant.several(plant.settings.failures, DOWN)
    return plant


async def test_one_call_tries_it_and_closes_it() -> None:
    plant = await tripped()
    plant.clock.time += 4.999
    await plant.refused()
    plant.clock.time += 0.001
    assert await plant.perform() is DONE
    assert plant.circuit.state() == "closed"
    assert len(plant.heard.lines("circuit closed")) == 1
    await plant.several(4, DOWN)
    assert plant.circuit.state() == "closed"


async def test_an_answer_that_is_a_refusal_closes_it_too() -> None:
    plant = await tripped()
    plant.clock.time += 5
    assert await plant.perform(REJECTED) is REJECTED
    assert plant.circuit.state() == "closed"


async def test_it_stays_open_for_twice_as_long_each_time_up_to_the_longest() -> None:
    plant = await tripped(BreakerSettings(pause=5.0, longest=30.0))
    told = []
    for _ in range(5):
        error = await plant.refused()
        told.append(error.retry_after)
        plant.clock.time += error.retry_after or 0
        assert await plant.perform(DOWN) is DOWN
    assert told == [5.0, 10.0, 20.0, 30.0, 30.0]
    reasons = [line["reason"] for line in plant.heard.lines("circuit opened")]
    assert reasons == ["5 failures in a row", *["the call that tried it failed"] * 5]


async def test_once_closed_it_begins_anew() -> None:
    plant = await tripped()
    plant.clock.time += 5
    await plant.perform(DOWN)
    plant.clock.time += 10
    await plant.perform()
    await plant.several(5, DOWN)
    assert (await plant.refused()).retry_after == 5.0


@pytest.mark.parametrize(("jitter", "seconds"), [(0.0, 4.0), (1.0, 6.0)])
async def test_the_pause_varies_by_a_fifth(jitter: float, seconds: float) -> None:
    plant = await tripped(jitter=jitter)
    assert (await plant.refused()).retry_after == pytest.approx(seconds)


class Held:
    """A handler that waits until it is let go."""

    def __init__(self, ends: BaseException | Result = DONE) -> None:
        self.entered = asyncio.Event()
        self.go = asyncio.Event()
        self.ends = ends
        self.calls: list[Call] = []

    async def __call__(self, call: Call) -> Result:
        self.calls.append(call)
        self.entered.set()
        await self.go.wait()
        if isinstance(self.ends, BaseException):
            raise self.ends
        return self.ends


async def trying(plant: Plant, held: Held, *, seconds: float = 30.0) -> asyncio.Task[Result]:
    """A call under way that tries the circuit."""
    call = asking(GET, plant.clock, seconds=seconds)
    task = asyncio.create_task(Breaker(plant.circuit, plant.clock, 10.0)(call, held))
    await held.entered.wait()
    return task


async def test_only_one_call_tries_it_whatever_the_replica() -> None:
    plant = await tripped()
    other = plant.replica()
    for _ in range(5):
        await plant.perform(DOWN, circuit=other)
    plant.clock.time += 5
    held = Held()
    task = await trying(plant, held)
    assert plant.circuit.state() == "being tried"
    for circuit in (plant.circuit, other, plant.circuit):
        await plant.refused(circuit)
    held.go.set()
    await task
    assert await plant.perform() is DONE
    assert other.state() != "closed"
    plant.clock.time += 1
    assert await plant.perform(circuit=other) is DONE
    assert other.state() == "closed"


async def test_its_failure_opens_it_longer_for_all() -> None:
    plant = await tripped()
    other = plant.replica()
    for _ in range(5):
        await plant.perform(DOWN, circuit=other)
    plant.clock.time += 5
    await plant.perform(DOWN)
    assert (await plant.refused(other)).retry_after == 10.0
    assert (await plant.refused()).retry_after == 10.0


async def test_while_it_is_tried_others_are_told_to_come_back_soon() -> None:
    plant = await tripped()
    plant.clock.time += 5
    held = Held()
    task = await trying(plant, held)
    asked = len(plant.store.asked)
    assert (await plant.refused()).retry_after == 1.0
    assert len(plant.store.asked) == asked
    held.go.set()
    await task


async def test_the_trial_is_over_with_the_deadline_of_the_call() -> None:
    plant = await tripped()
    plant.clock.time += 5
    held = Held()
    task = await trying(plant, held, seconds=3.0)
    plant.clock.time += 2.9
    await plant.refused()
    plant.clock.time += 0.1
    assert await plant.perform() is DONE
    assert plant.circuit.state() == "closed"
    held.go.set()
    await task


@pytest.mark.parametrize("silent", [BUSY, QuotaExceeded("full", outcome=NOT_SENT), DeadlineExceeded("late")])
async def test_a_call_that_says_nothing_gives_the_trial_back(silent: GatewayError) -> None:
    plant = await tripped()
    plant.clock.time += 5
    assert await plant.perform(silent) is silent
    plant.clock.time += 0.002
    assert await plant.perform() is DONE
    assert plant.circuit.state() == "closed"


async def test_a_call_that_is_cancelled_gives_the_trial_back_to_any_replica() -> None:
    plant = await tripped()
    other = plant.replica()
    for _ in range(5):
        await plant.perform(DOWN, circuit=other)
    plant.clock.time += 5
    task = await trying(plant, Held())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    plant.clock.time += 0.002
    assert await plant.perform(DOWN, circuit=other) is DOWN
    # No failure was made of the cancelled one: this one is the second.
    assert (await plant.refused(other)).retry_after == 10.0


async def test_what_was_under_way_when_it_opened_does_not_close_it_or_open_it_longer() -> None:
    plant = Plant()
    held, holding = Held(), [Held(DOWN) for _ in range(5)]
    well, badly = await trying(plant, held), [await trying(plant, one) for one in holding]
    await plant.several(5, DOWN)
    for one in (held, *holding):
        one.go.set()
    await well
    for task in badly:
        with pytest.raises(UpstreamUnavailable):
            await task
    assert plant.circuit.state() == "open for 5 s"
    assert plant.store.asked == ["trip"]


async def test_while_the_store_is_told_that_it_opens_nothing_passes() -> None:
    plant = Plant()
    plant.store.slow = asyncio.Event()
    await plant.several(4, DOWN)
    opening = asyncio.create_task(plant.perform(DOWN))
    await plant.store.reached.wait()
    assert (await plant.refused()).retry_after == 5.0
    plant.store.slow.set()
    await opening
    assert plant.store.asked == ["trip"]


async def test_what_waited_when_it_opened_is_barred_and_what_tries_it_is_not() -> None:
    plant = Plant()
    waiting = asking(GET, plant.clock)
    assert plant.circuit.barred(waiting) is None
    await plant.several(5, DOWN)
    barred = plant.circuit.barred(waiting)
    assert barred is not None
    assert barred.retry_after == 5.0
    plant.clock.time += 5
    held = Held()
    task = await trying(plant, held)
    (trial,) = held.calls
    assert plant.circuit.barred(trial) is None
    assert plant.circuit.barred(waiting) is not None
    held.go.set()
    await task
    assert plant.circuit.barred(waiting) is None


async def test_an_open_circuit_is_asked_about_once_a_second() -> None:
    plant = await tripped()
    other = plant.replica()
    for _ in range(5):
        await plant.perform(DOWN, circuit=other)
    plant.clock.time += 5
    held = Held()
    task = await trying(plant, held)
    asked = len(plant.store.asked)
    for _ in range(10):
        await plant.refused(other)
    assert len(plant.store.asked) == asked + 1
    plant.clock.time += 1
    for _ in range(10):
        await plant.refused(other)
    assert len(plant.store.asked) == asked + 2
    held.go.set()
    await task


async def test_without_its_store_it_goes_on_by_itself() -> None:
    plant = Plant()
    plant.store.lost = True
    await plant.several(5, DOWN)
    assert (await plant.refused()).retry_after == 5.0
    plant.clock.time += 5
    held = Held(DOWN)
    task = await trying(plant, held)
    plant.clock.time += 1
    await plant.refused()
    held.go.set()
    with pytest.raises(UpstreamUnavailable):
        await task
    assert (await plant.refused()).retry_after == 10.0
    plant.clock.time += 10
    assert await plant.perform(DOWN) is DOWN
    assert (await plant.refused()).retry_after == 20.0
    plant.clock.time += 20
    assert await plant.perform(BUSY) is BUSY
    plant.clock.time += 0.002
    assert await plant.perform() is DONE
    assert plant.circuit.state() == "closed"
    await plant.several(5, DOWN)
    assert (await plant.refused()).retry_after == 5.0
    assert plant.heard.lines("store error")


async def test_a_store_that_is_lost_while_it_is_open_does_not_close_it() -> None:
    plant = await tripped()
    plant.store.lost = True
    plant.clock.time += 4
    await plant.refused()
    plant.clock.time += 1
    assert await plant.perform(DOWN) is DOWN
    assert (await plant.refused()).retry_after == 10.0


async def test_a_store_that_is_lost_leaves_it_to_what_this_process_reckons() -> None:
    plant = Plant()
    other = plant.replica()
    for _ in range(5):
        await plant.perform(DOWN, circuit=other)
    plant.clock.time += 3
    await plant.several(5, DOWN)
    assert (await plant.refused()).retry_after == 2.0
    plant.clock.time += 2
    plant.store.lost = True
    assert (await plant.refused()).retry_after == 3.0


async def test_a_store_that_never_heard_of_it_does_not_close_it() -> None:
    plant = Plant()
    plant.store.lost = True
    await plant.several(5, DOWN)
    plant.store.lost = False
    plant.clock.time += 5
    held = Held()
    task = await trying(plant, held)
    plant.clock.time += 1
    await plant.refused()
    held.go.set()
    await task
    assert plant.circuit.state() == "closed"


async def test_two_adapters_have_two_circuits() -> None:
    plant = await tripped()
    other = Circuit(
        plant.settings,
        plant.store,
        environment="plant",
        adapter="soap",
        clock=plant.clock,
        events=plant.heard.events,
        random=lambda: 0.5,
    )
    assert await plant.perform(circuit=other) is DONE
    for _ in range(5):
        await plant.perform(DOWN, circuit=other)
    plant.clock.time += 5
    assert await plant.perform() is DONE
    await plant.perform(DOWN, circuit=other)
    assert other.state() == "open for 10 s"


async def read(scan: Result | BaseException, most: int = 100) -> int:
    assert isinstance(scan, Scan)
    taken = 0
    try:
        async for _ in scan.pieces:
            taken += 1
            if taken == most:
                break
    except GatewayError:
        pass
    finally:
        await scan.pieces.aclose()
    return taken


async def test_a_scan_that_breaks_while_it_is_read_is_a_failure() -> None:
    plant, pieces = Plant(), Pieces()
    for broken in range(5):
        assert plant.circuit.state() == "closed"
        await read(await plant.perform(pieces.scan(broken, DOWN), operation=LIST))
    assert plant.circuit.state() == "open for 5 s"
    assert pieces.open == 0


@pytest.mark.parametrize(("pieces", "most"), [(0, 1), (3, 100), (3, 1)])
async def test_a_scan_that_gives_what_is_read_of_it_went_well(pieces: int, most: int) -> None:
    plant, given = Plant(), Pieces()
    await plant.several(4, DOWN)
    await read(await plant.perform(given.scan(pieces), operation=LIST), most)
    await plant.several(4, DOWN)
    assert plant.circuit.state() == "closed"
    assert given.open == 0


async def test_a_reader_who_is_too_slow_is_no_failure() -> None:
    plant, pieces = Plant(), Pieces()
    late = DeadlineExceeded("late", outcome=UNKNOWN)
    for _ in range(20):
        scan = await plant.perform(pieces.scan(2, late), operation=LIST)
        plant.clock.time += 10.0
        await read(scan)
    assert plant.circuit.state() == "closed"
    for _ in range(5):
        await read(await plant.perform(pieces.scan(0, late), operation=LIST))
    assert plant.circuit.state() == "closed"
    for _ in range(5):
        scan = await plant.perform(pieces.scan(0, late), operation=LIST)
        plant.clock.time += 10.0
        await read(scan)
    assert plant.circuit.state() == "open for 5 s"


async def test_a_scan_can_try_it() -> None:
    plant, pieces = await tripped(), Pieces()
    plant.clock.time += 5
    scan = await plant.perform(pieces.scan(2), operation=LIST)
    assert plant.circuit.state() == "being tried"
    await read(scan)
    assert plant.circuit.state() == "closed"


@given(
    steps=st.lists(st.tuples(st.sampled_from(["down", "done", "busy"]), st.floats(0, 8)), max_size=60),
    jitter=st.floats(0, 1),
)
async def test_open_it_lets_nothing_through_and_is_tried_in_the_end(
    steps: list[tuple[str, float]], jitter: float
) -> None:
    plant = Plant(BreakerSettings(failures=2, pause=1.0, longest=4.0), jitter=jitter)
    ends: dict[str, Result | GatewayError] = {"down": DOWN, "done": DONE, "busy": BUSY}
    for name, later in steps:
        closed = plant.circuit.state() == "closed"
        result = await plant.perform(ends[name])
        assert result is ends[name] or (isinstance(result, CircuitOpen) and not closed)
        if isinstance(result, CircuitOpen):
            assert 0 < (result.retry_after or 0) <= 4.0 * 1.2
        plant.clock.time += later
    plant.clock.time += 4.0 * 1.2
    assert await plant.perform() is DONE
    assert plant.circuit.state() == "closed"
