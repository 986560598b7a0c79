"""Where a read goes when a key can stand in no path."""

from __future__ import annotations

import pytest

from adapters.rest.addressing import reading
from contracts.addressing import resolve
from contracts.entities import standard_schema
from contracts.errors import OperationNotSupported
from contracts.filters import print_filter
from contracts.paths import parse_path, print_path
from contracts.schema import Entity, Property, PropertyType

SCHEMA = standard_schema().extended(
    [
        Entity.of("Plant", Property("_Lots", PropertyType.COLLECTION, "Lot")),
        Entity.of("Lot", Property("Number", PropertyType.INTEGER), key=("Plant", "Number")),
    ]
)


@pytest.mark.parametrize(
    ("path", "asked", "condition"),
    [
        ("Building/a%2Fb", "Building", "Id eq 'a/b'"),
        ("Department/01/Jobs/a%3Fb", "Department/01/Jobs", "Id eq 'a?b'"),
        ("Site/a%2Fb/Departments", "Department", "Site/Id eq 'a/b'"),
        ("Site/a%2Fb/Departments/c%2Fd", "Department", "Site/Id eq 'a/b' and Id eq 'c/d'"),
        ("Building/a%2Fb/BuildingParts", "BuildingPart", "Building/Id eq 'a/b'"),
        ("Building/a%2Fb/BuildingParts/1", "BuildingPart", "Building/Id eq 'a/b' and Id/Id eq '1'"),
        ("Building/1/BuildingParts/a%2Fb", "Building/1/BuildingParts", "Id/Id eq 'a/b'"),
        ("InvoiceLine/Invoice=1,LineId=a%2Fb", "InvoiceLine", "Id/Invoice eq '1' and Id/LineId eq 'a/b'"),
        ("Lot/Plant=a%2Fb,Number=7", "Lot", "Id/Plant eq 'a/b' and Id/Number eq 7"),
        (
            "Building/ExternalId=a%2Fb,DataProvider=erp",
            "Building",
            "ExternalId eq 'a/b' and DataProvider eq 'erp'",
        ),
        (
            "InvoiceLine/ExternalId=a%2Fb,DataProvider=erp",
            "InvoiceLine",
            "ExternalId eq 'a/b' and DataProvider eq 'erp'",
        ),
        (
            "Building/ExternalId=a%2Fb,DataProvider=erp/BuildingParts",
            "BuildingPart",
            "Building/ExternalId eq 'a/b' and Building/DataProvider eq 'erp'",
        ),
        ("Building/ExternalId=4711", "Building/ExternalId=4711", None),
    ],
)
def test_a_filter_stands_in_for_a_key_that_no_path_can_hold(
    path: str, asked: str, condition: str | None
) -> None:
    route = reading(resolve(SCHEMA, parse_path(path)))
    assert print_path(route.path) == asked
    assert (None if route.filter is None else print_filter(route.filter)) == condition


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("Building/ExternalId=a%2Fb", "in a path. To find it by a filter its data provider"),
        ("Building/ExternalId=a%2Fb/BuildingParts", "DataProvider=<provider>"),
        ("Job/a%2Fb/Equipments", "in a path. Read that record itself"),
        ("Equipment/a%2Fb/Department", "with expand"),
        ("Department/a%2Fb/Jobs/1/Equipments", "Read that record itself"),
    ],
)
def test_what_no_filter_can_say_is_refused(path: str, said: str) -> None:
    with pytest.raises(OperationNotSupported) as caught:
        reading(resolve(SCHEMA, parse_path(path)))
    assert said in caught.value.detail
