"""An upstream that fails, in every way that the sandbox can: the right code, the right outcome, nothing leaked."""

from __future__ import annotations

import json

import httpx2
import pytest

from adapters.sandbox import Fault, Sandbox, SandboxOptions
from tests.support.problems import checked
from tests.support.servers import KEY, Served, gateway, scripted_upstream

OBJECTS = "/v1/demo/objects"
JOB = {"Context": 1, "Status": 1, "Description": "Leak"}

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


async def test_a_circle_of_pages_ends() -> None:
    """Each page leads to another one, and the second back to the first."""
    async with (
        scripted_upstream() as upstream,
        gateway(upstream.url) as served,
        httpx2.AsyncClient(base_url=served.url, headers={"X-API-Key": KEY}, verify=False) as client,
    ):
        pages = [
            {"items": [{"Id": "1"}], "nextPageLink": f"{upstream.url}/object/Job?skip={skip}"}
            for skip in (5, 7)
        ]
        bodies = [json.dumps(page).encode() for page in pages]
        upstream.answers = [
            b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body) for body in bodies
        ]
        answer = await client.get(f"{OBJECTS}/Job", headers={"Accept": "application/x-ndjson"})
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert lines[-1]["error"]["code"] == "upstream_invalid_response"
    assert len(upstream.requests) == 3


NOT_ABSENT = [
    Fault(action="answer", status=404, body="<html>Not Found</html>"),
    Fault(action="answer", status=404, body='{"message": "", "code": "ResourceNotFound"}'),
    Fault(action="answer", status=400, body='{"message": "no", "code": "1015"}'),
    Fault(action="answer", status=500, body="boom"),
    Fault(action="reset"),
    Fault(action="too_many", retry_after=1),
]


@pytest.mark.parametrize(
    "fault", NOT_ABSENT, ids=lambda fault: f"{fault.action}-{fault.status}-{len(fault.body)}"
)
async def test_an_upsert_creates_only_when_the_upstream_says_that_there_is_no_such_record(
    client: httpx2.AsyncClient, sandbox: Sandbox, fault: Fault
) -> None:
    """Anything else than that one answer leaves the record alone: a replace would empty it."""
    sandbox.faults.add(fault)
    body = {"Context": 1, "Status": 2, "Model": "M"}
    answer = await client.patch(f"{OBJECTS}/Equipment/00001", params={"upsert": "true"}, json=body)
    assert answer.status_code >= 400
    assert [call.method for call in sandbox.ledger.calls] == ["PATCH"]
    assert (await client.get(f"{OBJECTS}/Equipment/00001")).json()["SerialNumber"] == "2344-323AA"
