"""One script of calls, as a microservice makes them, and what each of the demo's tenants answers to it.

``SCRIPT`` is the proof of the idea, and the README's table is made of it: every call, and where a protocol
truly cannot serve it, the documented refusal. Each tenant plays it against a plant of its own, so that
keys that the upstream hands out are the same for all.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx2
import msgspec

from adapters.sandbox import Sandbox, SandboxOptions
from contracts.conformance import NOW, ZONE
from gateway.bootstrap import build
from gateway.demo.run import demo_settings
from tests.support.quota import plain
from tests.support.servers import serving

TENANTS = ("demo", "demo-onprem", "demo-connector", "demo-soap")
CONNECTORS = ("demo-connector", "demo-soap")

EQUIPMENT = {"Context": 1, "Status": 2, "Description": "Pump & <valve> \u03a9 ]]>", "Department": "01"}
READING = {"equipment": "00001", "point": "RUNHOURS", "at": "2022-04-15T06:00:00Z", "value": 120.5}


class Step(msgspec.Struct, frozen=True):
    """One call. ``refused`` gives, by tenant, the code that a protocol answers which truly cannot."""

    title: str
    method: str
    path: str
    query: Mapping[str, str] = {}
    body: object = None
    headers: Mapping[str, str] = {}
    refused: Mapping[str, str] = {}


class Outcome(msgspec.Struct, frozen=True):
    """What a caller sees of an answer that may not depend on the protocol."""

    status: int
    code: str | None
    body: bytes


class Played(msgspec.Struct, frozen=True):
    """One call of the script as it went; ``units`` are those of the upstream's quota, None where no header can say."""

    outcome: Outcome
    units: int | None


def _unsupported(*tenants: str) -> dict[str, str]:
    return dict.fromkeys(tenants, "operation_not_supported")


_BATCH = [
    {"id": "1", "method": "POST", "path": "Equipment", "body": EQUIPMENT},
    {"id": "2", "method": "PATCH", "path": "$1", "dependsOn": ["1"], "body": {"Model": "M1"}},
    {"id": "3", "method": "PATCH", "path": "Equipment/99999", "body": {"Model": "M1"}},
    {"id": "4", "method": "PATCH", "path": "Vendor/2513", "dependsOn": ["3"], "body": {"City": "Bonn"}},
    {"id": "5", "method": "DELETE", "path": "$1", "dependsOn": ["1", "2"]},
]
_GROUP = [
    {
        "id": "a1",
        "method": "POST",
        "path": "Invoice",
        "atomicityGroup": "g",
        "body": {"Context": 2, "Status": 1, "Vendor": "2513", "Site": "23"},
    },
    {
        "id": "a2",
        "method": "POST",
        "path": "$a1/Lines",
        "atomicityGroup": "g",
        "dependsOn": ["a1"],
        "body": {"Context": 2, "Status": 1, "Description": "Line"},
    },
]
_UNKNOWN_POINT = {**READING, "point": "NOWHERE"}
_REST_ONLY = _unsupported(*CONNECTORS)
_UPSERT = {"upsert": "true"}

SCRIPT: tuple[Step, ...] = (
    Step(
        "list, filtered and ordered",
        "GET",
        "Equipment",
        {"filter": "Status eq 2 and Description like 'Hef%'", "orderby": "Id"},
    ),
    Step(
        "list, ordered by a date, five of them, counted",
        "GET",
        "Job",
        {
            "filter": "Status eq 1 and Department/Id eq '01'",
            "orderby": "TargetDate desc",
            "count": "true",
            "limit": "5",
        },
    ),
    Step("list, selected", "GET", "Equipment", {"select": "Id,Description,Vendor", "limit": "4"}),
    Step("list, skipped", "GET", "Job", {"skip": "25", "orderby": "Id desc"}),
    Step(
        "list, filtered by a reference and null",
        "GET",
        "Equipment",
        {"filter": "not (Vendor eq null) or Site/Id in ('23', '01')"},
    ),
    Step("list, as a stream", "GET", "Vendor", headers={"Accept": "application/x-ndjson"}),
    Step("get", "GET", "Equipment/00001"),
    Step("get, with a slash in the key", "GET", "Building/01%2F02"),
    Step("get, by a composite key", "GET", "EquipmentSparePart/Equipment=00001,Article=0191"),
    Step("get, by an external id", "GET", "Equipment/ExternalId=4711,DataProvider=erp"),
    Step("get, selected", "GET", "Job/0000002", {"select": "Description,TargetDate"}),
    Step("get, through a reference", "GET", "Equipment/00001/Department"),
    Step("list, through a collection", "GET", "Department/01/Jobs", {"limit": "3"}),
    Step("get, nested composite keys", "GET", "Building/0001/BuildingParts/001/BuildingFloors/CODE01"),
    Step("get, of what is absent", "GET", "Equipment/nope"),
    Step("list, of an absent owner", "GET", "Department/nope/Jobs"),
    Step("a misspelled filter", "GET", "Equipment", {"filter": "Descripion eq 'x'"}),
    Step("an entity that is not there", "GET", "Equipmnt"),
    Step("get, expanded", "GET", "Equipment/00001", {"expand": "Department"}, refused=_REST_ONLY),
    Step("create", "POST", "Equipment", body=EQUIPMENT),
    Step("create, through a collection", "POST", "Department/01/Jobs", body={"Context": 1, "Status": 1}),
    Step("create, a line", "POST", "Invoice/00001/Lines", body={"Context": 2, "Status": 1}),
    Step("upsert, of what is absent", "PATCH", "Equipment/A-1", _UPSERT, EQUIPMENT),
    Step("upsert, of what is there", "PATCH", "Equipment/A-1", _UPSERT, {"Model": "M2"}),
    Step(
        "change",
        "PATCH",
        "Equipment/A-1",
        body={
            "PurchasePrice": 12.5,
            "InstallDate": "2022-04-07",
            "TrackAndTrace": True,
            "Department": None,
            "Description": "",
        },
    ),
    Step("change, of what is absent", "PATCH", "Equipment/nope", body={"Model": "M"}),
    Step("change, of another version", "PATCH", "Equipment/A-1", {}, {"Model": "M"}, {"If-Match": '"x"'}),
    Step("change, refused by the upstream", "PATCH", "Equipment/A-1", body={"Vendor": "nope"}),
    Step("a body that is not valid", "POST", "Equipment", body={"Context": 1, "Color": "red"}),
    Step("replace", "PUT", "Equipment/A-2", body=EQUIPMENT, refused=_unsupported(*TENANTS[1:])),
    Step(
        "upsert, of a key that REST cannot write",
        "PATCH",
        "Building/a%3Fb",
        _UPSERT,
        {"Description": "Doubtful"},
        refused=_unsupported("demo"),
    ),
    Step("delete", "DELETE", "Equipment/A-1"),
    Step("delete, of what is absent", "DELETE", "Equipment/A-1"),
    Step("batch", "POST", "/batch", body={"operations": _BATCH}),
    Step(
        "batch, with an atomicity group",
        "POST",
        "/batch",
        body={"operations": _GROUP},
        refused=_unsupported(*TENANTS[1:]),
    ),
    Step(
        "measurements, one of them refused",
        "POST",
        "/measurements",
        body={"measurements": [READING, _UNKNOWN_POINT]},
    ),
    Step(
        "action",
        "POST",
        "/actions/REST_ReportJob",
        body={"Description": "Leak", "ReportText": "Oil", "EquipmentId": "00001", "Context": 1},
        refused=_REST_ONLY,
    ),
)


@asynccontextmanager
async def playing(sandbox: Sandbox) -> AsyncIterator[httpx2.AsyncClient]:
    """A caller with all rights of the demo's gateway over a sandbox."""
    gateway = build(plain(demo_settings(sandbox.url + "/api/v1", sandbox.url)))
    async with (
        serving(gateway.app) as url,
        httpx2.AsyncClient(base_url=url, headers={"X-API-Key": "demo-key"}, timeout=30) as client,
    ):
        yield client


async def play(tenant: str) -> list[Played]:
    """What one tenant answers to the script. The clock stands still, so that times are the same for all."""
    options = SandboxOptions(limits="off", zone=ZONE, clock=lambda: NOW)
    async with Sandbox(options) as sandbox, playing(sandbox) as client:
        return [_played(await send(client, tenant, step)) for step in SCRIPT]


async def send(client: httpx2.AsyncClient, tenant: str, step: Step) -> httpx2.Response:
    """Make one call of the script for a tenant."""
    path = step.path if step.path.startswith("/") else f"/objects/{step.path}"
    return await client.request(
        step.method,
        f"/v1/{tenant}{path}",
        params=dict(step.query) or None,
        json=step.body,
        headers=dict(step.headers),
    )


def _played(answer: httpx2.Response) -> Played:
    cost = answer.headers.get("quota-cost")
    return Played(outcome(answer), None if cost is None else int(cost))


def outcome(answer: httpx2.Response) -> Outcome:
    """Status, code and body of an answer; of problems only what does not name the way to the upstream."""
    code = None
    body = answer.content
    if answer.headers.get("content-type", "").startswith("application/json"):
        body = msgspec.json.encode(_comparable(answer.json()))
    elif answer.headers.get("content-type", "").startswith("application/problem+json"):
        code = answer.json()["code"]
        body = b""
    return Outcome(answer.status_code, code, body)


def _comparable(value: object) -> object:
    """An answer without its cursor, which is of one tenant, and with problems reduced to their codes."""
    if isinstance(value, dict):
        return {
            name: _reduced(item) if name == "error" else _comparable(item)
            for name, item in value.items()
            if name != "next"
        }
    return [_comparable(item) for item in value] if isinstance(value, list) else value


def _reduced(problem: dict[str, object]) -> dict[str, object]:
    return {name: problem[name] for name in ("status", "code")}
