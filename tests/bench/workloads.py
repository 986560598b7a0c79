"""The two answers that the benchmark reads, and how many times it reads them.

The upstream's bodies are rendered here once, so that serving them costs next to nothing.
"""

from __future__ import annotations

import json
from typing import Final

import msgspec

PAGE_RECORDS: Final = 1000


class Effort(msgspec.Struct, frozen=True):
    """Requests measured at each concurrency, and the most seconds that one measurement may take."""

    requests: dict[int, int]
    seconds: float


class Workload(msgspec.Struct, frozen=True):
    """One kind of read. ``upstream_path`` is what the upstream knows it by, ``gateway_path`` what callers do."""

    name: str
    title: str
    upstream_path: str
    gateway_path: str
    records: int
    body: bytes
    full: Effort
    quick: Effort


def equipment(number: int) -> dict[str, object]:
    """One Equipment record as the upstream's REST interface prints it, every known property present."""
    return {
        "Id": f"{number:05}",
        "Description": "Cooling water pump 2",
        "Context": 1,
        "Status": 2,
        "RecordCreateDate": "2021-03-09T15:33:51.1355081Z",
        "RecordChangeDate": "2024-11-02T07:05:12Z",
        "ExternalId": f"E{number:05}",
        "DataProvider": "Rest",
        "Code": f"P{number:05}",
        "Model": "NK 80-250",
        "SerialNumber": f"S{number:07}",
        "TypeNumber": None,
        "Location": "Hall 2",
        "ManufactureYear": 2019,
        "InstallDate": "2020-01-15",
        "WarrantDate": None,
        "NextPmMaintenanceDate": None,
        "PurchasePrice": 12850.75,
        "ReplacementCost": None,
        "TrackAndTrace": False,
        "TrackAndTraceLocation": None,
        "Building": "0001",
        "BuildingPart": None,
        "BuildingFloor": None,
        "CostCenter": "4100",
        "Department": "01",
        "EquipmentType": "PMP",
        "PartOfEquipment": None,
        "ProcessFunction": None,
        "ServiceContract": None,
        "Site": "01",
        "Space": None,
        "Vendor": "0042",
    }


def workloads() -> tuple[Workload, ...]:
    """The small read and the page, in the order in which they are measured."""
    return (
        Workload(
            name="small",
            title="one record",
            upstream_path="/api/v1/object/Equipment('00001')",
            gateway_path="/v1/demo/objects/Equipment/00001",
            records=1,
            body=_json(equipment(1)),
            full=Effort(requests={1: 3000, 32: 6000, 256: 6000}, seconds=20.0),
            quick=Effort(requests={1: 200, 32: 400, 256: 512}, seconds=2.0),
        ),
        Workload(
            name="page",
            title=f"a page of {PAGE_RECORDS:,} records",
            upstream_path="/api/v1/object/Equipment",
            gateway_path=f"/v1/demo/objects/Equipment?limit={PAGE_RECORDS}",
            records=PAGE_RECORDS,
            body=_json(
                {
                    "count": None,
                    "nextPageLink": None,
                    "items": [equipment(number) for number in range(1, PAGE_RECORDS + 1)],
                }
            ),
            full=Effort(requests={1: 300, 32: 600, 256: 1024}, seconds=20.0),
            quick=Effort(requests={1: 30, 32: 64, 256: 256}, seconds=2.0),
        ),
    )


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
