"""What a wrong data model is told: the entity, the property, what was expected and a suggestion."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.settings import ConfigurationError, parse

FILE = """\
environments:
  plant:
    rest: https://customer.ultimo.net/api/v1
    zone: Europe/Amsterdam
    entities: {%s}
tenants:
  erp: {environment: plant, credentials: {api_key: {env: KEY}}}
clients:
  one: {keys: ["sha256:%s"], scopes: [read], tenants: [erp]}
"""


def problems(entities: str) -> list[str]:
    try:
        parse(FILE % (entities, "0" * 64), {"KEY": "k"}, Path())
    except ConfigurationError as error:
        return [str(problem) for problem in error.problems]
    return []


TYPES = (
    "'string', 'integer', 'decimal', 'boolean', 'date', 'datetime', "
    "{reference: ENTITY} or {collection: ENTITY}"
)
IDENTIFIER = "a name of at most 100 letters, digits and underscores, not beginning with a digit"
ENTITIES = [
    (
        "Contract: {properties: {Code: strng}}",
        f"Contract.properties.Code: expected {TYPES}, found a text, did you mean 'string'?",
    ),
    (
        "Contract: {properties: {Code: [string]}}",
        f"Contract.properties.Code: expected {TYPES} or a mapping, found a list",
    ),
    (
        "Contract: {properties: {Code: {refrence: Job}}}",
        "Contract.properties.Code.refrence: unknown key, did you mean 'reference'?",
    ),
    (
        "Contract: {properties: {V: {reference: Vendr}}}",
        "Contract.properties.V: there is no entity 'Vendr', did you mean 'Vendor'?",
    ),
    (
        "Contract: {properties: {V: {reference: Job, collection: Job}}}",
        "Contract.properties.V: expected either 'reference' or 'collection'",
    ),
    (
        "Contract: {properties: {Code: string, code: date}}",
        "Contract.properties.code: stands here as 'Code' already",
    ),
    ("Contract: {}, CONTRACT: {}", "CONTRACT: stands here as 'Contract' already"),
    ("Contract: {propertys: {}}", "Contract.propertys: unknown key, did you mean 'properties'?"),
    ("Contract: {key: []}", "Contract.key: expected at least one name, and none of them twice"),
    ("Contract: {key: [A, a]}", "Contract.key: expected at least one name, and none of them twice"),
    ("Contract: {key: [a b]}", f"Contract.key[0]: expected {IDENTIFIER}, found a text"),
    ("1st: {}", f"1st: expected {IDENTIFIER}, found a text"),
    (
        "Equipment: {key: [Code]}",
        "Equipment.key: Equipment is there already and keeps its key (Id); take this out",
    ),
]


@pytest.mark.parametrize(("entities", "told"), ENTITIES)
def test_a_mistake_in_an_entity_is_told_with_its_place(entities: str, told: str) -> None:
    assert problems(entities) == [f"environments.plant.entities.{told} (line 5)"]


def test_an_entity_may_lead_to_its_like_to_custom_ones_and_to_one_that_has_a_mistake() -> None:
    entities = (
        "B: {properties: {A: {reference: a}, C: {collection: _Own}, D: {reference: B}, E: {reference: F}}}, "
        "A: {}, F: 1, Equipment: {key: [Id], properties: {Id: integer}}"
    )
    assert problems(entities) == ["environments.plant.entities.F: expected a mapping, found 1 (line 5)"]
