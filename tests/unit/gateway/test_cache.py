"""The cache: how old an answer may be, what a write ends the use of, and equal reads that go upstream once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.call import CacheUse, Call, Journal
from contracts.errors import (
    DeadlineExceeded,
    GatewayError,
    Outcome,
    Overloaded,
    RecordNotFound,
    UpstreamUnavailable,
)
from contracts.operations import (
    DeleteRecord,
    GetRecord,
    ListRecords,
    Member,
    Operation,
    RunAction,
    RunExport,
    RunImport,
    TakeReadings,
    WriteBatch,
)
from contracts.results import Deleted, Found, Page, Result
from gateway.policies.cache import Cache, max_age
from gateway.policies.changes import EVERYTHING, Changes, changed, shown
from gateway.policies.shelf import Kept, Shelf, size
from gateway.settings import CacheSettings
from tests.faults.wires import ManualClock
from tests.unit.gateway.plants import SCHEMA, getting, listing, place
from tests.unit.gateway.policy_rig import asking

PUMP, FAN = getting("Equipment/00001"), getting("Equipment/00002")
PUMPS = listing("Equipment", filter="Description like 'Pump%'")
ABSENT = RecordNotFound("absent", outcome=Outcome.REFUSED)


class Plant:
    """A cache over an upstream whose every answer is another one, at two units each.

    It answers at once, or with ``held`` when ``answer`` is called; ``fails`` is what it ends in instead.
    """

    def __init__(self, **settings: object) -> None:
        self.clock = ManualClock()
        self.settings = msgspec.convert(settings, CacheSettings)
        self.cache = Cache(self.settings, SCHEMA, self.clock)
        self.asked: list[Call] = []
        self.fails: GatewayError | None = None
        self.held = False
        self._waiting: list[asyncio.Future[None]] = []

    async def perform(self, call: Call) -> Result:
        self.asked.append(call)
        number = len(self.asked)
        call.journal.units += 2
        if self.held:
            waiting = asyncio.get_running_loop().create_future()
            self._waiting.append(waiting)
            await waiting
        if self.fails is not None:
            raise self.fails
        if not call.operation.safe:
            return Deleted()
        if isinstance(call.operation, ListRecords):
            return Page(items=[{"Id": f"{number}.{index}"} for index in range(3)])
        return Found(record={"Id": str(number)})

    def answer(self, index: int = 0) -> None:
        """Let the one go on that has been waiting for the longest, or another one."""
        self._waiting.pop(index).set_result(None)

    def call(self, operation: Operation, age: float | None, **more: object) -> Call:
        return msgspec.structs.replace(asking(operation, self.clock), max_age=age, **more)

    async def ask(self, operation: Operation, age: float | None = 60.0, **more: object) -> Call:
        """The call when it is over."""
        call = self.call(operation, age, **more)
        await self.cache(call, self.perform)
        return call

    def begin(self, operation: Operation, age: float | None = 60.0, **more: object) -> asyncio.Task[Result]:
        return asyncio.create_task(self.give(self.call(operation, age, **more)))

    async def give(self, call: Call) -> Result:
        return await self.cache(call, self.perform)

    async def write(self, operation: Operation) -> None:
        await self.ask(operation, None)


async def settled() -> None:
    """Everything has gone as far as it can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_an_answer_serves_until_it_is_too_old_and_costs_nothing() -> None:
    plant = Plant()
    first = await plant.ask(PUMP, journal=Journal(units=3))
    assert first.journal.cache == CacheUse("miss", stored=True)
    plant.clock.time += 59
    second = plant.call(PUMP, 60.0)
    assert await plant.cache(second, plant.perform) == Found(record={"Id": "1"})
    assert second.journal.cache == CacheUse("hit", age=59, ttl=1)
    assert (second.journal.units, second.journal.saved) == (0, 2)
    assert first.journal.units == 5, "of which three were another read's"
    assert (await plant.ask(PUMP, 58.0)).journal.cache == CacheUse("miss", stored=True)
    assert len(plant.asked) == 2
    plant.clock.time += 30
    assert (await plant.ask(PUMP, 30.0)).journal.cache == CacheUse("hit", age=30, ttl=0)


async def test_no_cache_asks_and_refreshes() -> None:
    plant = Plant()
    await plant.ask(PUMP)
    assert (await plant.ask(PUMP, 0.0)).journal.cache == CacheUse("refresh", stored=True)
    assert await plant.give(plant.call(PUMP, 60.0)) == Found(record={"Id": "2"})


async def test_where_nothing_is_said_nothing_is_kept_or_looked_up() -> None:
    plant = Plant()
    for age in (None, 60.0, None):
        call = await plant.ask(PUMP, age)
    assert call.journal.cache is None
    assert (await plant.ask(FAN, None)).journal.cache is None
    assert len(plant.asked) == 4
    assert (await plant.ask(FAN)).journal.cache == CacheUse("miss", stored=True)


async def test_what_an_answer_is_made_of_is_as_new_as_the_answer() -> None:
    plant = Plant()
    await plant.ask(PUMP)
    assert plant.asked[0].max_age is None


async def test_an_answer_is_as_old_as_its_question() -> None:
    plant = Plant()
    plant.held = True
    reading = plant.begin(PUMP)
    await settled()
    plant.clock.time += 10
    plant.answer()
    await reading
    assert (await plant.ask(PUMP, 10.0)).journal.cache == CacheUse("hit", age=10, ttl=0)
    reading = plant.begin(PUMP, 9.0)
    await settled()
    plant.answer()
    await reading
    assert len(plant.asked) == 2


OTHERS: list[dict[str, object]] = [
    {"operation": FAN},
    {"operation": getting("Equipment/00001", select="Id")},
    {"operation": GetRecord(place=place("Equipment/00001"), expand=(("Vendor",),))},
    {"operation": listing("Equipment", filter="Description like 'Pump%'", limit=1)},
    {"accept_language": "nl"},
    {"content_language": "nl"},
]


@pytest.mark.parametrize("other", OTHERS)
async def test_what_asks_for_something_else_gets_something_else(other: dict[str, object]) -> None:
    plant = Plant()
    await plant.ask(PUMP)
    await plant.ask(PUMPS)
    await plant.ask(**{"operation": PUMP, **other})  # type: ignore[arg-type]
    assert len(plant.asked) == 3


async def test_two_spellings_and_two_clients_ask_for_the_same() -> None:
    plant = Plant()
    await plant.ask(getting("Equipment/00001"))
    hit = await plant.ask(getting("equipment/Id=00001"), client="someone else", urgency=0)
    assert hit.journal.cache == CacheUse("hit", ttl=60)


@pytest.mark.parametrize("error", [ABSENT, UpstreamUnavailable("down"), Overloaded("full")])
async def test_errors_are_never_kept(error: GatewayError) -> None:
    plant = Plant()
    plant.fails = error
    call = plant.call(PUMP, 60.0)
    with pytest.raises(type(error)):
        await plant.cache(call, plant.perform)
    assert call.journal.cache == CacheUse("miss")
    plant.fails = None
    assert (await plant.ask(PUMP)).journal.cache == CacheUse("miss", stored=True)


async def test_nothing_is_kept_for_longer_than_the_longest() -> None:
    plant = Plant(longest=100)
    await plant.ask(PUMP, 1000.0)
    plant.clock.time += 101
    assert (await plant.ask(PUMP, 1000.0)).journal.cache == CacheUse("miss", stored=True)


@pytest.mark.parametrize(
    ("operation", "said", "settings", "expected"),
    [
        (PUMP, None, {}, None),
        (PUMP, 60.0, {}, 60.0),
        (PUMP, 0.0, {}, 0.0),
        (PUMP, 99999.0, {}, 3600.0),
        (PUMP, None, {"seconds": {"equipment": 5}}, 5.0),
        (PUMP, 7.0, {"seconds": {"Equipment": 5}}, 7.0),
        (PUMP, 0.0, {"seconds": {"Equipment": 5}}, 0.0),
        (PUMP, None, {"seconds": {"Equipment": 0, "Vendor": 5}}, None),
        (PUMP, 60.0, {"longest": 0}, None),
        (PUMPS, None, {"seconds": {"Equipment": 5}}, 5.0),
        (ListRecords(place=place("Equipment"), whole=True), 60.0, {"seconds": {"Equipment": 5}}, None),
        (RunExport(name="E"), 60.0, {}, None),
    ],
)
def test_how_old_an_answer_may_be(
    operation: Operation, said: float | None, settings: dict[str, object], expected: float | None
) -> None:
    assert max_age(operation, said, msgspec.convert(settings, CacheSettings)) == expected


WRITES: list[tuple[Operation, Operation, bool]] = [
    (PUMP, DeleteRecord(place=place("Equipment/00001")), True),
    (PUMP, DeleteRecord(place=place("Equipment/00002")), True),
    (PUMPS, DeleteRecord(place=place("Equipment/00002")), True),
    (PUMP, DeleteRecord(place=place("Vendor/2513")), False),
    (GetRecord(place=place("Equipment/00001"), expand=(("Vendor",),)), DeleteRecord(place=place("Vendor/2513")), True),
    (listing("Equipment", filter="Vendor/Name eq 'x'"), DeleteRecord(place=place("Vendor/2513")), True),
    (listing("Equipment", orderby="Vendor/Name"), DeleteRecord(place=place("Vendor/2513")), True),
    (listing("Equipment", filter="Vendor/Id eq 'x'"), DeleteRecord(place=place("Job/1")), False),
    (getting("Equipment/00001", select="Vendor"), DeleteRecord(place=place("Vendor/2513")), False),
    (listing("Equipment", filter="_Own eq 1"), DeleteRecord(place=place("Vendor/2513")), False),
    (listing("Department/01/Jobs"), DeleteRecord(place=place("Job/0000001")), True),
    (listing("Department/01/Jobs"), DeleteRecord(place=place("Department/01")), True),
    (getting("Job/0000001"), DeleteRecord(place=place("Department/01/Jobs/0000001")), True),
    (getting("_Own/1"), DeleteRecord(place=place("_OWN/1")), True),
    (getting("_Own/1"), DeleteRecord(place=place("Job/1")), False),
    (listing("Equipment/00001/_Others"), DeleteRecord(place=place("Job/1")), True),
    (listing("Equipment/00001/_Others"), RunExport(name="x"), False),
    (PUMP, WriteBatch(members=(Member(id="1", write=DeleteRecord(place=place("Job/1"))),)), False),
    (
        PUMP,
        WriteBatch(
            members=(
                Member(id="1", write=DeleteRecord(place=place("Job/1"))),
                Member(id="2", write=DeleteRecord(place=place("Equipment/00001"))),
            )
        ),
        True,
    ),
    (PUMP, RunAction(name="x"), True),
    (PUMP, RunImport(name="x", objects=()), True),
    (PUMP, TakeReadings(readings=()), True),
    (PUMP, RunExport(name="x"), False),
]  # fmt: skip


@pytest.mark.parametrize(("read", "other", "ends"), WRITES)
async def test_a_write_ends_the_use_of_what_it_may_have_changed(
    read: Operation, other: Operation, ends: bool
) -> None:
    plant = Plant()
    await plant.ask(read)
    await plant.write(other)
    use = (await plant.ask(read)).journal.cache
    assert use is not None
    assert use.how == ("miss" if ends else "hit")


async def test_a_write_that_failed_may_have_been_done() -> None:
    plant = Plant()
    await plant.ask(PUMP)
    plant.fails = UpstreamUnavailable("reset", outcome=Outcome.UNKNOWN)
    with pytest.raises(UpstreamUnavailable):
        await plant.write(DeleteRecord(place=place("Equipment/00001")))
    plant.fails = None
    assert (await plant.ask(PUMP)).journal.cache == CacheUse("miss", stored=True)


async def test_what_was_read_while_a_write_was_under_way_is_neither_kept_nor_shared() -> None:
    plant = Plant()
    plant.held = True
    writing = plant.begin(DeleteRecord(place=place("Equipment/00001")), None)
    await settled()
    early = plant.call(PUMP, 60.0)
    before = asyncio.create_task(plant.give(early))
    await settled()
    plant.answer()
    await writing
    after = plant.begin(PUMP)
    await settled()
    assert len(plant.asked) == 3, "the second read does not wait for the first"
    plant.answer()
    assert await before == Found(record={"Id": "2"})
    assert early.journal.cache == CacheUse("miss")
    later = plant.begin(PUMP)
    plant.answer()
    assert await after == await later == Found(record={"Id": "3"})
    assert await plant.give(plant.call(PUMP, 60.0)) == Found(record={"Id": "3"})


async def test_a_flight_that_another_one_took_over_from_still_sees_the_write() -> None:
    plant = Plant()
    plant.held = True
    first = plant.begin(PUMP)
    await settled()
    refreshing = plant.begin(PUMP, 0.0)
    await settled()
    refreshing.cancel()
    await settled()
    plant.held = False
    await plant.write(DeleteRecord(place=place("Equipment/00001")))
    plant.answer()
    await first
    assert (await plant.ask(PUMP)).journal.cache == CacheUse("miss", stored=True)


async def test_an_older_answer_that_comes_later_does_not_take_the_place_of_a_newer_one() -> None:
    plant = Plant()
    plant.held = True
    first = plant.begin(PUMP)
    await settled()
    plant.clock.time += 5
    refreshing = plant.begin(PUMP, 0.0)
    await settled()
    plant.answer(1)
    plant.answer()
    assert await refreshing == Found(record={"Id": "2"})
    assert await first == Found(record={"Id": "1"})
    plant.held = False
    assert (await plant.ask(PUMP, 4.0)).journal.cache == CacheUse("hit", ttl=4)


async def test_equal_reads_go_upstream_once() -> None:
    plant = Plant()
    plant.held = True
    calls = [plant.call(PUMP, 60.0) for _ in range(5)]
    reads = [asyncio.create_task(plant.give(call)) for call in calls]
    await settled()
    plant.clock.time += 3
    plant.answer()
    assert await asyncio.gather(*reads) == [Found(record={"Id": "1"})] * 5
    assert [call.journal.cache for call in calls[1:]] == [CacheUse("collapsed")] * 4
    assert [(call.journal.units, call.journal.saved) for call in calls] == [(2, 0), *[(0, 2)] * 4]
    assert [call.journal.queue_seconds for call in calls] == [0, 3, 3, 3, 3]


async def test_a_read_does_not_wait_for_one_that_is_too_old_or_for_any_when_it_wants_a_new_answer() -> None:
    plant = Plant()
    plant.held = True
    reads = [plant.begin(PUMP)]
    await settled()
    plant.clock.time += 5
    reads += [plant.begin(PUMP, age) for age in (5.0, 4.0, None, 0.0)]
    await settled()
    assert len(plant.asked) == 4, "the first of them waits"
    reads.append(plant.begin(PUMP, 4.0))
    await settled()
    assert len(plant.asked) == 4, "for what the one gets that wanted a new answer"
    for _ in range(4):
        plant.answer()
    await asyncio.gather(*reads)


async def test_what_is_urgent_does_not_wait_for_what_is_not() -> None:
    plant = Plant()
    plant.held = True
    bulk = plant.begin(PUMP, urgency=7)
    await settled()
    interactive = [plant.begin(PUMP, urgency=urgency) for urgency in (2, 1)]
    bulky = plant.begin(PUMP, urgency=6)
    await settled()
    assert len(plant.asked) == 2
    plant.answer(1)
    assert await asyncio.gather(*interactive, bulky) == [Found(record={"Id": "2"})] * 3
    plant.answer()
    assert await bulk == Found(record={"Id": "1"})


async def test_each_waits_within_its_own_deadline() -> None:
    plant = Plant()
    plant.held = True
    first = plant.begin(PUMP)
    await settled()
    with pytest.raises(DeadlineExceeded) as late:
        await plant.give(plant.call(PUMP, 60.0, deadline=plant.clock.monotonic() + 0.01))
    assert late.value.outcome is Outcome.NOT_SENT
    plant.answer()
    assert await first == Found(record={"Id": "1"})


async def test_when_the_one_that_asked_has_gone_another_one_asks_for_all() -> None:
    plant = Plant()
    plant.held = True
    first, *others = [plant.begin(PUMP) for _ in range(4)]
    await settled()
    first.cancel()
    await settled()
    assert first.cancelled()
    assert len(plant.asked) == 2
    plant.answer(1)
    assert await asyncio.gather(*others) == [Found(record={"Id": "2"})] * 3


async def test_one_that_waits_and_goes_takes_nobody_with_it() -> None:
    plant = Plant()
    plant.held = True
    first, second, third = [plant.begin(PUMP) for _ in range(3)]
    await settled()
    second.cancel()
    await settled()
    plant.answer()
    assert await first == await third == Found(record={"Id": "1"})


@pytest.mark.parametrize(
    ("error", "asked"),
    [
        (DeadlineExceeded("late"), 2),
        (UpstreamUnavailable("down"), 4),
        (Overloaded("full"), 4),
        (RuntimeError("a mistake"), 4),
    ],
)
async def test_another_ones_failure_is_nobody_elses(error: GatewayError, asked: int) -> None:
    plant = Plant()
    plant.held = True
    first, *others = [plant.begin(PUMP) for _ in range(4)]
    await settled()
    plant.fails = error
    plant.answer()
    with pytest.raises(type(error)):
        await first
    plant.fails = None
    await settled()
    assert len(plant.asked) == asked
    for _ in range(asked - 1):
        plant.answer()
    assert len(await asyncio.gather(*others)) == 3


async def test_that_there_is_nothing_is_told_to_all() -> None:
    plant = Plant()
    plant.held, plant.fails = True, ABSENT
    calls = [plant.call(PUMP, 60.0) for _ in range(3)]
    reads = [asyncio.create_task(plant.give(call)) for call in calls]
    await settled()
    plant.answer()
    errors = await asyncio.gather(*reads, return_exceptions=True)
    assert [(type(error), str(error)) for error in errors] == [(RecordNotFound, "absent")] * 3
    assert {error.outcome for error in errors if isinstance(error, GatewayError)} == {Outcome.REFUSED}
    assert len({id(error) for error in errors}) == 3
    assert [(call.journal.units, call.journal.saved) for call in calls] == [(2, 0), (0, 2), (0, 2)]


async def test_the_least_recently_used_go_first() -> None:
    plant = Plant(records=5)
    await plant.ask(PUMP)
    await plant.ask(PUMPS)
    await plant.ask(PUMP)
    await plant.ask(listing("Vendor"))
    how = [(await plant.ask(read)).journal.cache for read in (PUMP, PUMPS)]
    assert [use and use.how for use in how] == ["hit", "miss"]


async def test_what_there_is_no_room_for_is_not_kept() -> None:
    plant = Plant(records=2)
    await plant.ask(PUMP)
    assert (await plant.ask(PUMPS)).journal.cache == CacheUse("miss")
    assert (await plant.ask(PUMP)).journal.cache == CacheUse("hit", ttl=60)


class Line(msgspec.Struct):
    Id: str
    Parts: list[dict[str, object]]


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (Found(record={"Id": "1"}), 1),
        (Page(items=[]), 1),
        (Page(items=[{"Id": "1"}, {"Id": "2"}]), 2),
        (Found(record={"Id": "1", "Jobs": [{"Id": "2", "Vendor": {"Id": "3"}}, {"Id": "4"}]}), 4),
        (Found(record=Line("1", [{"Id": "2"}])), 2),
    ],
)
def test_records_within_records_take_room_too(result: Found | Page, expected: int) -> None:
    assert size(result, expanded=True) == expected


@given(
    st.integers(1, 12), st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 8), st.booleans()), max_size=40)
)  # fmt: skip
def test_a_shelf_never_holds_more_than_it_has_room_for(room: int, steps: list[tuple[str, int, bool]]) -> None:
    shelf, held = Shelf(room), dict[str, int]()
    for key, records, finds in steps:
        if finds:
            found = shelf.find(key)
            assert (None if found is None else found.size) == held.get(key)
            if key in held:
                held[key] = held.pop(key)
            continue
        result = Found(record={})
        kept = Kept(result=result, asked=0, units=0, entities=frozenset(), count=0, size=records)
        held.pop(key, None)
        assert shelf.keep(key, kept) is (records <= room)
        if records <= room:
            held[key] = records
        while sum(held.values()) > room:
            del held[next(iter(held))]
    assert {key for key in "abcdef" if shelf.find(key)} == set(held)
    assert bool(shelf) is bool(held)


def test_more_entities_than_can_be_told_apart_are_all_of_them() -> None:
    changes = Changes()
    for number in range(1001):
        changes.note(frozenset({f"_own{number}"}))
    before = changes.count
    assert changes.since(before - 1, frozenset({"job"})), "that they are too many, nobody forgets"
    changes.note(frozenset({"vendor"}))
    assert not changes.since(before, frozenset({"job"}))
    assert changes.since(before, frozenset({"vendor"}))


@pytest.mark.parametrize("name", [shown, changed])
def test_a_custom_navigation_may_lead_to_anything(name: Callable[..., frozenset[str]]) -> None:
    operation = PUMP if name is shown else DeleteRecord(place=place("Equipment/00001"))
    assert name(SCHEMA, operation) == {"equipment"}
    beyond = place("Equipment/00001/_Others/1")
    through = GetRecord(place=beyond) if name is shown else DeleteRecord(place=beyond)
    assert EVERYTHING in name(SCHEMA, through)
