"""The batch body: every rule, every violation at its pointer, and paths that begin at another operation's record."""

from __future__ import annotations

import time
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.batches import MAX_OPERATIONS, check_batch, rebased, units
from contracts.entities import standard_schema
from contracts.errors import InvalidBody, InvalidPath
from contracts.json_objects import MAX_FAULTS
from contracts.operations import ChangeRecord, CreateRecord, DeleteRecord, Member, ReplaceRecord
from contracts.paths import KeyPart, parse_path, print_path, unaddressable
from contracts.schema import Entity, Property, PropertyType

SCHEMA = standard_schema().extended([Entity.of("_Meter", Property("Id", PropertyType.INTEGER))])
NEW = {"Context": 1, "Status": 2}


def an_operation(
    id: object = "1", method: object = "PATCH", path: object = "Job/1", **rest: object
) -> dict[str, object]:
    body: dict[str, object] = (
        {}
        if method == "DELETE"
        else {"body": {"Description": "x"} | (NEW if method in ("PUT", "POST") else {})}
    )
    return {"id": id, "method": method, "path": path, **body, **rest}


def checked(*operations: object) -> tuple[Member, ...]:
    return check_batch(SCHEMA, {"operations": [*operations]})


def pointers(*operations: object) -> list[str]:
    with pytest.raises(InvalidBody) as caught:
        checked(*operations)
    return [fault.pointer for fault in caught.value.faults]


def test_each_method_in_any_case_is_a_write() -> None:
    members = checked(
        an_operation("p", "pUt", "Equipment/00001", body=NEW),
        an_operation("c", "POST", "job", body=NEW),
        an_operation("x", "Patch", "Equipment/ExternalId=4711"),
        an_operation("d", "delete", "EquipmentSparePart/Equipment=1,Article=2", body=None, dependsOn=None),
    )
    assert [type(member.write) for member in members] == [
        ReplaceRecord,
        CreateRecord,
        ChangeRecord,
        DeleteRecord,
    ]
    assert [print_path(member.write.place.path) for member in members] == [
        "Equipment/00001",
        "Job",
        "Equipment/ExternalId=4711",
        "EquipmentSparePart/Equipment=1,Article=2",
    ]
    assert [(member.group, member.depends_on, member.origin) for member in members] == [(None, (), None)] * 4


def test_groups_and_dependencies() -> None:
    members = checked(
        an_operation("1"),
        an_operation("2", dependsOn=["1", "1"]),
        an_operation("a", atomicityGroup="g"),
        an_operation("b", atomicityGroup="g", dependsOn=["a"]),
        an_operation("3", atomicityGroup=None),
    )
    assert [(member.id, member.group, member.depends_on) for member in members] == [
        ("1", None, ()),
        ("2", None, ("1",)),
        ("a", "g", ()),
        ("b", "g", ("a",)),
        ("3", None, ()),
    ]
    assert [[member.id for member in unit] for unit in units(members)] == [["1"], ["2"], ["a", "b"], ["3"]]


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([7], ["/operations/0"]),
        ([{}], ["/operations/0/id", "/operations/0/method", "/operations/0/path"]),
        ([an_operation(1)], ["/operations/0/id"]),
        ([an_operation("")], ["/operations/0/id"]),
        ([an_operation("a b")], ["/operations/0/id"]),
        ([an_operation("ä")], ["/operations/0/id"]),
        ([an_operation("a\n")], ["/operations/0/id"]),
        ([an_operation("x" * 129)], ["/operations/0/id"]),
        ([an_operation("1"), an_operation("1")], ["/operations/1/id"]),
        ([an_operation(method="GET")], ["/operations/0/method"]),
        ([an_operation(method=None)], ["/operations/0/method"]),
        ([an_operation(path="Job/1?upsert=true")], ["/operations/0/path"]),
        ([an_operation(path="/Job/1")], ["/operations/0/path"]),
        ([an_operation(path="Jobb/1")], ["/operations/0/path"]),
        ([an_operation(path="Job")], ["/operations/0/path"]),
        ([an_operation(path=1)], ["/operations/0/path"]),
        ([an_operation(method="POST", path="Vendor")], ["/operations/0/path"]),
        ([an_operation(method="PUT", path="Job/1/Equipment")], ["/operations/0/path"]),
        ([an_operation(method="DELETE", body={})], ["/operations/0/body"]),
        ([an_operation(body=None)], ["/operations/0/body"]),
        ([an_operation(body=[])], ["/operations/0/body"]),
        ([an_operation(body={})], ["/operations/0/body"]),
        (
            [an_operation(body={"Id": "1", "Statos": 1})],
            ["/operations/0/body/Id", "/operations/0/body/Statos"],
        ),
        (
            [an_operation(method="PUT", body={"Vendor": {"ExternalId": 1}, "Context": 1})],
            ["/operations/0/body/Vendor/ExternalId", "/operations/0/body/Status"],
        ),
        ([an_operation(dependson=[])], ["/operations/0/dependson"]),
        ([an_operation(dependsOn="1")], ["/operations/0/dependsOn"]),
        ([an_operation(dependsOn=["1"])], ["/operations/0/dependsOn/0"]),
        (
            [an_operation(dependsOn=["2", 3]), an_operation("2")],
            ["/operations/0/dependsOn/0", "/operations/0/dependsOn/1"],
        ),
        ([an_operation(atomicityGroup=1)], ["/operations/0/atomicityGroup"]),
        ([an_operation(atomicityGroup="a/b")], ["/operations/0/atomicityGroup"]),
        ([an_operation(atomicityGroup="2"), an_operation("2")], ["/operations/0/atomicityGroup"]),
        (
            [an_operation(atomicityGroup="g"), an_operation("2"), an_operation("3", atomicityGroup="g")],
            ["/operations/2/atomicityGroup"],
        ),
        (
            [an_operation(atomicityGroup="g"), an_operation("2", dependsOn=["1"])],
            ["/operations/1/dependsOn/0"],
        ),
        (
            [an_operation(atomicityGroup="g"), an_operation("2", atomicityGroup="h", dependsOn=["1"])],
            ["/operations/1/dependsOn/0"],
        ),
        (
            [an_operation(atomicityGroup="g"), an_operation("2", dependsOn=["g"])],
            ["/operations/1/dependsOn/0"],
        ),
        ([an_operation(), an_operation("2", path="$1")], ["/operations/1/path"]),
        ([an_operation(path="$1", dependsOn=[])], ["/operations/0/path"]),
        (
            [an_operation(method="DELETE"), an_operation("2", path="$1", dependsOn=["1"])],
            ["/operations/1/path"],
        ),
        ([an_operation(), an_operation("2", path="$1/SubJobz/2", dependsOn=["1"])], ["/operations/1/path"]),
    ],
)
def test_each_violation_has_its_pointer(operations: list[object], expected: list[str]) -> None:
    assert pointers(*operations) == expected


def test_what_hangs_on_a_violation_is_not_told_as_another() -> None:
    """The second operation is right but for the first one, whose record it begins at."""
    assert pointers(
        an_operation("1", "POST", "Nothing", body=NEW), an_operation("2", path="$1/Parts", dependsOn=["1"])
    ) == ["/operations/0/path"]
    assert pointers(an_operation("1"), an_operation("2", path="$3", dependsOn=["3"]), an_operation("3")) == [
        "/operations/1/dependsOn/0"
    ]


@pytest.mark.parametrize("body", [{}, {"operations": None}, {"operations": {}}, {"operations": []}])
def test_a_batch_has_operations(body: dict[str, object]) -> None:
    with pytest.raises(InvalidBody) as caught:
        check_batch(SCHEMA, body)
    assert [fault.pointer for fault in caught.value.faults] == ["/operations"]


def test_a_batch_has_nothing_else() -> None:
    with pytest.raises(InvalidBody) as caught:
        check_batch(SCHEMA, {"operations": [an_operation()], "requests": [], "a/b": 1})
    assert [fault.pointer for fault in caught.value.faults] == ["/requests", "/a~1b"]


def test_ten_thousand_operations_and_no_more() -> None:
    operations = [an_operation(str(number)) for number in range(MAX_OPERATIONS)]
    began = time.process_time()
    assert len(checked(*operations)) == 10_000
    assert time.process_time() - began < 5
    assert pointers(*operations, an_operation("more")) == ["/operations"]


def test_no_more_faults_are_told_than_of_any_body() -> None:
    assert len(pointers(*(an_operation(str(number), path="") for number in range(1000)))) == MAX_FAULTS


@pytest.mark.parametrize(
    ("first", "path", "method", "expected"),
    [
        (("POST", "Invoice"), "$a/Lines", "POST", "Invoice/%24a/Lines"),
        (("POST", "Invoice"), "$a", "PATCH", "Invoice/%24a"),
        (("POST", "Invoice"), "$a/", "DELETE", "Invoice/%24a"),
        (("PUT", "Invoice/007"), "$a/lines", "POST", "Invoice/007/Lines"),
        (("PUT", "Invoice/ExternalId=7"), "$a/Lines", "POST", "Invoice/%24a/Lines"),
        (("PUT", "_Meter/12"), "$a/_Values", "POST", "_Meter/12/_Values"),
        (("PUT", "_Meter/ExternalId=1"), "$a/_Values", "POST", "_Meter/0/_Values"),
        (
            ("PUT", "Building/1/BuildingParts/2"),
            "$a/BuildingFloors/3",
            "PUT",
            "BuildingPart/Building=1,Id=2/BuildingFloors/3",
        ),
        (("POST", "Invoice/1/Lines"), "$a", "PATCH", "InvoiceLine/Invoice=%24a,LineId=%24a"),
        (("PUT", "Building/a%2Fb"), "$a/BuildingParts/%2F", "PUT", "Building/a%2Fb/BuildingParts/%2F"),
    ],
)
def test_a_path_that_begins_at_another_operations_record(
    first: tuple[str, str], path: str, method: str, expected: str
) -> None:
    member = checked(
        an_operation("a", *first, body=NEW),
        an_operation("b", method, path, dependsOn=["a"]) | ({"body": NEW} if method == "POST" else {}),
    )[1]
    assert member.origin == "a"
    assert print_path(member.write.place.path) == expected


def test_a_chain_of_records() -> None:
    chain = checked(
        an_operation("1", "POST", "Invoice", body=NEW),
        an_operation("2", "POST", "$1/Lines", body=NEW, dependsOn=["1"]),
        an_operation("3", "PATCH", "$2", dependsOn=["2"]),
    )
    assert print_path(chain[2].write.place.path) == "InvoiceLine/Invoice=%242,LineId=%242"
    real = rebased(SCHEMA, chain[2], parse_path("InvoiceLine/Invoice=001,LineId=0002"))
    assert print_path(real.write.place.path) == "InvoiceLine/Invoice=001,LineId=0002"
    assert (real.id, real.origin, real.depends_on) == ("3", None, ("2",))


def test_the_stand_in_gives_way_to_the_real_key() -> None:
    member = checked(
        an_operation("a", "PUT", "_Meter/ExternalId=1"),
        an_operation("b", "POST", "$a/_Values", body=NEW, dependsOn=["a"]),
    )[1]
    assert unaddressable(member.write.place.path) is None
    real = rebased(SCHEMA, member, parse_path("_Meter/41"))
    assert real.write.place.path.segments[0].key is not None
    assert real.write.place.path.segments[0].key.parts == (KeyPart(None, "41", numeric=True),)
    assert real.write.place.owner == member.write.place.owner


def test_a_key_that_contradicts_the_real_one() -> None:
    member = checked(
        an_operation("a", "PUT", "Building/ExternalId=1"),
        an_operation("b", "PUT", "$a/BuildingParts/Building=$a,Id=1", dependsOn=["a"]),
    )[1]
    with pytest.raises(InvalidPath):
        rebased(SCHEMA, member, parse_path("Building/0001"))


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(["1", "PUT", "Job/1", "$1", "$1/SubJobs"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "method", "path", "body", "dependsOn", "atomicityGroup", "operations", "x"]
            ),
            inner,
            max_size=6,
        )
    ),
)


@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional=dict.fromkeys(
                ("id", "method", "path", "body", "dependsOn", "atomicityGroup", "x"), JUNK
            ),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_whatever_is_given_is_members_or_faults_in_their_own_operation(operations: Iterable[object]) -> None:
    given_operations = [*operations]
    try:
        members = checked(*given_operations)
    except InvalidBody as error:
        for fault in error.faults:
            assert int(fault.pointer.split("/")[2]) < len(given_operations)
    else:
        assert len(members) == len(given_operations)


def test_a_path_goes_on_from_all_of_the_path_that_was_made() -> None:
    second = check_batch(
        SCHEMA,
        {
            "operations": [
                {
                    "id": "1",
                    "method": "PUT",
                    "path": "Building/9/BuildingParts/8",
                    "body": {"Context": 1, "Status": 1},
                },
                {
                    "id": "2",
                    "method": "PATCH",
                    "path": "$1",
                    "dependsOn": ["1"],
                    "body": {"Description": "x"},
                },
            ]
        },
    )[1]
    made = rebased(SCHEMA, second, parse_path("Building/0001/BuildingParts/001"))
    assert print_path(made.write.place.path) == "Building/0001/BuildingParts/001"
    assert made.origin is None
