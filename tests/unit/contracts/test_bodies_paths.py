"""Which paths can be written to."""

import pytest

from contracts.entities import standard_schema
from contracts.errors import EntityNotFound, InvalidPath, OperationNotSupported
from contracts.paths import parse_path
from contracts.writing import WriteKind, check_write_path

SCHEMA = standard_schema()


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("create", "Equipment"),
        ("create", "_Thing"),
        ("create", "Department/01/Jobs"),
        ("create", "Department/ExternalId=01/Jobs"),
        ("create", "Invoice/00001/Lines"),
        ("create", "Equipment/1/EquipmentMeasurementPoints/2/Values"),
        ("create", "Equipment/1/_Things"),
        ("replace", "Equipment/00001"),
        ("replace", "Equipment/ExternalId=00001"),
        ("replace", "InvoiceLine/ExternalId=01"),
        ("replace", "BuildingFloor/Building=0001,BuildingPart=001,Id=CODE01"),
        ("replace", "Building/0001/BuildingParts/001"),
        ("replace", "Building/0001/BuildingParts/001/BuildingFloors/CODE01"),
        ("replace", "BuildingPart/Building=1,Id=2/BuildingFloors/3"),
        ("replace", "_Thing/01"),
        ("change", "Building/0001/BuildingParts/001/BuildingFloors/CODE01"),
        ("delete", "EquipmentSparePart/Equipment=1,Article=2"),
        ("delete", "Equipment/1/SpareParts/2"),
    ],
)
def test_a_path_can_be_written_to(kind: WriteKind, path: str) -> None:
    assert check_write_path(SCHEMA, parse_path(path), kind).path == parse_path(path)


@pytest.mark.parametrize(
    ("kind", "path", "said"),
    [
        ("create", "Equipment/00001", "PUT or PATCH"),
        ("create", "Equipment/00001/Department", "write the record itself, Department/<key>"),
        ("replace", "Equipment/00001/Department", "write the record itself"),
        ("change", "Equipment/00001/Department/01", "takes no key"),
        ("create", "InvoiceLine", "POST Invoice/<key>/Lines"),
        ("replace", "Equipment", "is a set"),
        ("delete", "Department/01/Jobs", "Jobs/<key>"),
        ("replace", "Department/01/Jobs/001", "write Job/001"),
        ("change", "Department/01/Jobs/001", "write Job/001"),
        ("replace", "Vendor/1/Equipments/2/SpareParts/3", "write EquipmentSparePart/Equipment=2,Article=3"),
        ("replace", "Article/1/Vendors/2/Vendor", "write the record itself"),
    ],
)
def test_another_path_is_refused_with_what_to_do_instead(kind: WriteKind, path: str, said: str) -> None:
    with pytest.raises(InvalidPath) as caught:
        check_write_path(SCHEMA, parse_path(path), kind)
    assert said in caught.value.detail


@pytest.mark.parametrize(
    ("path", "instead"),
    [
        ("Department", "PUT Department/<key>"),
        ("EquipmentSparePart", "PUT EquipmentSparePart/Equipment=<value>,Article=<value>"),
        ("Site/1/Departments", "PUT Department/<key>"),
        ("Building/1/BuildingParts", "PUT BuildingPart/Building=<value>,Id=<value>"),
    ],
)
def test_a_record_without_an_automatic_key_is_not_created(path: str, instead: str) -> None:
    with pytest.raises(OperationNotSupported) as caught:
        check_write_path(SCHEMA, parse_path(path), "create")
    assert instead in caught.value.detail


def test_an_unknown_entity_is_not_found() -> None:
    with pytest.raises(EntityNotFound):
        check_write_path(SCHEMA, parse_path("Nothing"), "create")
