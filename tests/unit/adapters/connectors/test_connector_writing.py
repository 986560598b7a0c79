"""Writes over import connectors: what is sent, and how the answer's objects are told apart."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters._connectors.adapter import OBJECTS_A_REQUEST
from adapters._connectors.imports import import_objects
from adapters._connectors.options import ExportOptions, ImportOptions
from adapters._connectors.runs import MOST_ANSWERED
from adapters.connector.options import AshxOptions
from contracts.adapter import UnusableOptions
from contracts.errors import GatewayError, InvalidBody, InvalidPath, PayloadTooLarge
from contracts.operations import (
    ChangeRecord,
    CreateRecord,
    DeleteRecord,
    GetRecord,
    ImportObject,
    ListRecords,
    Member,
    Operation,
    Query,
    ReplaceRecord,
    RunExport,
    RunImport,
    Write,
    WriteBatch,
)
from contracts.paths import print_path
from contracts.results import BatchDone, Deleted, ImportDone, Stored
from tests.unit.adapters.connectors.rig import (
    a_call,
    an_adapter,
    an_object,
    at,
    data,
    http,
    listing,
    performed,
    upstream,
)

NEW: dict[str, object] = {"Context": 1, "Status": 1}


def change(id: str, path: str = "Equipment/{}", **more: object) -> Member:
    place = at(path.format(id))
    return Member(id=id, write=ChangeRecord(place=place, body={"Description": "x"}), **more)  # type: ignore[arg-type]


def creation(id: str) -> Member:
    return Member(id=id, write=CreateRecord(place=at("Equipment"), body=NEW))


async def results(answer: bytes, *members: Member) -> list[object]:
    async with upstream(answer) as url:
        done = await performed(an_adapter(), WriteBatch(members=members), url)
    assert isinstance(done, BatchDone)
    assert [result.id for result in done.results] == [member.id for member in members]
    return [shown(result.result) for result in done.results]


def shown(result: Stored | Deleted | GatewayError) -> object:
    if isinstance(result, Stored):
        assert not result.whole
        assert isinstance(result.record, dict)
        return result.record["Id"], result.created
    return result.code if isinstance(result, GatewayError) else "deleted"


async def test_one_write_answers_its_key() -> None:
    answer = http(data(an_object("BuildingPart", "Insert", Id__Building__Id="0001", Id__Id="001")))
    async with upstream(answer) as url:
        write = ChangeRecord(place=at("Building/0001/BuildingParts/001"), body=NEW, upsert=True)
        done = await performed(an_adapter(), write, url)
    assert isinstance(done, Stored)
    assert (done.record, done.created, done.whole) == ({"Id": {"Building": "0001", "Id": "001"}}, True, False)
    assert print_path(done.path) == "BuildingPart/Building=0001,Id=001"


@pytest.mark.parametrize(("action", "created"), [("Insert", True), ("Update", False), ("UPDATE", False)])
async def test_what_was_done_says_whether_the_record_is_new(action: str, created: bool) -> None:
    assert await results(http(data(an_object("Equipment", action, Id="1"))), change("1")) == [("1", created)]


async def test_an_action_that_was_not_asked_for_is_not_taken_for_it() -> None:
    """A connector's configuration can fix its action, whatever the object says."""
    deletion = Member(id="1", write=DeleteRecord(place=at("Equipment/1")))
    told = {
        action: await results(
            http(data(*[an_object("Equipment", action, Id="1")] * 3)), change("1"), creation("a"), deletion
        )
        for action in ("Update", "Skip", "Delete")
    }
    assert told == {
        "Update": [("1", False), ("1", False), "outcome_unknown"],
        "Skip": ["upstream_rejected"] * 3,
        "Delete": ["outcome_unknown", "outcome_unknown", "deleted"],
    }


async def test_of_an_answer_with_more_objects_than_any_import_sends_the_first_are_kept() -> None:
    many = "<Object/>" * (MOST_ANSWERED + 100_000)
    first, last = (an_object("Equipment", "Update", Id=id) for id in ("1", "2"))
    answer = http(f"<Data>{first}{many}{last}</Data>")
    assert await results(answer, change("1"), change("2")) == [("1", False), "outcome_unknown"]


async def test_a_key_that_the_answer_leaves_out_is_the_one_that_was_written() -> None:
    assert await results(http(data(an_object("Equipment", "Update"))), change("1")) == [("1", False)]
    assert await results(http(data(an_object("Equipment", "Insert"))), creation("a")) == ["outcome_unknown"]


async def test_records_without_keys_are_told_by_their_places() -> None:
    answer = data(
        an_object("Equipment", "Insert", Id="7"), an_object("Equipment", "Error", ErrorMessage="no")
    )
    assert await results(http(answer), creation("a"), creation("b")) == [("7", True), "upstream_rejected"]


async def test_an_answer_in_another_order_is_told_by_the_keys() -> None:
    answer = data(
        an_object("Equipment", "Error", Id="2", ErrorMessage="no"), an_object("Equipment", "Update", Id="1")
    )
    assert await results(http(answer), change("1"), change("2")) == [("1", False), "upstream_rejected"]


async def test_a_record_that_the_answer_leaves_out_is_unknown() -> None:
    answer = http(data(an_object("Equipment", "Update", Id="3"), an_object("Equipment", "Update", Id="1")))
    assert await results(answer, change("1"), change("2"), change("3")) == [
        ("1", False),
        "outcome_unknown",
        ("3", False),
    ]
    assert (
        await results(http(data(an_object("Equipment", "Insert", Id="3"))), creation("a"), creation("b"))
        == ["outcome_unknown"] * 2
    )
    assert await results(http(data()), change("1")) == ["outcome_unknown"]


async def test_an_answer_of_something_else_is_unknown() -> None:
    assert await results(http(data(an_object("Job", "Update", Id="1"))), change("1")) == ["outcome_unknown"]
    assert await results(http(data(an_object("Equipment", "Update", Id="9"))), change("1")) == [
        "outcome_unknown"
    ]
    assert await results(http(data(an_object("Equipment", "Explode", Id="1"))), change("1")) == [
        "outcome_unknown"
    ]


async def test_one_key_twice_is_told_by_place_or_not_at_all() -> None:
    twice = [change("1"), Member(id="again", write=change("1").write)]
    both = an_object("Equipment", "Update", Id="1") * 2
    assert await results(http(data(both)), *twice) == [("1", False)] * 2
    assert await results(http(data(both[: len(both) // 2])), *twice) == ["outcome_unknown"] * 2


@pytest.mark.parametrize("missing", [0, 7])
async def test_of_an_answer_that_breaks_off_what_came_is_known(missing: int) -> None:
    body = data(an_object("Equipment", "Update", Id="1"), an_object("Equipment", "Update", Id="2"))
    answer = http(body[: body.rindex("<Property")], missing=missing)
    assert await results(answer, change("1"), change("2"), change("3")) == [
        ("1", False),
        "outcome_unknown",
        "outcome_unknown",
    ]


async def test_a_delete_and_its_refusal() -> None:
    gone = Member(id="d", write=DeleteRecord(place=at("Equipment/1")))
    assert await results(http(data(an_object("Equipment", "Delete", Id="1"))), gone) == ["deleted"]
    refused = http(data(an_object("Equipment", "Error", Id="1", ErrorMessage="in use")))
    assert await results(refused, gone) == ["upstream_rejected"]


async def test_a_member_that_xml_cannot_hold_is_not_sent_and_the_others_are() -> None:
    odd = Member(id="odd", write=ChangeRecord(place=at("Equipment/2"), body={"Description": "a\x01"}))
    answer = http(data(an_object("Equipment", "Update", Id="1")))
    assert await results(answer, odd, change("1")) == ["invalid_body", ("1", False)]
    done = await performed(an_adapter(), WriteBatch(members=(odd,)), "http://127.0.0.1:9")
    assert isinstance(done, BatchDone)
    assert [shown(result.result) for result in done.results] == ["invalid_body"]


@pytest.mark.parametrize(
    ("operation", "pointer"),
    [
        (ChangeRecord(place=at("Equipment/1"), body={"Description": "a\x0bb"}), "/Description"),
        (
            ChangeRecord(place=at("Equipment/1"), body={"Department": {"ExternalId": "\ufffe"}}),
            "/Department/ExternalId",
        ),
        (ChangeRecord(place=at("Equipment/1"), body={"_a\x01": "x"}), "/_a\x01"),
        (ChangeRecord(place=at("Equipment/1"), body={"_a": ["x"]}), "/_a"),
        (ChangeRecord(place=at("Job/1"), body={"TargetDate": "2024-10-27T01:30:00Z"}), "/TargetDate"),
        (
            RunImport(name="X", objects=(ImportObject(type="A", action="Insert", properties={"B": "\0"}),)),
            "/objects/0/properties/B",
        ),
        (RunExport(name="X", filter={"Code": "\0"}), "/filter/Code"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_its_place_before_anything_is(
    operation: Operation, pointer: str
) -> None:
    with pytest.raises(InvalidBody) as told:
        an_adapter().plan(a_call(operation))
    assert [fault.pointer for fault in told.value.faults] == [pointer]


def test_a_key_that_xml_cannot_hold_is_refused() -> None:
    with pytest.raises(InvalidPath):
        an_adapter().plan(a_call(ChangeRecord(place=at("Equipment/%EF%BF%BE"), body={"Description": "x"})))


@pytest.mark.parametrize(
    ("operation", "says"),
    [
        (ReplaceRecord(place=at("Equipment/1"), body=NEW), "PATCH with ?upsert=true"),
        (CreateRecord(place=at("Vendor"), body=NEW), "imports"),
        (ChangeRecord(place=at("Equipment/1"), body={"Description": {"NL": "x"}}), "one language"),
        (CreateRecord(place=at("Invoice/ExternalId=x/Lines"), body=NEW), "Invoice"),
        (CreateRecord(place=at("Job/1/Equipments"), body=NEW), "Job"),
        (listing("Job"), "exports"),
        (listing("Department/01/Jobs"), "exports"),
        (ListRecords(place=at("Equipment"), query=Query(expand=(("Vendor",),))), "expanded"),
        (ListRecords(place=at("Equipment"), query=Query(limit=1)), "whole set"),
        (GetRecord(place=at("Equipment/1")), ""),
        (WriteBatch(members=(Member(id="a", group="g", write=change("1").write),)), "transactions"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(operation: Operation, says: str) -> None:
    reason = an_adapter().refusal(operation)
    assert reason is not None
    assert says in reason


def test_without_connectors_the_capabilities_say_what_to_configure() -> None:
    capabilities = an_adapter(AshxOptions(measurements=None)).capabilities
    assert capabilities.operations == {"export", "import"}
    assert "exports" in capabilities.missing["list"]
    for kind in ("create", "change", "delete", "batch"):
        assert "imports" in capabilities.missing[kind]
    assert "measurements" in capabilities.missing["measurements"]


def test_options_that_the_data_model_contradicts_are_refused_all_at_once_when_the_adapter_opens() -> None:
    exports = {
        "Equipmnt": ExportOptions("X"),
        "equipment": ExportOptions("X", ("Id", "Colour", "Cod", "Department.Id")),
    }
    imports = {"_Own": ImportOptions("X"), "Job": ImportOptions("X"), "JOB": ImportOptions("X")}
    with pytest.raises(UnusableOptions) as caught:
        an_adapter(AshxOptions(exports=exports, imports=imports))
    assert caught.value.mistakes == {
        "exports.Equipmnt": 'there is no such entity; did you mean "Equipment"?',
        "imports._Own": "there is no such entity; name it under 'entities' of the environment or of this tenant",
        "imports.JOB": "Job has a connector here already",
        "exports.equipment.filters[1]": "'Colour' is no property of Equipment",
        "exports.equipment.filters[2]": "'Cod' is no property of Equipment; did you mean \"Code\"?",
    }


def member(id: str, write: Write, **more: object) -> Member:
    return Member(id=id, write=write, **more)  # type: ignore[arg-type]


def test_a_pack_ends_where_the_connector_changes_a_group_begins_or_one_waits() -> None:
    adapter = an_adapter()
    job = member("j", ChangeRecord(place=at("Job/1"), body={"Description": "x"}))
    assert adapter.pack([change("1"), change("2"), job]) == 2
    assert adapter.pack([change("1"), change("2", depends_on=("1",))]) == 1
    assert adapter.pack([change("1"), change("2", depends_on=("0",)), change("3", origin="1")]) == 2
    assert adapter.pack([change("1"), change("2", group="g")]) == 1
    assert adapter.pack([change(str(number)) for number in range(OBJECTS_A_REQUEST + 5)]) == OBJECTS_A_REQUEST


@settings(deadline=None, max_examples=10)
@given(st.lists(st.integers(1, 3_000_000), min_size=1, max_size=4))
def test_a_pack_is_as_many_as_fit_and_can_be_sent(sizes: list[int]) -> None:
    adapter = an_adapter()
    members = [
        member(str(number), ChangeRecord(place=at("Equipment/1"), body={"Code": "x" * size}))
        for number, size in enumerate(sizes)
    ]
    taken = adapter.pack(members)
    assert 1 <= taken <= len(members)
    assert adapter.plan(a_call(WriteBatch(members=tuple(members[:taken]))))


def test_a_record_that_no_request_can_hold_is_refused() -> None:
    huge = ChangeRecord(place=at("Equipment/1"), body={"Code": "<" * 3_000_000})
    with pytest.raises(PayloadTooLarge):
        an_adapter().pack([member("1", huge), change("2")])
    with pytest.raises(PayloadTooLarge):
        an_adapter().plan(a_call(huge))


NESTED = RunImport(
    name="IMP_X",
    objects=(
        ImportObject(
            type="Equipment",
            action="InsertOrUpdate",
            properties={"Id": "E1", "Context": 1, "TrackAndTrace": True, "PurchasePrice": 1.50, "Code": None},
            objects=(
                ImportObject(
                    type="EquipmentMeasurementPoint",
                    action="Insert",
                    properties={
                        "Id.Equipment.Id": "${Parent.Id}",
                        "Id.Id": "P",
                        "Description": "not ${Parent.Id}",
                    },
                ),
            ),
        ),
        ImportObject(type="Equipment", action="Delete", properties={"Id": "${Parent.Id}"}),
    ),
)


def test_only_what_is_nested_refers_to_its_parent() -> None:
    first, second = import_objects(NESTED)
    assert first.properties == {
        "Id": "E1",
        "Context": "1",
        "TrackAndTrace": "true",
        "PurchasePrice": "1.5",
        "Code": None,
    }
    assert first.objects[0].evaluated == {"Id.Equipment.Id"}
    assert not second.evaluated


PARENT = an_object("Equipment", "Insert", Id="E1")
CHILD = an_object("EquipmentMeasurementPoint", "Insert", Id__Equipment__Id="E1", Id__Id="P")
LAST = an_object("Equipment", "Delete", Id="${Parent.Id}")
FAILED = an_object("Equipment", "Error", Id="E1", ErrorMessage="no")


@pytest.mark.parametrize(
    ("objects", "told"),
    [
        ((PARENT.replace("</Object>", CHILD + "</Object>"), LAST), ["Insert", "Insert", "Delete"]),
        ((PARENT, CHILD, LAST), ["Insert", "Insert", "Delete"]),
        ((PARENT, LAST), ["Insert", "outcome_unknown", "Delete"]),
        ((FAILED, LAST), ["upstream_rejected", "failed_dependency", "Delete"]),
        (
            (FAILED.replace("</Object>", CHILD.replace("Insert", "Error") + "</Object>"), LAST),
            ["upstream_rejected", "upstream_rejected", "Delete"],
        ),
        ((LAST,), ["outcome_unknown", "outcome_unknown", "Delete"]),
    ],
)
async def test_an_import_as_it_is_tells_of_each_object_children_behind_their_parent(
    objects: tuple[str, ...], told: list[str]
) -> None:
    async with upstream(http(data(*objects))) as url:
        done = await performed(an_adapter(), NESTED, url)
    assert isinstance(done, ImportDone)
    assert [result.type for result in done.results] == ["Equipment", "EquipmentMeasurementPoint", "Equipment"]
    assert [result.action if result.error is None else result.error.code for result in done.results] == told
    assert all(result.action == "Error" for result in done.results if result.error is not None)


async def test_keys_of_an_import_are_those_of_the_records() -> None:
    async with upstream(http(data(PARENT, CHILD, LAST))) as url:
        done = await performed(an_adapter(), NESTED, url)
    assert isinstance(done, ImportDone)
    assert [result.key for result in done.results] == ["E1", {"Equipment": "E1", "Id": "P"}, "${Parent.Id}"]
