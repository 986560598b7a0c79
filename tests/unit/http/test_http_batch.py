"""POST on batch: results in order, as JSON and as they come; what is refused before anything is sent."""

import asyncio
import json
from collections.abc import Mapping

import pytest

from contracts.call import Call
from contracts.errors import Outcome, UpstreamUnavailable
from contracts.operations import CreateRecord, WriteBatch
from gateway.http.exchange import Limits
from tests.unit.http.serving import READ_KEY, Reply, Served, serving

BATCH = "/v1/demo/batch"
JSON = {"Accept": "application/json"}
NDJSON = {"Accept": "application/x-ndjson"}
NEW = {"Description": "New", "Context": 1, "Status": 2}
OPERATIONS: list[dict[str, object]] = [
    {"id": "made", "method": "PUT", "path": "Equipment/9%2F9", "body": NEW},
    {"id": "changed", "method": "patch", "path": "Equipment/00001", "body": {"Description": "Other"}},
    {"id": "absent", "method": "PATCH", "path": "Equipment/77777", "body": {"Description": "Other"}},
    {"id": "gone", "method": "DELETE", "path": "Equipment/00002"},
]


async def sent(
    api: Served,
    operations: list[dict[str, object]],
    headers: Mapping[str, str] | None = None,
    query: str = "",
) -> Reply:
    return await api.send("POST", BATCH + query, headers, {"operations": operations})


async def test_each_write_has_its_result_in_the_order_given(api: Served) -> None:
    reply = await sent(api, OPERATIONS)
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    results = reply.json["results"]
    assert isinstance(results, list)
    assert [(item["id"], item["status"]) for item in results] == [
        ("made", 201),
        ("changed", 200),
        ("absent", 404),
        ("gone", 204),
    ]
    assert results[0]["body"] == {"Id": "9/9", **NEW}
    assert results[1]["body"] == {"Id": "00001", "Description": "Other", "Status": 2}
    assert results[3].keys() == {"id", "status"}
    problem = results[2]["error"]
    assert (problem["code"], problem["status"], problem["type"]) == (
        "record_not_found",
        404,
        "/problems/record_not_found",
    )
    assert problem["instance"] == reply.headers["x-request-id"]
    assert "body" not in results[2]
    assert reply.headers["vary"] == "accept, accept-language, prefer"
    (line,) = api.lines
    assert (line["operation"], line["adapter"], line["units"], line["code"]) == ("batch", "memory", 2, None)
    assert (line["asked"], line["records"], line["failed"]) == (4, 4, {"record_not_found": 1})
    assert line["level"] == "info"


async def test_results_come_line_by_line_when_asked(api: Served) -> None:
    reply = await sent(api, OPERATIONS, NDJSON)
    assert (reply.status, reply.headers["content-type"]) == (200, "application/x-ndjson")
    lines = [json.loads(line) for line in reply.content.splitlines()]
    whole = await sent(api, [OPERATIONS[0]], {"X-Request-Id": "r"})
    assert [line["status"] for line in lines] == [201, 200, 404, 204]
    assert whole.json["results"] == [{**lines[0], "status": 200}]


async def test_a_caller_may_want_the_keys_alone(api: Served) -> None:
    for accept in (JSON, NDJSON):
        reply = await sent(api, OPERATIONS[1:2], {"Prefer": "return=minimal", **accept})
        assert reply.headers["preference-applied"] == "return=minimal"
        result = json.loads(reply.content.splitlines()[0])
        assert (result if accept is NDJSON else result["results"][0])["body"] == {"Id": "00001"}
    assert all(call.minimal for call in api.adapter.calls)


async def test_a_batch_that_fails_as_a_whole_before_its_first_result_is_a_problem(api: Served) -> None:
    def refuse(call: Call) -> None:
        raise UpstreamUnavailable("it is away")

    api.adapter.before = refuse
    for headers in (JSON, NDJSON):
        reply = await sent(api, OPERATIONS, headers)
        assert (reply.status, reply.code) == (502, "upstream_unavailable")


async def test_a_stream_that_fails_inside_the_gateway_ends_with_an_error_line(api: Served) -> None:
    def break_down(call: Call) -> None:
        if len(api.adapter.calls) == 2:
            raise AssertionError("a bug")

    api.adapter.before = break_down
    reply = await sent(api, OPERATIONS, NDJSON)
    *results, last = [json.loads(line) for line in reply.content.splitlines()]
    assert [result["id"] for result in results] == ["made", "changed"]
    assert (last["error"]["code"], last["error"]["outcome"]) == ("internal_error", "unknown")


@pytest.mark.parametrize("accept", [JSON, NDJSON])
async def test_nothing_more_is_sent_for_a_caller_that_has_gone(api: Served, accept: dict[str, str]) -> None:
    writers: list[asyncio.StreamWriter] = []

    def leave(call: Call) -> None:
        writers[0].transport.abort()

    api.adapter.before = leave
    operations = [{**OPERATIONS[1], "id": str(index)} for index in range(4000)]
    _, writer = await api.open("POST", BATCH, accept, {"operations": operations})
    writers.append(writer)
    line = await api.line()
    assert (line["status"], line["asked"], line["code"]) == (499, 4000, None)
    assert "went away" in str(line["detail"])
    assert line["units"] == len(api.adapter.calls) < 2000
    assert line["records"] in (2 * len(api.adapter.calls), 2 * len(api.adapter.calls) - 2)


async def test_results_that_are_no_fault_of_the_caller_are_a_warning(api: Served) -> None:
    def fail(call: Call) -> None:
        if len(api.adapter.calls) == 2:
            raise UpstreamUnavailable("it is away", outcome=Outcome.UNKNOWN)

    api.adapter.before = fail
    reply = await sent(api, OPERATIONS)
    assert reply.status == 200
    (line,) = api.lines
    assert (line["level"], line["failed"]) == ("warning", {"upstream_unavailable": 2})


async def test_every_violation_is_told_with_its_place_and_nothing_is_sent(api: Served) -> None:
    reply = await sent(
        api,
        [
            {"id": "a b", "method": "PUT", "path": "Equipment/1", "body": NEW},
            {
                "id": "b",
                "method": "PATCH",
                "path": "Equipment/1",
                "body": {"Status": "x"},
                "dependsOn": ["z"],
            },
        ],
    )
    assert (reply.status, reply.code) == (400, "invalid_body")
    errors = reply.json["errors"]
    assert isinstance(errors, list)
    assert {error["pointer"] for error in errors} == {
        "/operations/0/id",
        "/operations/1/body/Status",
        "/operations/1/dependsOn/0",
    }
    assert api.adapter.calls == []


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"operations":[]}', b'{"operations":{}}'])
async def test_a_body_that_is_no_batch_is_refused(api: Served, body: bytes) -> None:
    assert (await api.send("POST", BATCH, body=body)).code == "invalid_body"


async def test_a_dry_run_checks_all_and_sends_nothing(api: Served) -> None:
    reply = await sent(api, OPERATIONS, query="?dry_run=true")
    assert (reply.json["adapter"], reply.json["units"], reply.json["at_most"]) == ("memory", 1, 2)
    assert (await sent(api, [{"id": "a"}], query="?dry_run=true")).code == "invalid_body"
    assert api.adapter.calls == []


async def test_a_batch_has_a_limit_of_its_own_and_the_longest_time() -> None:
    async with serving(Limits(body=10, batch=2000)) as api:
        assert (await sent(api, OPERATIONS)).status == 200
        deadline = api.adapter.calls[0].deadline
        await sent(api, OPERATIONS, {"Request-Timeout": "5"})
        assert deadline - api.adapter.calls[-1].deadline > 200
        assert (await sent(api, OPERATIONS * 10)).code == "payload_too_large"


async def test_ten_thousand_writes_arrive_in_order(api: Served) -> None:
    body = {"Description": "New", "Context": 1, "Status": 1}
    reply = await sent(
        api, [{"id": str(n), "method": "POST", "path": "Job", "body": body} for n in range(10_000)]
    )
    results = reply.json["results"]
    assert isinstance(results, list)
    assert [result["id"] for result in results] == [str(n) for n in range(10_000)]
    operations = [call.operation for call in api.adapter.calls]
    assert all(isinstance(operation, WriteBatch) for operation in operations)
    first = operations[0]
    assert isinstance(first, WriteBatch)
    assert isinstance(first.members[0].write, CreateRecord)


async def test_a_batch_needs_the_right_to_write(api: Served) -> None:
    reply = await api.send("POST", BATCH, body={"operations": OPERATIONS}, key=READ_KEY)
    assert (reply.status, reply.code) == (403, "forbidden")
    assert (await sent(api, OPERATIONS, {"If-Match": "*"})).status == 400
    assert api.adapter.calls == []
