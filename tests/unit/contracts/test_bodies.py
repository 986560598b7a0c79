"""The rules for bodies, and what the upstream gets."""

import json
from decimal import Decimal

import pytest

from contracts.addressing import resolve
from contracts.bodies import canonical_body, check_body, encode_body
from contracts.entities import standard_schema
from contracts.errors import Fault, InvalidBody
from contracts.paths import parse_path
from contracts.schema import Entity, Property, PropertyType
from contracts.writing import WriteKind

SCHEMA = standard_schema().extended(
    [
        Entity.of("Reading", Property("Id", PropertyType.INTEGER)),
        Entity.of("Job", Property("_Reading", PropertyType.REFERENCE, "Reading")),
        Entity.of("Job", Property("_Other", PropertyType.REFERENCE, "_Unknown")),
    ]
)
WHOLE: dict[str, object] = {"Context": 1, "Status": 2}


def faults(path: str, kind: WriteKind, body: dict[str, object], *, upsert: bool = False) -> list[Fault]:
    try:
        check_body(SCHEMA, resolve(SCHEMA, parse_path(path)), kind, body, upsert=upsert)
    except InvalidBody as error:
        return list(error.faults)
    return []


def pointers(path: str, kind: WriteKind, body: dict[str, object], *, upsert: bool = False) -> list[str]:
    return [fault.pointer for fault in faults(path, kind, body, upsert=upsert)]


@pytest.mark.parametrize(
    "body",
    [
        {"Status": "2", "context": "1"},
        {"DESCRIPTION": "x" * 200},
        {"Description": {"NL": "a", "en-US": None}},
        {"PurchasePrice": Decimal("1.10"), "ReplacementCost": "-12.5", "ManufactureYear": Decimal("2013.0")},
        {"TrackAndTrace": False, "InstallDate": "2016-02-29"},
        {"Vendor": "0001", "Department": None, "Site": {"ExternalId": "7"}},
        {"Space": {"externalid": "7", "DataProvider": "erp"}},
        {"BuildingPart": {"building": "1", "Id": "2"}, "BuildingFloor": {"ExternalId": "7"}},
        {"_Custom": {"any": ["thing"]}},
        {"ExternalId": "4711", "DataProvider": "erp"},
    ],
)
@pytest.mark.parametrize("kind", ["create", "replace"])
def test_a_good_body_passes(kind: WriteKind, body: dict[str, object]) -> None:
    path = "Equipment" if kind == "create" else "Equipment/1"
    assert faults(path, kind, WHOLE | body if "Status" not in body else body) == []


@pytest.mark.parametrize(
    ("body", "pointer", "said"),
    [
        ({"Id": "1"}, "/Id", "stands in the path"),
        ({"systemcompany": "1"}, "/systemcompany", "company"),
        ({"Colour": "red"}, "/Colour", "has no property Colour"),
        ({"Descripton": "x"}, "/Descripton", 'did you mean "Description"'),
        ({"a/b~": 1}, "/a~1b~0", "no property"),
        ({"RecordChangeDate": None}, "/RecordChangeDate", "read-only"),
        ({"Parts": []}, "/Parts", "POST to …/Parts"),
        ({"Code": 1}, "/Code", "a string"),
        ({"Description": "x" * 201}, "/Description", "at most 200"),
        ({"Description": {"NL": "x" * 201}}, "/Description/NL", "at most 200"),
        ({"Description": {"NL": 1}}, "/Description/NL", "a string"),
        ({"Description": {"Dutch": "x"}}, "/Description/Dutch", "NL or en-US"),
        ({"Description": {}}, "/Description", "at least one language"),
        ({"Code": {"NL": "x"}}, "/Code", "a string"),
        ({"ManufactureYear": "x"}, "/ManufactureYear", "whole number"),
        ({"ManufactureYear": 1.5}, "/ManufactureYear", "whole number"),
        ({"ManufactureYear": float("inf")}, "/ManufactureYear", "whole number"),
        ({"ManufactureYear": 2**63}, "/ManufactureYear", "whole number"),
        ({"ManufactureYear": True}, "/ManufactureYear", "whole number"),
        ({"PurchasePrice": "1,5"}, "/PurchasePrice", "a number"),
        ({"PurchasePrice": float("nan")}, "/PurchasePrice", "a number"),
        ({"TrackAndTrace": "true"}, "/TrackAndTrace", "true or false"),
        ({"InstallDate": "2016-02-30"}, "/InstallDate", "yyyy-MM-dd"),
        ({"InstallDate": "2016-02-29T00:00:00Z"}, "/InstallDate", "yyyy-MM-dd"),
        ({"Vendor": 1}, "/Vendor", "leading zeros"),
        ({"Vendor": ""}, "/Vendor", "null empties"),
        ({"Vendor": {"Id": "1"}}, "/Vendor", "a reference to Vendor is an id"),
        ({"Vendor": {"ExternalId": "1", "Id": "2"}}, "/Vendor/Id", "no own id"),
        ({"Vendor": {"ExternalId": ""}}, "/Vendor/ExternalId", "not empty"),
        ({"Vendor": {"Country": {"ExternalId": "1"}}}, "/Vendor", "one level deep"),
        (
            {"Vendor": {"ExternalId": "1", "Country": {"ExternalId": "1"}}},
            "/Vendor/Country",
            "nothing deeper",
        ),
        ({"BuildingPart": "1"}, "/BuildingPart", '{"Building": "…", "Id": "…"}'),
        ({"BuildingPart": {"Building": "1"}}, "/BuildingPart", "a reference to BuildingPart"),
        ({"BuildingPart": {"Building": "1", "Id": 2}}, "/BuildingPart/Id", "leading zeros"),
        ({"Code": "a", "CODE": "b"}, "/CODE", "twice"),
    ],
)
def test_a_fault_is_pointed_at(body: dict[str, object], pointer: str, said: str) -> None:
    found = faults("Equipment/1", "replace", WHOLE | body)
    assert [fault.pointer for fault in found] == [pointer]
    assert said in found[0].detail


@pytest.mark.parametrize(
    ("at", "good"),
    [
        ("2018-03-09T15:33:51Z", True),
        ("2018-03-09T15:33", True),
        ("2018-03-09T15:33:51.1355081+01:00", True),
        ("2018-03-09", False),
        ("2018-03-09 15:33", False),
        ("2018-03-09T25:00", False),
        (0, False),
    ],
)
def test_a_date_time_is_iso_8601(at: object, good: bool) -> None:
    assert pointers("Job/1", "change", {"TargetDate": at}) == ([] if good else ["/TargetDate"])


def test_every_fault_is_found() -> None:
    body: dict[str, object] = {"Id": "1", "Colour": 1, "Vendor": {"ExternalId": 1, "Id": ""}, "Status": None}
    with pytest.raises(InvalidBody, match=r"^/Id: .* \(and 5 more\)$") as caught:
        check_body(SCHEMA, resolve(SCHEMA, parse_path("Equipment/1")), "replace", body)
    assert [fault.pointer for fault in caught.value.faults] == [
        "/Id",
        "/Colour",
        "/Vendor/ExternalId",
        "/Vendor/Id",
        "/Context",
        "/Status",
    ]


def test_not_every_fault_of_very_many_is_told() -> None:
    body: dict[str, object] = {f"Descripton{number}": "x" for number in range(100_000)}
    with pytest.raises(InvalidBody, match=r"\(and at least 50 more\)$") as caught:
        check_body(SCHEMA, resolve(SCHEMA, parse_path("Equipment/1")), "replace", body)
    assert len(caught.value.faults) == 50


@pytest.mark.parametrize("kind", ["create", "replace", "change"])
def test_an_empty_body_is_refused(kind: WriteKind) -> None:
    assert "" in pointers("_Thing/1", kind, {})


def test_what_must_be_given_must_be_given_for_a_new_record_only() -> None:
    assert pointers("Equipment", "create", {"Code": "x"}) == ["/Context", "/Status"]
    assert pointers("Equipment/1", "replace", {"Code": "x", "status": 1}) == ["/Context"]
    assert pointers("Equipment/1", "change", {"Code": "x"}) == []
    assert pointers("Equipment/1", "change", {"Code": "x"}, upsert=True) == []
    assert pointers("_Thing/1", "replace", {"Code": "x"}) == []


def test_what_is_set_on_insert_cannot_be_changed() -> None:
    body: dict[str, object] = {"Context": 1, "Currency": "EUR"}
    assert pointers("Invoice/1", "change", body) == ["/Context", "/Currency"]
    assert pointers("Invoice/1", "change", body, upsert=True) == []
    assert pointers("Invoice/1", "replace", body | {"Status": 1}) == []


def test_the_key_of_a_composite_entity_is_not_in_the_body() -> None:
    body = WHOLE | {"invoice": "1", "LineId": "1", "Description": "x"}
    assert pointers("Invoice/1/Lines", "create", body) == ["/invoice", "/LineId"]
    open_one: dict[str, object] = {"lineid": "1", "Other": "x"}
    assert pointers("ServiceContractLine/ServiceContract=1,LineId=2", "change", open_one) == ["/lineid"]


def test_a_custom_entity_takes_anything_but_a_key() -> None:
    assert pointers("_Thing/1", "replace", {"A": [1], "id": 1, "B": {"c": None}}) == ["/id"]


def test_a_reference_by_number_is_a_number() -> None:
    assert pointers("Job/1", "change", {"_Reading": "7"}) == []
    assert pointers("Job/1", "change", {"_Reading": "x"}) == ["/_Reading"]
    assert pointers("Job/1", "change", {"_Other": {"any": "key"}}) == []


def test_the_upstream_gets_its_own_spelling_and_numbers() -> None:
    job = SCHEMA.entity("Job")
    body: dict[str, object] = {
        "status": "1",
        "CONTEXT": Decimal("1.0"),
        "hours": "1.50",
        "Duration": 2.5,
        "totalcost": None,
        "vendor": {"EXTERNALID": "7", "dataprovider": "erp"},
        "_reading": "7",
        "_Other": {"b": 1},
        "_own": "as it is",
        "description": "007",
    }
    assert json.loads(encode_body(SCHEMA, job, body), parse_float=str) == {
        "Status": 1,
        "Context": 1,
        "Hours": "1.50",
        "Duration": "2.5",
        "TotalCost": None,
        "Vendor": {"ExternalId": "7", "DataProvider": "erp"},
        "_Reading": 7,
        "_Other": {"b": 1},
        "_own": "as it is",
        "Description": "007",
    }


def test_the_parts_of_a_reference_are_spelled_too() -> None:
    space = SCHEMA.entity("Space")
    body = canonical_body(SCHEMA, space, {"buildingfloor": {"ID": "3", "BUILDINGPART": "2", "building": "1"}})
    assert body == {"BuildingFloor": {"Id": "3", "BuildingPart": "2", "Building": "1"}}
