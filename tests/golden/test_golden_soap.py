"""Every kind of operation over SOAP: the exact request, and what an answer to it comes to.

A file has the upstream's answer and, recorded, the upstream request and our result.
"""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from adapters.soap import SPEC
from contracts.adapter import AdapterContext, TenantProfile
from contracts.addressing import Resolved, resolve
from contracts.call import Call
from contracts.entities import standard_schema
from contracts.errors import GatewayError
from contracts.filters import parse_filter
from contracts.operations import (
    ChangeRecord,
    CreateRecord,
    DeleteRecord,
    ImportObject,
    ListRecords,
    Member,
    Operation,
    Query,
    Reading,
    RunExport,
    RunImport,
    TakeReadings,
    WriteBatch,
)
from contracts.paths import parse_path
from contracts.results import Result, Scan
from contracts.wire import Slot
from gateway.clock import SystemClock
from gateway.wire import UpstreamWire, WireSettings
from tests.support.golden import check_sections, sections, shown_requests
from tests.support.servers import scripted_upstream

DIRECTORY = Path(__file__).parent / "soap"
SECTIONS = (">>> upstream request", "<<< upstream answer", "<<< result")
SCHEMA = standard_schema()
OPTIONS = {
    "exports": {
        "Equipment": {"connector": "EXP_EQ", "filters": ["Id", "Code"]},
        "EquipmentSparePart": {"connector": "EXP_SPAREPART", "filters": ["Id"]},
    },
    "imports": {"Equipment": {"connector": "IMP_EQ"}, "InvoiceLine": {"connector": "IMP_LINE"}},
    "process_measurements": "IOT-PROCESS-MEASUREMENT",
}


def at(path: str) -> Resolved:
    return resolve(SCHEMA, parse_path(path))


def change(path: str, *, upsert: bool = False, **body: object) -> ChangeRecord:
    return ChangeRecord(place=at(path), body=body, upsert=upsert)


def narrowed(entity: str, condition: str) -> ListRecords:
    return ListRecords(place=at(entity), query=Query(filter=parse_filter(condition)))


NEW = {"Context": 1, "Status": 2, "Description": 'Pump "A" & <B> ]]>\r\n\tnext'}
LINE = ImportObject(
    type="InvoiceLine",
    action="Insert",
    properties={"Id.Invoice.Id": "${Parent.Id}", "Amount": 12.5, "Text": None},
)
CASES: dict[str, Operation] = {
    "list-a-set": ListRecords(place=at("Equipment")),
    "list-narrowed-by-key": narrowed("Equipment", "Id eq '00001' and Description like 'Hef%'"),
    "list-narrowed-by-a-composite-key": narrowed("EquipmentSparePart", "Id/Equipment eq '1' and Id/Article eq 'a&b'"),
    "create": CreateRecord(place=at("Equipment"), body=NEW),
    "create-a-line-of-an-invoice": CreateRecord(place=at("Invoice/001/Lines"), body={"Description": "One"}),
    "change": change("Equipment/00001", Status=4, Department="01", Code=None),
    "change-refused": change("Equipment/00001", Status=-1),
    "upsert": change("Equipment/00001", upsert=True, Context=1, Status=2, Vendor={"ExternalId": "V-1"}),
    "delete": DeleteRecord(place=at("Equipment/00001")),
    "batch": WriteBatch(
        members=(
            Member(id="a", write=change("Equipment/00001", Status=4)),
            Member(id="b", write=change("Equipment/00002", Status=-1)),
            Member(id="c", write=DeleteRecord(place=at("Equipment/00003"))),
        )
    ),
    "batch-that-breaks-off": WriteBatch(
        members=(
            Member(id="a", write=change("Equipment/00001", Status=4)),
            Member(id="b", write=change("Equipment/00002", Status=4)),
        )
    ),
    "export": RunExport(name="EXP_LISTE_é<&>"),
    "export-narrowed-as-csv": RunExport(name="EXP_CSV", filter={"Code": "a\r\n\"<?userName ?>"}, format="csv"),
    "import-nested": RunImport(
        name="IMP_INVOICE",
        objects=(
            ImportObject(type="Invoice", action="InsertOrUpdate", properties={"Id": "001"}, objects=(LINE,)),
            ImportObject(type="Invoice", action="InsertOrSkip", properties={"Id": "002", "Context": 1}),
        ),
    ),
    "measurements": TakeReadings(
        readings=(
            Reading(point="01", at="2024-03-09T15:33:51Z", equipment="00001", value=Decimal("12.50"), text="a<b"),
            Reading(point="02", at="2024-07-09T15:33:51+02:00", equipment="00002", delta=Decimal(1)),
        )
    ),
    "measurements-of-process-functions": TakeReadings(
        readings=(Reading(point="01", at="2024-03-09T15:33:51Z", process_function="P1", value=Decimal(7)),)
    ),
}  # fmt: skip
CONTEXT = AdapterContext(
    base_url="",
    schema=SCHEMA,
    zone=ZoneInfo("Europe/Amsterdam"),
    profile=TenantProfile(),
    options=msgspec.convert(OPTIONS, SPEC.options),
)


def test_every_operation_has_its_files_and_no_file_is_left_over() -> None:
    assert {file.stem for file in DIRECTORY.glob("*")} == set(CASES)
    kinds = {operation.kind for operation in CASES.values()}
    assert kinds == SPEC.open(CONTEXT).capabilities.operations


@pytest.mark.parametrize("name", CASES)
async def test_what_is_sent_and_what_an_answer_comes_to(name: str) -> None:
    file = DIRECTORY / f"{name}.txt"
    answer = sections(file.read_text(), SECTIONS)["<<< upstream answer"]
    check_sections(file, SECTIONS, await played(CASES[name], answer))


async def played(operation: Operation, answer: str) -> dict[str, str]:
    """The bytes as they left, and the result. The credential shows as what it stands for."""
    async with scripted_upstream() as upstream:
        status, _, body = answer.partition("\n\n")
        content = body.encode()
        head = f"HTTP/1.1 {status} X\r\nContent-Type: text/xml; charset=utf-8\r\nContent-Length: {len(content)}\r\n\r\n"
        upstream.answer = head.encode() + content
        wire = UpstreamWire(
            WireSettings(base_url=upstream.url.replace("/api/v1", "/Ultimo")),
            credential={Slot.USERNAME: "{username}", Slot.PASSWORD: "{password}"},
            clock=SystemClock(),
        )
        deadline = time.monotonic() + 10
        call = Call(operation=operation, tenant="t", client="c", request_id="<request id>", deadline=deadline)
        try:
            result = await shown_result(SPEC.open(CONTEXT).perform(call, wire.bound(call)))
        finally:
            await wire.close()
        return {">>> upstream request": shown_requests(upstream.requests), "<<< result": result}


async def shown_result(performed: object) -> str:
    try:
        result: Result = await performed  # type: ignore[misc]
        shown: object = result
        if isinstance(result, Scan):
            shown = [record async for piece in result.pieces for record in piece]
    except GatewayError as error:
        shown = error
    return msgspec.json.format(msgspec.json.encode(shown, enc_hook=shown_error), indent=2).decode()


def shown_error(error: object) -> object:
    assert isinstance(error, GatewayError)
    return {"code": error.code, "outcome": error.outcome, "detail": error.detail, "upstream": error.upstream}
