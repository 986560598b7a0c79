"""Every kind of operation over Connector.ashx → the exact request, from its method to the last byte of its body.

A credential is shown by the name of its place.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from contracts.operations import (
    ChangeRecord,
    CreateRecord,
    DeleteRecord,
    ImportObject,
    Member,
    Operation,
    Reading,
    RunExport,
    RunImport,
    TakeReadings,
    WriteBatch,
)
from contracts.wire import Placeholder, Slot, WireRequest
from tests.support.golden import check_text
from tests.unit.adapters.connectors.rig import OPTIONS, a_call, an_adapter, at, listing

FOLDER = Path(__file__).parent / "connector"
IN_URL = "-credentials-in-url"

BODY = {
    "context": 1,
    "Status": "2",
    "Description": 'Pump & "valve" <1>\r\n\t]]> é',
    "PurchasePrice": Decimal("12.50"),
    "TrackAndTrace": True,
    "InstallDate": "2022-04-07",
    "Code": None,
    "Model": "",
    "Department": "01",
    "Vendor": {"ExternalId": "4711", "DataProvider": "erp"},
    "BuildingPart": {"Building": "0001", "Id": "001"},
    "Site": None,
    "BuildingFloor": None,
}

OPERATIONS: dict[str, Operation] = {
    "list": listing("Equipment"),
    "list-narrowed": listing("Equipment", "Status eq 2 and Id eq '00001' and Code eq 'a&b'"),
    "list-by-a-composite-key": listing("BuildingPart", "Id/Building eq '0001' and Id/Id eq '001'"),
    "create": CreateRecord(place=at("Equipment"), body=BODY),
    "create-in-a-collection": CreateRecord(place=at("Department/01/Jobs"), body={"Context": 1, "Status": 1}),
    "create-a-line": CreateRecord(place=at("Invoice/00001/Lines"), body={"Context": 1, "Status": 1}),
    "change": ChangeRecord(
        place=at("Job/0000001"), body={"TargetDate": "2022-06-15T10:20:30.1234567Z", "Equipment": "00001"}
    ),
    "change-upsert-of-a-composite-key": ChangeRecord(
        place=at("Building/0001/BuildingParts/001"), body={"Context": 1, "Status": 1}, upsert=True
    ),
    "change-by-external-id": ChangeRecord(
        place=at("Equipment/ExternalId=4711,DataProvider=erp"), body={"Status": 2}
    ),
    "change-a-key-that-no-path-can-hold": ChangeRecord(place=at("Equipment/a%2Fb%25"), body={"Status": 2}),
    "delete": DeleteRecord(place=at("Equipment/00001")),
    "batch": WriteBatch(
        members=(
            Member(id="a", write=CreateRecord(place=at("Equipment"), body={"Context": 1, "Status": 1})),
            Member(id="b", write=ChangeRecord(place=at("Equipment/00002"), body={"Code": "x"})),
            Member(id="c", write=DeleteRecord(place=at("Equipment/00003"))),
        )
    ),
    "export": RunExport(name="EXP any & more"),
    "export-with-a-filter": RunExport(name="EXP_EQ", filter={"Code": "x\ty", "Department.Id": "01"}),
    "import": RunImport(
        name="IMP_EQUIPMENT",
        objects=(
            ImportObject(
                type="Equipment",
                action="InsertOrSkip",
                properties={"Id": "00001", "Context": 1, "PurchasePrice": 0.1, "Code": None},
                objects=(
                    ImportObject(
                        type="EquipmentMeasurementPoint",
                        action="InsertOrUpdate",
                        properties={"Id.Equipment.Id": "${Parent.Id}", "Id.Id": "TEMP"},
                    ),
                ),
            ),
        ),
    ),
    "measurements": TakeReadings(
        readings=(
            Reading(point="TEMP", at="2018-08-20T17:17:59+02:00", equipment="00001", value=Decimal("22.50")),
            Reading(
                point="<R&H>",
                at="2018-08-20T15:17:59.25Z",
                process_function="0001",
                value=Decimal("1E+3"),
                text="a\r\nb",
            ),
        )
    ),
}

CASES = [*OPERATIONS, *(name + IN_URL for name in ("list", "list-narrowed", "change", "measurements"))]


def requests(name: str) -> tuple[WireRequest, ...]:
    """What the case is sent as; readings of process functions go to the connector that takes both."""
    options = msgspec.structs.replace(
        OPTIONS, credentials_in_url=name.endswith(IN_URL), process_measurements="IOT-MEASUREMENT"
    )
    return an_adapter(options).plan(a_call(OPERATIONS[name.removesuffix(IN_URL)]))


def shown(request: WireRequest) -> str:
    assert isinstance(request.content, bytes | tuple)
    parts = (request.content,) if isinstance(request.content, bytes) else request.content
    body = b"".join(
        f"{{{part.slot.value}}}".encode() if isinstance(part, Placeholder) else part for part in parts
    )
    secrets = "".join(
        ("&" if index or "?" in request.target else "?") + f"{name}={{{slot.value}}}"
        for index, (name, slot) in enumerate(request.secrets)
    )
    headers = (
        f"{name}: {f'{{{value.value}}}' if isinstance(value, Slot) else value}"
        for name, value in request.headers
    )
    repeatable = "repeatable" if request.repeatable else "not repeatable"
    line = f"{request.method} {request.target}{secrets}"
    return "\n".join([f"# {repeatable}", line, *headers, "", body.decode()])


@pytest.mark.parametrize("name", CASES)
def test_the_exact_request(name: str) -> None:
    file = FOLDER / f"{name}.txt"
    check_text(file, "\n\n".join(map(shown, requests(name))) + "\n")


def test_every_kind_that_the_adapter_serves_has_a_file_and_every_file_a_case() -> None:
    kinds = an_adapter().capabilities.operations
    assert {name for name in OPERATIONS if name in kinds} == kinds
    assert {file.stem for file in FOLDER.glob("*.txt")} == set(CASES)
