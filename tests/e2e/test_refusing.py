"""Every row of the error table, provoked through the API: the right code, and nothing spent that need not be."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import httpx2
import pytest

from adapters.sandbox import Fault, Sandbox, SandboxOptions
from tests.support.problems import checked
from tests.support.servers import KEY, NARROW_KEY, READ_KEY, Served, eventually, gateway

OBJECTS = "/v1/demo/objects"
JOB = {"Context": 1, "Status": 1, "Description": "Leak"}
DEEP = "[" * 5000 + "]" * 5000


BAD_READS = [
    ("Equipment?limit=0", 400, "invalid_request"),
    ("Equipment?limit=1001", 400, "invalid_request"),
    ("Equipment?skip=-1", 400, "invalid_request"),
    ("Equipment?count=yes", 400, "invalid_request"),
    ("Equipment?fliter=x", 400, "invalid_request"),
    ("Equipment?$filter=Status eq 1", 400, "invalid_request"),
    ("Equipment?limit=1&limit=2", 400, "invalid_request"),
    ("Equipment?select=Nothing", 400, "invalid_request"),
    ("Equipment?orderby=SpareParts", 400, "invalid_request"),
    ("Equipment?expand=Status", 400, "invalid_request"),
    ("Equipment?expand=Department/Site/Departments/Site", 400, "invalid_request"),
    ("Equipment?filter=", 400, "invalid_filter"),
    ("Equipment?filter=Status eq", 400, "invalid_filter"),
    ("Equipment?filter=Status = 1", 400, "invalid_filter"),
    ("Equipment?filter=Nothing eq 1", 400, "invalid_filter"),
    ("Equipment?filter=" + "(" * 3000, 400, "invalid_filter"),
    ("Equipment?filter=Description eq 'x", 400, "invalid_filter"),
    ("Equipment?cursor=abc", 400, "invalid_cursor"),
    ("", 400, "invalid_path"),
    ("/Equipment", 400, "invalid_path"),
    ("Equipment//Department", 400, "invalid_path"),
    ("Equipment/00001/Nowhere", 400, "invalid_path"),
    ("Equipment/00001/Description", 400, "invalid_path"),
    ("Equipment/%00", 400, "invalid_path"),
    ("Equipment/%ff", 400, "invalid_path"),
    ("Equipment/Wrong=1", 400, "invalid_path"),
    ("EquipmentSparePart/00001", 400, "invalid_path"),
    ("Equip'ment/1", 400, "invalid_path"),
    ("Equip%5Cment/1", 400, "invalid_path"),
    ("..%2f..%2faction/REST_ReportJob", 400, "invalid_path"),
    ("%2e%2e/%2e%2e/x", 400, "invalid_path"),
    ("Department/ExternalId=01/Jobs/0002/Equipments", 400, "invalid_path"),
    ("Equipmnt/00001", 404, "entity_not_found"),
]


@pytest.mark.parametrize(("target", "status", "code"), BAD_READS)
async def test_a_bad_read_costs_nothing(
    served: Served, sandbox: Sandbox, target: str, status: int, code: str
) -> None:
    path = f"{OBJECTS}/{target}".replace(" ", "%20").replace("'", "%27")
    answer = await _raw(served, f"GET {path} HTTP/1.1")
    assert (answer["status"], answer["code"], answer["outcome"]) == (status, code, "not_sent")
    assert sandbox.ledger.calls == []
    (line,) = served.lines()
    assert (line["status"], line["code"], line["units"]) == (status, code, 0)


async def _raw(served: Served, line: str) -> dict[str, object]:
    """The problem that a request line ends in; clients would tidy up some of them."""
    host, port = served.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"{line}\r\nHost: x\r\nX-API-Key: {KEY}\r\nConnection: close\r\n\r\n".encode())
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    assert b"problem+json" in head
    problem: dict[str, object] = json.loads(body)
    return problem


async def test_a_wrong_filter_says_where_and_what_was_expected(client: httpx2.AsyncClient) -> None:
    answer = await client.get(f"{OBJECTS}/Job", params={"filter": "Status eq 1 and Priority is 2"})
    problem = checked(answer, 400, "invalid_filter")
    assert "position 25" in str(problem["detail"])
    assert "operator" in str(problem["detail"])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'{"Model": "a", "Model": "b"}',
        b'{"Department": {"ExternalId": "a", "ExternalId": "b"}}',
        DEEP.encode(),
        b'{"Model": "\xff"}',
        b'{"Status": NaN}',
        b'{"Status": "two"}',
        b'{"Status": {"a": 1}}',
        b'{"InstallDate": "22-11-2026"}',
        b'{"Modle": "x"}',
        b'{"Id": "1"}',
        b'{"SpareParts": []}',
    ],
)
async def test_a_bad_body_costs_nothing(client: httpx2.AsyncClient, sandbox: Sandbox, content: bytes) -> None:
    answer = await client.patch(
        f"{OBJECTS}/Equipment/00001", content=content, headers={"Content-Type": "application/json"}
    )
    checked(answer, 400, "invalid_body")
    assert sandbox.ledger.calls == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Request-Timeout", "0"),
        ("Request-Timeout", "soon"),
        ("Request-Timeout", "99999"),
        ("Accept-Language", "nl\tX-Injected: 1"),
        ("Idempotency-Key", "x" * 256),
    ],
)
async def test_a_bad_header_costs_nothing(
    client: httpx2.AsyncClient, sandbox: Sandbox, name: str, value: str
) -> None:
    answer = await client.post(f"{OBJECTS}/Job", json=JOB, headers={name: value})
    checked(answer, 400, "invalid_request")
    assert sandbox.ledger.calls == []


async def test_who_may_not(served: Served, sandbox: Sandbox) -> None:
    async with httpx2.AsyncClient(base_url=served.url, verify=False) as nobody:
        nothing = await nobody.get(f"{OBJECTS}/Equipment/00001")
        checked(nothing, 401, "unauthenticated")
        assert nothing.headers["www-authenticate"].startswith("Bearer")
        wrong = await nobody.get(f"{OBJECTS}/Equipment/00001", headers={"Authorization": "Bearer nope"})
        checked(wrong, 401, "unauthenticated")
        read_only = {"Authorization": f"Bearer {READ_KEY}"}
        assert (await nobody.get(f"{OBJECTS}/Equipment/00001", headers=read_only)).status_code == 200
        sandbox.ledger.clear()
        checked(await nobody.post(f"{OBJECTS}/Job", json=JOB, headers=read_only), 403, "forbidden")
        checked(await nobody.post("/v1/demo/actions/REST_ReportJob", headers=read_only), 403, "forbidden")
        narrow = {"X-API-Key": NARROW_KEY}
        hidden = await nobody.get(f"{OBJECTS}/Equipment/00001", headers=narrow)
        absent = await nobody.get("/v1/nobody/objects/Equipment/00001", headers=narrow)
        assert (
            checked(hidden, 404, "tenant_not_found")["title"]
            == checked(absent, 404, "tenant_not_found")["title"]
        )
        tenants = await nobody.get("/v1/tenants", headers=narrow)
        assert [item["name"] for item in tenants.json()["items"]] == ["other"]
    assert sandbox.ledger.calls == []


async def test_what_is_not_there(client: httpx2.AsyncClient) -> None:
    checked(await client.get(f"{OBJECTS}/Equipment/99999"), 404, "record_not_found")
    checked(await client.get(f"{OBJECTS}/Building/9%2F9"), 404, "record_not_found")
    checked(await client.get(f"{OBJECTS}/_Nothing/01"), 404, "entity_not_found")
    checked(await client.post("/v1/demo/actions/_Nothing", json={}), 404, "action_not_found")
    checked(await client.get("/v2/anything"), 404, "route_not_found")
    checked(await client.get("/problems/nothing"), 404, "route_not_found")


async def test_methods_kinds_and_sizes(client: httpx2.AsyncClient, sandbox: Sandbox) -> None:
    wrong = await client.request("PUT", "/v1/demo/actions/REST_ReportJob", json={})
    checked(wrong, 405, "method_not_allowed")
    assert "POST" in wrong.headers["allow"]
    checked(await client.get(f"{OBJECTS}/Job", headers={"Accept": "text/html"}), 406, "not_acceptable")
    checked(
        await client.post(f"{OBJECTS}/Job", content=b"a=b", headers={"Content-Type": "text/plain"}),
        415,
        "unsupported_media_type",
    )
    big = json.dumps({**JOB, "ReportText": "x" * 1_048_577})
    typed = {"Content-Type": "application/json"}
    checked(await client.post(f"{OBJECTS}/Job", content=big, headers=typed), 413, "payload_too_large")

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 65_536

    checked(await client.post(f"{OBJECTS}/Job", content=endless(), headers=typed), 413, "payload_too_large")
    assert sandbox.ledger.calls == []


async def test_what_no_interface_does(client: httpx2.AsyncClient, sandbox: Sandbox) -> None:
    deleted = checked(await client.delete(f"{OBJECTS}/Equipment/00001"), 501, "operation_not_supported")
    assert "batch" in str(deleted["detail"])
    unaddressable = await client.patch(f"{OBJECTS}/Building/01%2F02", json={"ExternalId": "x"})
    assert "'/'" in str(checked(unaddressable, 501, "operation_not_supported")["detail"])
    assert sandbox.ledger.calls == []


async def test_too_many_calls_at_once() -> None:
    async with Sandbox(SandboxOptions(limits="off")) as sandbox:
        sandbox.faults.add(Fault(action="delay", seconds=2))
        limits = {"limits": {"calls": 1}}
        async with (
            gateway(sandbox.url + "/api/v1", server=limits) as served,
            httpx2.AsyncClient(base_url=served.url, headers={"X-API-Key": KEY}, verify=False) as client,
        ):
            first = asyncio.create_task(
                client.get(f"{OBJECTS}/Equipment/00001", headers={"Request-Timeout": "1"})
            )
            while "calls_in_flight 2" not in (await client.get("/metrics")).text:
                assert not first.done()
            checked(await client.get(f"{OBJECTS}/Equipment/00001"), 503, "overloaded")
            await first


async def test_a_caller_that_goes_away_sends_nothing(served: Served, sandbox: Sandbox) -> None:
    host, port = served.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    head = f"POST {OBJECTS}/Job HTTP/1.1\r\nHost: x\r\nX-API-Key: {KEY}\r\nContent-Type: application/json\r\n"
    writer.write((head + "Content-Length: 100\r\n\r\n{").encode())
    await writer.drain()
    writer.close()
    await eventually(served.lines)
    assert sandbox.ledger.calls == []
    assert served.lines()[0]["status"] == 499
