"""Where a path leads in the schema."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.addressing import resolve
from contracts.entities import standard_schema
from contracts.errors import EntityNotFound, InvalidPath
from contracts.paths import Key, KeyPart, ObjectPath, Segment, parse_path, parse_upstream_path, print_path
from contracts.schema import Entity, Property, PropertyType

SCHEMA = standard_schema().extended([Entity.of("Reading", Property("Id", PropertyType.INTEGER))])


@pytest.mark.parametrize(
    ("path", "entity", "single", "key"),
    [
        ("Equipment", "Equipment", False, None),
        ("Equipment/00001", "Equipment", True, "00001"),
        ("Equipment/00001/Department", "Department", True, None),
        ("Equipment/00001/PartOfEquipment", "Equipment", True, None),
        ("Department/01/Jobs", "Job", False, None),
        ("Department/01/Jobs/0000002", "Job", True, "0000002"),
        ("Department/01/Jobs/0000002/Equipments", "Equipment", False, None),
        (
            "EquipmentSparePart/Equipment=00001,Article=0191",
            "EquipmentSparePart",
            True,
            "Equipment=00001,Article=0191",
        ),
        ("Building/0001/BuildingParts/001", "BuildingPart", True, "Building=0001,Id=001"),
        (
            "Building/0001/BuildingParts/001/BuildingFloors/CODE01",
            "BuildingFloor",
            True,
            "Building=0001,BuildingPart=001,Id=CODE01",
        ),
        ("Equipment/ExternalId=4711", "Equipment", True, None),
        ("EquipmentSparePart/ExternalId=4711", "EquipmentSparePart", True, None),
        ("Invoice/ExternalId=001/Lines", "InvoiceLine", False, None),
        ("Reading/-12", "Reading", True, "-12"),
        ("_Thing", "_Thing", False, None),
        ("_Thing/01", "_Thing", True, "01"),
        ("_Thing/A=1,B=2", "_Thing", True, "A=1,B=2"),
        ("_Thing/01/Vendor", "Vendor", True, None),
        ("_Thing/01/Parts", "Parts", False, None),
        ("Equipment/00001/_Things", "_Things", False, None),
        ("Equipment/00001/_Things/1", "_Things", True, "1"),
        ("PmJob/1/Whatever", "Whatever", False, None),
    ],
)
def test_a_path_leads_to_one_record_or_to_many(path: str, entity: str, single: bool, key: str | None) -> None:
    resolved = resolve(SCHEMA, parse_path(path))
    assert (resolved.entity.name, resolved.single) == (entity, single)
    whole = None if resolved.key is None else print_path(ObjectPath((Segment("E", resolved.key),)))[2:]
    assert whole == key
    assert print_path(resolved.path) == path


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("equipment/00001/DEPARTMENT", "Equipment/00001/Department"),
        ("Equipment/Id=00001", "Equipment/00001"),
        ("EquipmentSparePart/article=1,EQUIPMENT=2", "EquipmentSparePart/Equipment=2,Article=1"),
        ("equipment/DATAPROVIDER=erp,externalid=1", "Equipment/ExternalId=1,DataProvider=erp"),
        ("building/1/buildingparts/id=2,building=1", "Building/1/BuildingParts/Building=1,Id=2"),
        ("building/1/buildingparts/id=2", "Building/1/BuildingParts/2"),
    ],
)
def test_a_path_is_spelled_as_the_schema_spells_it(given: str, canonical: str) -> None:
    resolved = resolve(SCHEMA, parse_path(given))
    assert print_path(resolved.path) == canonical
    assert resolve(SCHEMA, resolved.path) == resolved


def test_the_last_step_is_known() -> None:
    resolved = resolve(SCHEMA, parse_path("Department/01/Jobs"))
    assert resolved.owner is not None
    assert resolved.navigation is not None
    assert (resolved.owner.name, resolved.navigation.name) == ("Department", "Jobs")
    assert resolve(SCHEMA, parse_path("Department")).owner is None


@pytest.mark.parametrize(
    ("upstream", "numeric"), [("Reading(7)", True), ("Reading('7')", True), ("Job(7)", False)]
)
def test_whether_a_key_is_a_number_is_the_schemas_to_say(upstream: str, numeric: bool) -> None:
    path = resolve(SCHEMA, parse_upstream_path(upstream)).path
    assert path.last.key == Key((KeyPart(None, "7", numeric),))


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("Equipment/1/Departmnt", 'no navigation Departmnt; did you mean "Department"'),
        ("Equipment/1/Jobs", "no navigation Jobs"),
        ("Equipment/1/Code", "is a value"),
        ("BuildingPart/Building=1,Id=2/Id", "is a value"),
        ("Equipment/1/Department/01", "takes no key"),
        ("EquipmentSparePart/1", "Equipment=<value>,Article=<value>"),
        ("EquipmentSparePart/Equipment=1", "Article is missing"),
        ("Equipment/Code=1", "Code is no part of it"),
        ("Equipment/Id=1,Code=1", "Code is no part of it"),
        ("BuildingPart/Id=1", "Building is missing"),
        ("Building/1/BuildingParts/Building=2,Id=1", "Building is 1 earlier in the path and 2"),
        ("Reading/x", "whole number"),
    ],
)
def test_a_path_that_does_not_fit_is_refused_with_a_reason(path: str, said: str) -> None:
    with pytest.raises(InvalidPath, match=said):
        resolve(SCHEMA, parse_path(path))


def test_an_entity_that_is_not_there_is_not_found() -> None:
    with pytest.raises(EntityNotFound):
        resolve(SCHEMA, parse_path("Nothing/1"))


def test_a_set_has_no_navigations() -> None:
    bare = ObjectPath((Segment("Equipment"), Segment("Department")))
    with pytest.raises(InvalidPath, match="Equipment is a set"):
        resolve(SCHEMA, bare)


names = st.sampled_from(
    [name for e in SCHEMA.entities.values() for name in (e.name, *(p.name for p in e.properties.values()))]
)
keys = st.none() | st.sampled_from(
    [Key.single("1"), Key((KeyPart("Building", "1"), KeyPart("Id", "2"))), Key((KeyPart("ExternalId", "1"),))]
)


@given(st.lists(st.builds(Segment, names, keys), min_size=1, max_size=5))
def test_any_path_resolves_to_a_fixed_point_or_is_refused(segments: list[Segment]) -> None:
    try:
        resolved = resolve(SCHEMA, ObjectPath(tuple(segments)))
    except (InvalidPath, EntityNotFound):
        return
    assert resolve(SCHEMA, resolved.path) == resolved
