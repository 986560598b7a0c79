"""Every row of the error table, provoked through the API: the right code, and nothing spent that need not be."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import httpx2
import pytest

from adapters.sandbox import Fault, Sandbox, SandboxOptions
from tests.support.servers import KEY, NARROW_KEY, READ_KEY, Served, eventually, gateway

OBJECTS = "/v1/demo/objects"
JOB = {"Context": 1, "Status": 1, "Description": "Leak"}
DEEP = "[" * 5000 + "]" * 5000


def checked(answer: httpx2.Response, status: int, code: str) -> dict[str, object]:
    """The problem document, when it is one, and has what every one has."""
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, object] = answer.json()
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code), problem
    assert problem["type"] == f"/problems/{code}"
    assert problem["instance"] == answer.headers["x-request-id"]
    assert {"title", "detail", "retryable", "outcome"} <= set(problem)
    if status in (429, 503):
        assert int(answer.headers["retry-after"]) >= 0
    return problem


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
    keyed = await client.post(f"{OBJECTS}/Job", json=JOB, headers={"Idempotency-Key": '"abc"'})
    checked(keyed, 501, "operation_not_supported")
    assert sandbox.ledger.calls == []


UPSTREAM_FAULTS = [
    (Fault(action="too_many", retry_after=7), 429, "quota_exceeded", "refused", True),
    (Fault(action="too_many"), 429, "quota_exceeded", "refused", True),
    (Fault(action="answer", status=401, body="{}"), 502, "upstream_auth_failed", "refused", False),
    (Fault(action="answer", status=500, body="boom"), 502, "upstream_unavailable", "refused", True),
    (Fault(action="answer", status=503, body="<html>"), 502, "upstream_unavailable", "refused", True),
    (Fault(action="answer", status=404, body="<html>"), 502, "upstream_invalid_response", "refused", False),
    (Fault(action="answer", status=200, body="<html>"), 502, "upstream_invalid_response", "unknown", False),
    (Fault(action="answer", status=200, body="[1]"), 502, "upstream_invalid_response", "unknown", False),
    (Fault(action="answer", status=200, body="[" * 9999), 502, "upstream_invalid_response", "unknown", False),
    (Fault(action="truncate"), 502, None, "unknown", None),
    (Fault(action="redirect"), 502, "upstream_invalid_response", "refused", False),
    (Fault(action="gzip_bomb", size=80 * 1024 * 1024), 502, "upstream_invalid_response", "unknown", False),
    (Fault(action="reset"), 502, "upstream_unavailable", "unknown", True),
]


@pytest.mark.parametrize(
    ("fault", "status", "code", "outcome", "retryable"),
    UPSTREAM_FAULTS,
    ids=lambda value: getattr(value, "title", None),
)
async def test_a_failing_upstream(
    client: httpx2.AsyncClient,
    sandbox: Sandbox,
    served: Served,
    fault: Fault,
    status: int,
    code: str | None,
    outcome: str,
    retryable: bool | None,
) -> None:
    sandbox.faults.add(fault)
    answer = await client.get(f"{OBJECTS}/Equipment/00001")
    problem = checked(answer, status, code or answer.json()["code"])
    assert problem["outcome"] == outcome
    assert retryable in (None, problem["retryable"])
    if fault.retry_after:
        assert answer.headers["retry-after"] == "7"
    assert "127.0.0.1" not in answer.text
    assert "elsewhere" not in answer.text
    assert answer.headers["quota-cost"] == "1"
    (line,) = served.lines()
    assert line["units"] == 1


@pytest.mark.parametrize("after", [False, True])
async def test_a_create_without_an_answer_is_unknown(
    client: httpx2.AsyncClient, sandbox: Sandbox, after: bool
) -> None:
    sandbox.faults.add(Fault(action="reset", after=after))
    problem = checked(await client.post(f"{OBJECTS}/Job", json=JOB), 502, "outcome_unknown")
    assert (problem["outcome"], problem["retryable"]) == ("unknown", False)
    assert len(sandbox.ledger.calls) == 1


async def test_an_upstream_that_is_away(served: Served) -> None:
    async with (
        gateway("http://127.0.0.1:9/api/v1") as alone,
        httpx2.AsyncClient(base_url=alone.url, headers={"X-API-Key": KEY}, verify=False) as client,
    ):
        problem = checked(await client.post(f"{OBJECTS}/Job", json=JOB), 502, "upstream_unavailable")
    assert (problem["outcome"], problem["retryable"]) == ("not_sent", True)
    assert "127.0.0.1" not in json.dumps(problem)


async def test_a_deadline_holds(client: httpx2.AsyncClient, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(action="delay", seconds=5, count=None))
    read = await client.get(f"{OBJECTS}/Equipment/00001", headers={"Request-Timeout": "0.2"})
    checked(read, 504, "deadline_exceeded")
    write = await client.post(f"{OBJECTS}/Job", json=JOB, headers={"Request-Timeout": "0.2"})
    assert checked(write, 504, "deadline_exceeded")["outcome"] == "unknown"


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


async def test_links_that_lead_away_or_in_circles(client: httpx2.AsyncClient, sandbox: Sandbox) -> None:
    for fault in (Fault(action="foreign_link"), Fault(action="looping_link")):
        sandbox.faults.add(fault)
        problem = checked(await client.get(f"{OBJECTS}/Job"), 502, "upstream_invalid_response")
        assert "elsewhere" not in json.dumps(problem)


async def test_a_stream_that_breaks_off_says_so(client: httpx2.AsyncClient, sandbox: Sandbox) -> None:
    async with Sandbox(SandboxOptions(limits="off", page_size=10)) as paged:
        paged.faults.add(Fault(action="answer", status=500, body="boom", skip=1))
        async with (
            gateway(paged.url + "/api/v1") as served,
            httpx2.AsyncClient(base_url=served.url, headers={"X-API-Key": KEY}, verify=False) as client,
        ):
            answer = await client.get(f"{OBJECTS}/Job", headers={"Accept": "application/x-ndjson"})
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert answer.status_code == 200
    assert [set(line) == {"error"} for line in lines] == [False] * 10 + [True]
    assert lines[-1]["error"]["code"] == "upstream_unavailable"


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
