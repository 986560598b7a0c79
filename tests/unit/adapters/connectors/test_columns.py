"""Columns and properties: both ways, for every entity of the schema."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters._connectors.columns import EntityColumns, Tables, key_columns, local_time
from adapters._connectors.narrowing import Narrowing
from adapters._connectors.records_xml import DataObject, DataReader, data_document, not_xml
from contracts.bodies import canonical_body
from contracts.filters import parse_filter
from contracts.schema import Entity, PropertyType
from tests.unit.adapters.connectors.rig import SCHEMA, ZONE, at

TABLES = Tables(SCHEMA, ZONE)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8).filter(
    lambda text: not_xml(text) is None
)
ID = TEXT.filter(bool)
MOMENTS = st.datetimes().map(
    lambda moment: f"{moment:%Y-%m-%dT%H:%M:%S}Z" if moment.year > 1900 else "2024-01-31T23:59:59.5Z"
)
SCALARS: dict[PropertyType, st.SearchStrategy[object]] = {
    PropertyType.STRING: st.none() | TEXT,
    PropertyType.INTEGER: st.none() | st.integers(-(2**40), 2**40),
    PropertyType.DECIMAL: st.none() | st.decimals(-(10**9), 10**9, places=4).map(float),
    PropertyType.BOOLEAN: st.none() | st.booleans(),
    PropertyType.DATE: st.none() | st.dates().map(lambda day: day.isoformat()),
    PropertyType.DATETIME: st.none() | MOMENTS,
}


@pytest.mark.parametrize(
    ("entity", "columns"),
    [
        ("Equipment", ["Id"]),
        ("EquipmentMeasurementPoint", ["Id.Equipment.Id", "Id.Id"]),
        (
            "EquipmentMeasurementPointValue",
            [
                "Id.EquipmentMeasurementPoint.Id.Equipment.Id",
                "Id.EquipmentMeasurementPoint.Id.Id",
                "Id.LineId",
            ],
        ),
        ("InvoiceLine", ["Id.Invoice.Id", "Id.LineId"]),
        ("EquipmentSparePart", ["Id.Equipment.Id", "Id.Article.Id"]),
        ("BuildingFloor", ["Id.BuildingPart.Id.Building.Id", "Id.BuildingPart.Id.Id", "Id.Id"]),
    ],
)
def test_a_key_goes_through_its_owners(entity: str, columns: list[str]) -> None:
    assert [*key_columns(SCHEMA, SCHEMA.entity(entity))] == columns


def test_references_are_named_by_their_keys() -> None:
    columns = EntityColumns(SCHEMA, SCHEMA.entity("Equipment"))
    assert [column.name for column in columns.named("department")] == ["Department.Id"]
    assert [column.name for column in columns.named("BuildingPart")] == [
        "BuildingPart.Id.Building.Id",
        "BuildingPart.Id.Id",
    ]
    assert columns.named("Parts") == columns.named("Nothing") == ()


def test_a_flat_record_becomes_the_record_that_rest_gives() -> None:
    flat = {
        "STATUS": "2", "id": "00001", "Context": "1", "TrackAndTrace": "True", "PurchasePrice": "100.00",
        "InstallDate": "2022-04-07T00:00:00", "RecordChangeDate": "2022-06-15T12:20:30.1234567",
        "Model": "", "Code": None,
        "Department.Id": "01", "Department.Description": "left out", "Vendor.Id": "",
        "BuildingPart.Id.Building.Id": "0001", "BuildingPart.Id.Id": "001",
        "BuildingFloor.Id.BuildingPart.Id.Building.Id": None, "BuildingFloor.Id.BuildingPart.Id.Id": None,
        "BuildingFloor.Id.Id": "", "_Own": "x", "_Own.Id": "left out",
    }  # fmt: skip
    record = TABLES.record(SCHEMA.entity("Equipment"), flat)
    assert [*record.items()] == [
        ("Id", "00001"), ("Context", 1), ("Status", 2), ("Code", None), ("Model", ""),
        ("InstallDate", "2022-04-07"), ("PurchasePrice", 100.0), ("TrackAndTrace", True),
        ("BuildingPart", {"Building": "0001", "Id": "001"}), ("BuildingFloor", None),
        ("Department", "01"), ("Vendor", None),
        ("RecordChangeDate", "2022-06-15T10:20:30.1234567Z"), ("_Own", "x"),
    ]  # fmt: skip


def test_json_values_are_read_by_the_same_rules() -> None:
    flat = {"Id": "1", "Status": 2, "PurchasePrice": 7, "TrackAndTrace": False, "Department.Id": None}
    record = TABLES.record(SCHEMA.entity("Equipment"), flat)
    assert record == {
        "Id": "1",
        "Status": 2,
        "PurchasePrice": 7.0,
        "TrackAndTrace": False,
        "Department": None,
    }


def test_records_with_the_same_columns_differ_in_what_is_given_of_a_key() -> None:
    columns = ("BuildingPart.Id.Id", "Id", "BuildingPart.Id.Building.Id")
    given = [("1", "a", "2"), (None, "b", ""), (None, "c", "2"), (0, "d", None)]
    parts = [
        TABLES.record(SCHEMA.entity("Equipment"), dict(zip(columns, values, strict=True)))["BuildingPart"]
        for values in given
    ]
    assert parts == [
        {"Building": "2", "Id": "1"},
        None,
        {"Building": "2", "Id": None},
        {"Building": None, "Id": "0"},
    ]


def references(entity: Entity) -> st.SearchStrategy[object]:
    return st.none() | (st.fixed_dictionaries(dict.fromkeys(entity.key, ID)) if entity.composite else ID)


def bodies(entity: Entity) -> st.SearchStrategy[dict[str, object]]:
    fields: dict[str, st.SearchStrategy[object]] = {}
    for property in entity.properties.values():
        if property.type in SCALARS and property.name != "Id":
            fields[property.name] = SCALARS[property.type]
        elif property.type is PropertyType.REFERENCE and property.name.lower() not in entity.key_parts:
            fields[property.name] = references(SCHEMA.target(property.target or property.name))
    return st.fixed_dictionaries({}, optional=fields)


@given(st.data(), st.sampled_from(sorted(SCHEMA.entities)))
def test_any_record_is_written_and_read_back_the_same(data: st.DataObject, name: str) -> None:
    entity = SCHEMA.entities[name]
    columns = TABLES.of(entity)
    body = data.draw(bodies(entity))
    key = {part: data.draw(ID) for part in entity.key}
    texts, faults = columns.body_texts(canonical_body(SCHEMA, entity, body), ZONE)
    texts |= {column.name: value for column, value in zip(columns.key, key.values(), strict=True)}
    if faults:  # the hour that comes twice
        return
    reader = DataReader()
    document = data_document([DataObject(entity.name, "Update", texts)])
    (item,) = reader.feed(document) + reader.finish()
    wanted = {**body, "Id": key if entity.composite else key["Id"]}
    assert TABLES.record(entity, item.properties) == TABLES.record(entity, wanted)


@pytest.mark.parametrize(
    ("moment", "local"),
    [
        ("2022-06-15T10:20:30.1234567Z", "2022-06-15T12:20:30.1234567"),
        ("2022-01-15T10:20:30+05:00", "2022-01-15T06:20:30"),
        ("2022-06-15T10:20:30.500-02:00", "2022-06-15T14:20:30.5"),
        ("2022-06-15T10:20", "2022-06-15T10:20"),
        ("2024-10-27T00:30:00Z", "2024-10-27T02:30:00"),
    ],
)
def test_times_are_written_local_without_offset(moment: str, local: str) -> None:
    assert local_time(moment, ZONE) == local


def test_the_second_of_two_hours_of_one_name_is_not_written_as_the_first() -> None:
    with pytest.raises(ValueError, match="comes twice"):
        local_time("2024-10-27T01:30:00Z", ZONE)


@pytest.mark.parametrize(
    ("path", "filters", "condition", "values"),
    [
        (
            "Equipment",
            ["Id", "Code"],
            "Code eq 'x' and (Id eq '1' and Status eq 2)",
            {"Code": "x", "Id": "1"},
        ),
        ("Equipment", ["Id"], "Code eq 'x' and Status eq 2", {}),
        ("Equipment", ["Id"], "Id eq '1' or Status eq 2", {}),
        ("Equipment", ["Id"], "not (Id eq '1')", {}),
        ("Equipment", ["Id"], "Id ne '1'", {}),
        ("Equipment", ["Id"], "Id in ('1')", {}),
        ("Equipment", ["id"], "id eq '1' and Id eq '2'", {"Id": "1"}),
        ("Equipment", ["Code"], "Code eq null", {}),
        ("Equipment", ["Code"], "Code eq ''", {}),
        (
            "Equipment",
            ["Status", "Department"],
            "Status eq 2 and Department eq '01'",
            {"Status": "2", "Department.Id": "01"},
        ),
        ("Equipment", ["Department.Id"], "Department/Id eq '01'", {"Department.Id": "01"}),
        ("Equipment", ["Department"], "Department/Description eq '01'", {}),
        ("Equipment", ["Status"], "Status eq 2.0", {}),
        (
            "Equipment",
            ["PurchasePrice", "InstallDate"],
            "PurchasePrice eq 2 and InstallDate eq 2022-01-01",
            {},
        ),
        (
            "BuildingPart",
            ["Id"],
            "Id/Building eq '1' and Id/Id eq '2'",
            {"Id.Building.Id": "1", "Id.Id": "2"},
        ),
        ("BuildingPart", ["Id"], "Id/Building eq '1'", {}),
        ("BuildingPart", ["Id.Building.Id"], "Id/Building eq '1'", {"Id.Building.Id": "1"}),
    ],
)
def test_an_export_is_narrowed_by_what_must_hold(
    path: str, filters: list[str], condition: str, values: dict[str, str]
) -> None:
    narrowing = Narrowing(TABLES.of(at(path).entity), filters)
    assert narrowing.values(parse_filter(condition)) == values
    assert narrowing.values(None) == {}


def test_a_filter_by_what_is_no_property_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'Cod' is no property of Equipment; did you mean"):
        Narrowing(TABLES.of(at("Equipment").entity), ["Cod"])
