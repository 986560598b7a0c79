"""The schema: what the standard entities have, what a tenant adds, and the own path of a record."""

import pytest

from contracts.entities import STANDARD_ENTITIES, standard_schema
from contracts.errors import EntityNotFound
from contracts.paths import print_path, print_upstream_path
from contracts.schema import Entity, Property, PropertyType, Schema

STANDARD = standard_schema()


def test_every_navigation_leads_to_an_entity_of_the_schema() -> None:
    targets = {
        p.target for entity in STANDARD.entities.values() for p in entity.properties.values() if p.target
    }
    assert targets
    assert [target for target in targets if STANDARD.find(target) is None] == []


def test_no_entity_stands_twice() -> None:
    assert len({entity.name for entity in STANDARD_ENTITIES}) == len(STANDARD_ENTITIES)


@pytest.mark.parametrize("entity", STANDARD.entities.values(), ids=lambda entity: entity.name)
def test_every_entity_has_what_all_records_have(entity: Entity) -> None:
    assert [p.name for p in entity.properties.values() if p.mandatory] == ["Context", "Status"]
    assert {p.name for p in entity.properties.values() if p.read_only} == {
        "RecordCreateDate",
        "RecordChangeDate",
    }
    assert next(iter(entity.properties)) == "id"


def test_names_match_in_any_case() -> None:
    equipment = STANDARD.find("eQuIPMENT")
    assert equipment is not None
    assert equipment.name == "Equipment"
    found = equipment.find("SERIALnumber")
    assert found is not None
    assert found.name == "SerialNumber"
    assert equipment.find("Serial") is None


def test_the_parts_of_a_composite_key_are_references_and_its_id_an_object() -> None:
    floor = STANDARD.entity("BuildingFloor")
    assert [(p.name, p.type, p.target) for p in list(floor.properties.values())[:3]] == [
        ("Id", PropertyType.KEY, None),
        ("Building", PropertyType.REFERENCE, "Building"),
        ("BuildingPart", PropertyType.REFERENCE, "BuildingPart"),
    ]
    assert [p.type for p in floor.key_parts.values()] == [PropertyType.STRING] * 3


def test_a_part_of_a_composite_key_that_refers_to_nothing_is_no_property() -> None:
    line = STANDARD.entity("InvoiceLine")
    assert [p.name for p in list(line.properties.values())[:3]] == ["Id", "Invoice", "Description"]
    assert [p.name for p in line.key_parts.values()] == ["Invoice", "LineId"]


def test_an_unknown_entity_is_refused_with_a_suggestion_and_a_custom_one_is_open() -> None:
    with pytest.raises(EntityNotFound, match='did you mean "Equipment"'):
        STANDARD.entity("Equipmnt")
    with pytest.raises(EntityNotFound, match=r'"Zzz" \('):
        STANDARD.entity("Zzz")
    with pytest.raises(EntityNotFound):
        STANDARD.entity("E" * 100_000)
    custom = STANDARD.entity("_Thing")
    assert custom.unknown
    assert custom.allows("Whatever")


def test_a_tenant_adds_entities_and_properties() -> None:
    extended = STANDARD.extended(
        [
            Entity.of(
                "equipment",
                Property("_Colour"),
                Property("Code", length=3),
                Property("Plant", target="Plant"),
            ),
            Entity.of("Plant", key=("Site", "Number")),
        ]
    )
    equipment = extended.entity("Equipment")
    assert equipment.name == "Equipment"
    assert equipment.automatic_key
    assert list(equipment.properties)[-2:] == ["_colour", "plant"]
    assert equipment.properties["code"].length == 3
    assert list(equipment.properties).index("code") == list(STANDARD.entity("Equipment").properties).index(
        "code"
    )
    assert list(extended.entity("PLANT").properties)[:3] == ["id", "site", "description"]
    assert STANDARD.find("Plant") is None
    assert STANDARD.entity("Equipment").find("_Colour") is None


def test_an_entity_of_its_own_overrides_what_is_common() -> None:
    schema = Schema.of(
        [Entity.of("Reading", Property("Id", PropertyType.INTEGER), Property("Description", length=9))]
    )
    reading = schema.entity("Reading")
    assert reading.properties["id"].type is PropertyType.INTEGER
    assert reading.properties["description"].length == 9
    assert list(reading.properties)[:2] == ["id", "description"]


@pytest.mark.parametrize(
    ("entity", "own", "path", "upstream"),
    [
        ("Equipment", "00001", "Equipment/00001", "Equipment('00001')"),
        ("Equipment", "a/b'c", "Equipment/a%2Fb%27c", "Equipment('a%2Fb%27%27c')"),
        (
            "InvoiceLine",
            {"Invoice": "001", "LineId": "0001"},
            "InvoiceLine/Invoice=001,LineId=0001",
            "InvoiceLine(Invoice='001',LineId='0001')",
        ),
        ("Reading", 7, "Reading/7", "Reading(7)"),
        ("_Thing", "7", "_Thing/7", "_Thing('7')"),
    ],
)
def test_a_record_is_addressed_by_its_own_id(entity: str, own: object, path: str, upstream: str) -> None:
    schema = STANDARD.extended([Entity.of("Reading", Property("Id", PropertyType.INTEGER))])
    made = schema.path_of(schema.entity(entity), {"Id": own})
    assert print_path(made) == path
    assert print_upstream_path(made) == upstream


@pytest.mark.parametrize("record", [{}, {"Id": None}, {"Id": ""}, {"Id": {}}])
def test_a_record_without_an_id_has_no_path(record: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="without an Id"):
        STANDARD.path_of(STANDARD.entity("Equipment"), record)
