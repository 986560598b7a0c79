"""Writes of which the protocol tells keys alone: what the gateway adds, and that it makes nothing worse."""

from __future__ import annotations

import pytest

from contracts.adapter import Adapter
from contracts.errors import (
    GatewayError,
    InvalidBody,
    Outcome,
    QuotaExceeded,
    RecordNotFound,
    UpstreamRejected,
    UpstreamUnavailable,
)
from contracts.filters import Membership, Or
from contracts.operations import (
    ChangeRecord,
    CreateRecord,
    DeleteRecord,
    ListRecords,
    Member,
    Query,
    Write,
    WriteBatch,
)
from contracts.results import Deleted, MemberDone, Stored
from gateway.tenants import Tenant
from tests.unit.gateway.plants import Exporter, Pager, Tables, call, place, tenant

NEW: dict[str, object] = {"Context": 1, "Status": 2}
WRITES = ("create", "change", "delete", "batch")


def plant(count: int = 3) -> Tables:
    return {
        "Equipment": [{"Id": f"{n:05}", "Description": f"Pump {n}"} for n in range(1, count + 1)],
        "Department": [{"Id": "01"}],
        "Job": [],
    }


def change(path: str, body: dict[str, object] | None = None, *, upsert: bool = False) -> ChangeRecord:
    return ChangeRecord(place=place(path), body=body or {"Description": "New"}, upsert=upsert)


async def store(over: Tenant, operation: Write, *, minimal: bool = False) -> Stored:
    stored = await over.perform(call(operation, minimal=minimal))
    assert isinstance(stored, Stored)
    return stored


async def test_a_changed_record_is_read_back() -> None:
    exporter = Exporter(plant())
    work = call(change("Equipment/00002"))
    stored = await tenant({"exporter": exporter}).perform(work)
    assert isinstance(stored, Stored)
    assert stored.record == {"Id": "00002", "Description": "New"}
    assert (stored.whole, stored.created) == (True, False)
    assert (work.journal.adapter, work.journal.units) == ("exporter", 2)
    assert work.journal.records == 1


async def test_a_created_record_is_read_back_by_the_key_that_it_was_given() -> None:
    stored = await store(
        tenant({"exporter": Exporter(plant())}), CreateRecord(place=place("Equipment"), body=NEW)
    )
    assert stored.record == {"Id": "00004", "Model": "by the upstream", **NEW}
    assert stored.created


async def test_it_is_read_by_the_way_that_the_tenant_prefers() -> None:
    tables = plant()
    exporter, pager = Exporter(tables, kinds=WRITES), Pager(tables)
    work = call(change("Equipment/00002"))
    stored = await tenant({"pager": pager, "exporter": exporter}).perform(work)
    assert isinstance(stored, Stored)
    assert stored.whole
    assert [operation.kind for operation in pager.asked] == ["get"]
    assert (exporter.asked, work.journal.adapter) == ([], "exporter")


async def test_the_key_will_do_for_a_caller_who_says_so() -> None:
    exporter = Exporter(plant())
    stored = await store(tenant({"exporter": exporter}), change("Equipment/00002"), minimal=True)
    assert (stored.record, stored.whole, exporter.asked) == ({"Id": "00002"}, False, [])


@pytest.mark.parametrize("error", [UpstreamUnavailable("down"), QuotaExceeded("full"), RecordNotFound("no")])
async def test_a_write_that_succeeded_stays_a_success(error: GatewayError) -> None:
    tables = plant()
    pager = Pager(tables)
    pager.fails = error
    over = tenant({"pager": pager, "exporter": Exporter(tables, kinds=WRITES)})
    stored = await store(over, change("Equipment/00002"))
    assert (stored.record, stored.whole) == ({"Id": "00002"}, False)
    assert tables["Equipment"][1]["Description"] == "New"


async def test_a_tenant_that_cannot_read_is_told_the_key() -> None:
    stored = await store(tenant({"exporter": Exporter(plant(), kinds=WRITES)}), change("Equipment/00002"))
    assert stored.record == {"Id": "00002"}


@pytest.mark.parametrize("write", [change("Equipment/9"), DeleteRecord(place=place("Equipment/9"))])
async def test_a_refusal_of_what_is_absent_says_so(write: Write) -> None:
    work = call(write)
    with pytest.raises(RecordNotFound) as caught:
        await tenant({"exporter": Exporter(plant())}).perform(work)
    assert caught.value.outcome is Outcome.REFUSED
    assert caught.value.upstream is not None
    assert caught.value.upstream.code == "17"
    assert work.journal.units == 2


@pytest.mark.parametrize("write", [change("Equipment/00001"), DeleteRecord(place=place("Equipment/00001"))])
async def test_a_refusal_of_what_is_there_stands(write: Write) -> None:
    exporter = Exporter(plant())
    exporter.refused.append("00001")
    with pytest.raises(UpstreamRejected):
        await tenant({"exporter": exporter}).perform(call(write, minimal=True))


async def test_a_refusal_stands_when_the_record_cannot_be_looked_at() -> None:
    pager = Pager(plant())
    pager.fails = UpstreamUnavailable("down")
    over = tenant({"pager": pager, "exporter": Exporter(plant(), kinds=WRITES)})
    with pytest.raises(UpstreamRejected):
        await over.perform(call(change("Equipment/9")))


async def test_an_upsert_of_what_is_absent_is_told_what_it_lacks() -> None:
    with pytest.raises(InvalidBody, match="does not exist") as caught:
        await tenant({"exporter": Exporter(plant())}).perform(call(change("Equipment/9", upsert=True)))
    assert {fault.pointer for fault in caught.value.faults} == {"/Context", "/Status"}
    assert caught.value.outcome is Outcome.REFUSED


async def test_a_refusal_of_a_whole_upsert_is_no_reason_to_look() -> None:
    exporter = Exporter(plant())
    exporter.refused.append("9")
    with pytest.raises(UpstreamRejected):
        await tenant({"exporter": exporter}).perform(call(change("Equipment/9", NEW, upsert=True)))
    assert exporter.asked == []


async def test_what_is_created_within_an_absent_record_is_not_found() -> None:
    exporter = Exporter(plant())
    exporter.refused.append("00001")
    over = tenant({"exporter": exporter})
    with pytest.raises(RecordNotFound):
        await over.perform(call(CreateRecord(place=place("Department/nope/Jobs"), body=NEW)))
    with pytest.raises(UpstreamRejected):
        await over.perform(call(CreateRecord(place=place("Department/01/Jobs"), body=NEW)))


def members(*writes: Write) -> tuple[Member, ...]:
    return tuple(Member(id=str(index), write=write) for index, write in enumerate(writes))


async def run(over: Tenant, *writes: Write, minimal: bool = False) -> list[MemberDone]:
    work = call(WriteBatch(members=members(*writes)), minimal=minimal)
    done = [item async for pack in over.batch(work) for item in pack]
    assert work.journal.records == len(done)
    return done


async def test_many_writes_are_read_back_fifty_to_a_request() -> None:
    tables = plant(120)
    exporter, pager = Exporter(tables, kinds=WRITES), Pager(tables)
    over = tenant({"pager": pager, "exporter": exporter})
    done = await run(over, *(change(f"Equipment/{n:05}") for n in range(1, 121)))
    assert [item.result.record for item in done if isinstance(item.result, Stored)] == tables["Equipment"]
    assert len(exporter.writes) == 2
    filters = [operation.query.filter for operation in pager.asked if isinstance(operation, ListRecords)]
    assert [len(tree.values) for tree in filters if isinstance(tree, Membership)] == [50, 50, 20]


async def test_a_scan_reads_all_of_a_pack_at_once_and_no_further_than_it_must() -> None:
    exporter = Exporter(plant(200), piece=10)
    done = await run(tenant({"exporter": exporter}), *(change(f"Equipment/{n:05}") for n in range(1, 51)))
    assert all(isinstance(item.result, Stored) and item.result.whole for item in done)
    assert len(exporter.asked) == 1
    assert exporter.taken == 5
    assert exporter.open == 0


@pytest.mark.parametrize("reader", ["pager", "exporter"])
async def test_composite_keys_are_told_apart(reader: str) -> None:
    tables: Tables = {
        "EquipmentSparePart": [
            {"Id": {"Equipment": equipment, "Article": article}, "Quantity": 1}
            for equipment in ("1", "2")
            for article in ("a", "b", "c")
        ]
    }
    pager, exporter = Pager(tables), Exporter(tables, kinds=(*WRITES, "list"))
    reading: dict[str, Adapter] = {"pager": pager} if reader == "pager" else {}
    over = tenant({**reading, "exporter": exporter})
    paths = ("Equipment=1,Article=a", "Equipment=2,Article=b", "Equipment=2,Article=nope")
    done = await run(over, *(change(f"EquipmentSparePart/{path}", {"Quantity": 2}) for path in paths))
    first, second, third = (item.result for item in done)
    assert isinstance(first, Stored)
    assert first.record == {"Id": {"Equipment": "1", "Article": "a"}, "Quantity": 2}
    assert isinstance(second, Stored)
    assert second.record == {"Id": {"Equipment": "2", "Article": "b"}, "Quantity": 2}
    assert isinstance(third, RecordNotFound)
    if reader == "pager":
        (asked,) = (operation for operation in pager.asked if isinstance(operation, ListRecords))
        assert isinstance(asked.query.filter, Or)


async def test_results_of_a_batch_are_told_as_those_of_single_writes() -> None:
    exporter = Exporter(plant(9))
    exporter.refused.append("00003")
    done = await run(
        tenant({"exporter": exporter}),
        change("Equipment/00001"),
        change("Equipment/99"),
        change("Equipment/00003"),
        change("Equipment/8", upsert=True),
        DeleteRecord(place=place("Equipment/00002")),
        DeleteRecord(place=place("Equipment/7")),
        CreateRecord(place=place("Equipment"), body=NEW),
    )
    results = [item.result for item in done]
    kinds = [Stored, RecordNotFound, UpstreamRejected, InvalidBody, Deleted, RecordNotFound, Stored]
    assert [type(result) for result in results] == kinds
    assert len(exporter.asked) == 1


async def test_a_path_that_begins_at_another_write_is_not_looked_up() -> None:
    exporter = Exporter(plant())
    first = Member(id="1", write=CreateRecord(place=place("Equipment"), body=NEW))
    second = Member(id="2", write=change("Equipment/0"), depends_on=("1",), origin="1")
    over = tenant({"exporter": exporter})
    done = [item async for pack in over.batch(call(WriteBatch(members=(first, second)))) for item in pack]
    assert [type(item.result) for item in done] == [Stored, UpstreamRejected]


async def test_keys_will_do_for_a_batch_too_but_refusals_are_told() -> None:
    exporter = Exporter(plant())
    over = tenant({"exporter": exporter})
    done = await run(over, change("Equipment/00001"), change("Equipment/00002"), minimal=True)
    assert [item.result.whole for item in done if isinstance(item.result, Stored)] == [False, False]
    assert exporter.asked == []
    done = await run(over, change("Equipment/00001"), change("Equipment/9"), minimal=True)
    assert isinstance(done[1].result, RecordNotFound)


async def test_a_batch_that_succeeded_stays_a_success() -> None:
    tables = plant()
    pager = Pager(tables)
    pager.fails = UpstreamUnavailable("down")
    over = tenant({"pager": pager, "exporter": Exporter(tables, kinds=WRITES)})
    done = await run(over, change("Equipment/00001"), change("Equipment/00002"), change("Equipment/9"))
    assert [type(item.result) for item in done] == [Stored, Stored, UpstreamRejected]
    assert len(pager.asked) == 1


async def test_reading_back_looks_at_no_more_records_than_any_read() -> None:
    exporter = Exporter(plant(30), piece=10)
    over = tenant({"exporter": exporter}, scan_limit=10)
    done = await run(over, change("Equipment/00001"), change("Equipment/00025"))
    assert [item.result.whole for item in done if isinstance(item.result, Stored)] == [False, False]
    assert exporter.open == 0


async def test_what_has_an_external_id_is_told_apart_by_it() -> None:
    tables = plant()
    tables["Equipment"][0] |= {"ExternalId": "x", "DataProvider": "erp"}
    exporter = Exporter(tables)
    exporter.refused += ["x", "y"]
    writes = (change("Equipment/ExternalId=x,DataProvider=erp"), change("Equipment/ExternalId=y"))
    done = await run(tenant({"exporter": exporter}), *writes, minimal=True)
    assert [type(item.result) for item in done] == [UpstreamRejected, RecordNotFound]


@pytest.mark.parametrize(
    ("operation", "minimal", "requests", "at_most", "completed"),
    [
        (change("Equipment/00001"), False, 2, 2, ("read-back",)),
        (change("Equipment/00001"), True, 2, 2, ()),
        (change("Equipment/00001", NEW, upsert=True), True, 1, 1, ()),
        (DeleteRecord(place=place("Equipment/00001")), False, 2, 2, ()),
        (CreateRecord(place=place("Equipment"), body=NEW), False, 1, 2, ("read-back",)),
        (CreateRecord(place=place("Equipment"), body=NEW), True, 1, 1, ()),
        (WriteBatch(members=members(change("Equipment/1"))), False, 1, None, ("read-back",)),
    ],
)
def test_a_plan_counts_the_read_that_follows(
    operation: Write | WriteBatch,
    minimal: bool,
    requests: int,
    at_most: int | None,
    completed: tuple[str, ...],
) -> None:
    plan = tenant({"exporter": Exporter(plant())}).plan(call(operation, minimal=minimal))
    assert (plan.adapter, len(plan.requests), plan.at_most) == ("exporter", requests, at_most)
    assert plan.completed == completed


def test_a_plan_does_without_the_read_that_nothing_serves() -> None:
    over = tenant({"exporter": Exporter(plant(), kinds=WRITES)})
    for write in (change("Equipment/00001"), CreateRecord(place=place("Equipment"), body=NEW)):
        plan = over.plan(call(write))
        assert (plan.at_most, plan.completed) == (1, ())


async def test_a_list_is_asked_of_the_reader_without_a_page() -> None:
    tables = plant()
    pager = Pager(tables)
    over = tenant({"pager": pager, "exporter": Exporter(tables, kinds=WRITES)})
    await run(over, change("Equipment/00001"), change("Equipment/00002"))
    (asked,) = pager.asked
    assert isinstance(asked, ListRecords)
    assert asked.query == Query(filter=asked.query.filter)
