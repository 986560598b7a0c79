"""What is made of scans is what the upstream's own reading gives: the look-alike's REST face is the judge."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple

import msgspec
import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.rest import SPEC
from adapters.rest.options import RestOptions
from adapters.sandbox import Sandbox, SandboxOptions
from contracts.adapter import AdapterContext, TenantProfile
from contracts.errors import GatewayError
from contracts.operations import GetRecord, ListRecords
from contracts.records import as_dict
from contracts.results import Found, Page
from contracts.wire import Slot
from gateway.clock import SystemClock
from gateway.pipeline import around_call
from gateway.policies.cache import Cache
from gateway.settings import CacheSettings, CredentialSettings, Secret, TenantSettings
from gateway.tenants import Interface, Tenant
from gateway.wire import UpstreamWire, WireSettings
from tests.unit.gateway.plants import SCHEMA, ZONE, Exporter, Tables, call, getting, listing, tenant

ENTITIES = (
    *("Equipment", "Job", "Department", "Site", "Vendor", "Space", "Article", "ArticleVendor", "Invoice"),
    *("Building", "BuildingPart", "BuildingFloor", "EquipmentSparePart", "InvoiceLine"),
    *("EquipmentMeasurementPoint", "EquipmentMeasurementPointValue"),
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Both(NamedTuple):
    """The same plant twice: read by REST, and made of exports."""

    direct: Tenant
    made: Tenant
    exporter: Exporter


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both() -> AsyncIterator[Both]:
    async with Sandbox(SandboxOptions(limits="off", records=40, zone="Europe/Amsterdam")) as sandbox:
        base = sandbox.url + "/api/v1"
        wire = UpstreamWire(
            WireSettings(base_url=base), credential={Slot.API_KEY: "sandbox-demo"}, clock=SystemClock()
        )
        profile = TenantProfile()
        rest = SPEC.open(
            AdapterContext(base_url=base, schema=SCHEMA, zone=ZONE, profile=profile, options=RestOptions())
        )
        direct = Tenant(
            "direct",
            TenantSettings(environment="plant", credentials=CredentialSettings(api_key=Secret("k"))),
            schema=SCHEMA,
            interfaces={"rest": Interface(rest, wire)},
            policies=around_call(SystemClock(), Cache(CacheSettings(), SCHEMA, SystemClock())),
            scan_limit=1,
            zone=ZONE,
        )
        tables: Tables = {name: await _all(direct, name) for name in ENTITIES}
        assert all(tables.values()), [name for name, rows in tables.items() if not rows]
        exporter = Exporter(tables, piece=7)
        yield Both(direct, tenant({"exporter": exporter}), exporter)
        await direct.close()


async def _all(direct: Tenant, entity: str) -> list[dict[str, object]]:
    return [
        as_dict(row) async for piece in (await direct.stream(call(listing(entity)))).pieces for row in piece
    ]


async def _answer(tenant: Tenant, operation: ListRecords | GetRecord) -> object:
    """What a caller sees of the answer."""
    try:
        result = await tenant.perform(call(operation))
    except GatewayError as error:
        return error.code
    if isinstance(result, Found):
        return msgspec.json.encode(result.record)
    assert isinstance(result, Page)
    return msgspec.json.encode(result.items), result.count


PATHS = (
    "Equipment/00001",
    "Equipment/nope",
    "Equipment/ExternalId=4711",
    "Equipment/ExternalId=4711,DataProvider=erp",
    "Equipment/ExternalId=nope",
    "Equipment/00001/Department",
    "Equipment/00001/PartOfEquipment",
    "Equipment/00001/BuildingFloor",
    "Equipment/00002/BuildingPart",
    "Equipment/00002/BuildingFloor",
    "Equipment/nope/Department",
    "EquipmentSparePart/Equipment=00001,Article=0191",
    "EquipmentSparePart/Equipment=00001,Article=0191/Article",
    "EquipmentSparePart/Equipment=nope,Article=0191/Article",
    "Building/0001/BuildingParts/001",
    "Building/0001/BuildingParts/nope",
    "Building/nope/BuildingParts/001",
    "Building/0001/BuildingParts/001/BuildingFloors/CODE01",
    "Building/0001/BuildingParts/001/BuildingFloors/CODE01/BuildingPart",
    "BuildingFloor/Building=0001,BuildingPart=001,Id=CODE01",
    "BuildingFloor/Building=0001,BuildingPart=001,Id=CODE01/BuildingPart",
    "BuildingFloor/Building=0001,BuildingPart=001,Id=CODE01/Building",
    "Department/01/Jobs/0000002",
    "Department/nope/Jobs/0000002",
    "Job/0000002/Department",
    "Vendor/2513/Equipments/00001/EquipmentMeasurementPoints/RUNHOURS",
    "Vendor/nope/Equipments/00001/EquipmentMeasurementPoints/RUNHOURS",
)


@pytest.mark.parametrize("path", PATHS)
async def test_one_record(both: Both, path: str) -> None:
    operation = getting(path)
    assert await _answer(both.made, operation) == await _answer(both.direct, operation)


SETS = (
    "Equipment/00001/SpareParts",
    "Equipment/00001/EquipmentMeasurementPoints",
    "Equipment/ExternalId=4711,DataProvider=erp/SpareParts",
    "Equipment/ExternalId=nope/SpareParts",
    "EquipmentMeasurementPoint/Equipment=00001,Id=RUNHOURS/Values",
    "Equipment/00001/EquipmentMeasurementPoints/RUNHOURS/Values",
    "Department/01/Jobs",
    "Department/nope/Jobs",
    "Department/01/ChildDepartments",
    "Site/23/Departments",
    "Site/23/Departments/01/Jobs",
    "Site/23/Departments/05/Jobs",
    "Site/01/Departments/01/Jobs",
    "Site/nope/Departments/01/Jobs",
    "Equipment/00002/EquipmentMeasurementPoints/RUNHOURS/Values",
    "Building/0001/BuildingParts",
    "Building/nope/BuildingParts",
    "Building/0001/BuildingParts/001/BuildingFloors",
    "Building/0001/BuildingParts/nope/BuildingFloors",
    "BuildingPart/Building=0001,Id=001/BuildingFloors",
    "Invoice/00001/Lines",
    "Article/0191/Vendors",
)


@pytest.mark.parametrize("path", SETS)
async def test_the_records_of_a_collection(both: Both, path: str) -> None:
    operation = listing(path, count=True)
    assert await _answer(both.made, operation) == await _answer(both.direct, operation)


TERMS = {
    "Equipment": (
        "Status eq 2",
        "Id gt '00010'",
        "Description like 'h%'",
        "Description eq 'HEFTRUCK'",
        "Department eq null",
        "Department/Id eq '01'",
        "Department/Id in ('05', '01')",
        "Department ne '05'",
        "BuildingPart/Id/Building eq '0001'",
        "BuildingFloor/Id/Id ne 'CODE01'",
        "PurchasePrice ge 1234.5",
        "ManufactureYear lt 2015",
        "TrackAndTrace eq true",
        "InstallDate ge 2016-06-20",
        "RecordChangeDate gt 2022-06-15T10:20:30Z",
        "Vendor/Id eq '2513'",
    ),
    "Job": (
        "Department eq '01'",
        "TargetDate lt 2022-02-04T00:00:00",
        "TargetDate eq 2022-02-02T16:30:00+01:00",
        "Hours gt 0.25",
        "TargetDate eq 2022-02-02T16:30:00",
        "Canceled ne true",
        "ReportText like '%hurry%'",
        "Equipment/Id in ('00002')",
        "Status in (1, 2)",
    ),
    "EquipmentSparePart": (
        "Quantity gt 1",
        "Article eq '0191'",
        "Equipment/Id eq '00001'",
        "Id/Article ne '0191'",
    ),
    "BuildingFloor": (
        "Id/Id eq 'CODE01'",
        "Building/Id eq '0001'",
        "Id/BuildingPart eq '001'",
        "BuildingPart/Id/Building eq '0001'",
        "BuildingPart/Id/Id eq '002'",
    ),
    "EquipmentMeasurementPointValue": ("Value gt 10", "Id/LineId gt '0'", "Equipment eq '00002'"),
}
ORDERS = {
    "Equipment": ("Description", "InstallDate", "PurchasePrice", "Department/Id", "Id", "TrackAndTrace"),
    "Job": ("TargetDate", "Department/Id", "Hours", "Description", "Status"),
    "EquipmentSparePart": ("Quantity", "Id/Article"),
    "BuildingFloor": ("Description", "Id/Id"),
    "EquipmentMeasurementPointValue": ("Value", "Date"),
}
SELECTS = {
    "Equipment": ("Id", "Description", "Department", "BuildingFloor", "PurchasePrice", "SpareParts"),
    "Job": ("Description", "TargetDate", "Equipment"),
    "EquipmentSparePart": ("Id", "Quantity", "Id/Article"),
    "BuildingFloor": ("Id", "Id/Building"),
    "EquipmentMeasurementPointValue": ("Value", "Date"),
}


@pytest.mark.parametrize(("entity", "term"), [(entity, term) for entity in TERMS for term in TERMS[entity]])
async def test_every_condition_by_itself(both: Both, entity: str, term: str) -> None:
    operation = listing(entity, filter=term)
    assert await _answer(both.made, operation) == await _answer(both.direct, operation)


@pytest.mark.parametrize(("entity", "name"), [(entity, name) for entity in ORDERS for name in ORDERS[entity]])
async def test_every_order_by_itself(both: Both, entity: str, name: str) -> None:
    for way in ("", " desc"):
        operation = listing(entity, orderby=name + way, select="Id")
        assert await _answer(both.made, operation) == await _answer(both.direct, operation)


def _joined(operands: list[str], word: str) -> str:
    return "(" + f" {word} ".join(operands) + ")"


@st.composite
def _lists(draw: st.DrawFn) -> ListRecords:
    entity = draw(st.sampled_from(sorted(TERMS)))
    filters = st.recursive(
        st.sampled_from(TERMS[entity]),
        lambda inner: st.one_of(
            inner.map("not ({})".format),
            st.builds(_joined, st.lists(inner, min_size=2, max_size=3), st.sampled_from(("and", "or"))),
        ),
        max_leaves=4,
    )
    terms = st.tuples(st.sampled_from(ORDERS[entity]), st.sampled_from(("", " desc"))).map("".join)
    selects = st.lists(st.sampled_from(SELECTS[entity]), max_size=3, unique=True)
    return listing(
        entity,
        filter=draw(st.none() | filters),
        orderby=",".join(draw(st.lists(terms, max_size=2, unique_by=lambda term: term.split()[0]))),
        select=",".join(draw(selects)),
        skip=draw(st.integers(0, 30)),
        limit=draw(st.none() | st.integers(1, 12)),
        count=draw(st.booleans()),
    )


@given(operation=_lists())
@settings(max_examples=120, deadline=None)
async def test_a_list(both: Both, operation: ListRecords) -> None:
    assert await _answer(both.made, operation) == await _answer(both.direct, operation)
    assert both.exporter.open == 0


@given(operation=_lists())
@settings(max_examples=40, deadline=None)
async def test_all_pages_and_the_stream(both: Both, operation: ListRecords) -> None:
    query = msgspec.structs.replace(operation.query, limit=None, count=False)
    operation = msgspec.structs.replace(operation, query=query)
    expected = [
        as_dict(row) async for piece in (await both.direct.stream(call(operation))).pieces for row in piece
    ]
    streamed = [row async for piece in (await both.made.stream(call(operation))).pieces for row in piece]
    assert streamed == expected
    paged: list[object] = []
    query = msgspec.structs.replace(query, limit=5)
    while True:
        page = await both.made.perform(call(msgspec.structs.replace(operation, query=query)))
        assert isinstance(page, Page)
        paged += page.items
        if page.next is None:
            break
        assert len(page.items) == 5
        query = msgspec.structs.replace(query, continuation=page.next)
    assert paged == expected
