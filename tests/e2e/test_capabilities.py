"""What a tenant says it can do is true: every line is tried, for every entity that it names."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import msgspec
import pytest
import pytest_asyncio

from adapters.sandbox import Sandbox, SandboxOptions
from contracts.entities import STANDARD_ENTITIES
from contracts.operations import OPERATIONS
from tests.support.four_tenants import READING, TENANTS, playing

NEW = {"Context": 1, "Status": 1, "Description": "tried"}
EVERY = tuple(entity.name for entity in STANDARD_ENTITIES)
SINGLE_KEYS = tuple(entity.name for entity in STANDARD_ENTITIES if not entity.composite and not entity.open)


class Line(msgspec.Struct, frozen=True):
    """A line of the table, as a caller reads it."""

    operation: str
    adapter: str | None
    entities: tuple[str, ...] | None
    reason: str | None


class Trial:
    """One tenant, and the calls that try its lines."""

    def __init__(self, client: httpx2.AsyncClient, tenant: str) -> None:
        self._client = client
        self._base = f"/v1/{tenant}"

    async def lines(self) -> list[Line]:
        answer = await self._client.get(f"{self._base}/capabilities")
        return msgspec.convert(answer.json()["items"], list[Line])

    async def attempt(self, line: Line) -> list[httpx2.Response]:
        """The answers to calls that the line is about, one for each entity where it is about entities."""
        entities = line.entities or EVERY
        match line.operation:
            case "list" | "get":
                return [await self._read(entity, single=line.operation == "get") for entity in entities]
            case "create" | "change" | "replace" | "delete":
                writable = [entity for entity in entities if entity in SINGLE_KEYS]
                return [await self._write(line.operation, entity) for entity in writable]
            case kind:
                return [await self._many(kind)]

    async def planned(self, method: str, path: str, body: object = None) -> str | None:
        """The adapter that a dry run names."""
        answer = await self._client.request(method, self._base + path, json=body, params={"dry_run": "true"})
        return None if answer.is_error else str(answer.json()["adapter"])

    async def _read(self, entity: str, *, single: bool) -> httpx2.Response:
        listed = await self._send("GET", f"/objects/{entity}?limit=1")
        if not single or not listed.json()["items"]:
            return listed
        own = listed.json()["items"][0]["Id"]
        parts = own.items() if isinstance(own, dict) else [("Id", own)]
        key = ",".join(f"{name}={value}" for name, value in parts)
        return await self._send("GET", f"/objects/{entity}/{key}")

    async def _write(self, kind: str, entity: str) -> httpx2.Response:
        place = f"/objects/{entity}/T1"
        if kind == "replace":
            return await self._send("PUT", place, NEW)
        if kind == "create":
            answer = await self._send("POST", f"/objects/{entity}", NEW)
            # Some entities are given no key by the upstream, whatever the way to it.
            keyless = answer.status_code == 501 and "no automatic key" in answer.json()["detail"]
            return await self._send("POST", "/objects/Equipment", NEW) if keyless else answer
        if kind == "change":
            await self._send("PATCH", f"{place}?upsert=true", NEW)
            return await self._send("PATCH", place, {"Description": "changed"})
        return await self._send("DELETE", place)

    async def _many(self, kind: str) -> httpx2.Response:
        match kind:
            case "batch":
                operation = {"id": "1", "method": "PATCH", "path": "Vendor/2513", "body": {"City": "Bonn"}}
                return await self._send("POST", "/batch", {"operations": [operation]})
            case "action":
                body = {"Description": "Leak", "ReportText": "Oil", "EquipmentId": "00001", "Context": 1}
                return await self._send("POST", "/actions/REST_ReportJob", body)
            case "measurements":
                return await self._send("POST", "/measurements", {"measurements": [READING]})
            case "export":
                return await self._send("POST", "/exports/EXP_VENDOR", {})
            case "import":
                item = {"type": "Vendor", "action": "Update", "properties": {"Id": "2513", "City": "Bonn"}}
                return await self._send("POST", "/imports/IMP_VENDOR", {"objects": [item]})
        raise AssertionError(f"nothing tries '{kind}'")

    async def _send(self, method: str, path: str, body: object = None) -> httpx2.Response:
        return await self._client.request(method, self._base + path, json=body)


@pytest_asyncio.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with Sandbox(SandboxOptions(limits="off")) as sandbox, playing(sandbox) as running:
        yield running


@pytest.mark.parametrize("tenant", TENANTS)
async def test_every_line_is_true(client: httpx2.AsyncClient, tenant: str) -> None:
    trial = Trial(client, tenant)
    lines = await trial.lines()
    assert {line.operation for line in lines} == {operation.kind for operation in OPERATIONS}
    for line in lines:
        answers = await trial.attempt(line)
        assert answers, line
        refused = [answer.text for answer in answers if answer.is_error]
        if line.adapter is not None:
            assert refused == [], line
            continue
        assert line.reason, line
        assert len(refused) == len(answers), line
        assert {answer.json()["code"] for answer in answers} == {"operation_not_supported"}


@pytest.mark.parametrize("tenant", TENANTS)
async def test_the_adapter_is_the_one_that_a_call_goes_to(client: httpx2.AsyncClient, tenant: str) -> None:
    trial = Trial(client, tenant)
    served = {line.operation: line.adapter for line in await trial.lines()}
    calls = {
        "list": ("GET", "/objects/Vendor", None),
        "get": ("GET", "/objects/Vendor/2513", None),
        "create": ("POST", "/objects/Equipment", NEW),
        "replace": ("PUT", "/objects/Vendor/2513", NEW),
        "change": ("PATCH", "/objects/Vendor/2513", {"City": "Bonn"}),
        "delete": ("DELETE", "/objects/Vendor/2513", None),
        "measurements": ("POST", "/measurements", {"measurements": [READING]}),
        "export": ("POST", "/exports/EXP_VENDOR", {}),
    }
    assert {kind: await trial.planned(*call) for kind, call in calls.items()} == {
        kind: served[kind] for kind in calls
    }
