"""A query held against the schema."""

import pytest

from contracts.entities import standard_schema
from contracts.errors import InvalidFilter, InvalidRequest
from contracts.filters import parse_filter, print_filter
from contracts.operations import OrderBy, Query
from contracts.queries import check_query, check_shape
from contracts.schema import Entity, Property, PropertyType

SCHEMA = standard_schema()
EQUIPMENT = SCHEMA.entity("Equipment")


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("STATUS eq 2", "Status eq 2"),
        ("department/id eq '01' and not (vendor/NAME like 'a%')", None),
        ("status in (1, 2) or code eq null", None),
        ("department eq '01'", "Department eq '01'"),
        ("_Custom/Thing eq 1", "_Custom/Thing eq 1"),
        ("vendor/_custom eq 1", "Vendor/_custom eq 1"),
        ("BuildingFloor/id/building eq '1'", "BuildingFloor/Id/Building eq '1'"),
    ],
)
def test_a_filter_is_spelled_as_the_schema_spells_it(given: str, canonical: str | None) -> None:
    checked = check_query(SCHEMA, EQUIPMENT, Query(filter=parse_filter(given))).filter
    assert checked is not None
    assert print_filter(checked).lower() == print_filter(parse_filter(given)).lower()
    if canonical is not None:
        assert print_filter(checked) == canonical


@pytest.mark.parametrize(
    ("text", "position", "said"),
    [
        ("Statis eq 2", 0, 'did you mean "Status"'),
        ("Status eq 2 and Vendor/Nam eq 'x'", 16, "Vendor has no property Nam"),
        ("not (Status eq 1 or Code/Id eq 1)", 20, "Code is a value and has no property Id"),
        ("SpareParts eq 1", 0, "is a collection"),
        ("Jobs in (1)", 0, "Equipment has no property Jobs"),
        ("BuildingPart/Id eq '1'", 0, "expected one of them, as BuildingPart/Id/Building"),
        ("Status eq 1 or BuildingPart eq '1'", 15, "expected one of them, as BuildingPart/Id/Building"),
        ("SpareParts/Quantity gt 1", 0, "SpareParts is a collection"),
        ("SpareParts/_own gt 1", 0, "SpareParts is a collection"),
        (
            "EquipmentMeasurementPoints/Values/LineId eq '1'",
            0,
            "write EquipmentMeasurementPoints/Values/Id/LineId",
        ),
    ],
)
def test_a_wrong_name_in_a_filter_is_refused_with_its_position(text: str, position: int, said: str) -> None:
    with pytest.raises(InvalidFilter, match=said) as caught:
        check_query(SCHEMA, EQUIPMENT, Query(filter=parse_filter(text)))
    assert caught.value.position == position


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("InstallDate gt 5", "a date or a date-time"),
        ("InstallDate gt '2018-03-09'", "a date or a date-time"),
        ("RecordChangeDate gt 10:00", "a date or a date-time"),
        ("Id eq 1", "a text in single quotes"),
        ("Code eq 2018-03-09", "a text in single quotes"),
        ("Department eq 1", "a text in single quotes"),
        ("Department/Id in ('1', 2)", "a text in single quotes"),
        ("BuildingPart/Id/Building eq 1", "a text in single quotes"),
        ("ManufactureYear eq '2013'", "a number"),
        ("ManufactureYear like '2013'", "a number"),
        ("PurchasePrice in (1, true)", "a number"),
        ("TrackAndTrace eq 1", "true or false"),
        ("TrackAndTrace gt true", "one of the operators eq, ne"),
        ("_Count eq '1'", "a number"),
    ],
)
def test_a_value_of_another_type_is_refused_with_its_position(text: str, expected: str) -> None:
    schema = SCHEMA.extended([Entity.of("Equipment", Property("_Count", PropertyType.INTEGER))])
    query = Query(filter=parse_filter(f"Status eq 1 and not ({text})"))
    with pytest.raises(InvalidFilter) as caught:
        check_query(schema, schema.entity("Equipment"), query)
    assert caught.value.position == 21
    assert caught.value.expected.startswith(expected)


@pytest.mark.parametrize(
    "text",
    [
        "ManufactureYear eq 2013.5",
        "PurchasePrice in (1, 2.5)",
        "InstallDate le 2018-03-09T15:33:51Z",
        "RecordChangeDate gt 2018-03-09",
        "InstallDate eq null or Code ne null or Department eq null or TrackAndTrace ne null",
        "TrackAndTrace in (true, false) or TrackAndTrace ne true",
        "Department like '0%' or Department/Id gt '01'",
        "BuildingPart/Id/Building eq '1'",
        "_Own eq 1 or _Own like 'a' or _Own/Thing gt true",
    ],
)
def test_a_value_that_fits_is_let_through(text: str) -> None:
    tree = parse_filter(text)
    assert check_query(SCHEMA, EQUIPMENT, Query(filter=tree)).filter == tree


def test_an_order_is_spelled_as_the_schema_spells_it() -> None:
    query = Query(orderby=(OrderBy(("vendor", "name"), True), OrderBy(("ID",))))
    assert check_query(SCHEMA, EQUIPMENT, query).orderby == (
        OrderBy(("Vendor", "Name"), True),
        OrderBy(("Id",)),
    )


@pytest.mark.parametrize(
    "name",
    ["Vendor", "SpareParts", "SpareParts/Quantity", "BuildingPart", "BuildingPart/Id", "Nothing", "Code/Id"],
)
def test_only_single_values_have_an_order(name: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_query(SCHEMA, EQUIPMENT, Query(orderby=(OrderBy(tuple(name.split("/"))),)))
    assert caught.value.faults[0].pointer == "orderby"


@pytest.mark.parametrize(
    ("select", "expand", "shown", "inlined"),
    [
        ("", "", "", ""),
        ("id,CODE", "", "Id,Code", ""),
        ("", "vendor", "", "Vendor"),
        ("Id", "vendor", "Id,Vendor", "Vendor"),
        ("Id,Vendor", "Vendor", "Id,Vendor", "Vendor"),
        ("Id,vendor/name", "Vendor", "Id,Vendor/Name", "Vendor"),
        ("Id,Vendor/Name", "", "Id,Vendor/Name", "Vendor"),
        ("Id,ID", "", "Id", ""),
        ("", "Department,Department/Site", "", "Department/Site"),
        ("Id", "SpareParts/Article", "Id,SpareParts/Article", "SpareParts/Article"),
        ("_Own", "_Own", "_Own", "_Own"),
        ("_Own/Id/X", "", "_Own/Id/X", "_Own/Id"),
        ("buildingpart/id/building", "", "BuildingPart/Id", "BuildingPart"),
        (
            "SpareParts/Id/Article",
            "SpareParts/Article",
            "SpareParts/Id,SpareParts/Article",
            "SpareParts/Article",
        ),
        ("SpareParts/Article", "SpareParts/Article", "SpareParts/Article", "SpareParts/Article"),
        ("SpareParts/Article/Id", "", "SpareParts/Article/Id", "SpareParts/Article"),
    ],
)
def test_select_and_expand_are_made_to_agree(select: str, expand: str, shown: str, inlined: str) -> None:
    def paths(text: str) -> tuple[tuple[str, ...], ...]:
        return tuple(tuple(item.split("/")) for item in text.split(",") if item)

    assert check_shape(SCHEMA, EQUIPMENT, paths(select), paths(expand)) == (paths(shown), paths(inlined))


@pytest.mark.parametrize(
    ("select", "expand", "parameter"),
    [
        (("Nothing",), ("Vendor",), "select"),
        (("Id",), ("Code",), "expand"),
        (("Id",), ("Nothing",), "expand"),
        (("Id",), ("Department", "Site", "Departments", "Jobs"), "expand"),
        (("SpareParts", "Article"), ("SpareParts",), "select"),
        (("EquipmentMeasurementPoints", "Values", "LineId"), (), "select"),
    ],
)
def test_what_cannot_be_selected_or_expanded_is_refused(
    select: tuple[str, ...], expand: tuple[str, ...], parameter: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_shape(SCHEMA, EQUIPMENT, (select,), (expand,) if expand else ())
    assert caught.value.faults[0].pointer == parameter


def test_very_many_names_are_held_against_each_other_in_no_time() -> None:
    many = tuple((f"_{number}",) for number in range(50_000))
    assert check_shape(SCHEMA, EQUIPMENT, many, tuple(reversed(many))) == (many, tuple(reversed(many)))
