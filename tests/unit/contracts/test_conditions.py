"""What a path says, said as a condition: whose the members of a collection are, and when nobody can say."""

from __future__ import annotations

import pytest

from contracts.addressing import resolve
from contracts.conditions import owner_properties
from contracts.entities import standard_schema
from contracts.paths import parse_path
from contracts.schema import Entity, Property, PropertyType

SCHEMA = standard_schema().extended(
    [
        Entity.of("Lender", Property("Loans", PropertyType.COLLECTION, "Loan")),
        Entity.of(
            "Loan",
            Property("From", PropertyType.REFERENCE, "Lender"),
            Property("To", PropertyType.REFERENCE, "Lender"),
        ),
    ]
)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Department/01/Jobs", (("Department", "Id"),)),
        ("Department/01/ChildDepartments", (("PartOfDepartment", "Id"),)),
        ("BuildingPart/Building=1,Id=2/BuildingFloors", (("Id", "Building"), ("Id", "BuildingPart"))),
        # Two properties could hold it: neither is sure to.
        ("Lender/1/Loans", None),
        ("Department", None),
        ("Department/01/Site", None),
    ],
)
def test_where_the_members_of_a_collection_hold_its_owner(path: str, expected: object) -> None:
    assert owner_properties(resolve(SCHEMA, parse_path(path))) == expected
