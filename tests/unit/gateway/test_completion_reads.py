"""Reads made of scans: how much is read, what stops them, and what they cost."""

from __future__ import annotations

from contextlib import aclosing, nullcontext

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import (
    GatewayError,
    OperationNotSupported,
    Outcome,
    RecordNotFound,
    UpstreamInvalidResponse,
    UpstreamUnavailable,
)
from contracts.operations import GetRecord, ListRecords, RunExport
from contracts.results import Page
from contracts.schema import Record
from gateway.tenants import Tenant
from tests.unit.gateway.plants import (
    Exporter,
    Pager,
    Tables,
    call,
    getting,
    identity,
    items,
    listing,
    place,
    record,
    tenant,
)


def plant(count: int = 10) -> Tables:
    """Pieces of equipment, every second one of the department 01; of its two departments 02 has none."""
    return {
        "Equipment": [
            {"Id": f"{n:05}", "Description": f"Pump {9 - n}", "Department": "01" if n % 2 else None}
            for n in range(1, count + 1)
        ],
        "Department": [{"Id": "01", "Description": "Works"}, {"Id": "02", "Description": "Empty"}],
        "Job": [{"Id": "0000001", "Department": "01", "Status": 1}],
    }


def ids(records: object) -> list[str]:
    assert isinstance(records, list)
    return [row["Id"] for row in records]


async def test_an_unordered_page_stops_reading_when_it_has_enough() -> None:
    exporter = Exporter(plant(), piece=1)
    page = await tenant({"exporter": exporter}).perform(call(listing("Equipment", limit=2)))
    assert isinstance(page, Page)
    assert ids(page.items) == ["00001", "00002"]
    assert page.next == "2"
    assert exporter.taken == 3
    assert exporter.open == 0


@pytest.mark.parametrize("more", [{"count": True}, {"orderby": "Description"}])
async def test_a_count_and_an_order_need_the_whole_set(more: dict[str, object]) -> None:
    exporter = Exporter(plant(), piece=1)
    operation = listing("Equipment", limit=2, **more)  # type: ignore[arg-type]
    await tenant({"exporter": exporter}).perform(call(operation))
    assert exporter.taken == 10


async def test_a_page_has_a_thousand_records_when_the_caller_names_no_limit() -> None:
    exporter = Exporter(plant(1500), piece=300)
    page = await tenant({"exporter": exporter}).perform(call(listing("Equipment", skip=100)))
    assert isinstance(page, Page)
    assert (len(page.items), page.next) == (1000, "1100")


async def test_the_last_page_is_the_last() -> None:
    page = await tenant({"exporter": Exporter(plant())}).perform(
        call(listing("Equipment", limit=5, continuation="5"))
    )
    assert isinstance(page, Page)
    assert (ids(page.items)[0], page.next) == ("00006", None)


async def streamed(over: Tenant, operation: ListRecords) -> list[Record]:
    whole = await over.stream(call(operation))
    return [row async for piece in whole.pieces for row in piece]


@given(count=st.integers(0, 12), piece=st.integers(1, 5), limit=st.integers(1, 12), whole=st.booleans())
async def test_the_limit_is_of_the_records_that_are_looked_at(
    count: int, piece: int, limit: int, whole: bool
) -> None:
    exporter = Exporter(plant(count), piece=piece)
    over = tenant({"exporter": exporter}, scan_limit=limit)
    operation = listing("Equipment", filter="Description like 'Pump%'", orderby="Id")
    with pytest.raises(OperationNotSupported) if count > limit else nullcontext() as refused:
        if whole:
            found = await streamed(over, operation)
        else:
            found = await items(over, operation)
        assert len(found) == count
    assert refused is None or refused.value.outcome is Outcome.REFUSED
    assert exporter.open == 0


async def test_past_the_limit_the_caller_is_told_what_would_narrow_the_read() -> None:
    exporter = Exporter(plant(), narrows={"Equipment": ("Id", "Code")})
    over = tenant({"exporter": exporter}, scan_limit=5)
    with pytest.raises(OperationNotSupported, match=r"5 records of Equipment.*filters by Id, Code") as caught:
        await items(over, listing("Equipment", filter="Description eq 'x'"))
    assert "scan_limit" in caught.value.detail
    assert ids(await items(over, listing("Equipment", filter="Id eq '00008' and Description like 'P%'"))) == [
        "00008"
    ]
    with pytest.raises(OperationNotSupported, match="does not filter by itself"):
        await items(tenant({"exporter": Exporter(plant())}, scan_limit=5), listing("Equipment", count=True))


async def test_a_page_that_is_full_before_the_limit_is_served() -> None:
    over = tenant({"exporter": Exporter(plant(), piece=10)}, scan_limit=5)
    assert len(await items(over, listing("Equipment", limit=4))) == 4
    with pytest.raises(OperationNotSupported):
        await items(over, listing("Equipment", limit=8))


async def test_a_whole_set_has_no_limit_and_is_given_as_it_comes() -> None:
    exporter = Exporter(plant(), piece=2)
    over = tenant({"exporter": exporter}, scan_limit=1)
    work = call(listing("Equipment", select="Id", skip=1))
    async with aclosing((await over.stream(work)).pieces) as pieces:
        assert await anext(pieces) == [{"Id": "00002"}]
        assert exporter.taken == 1
        assert [len(piece) async for piece in pieces] == [2, 2, 2, 2]
    assert work.journal.records == 9


async def test_a_stream_that_is_left_closes_its_scan() -> None:
    exporter = Exporter(plant())
    whole = await tenant({"exporter": exporter}).stream(call(listing("Equipment")))
    async with aclosing(whole.pieces) as pieces:
        await anext(pieces)
        assert exporter.open == 1
    assert exporter.open == 0


async def test_an_export_that_is_run_as_it_is_streams() -> None:
    work = call(RunExport(name="Department"))
    pieces = (await tenant({"exporter": Exporter(plant())}).stream(work)).pieces
    assert [ids(piece) async for piece in pieces] == [["01", "02"]]
    assert (work.journal.records, work.journal.adapter) == (2, "exporter")


async def test_a_scan_that_breaks_off_fails_the_read() -> None:
    exporter = Exporter(plant())
    exporter.breaks = UpstreamUnavailable("gone")
    over = tenant({"exporter": exporter})
    with pytest.raises(UpstreamUnavailable):
        await items(over, listing("Equipment"))
    assert len(await items(over, listing("Equipment", limit=2))) == 2
    assert exporter.open == 0


async def test_two_records_with_one_key_are_an_invalid_answer() -> None:
    tables = plant()
    tables["Equipment"] *= 2
    with pytest.raises(UpstreamInvalidResponse, match="more than one record"):
        await record(tenant({"exporter": Exporter(tables)}), "Equipment/00001")


async def test_one_record_is_asked_for_by_its_key() -> None:
    exporter = Exporter(plant(), narrows={"Equipment": ("Id",)}, piece=1)
    found = await record(tenant({"exporter": exporter}, scan_limit=1), "Equipment/00004", select="Id")
    assert found == {"Id": "00004"}
    assert exporter.taken == 1


async def test_a_collection_with_records_costs_one_read() -> None:
    tables = plant()
    tables["Job"].append({"Id": "0000002", "Department": "02", "Status": 1})
    exporter = Exporter(tables, piece=1)
    over = tenant({"exporter": exporter})
    assert await items(over, listing("Department/01/Jobs", filter="Status eq 2")) == []
    assert [entity for entity, _ in exporter.asked] == ["Job"]


async def test_an_empty_collection_has_its_owner_looked_at() -> None:
    exporter = Exporter(plant())
    over = tenant({"exporter": exporter})
    work = call(listing("Department/02/Jobs"))
    page = await over.perform(work)
    assert isinstance(page, Page)
    assert page.items == []
    assert [entity for entity, _ in exporter.asked] == ["Job", "Department"]
    assert (work.journal.units, work.journal.records) == (2, 0)
    for read in (
        items(over, listing("Department/03/Jobs")),
        streamed(over, listing("Department/03/Jobs")),
    ):
        with pytest.raises(RecordNotFound):
            await read


async def test_a_collection_whose_owner_cannot_be_read_is_empty() -> None:
    tables = plant()
    del tables["Department"]
    assert await items(tenant({"exporter": Exporter(tables)}), listing("Department/03/Jobs")) == []


async def test_the_owner_is_read_by_whatever_adapter_reads_it() -> None:
    exporter, pager = Exporter({"Job": plant()["Job"]}), Pager(plant())
    over = tenant({"exporter": exporter, "pager": pager}, routes={"department": ("pager",)})
    work = call(listing("Department/02/Jobs"))
    await over.perform(work)
    assert [identity(operation.place) for operation in pager.asked if isinstance(operation, GetRecord)] == [
        "02"
    ]
    assert work.journal.adapter == "exporter"


@pytest.mark.parametrize(
    ("operation", "reason"),
    [
        (GetRecord(place=place("Equipment/00001"), expand=(("Department",),)), "nothing can be expanded"),
        (listing("Equipment", expand=(("Department",),)), "nothing can be expanded"),
        (
            listing("Equipment", filter="not (Department/Description eq 'x')"),
            "does not hold Department/Description",
        ),
        (listing("Equipment", orderby="Department/Site/Id"), "does not hold Department/Site/Id"),
        (listing("Job/0000001/Equipments"), "Job/Equipments means"),
        (listing("Vendor"), "Vendor is not exported"),
        (getting("Vendor/1"), "Vendor is not exported"),
        (getting("Equipment/00001/Vendor"), "Vendor is not exported"),
    ],
)
async def test_what_an_export_does_not_hold_is_refused_with_the_reason(
    operation: ListRecords | GetRecord, reason: str
) -> None:
    exporter = Exporter(plant())
    over = tenant({"exporter": exporter})
    with pytest.raises(OperationNotSupported, match=f"exporter: .*{reason}"):
        await over.perform(call(operation))
    with pytest.raises(OperationNotSupported, match=reason):
        over.plan(call(operation))
    assert exporter.asked == []


@pytest.mark.parametrize(
    ("operation", "requests", "at_most", "completed"),
    [
        (listing("Equipment", filter="Id eq '1'", limit=5), 1, 1, ("filter", "limit")),
        (listing("Equipment", orderby="Id", select="Id", skip=1, count=True), 1, 1,
         ("orderby", "select", "skip", "limit", "count")),
        (msgspec.structs.replace(listing("Equipment"), whole=True), 1, 1, ()),
        (listing("Department/01/Jobs"), 2, 2, ("navigation", "limit")),
        (getting("Equipment/00001"), 1, 1, ("key",)),
        (getting("Department/01/Jobs/0000001"), 1, 1, ("key", "navigation")),
        (getting("Equipment/00001/Department", select="Id"), 1, 2, ("key", "navigation", "select")),
        (listing("Department/ExternalId=x/Jobs"), 1, 2, ("navigation", "limit")),
    ],
)  # fmt: skip
async def test_a_plan_says_what_the_gateway_does_and_what_it_can_cost(
    operation: ListRecords | GetRecord, requests: int, at_most: int, completed: tuple[str, ...]
) -> None:
    exporter = Exporter(plant())
    plan = tenant({"exporter": exporter}).plan(call(operation))
    assert (plan.adapter, len(plan.requests), plan.at_most) == ("exporter", requests, at_most)
    assert plan.completed == completed
    assert exporter.asked == []


async def test_no_more_is_sent_than_the_plan_says() -> None:
    for operation in (
        listing("Department/02/Jobs"),
        getting("Equipment/00001/Department"),
        listing("Equipment"),
    ):
        over = tenant({"exporter": Exporter(plant())})
        work = call(operation)
        at_most = over.plan(work).at_most
        await over.perform(work)
        assert work.journal.units == at_most


class Circle(Pager):
    """A pager whose last page leads back to the first."""

    async def perform(self, call: object, wire: object) -> Page:
        return Page(items=[{"Id": "1"}], next="again")


async def test_pages_are_read_to_the_end_each_with_its_deadline() -> None:
    over = tenant({"pager": Pager(plant(5))})
    work = call(listing("Equipment", count=True), seconds=-1)
    deadlines = iter([call(listing("Equipment")).deadline] * 3)
    whole = await over.stream(work, page_deadline=lambda: next(deadlines))
    assert [ids(piece) async for piece in whole.pieces] == [["00001", "00002"], ["00003", "00004"], ["00005"]]
    assert work.journal.records == 5
    with pytest.raises(GatewayError, match="deadline"):
        await over.stream(work)
    assert over.plan(call(msgspec.structs.replace(listing("Equipment"), whole=True))).at_most is None


async def test_pages_that_run_in_a_circle_end() -> None:
    with pytest.raises(UpstreamInvalidResponse, match="circle"):
        await streamed(tenant({"pager": Circle({})}), listing("Equipment"))
