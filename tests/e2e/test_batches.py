"""Batches as a caller sends them: ten thousand writes, streams of results, rules that are told before."""

from __future__ import annotations

import json

import pytest

from adapters.sandbox import Fault, Sandbox, SandboxOptions
from tests.support.four_tenants import playing

NEW = {"Context": 1, "Status": 2}


def creates(count: int) -> list[dict[str, object]]:
    body = [{**NEW, "Description": f"number {index}"} for index in range(count)]
    return [
        {"id": f"n{index}", "method": "POST", "path": "Equipment", "body": item}
        for index, item in enumerate(body)
    ]


async def test_ten_thousand_creates_are_a_hundred_requests_in_order() -> None:
    async with Sandbox(SandboxOptions(limits="off")) as sandbox, playing(sandbox) as client:
        answer = await client.post("/v1/demo/batch", json={"operations": creates(10_000)})
        results = answer.json()["results"]
        calls = sandbox.ledger.calls
    assert answer.headers["quota-cost"] == "100"
    assert [len(call.batch or ()) for call in calls] == [100] * 100
    assert [member.id for call in calls for member in call.batch or ()] == [f"n{i}" for i in range(10_000)]
    assert [result["id"] for result in results] == [f"n{index}" for index in range(10_000)]
    assert {result["status"] for result in results} == {201}
    # Created in the order given: the keys that the upstream hands out rise, and go with the texts.
    keys = [result["body"]["Id"] for result in results]
    assert keys == sorted(keys)
    assert [result["body"]["Description"] for result in results] == [f"number {i}" for i in range(10_000)]


async def test_a_record_made_in_one_request_is_referred_to_in_another() -> None:
    invoice = {"id": "a1", "method": "POST", "path": "Invoice", "body": {**NEW, "Vendor": "2513"}}
    line = {"id": "a2", "method": "POST", "path": "$a1/Lines", "dependsOn": ["a1"], "body": NEW}
    async with Sandbox(SandboxOptions(limits="off")) as sandbox, playing(sandbox) as client:
        operations = [invoice, *creates(150), line]
        answer = await client.post("/v1/demo/batch", json={"operations": operations})
        calls = sandbox.ledger.calls
    results = {result["id"]: result for result in answer.json()["results"]}
    made = results["a1"]["body"]["Id"]
    assert results["a2"]["body"]["Id"] == {"Invoice": made, "LineId": "0001"}
    assert len(calls) == 2
    sent = {member.id: member for call in calls for member in call.batch or ()}
    assert (sent["a2"].url, sent["a2"].depends_on) == (f"Object/Invoice('{made}')/Lines", ())


async def test_results_are_streamed_as_they_become_known() -> None:
    async with Sandbox(SandboxOptions(limits="off")) as sandbox, playing(sandbox) as client:
        # The second request of two is answered late: the results of the first come all the same.
        sandbox.faults.add(Fault(action="delay", path="/batch", skip=1, seconds=6))
        request = client.stream(
            "POST",
            "/v1/demo/batch",
            json={"operations": creates(200)},
            headers={"Accept": "application/x-ndjson"},
        )
        async with request as answer:
            lines = aiter(answer.aiter_lines())
            results = [json.loads(await anext(lines)) for _ in range(100)]
            assert len(sandbox.ledger.calls) == 1
    assert [result["id"] for result in results] == [f"n{index}" for index in range(100)]
    assert {result["status"] for result in results} == {201}


async def test_every_violation_is_told_and_nothing_is_sent() -> None:
    operations = [
        {"id": "1", "method": "GET", "path": "Equipment/00001"},
        {"id": "1", "method": "PUT", "path": "Equipmnt/1", "body": NEW},
        {"id": "3", "method": "POST", "path": "$9/Lines", "dependsOn": ["9"], "body": NEW},
        {"id": "4", "method": "PATCH", "path": "Equipment/00001", "body": {"Color": "red"}},
    ]
    async with Sandbox(SandboxOptions(limits="off")) as sandbox, playing(sandbox) as client:
        answer = await client.post("/v1/demo/batch", json={"operations": operations})
        assert sandbox.ledger.calls == []
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["outcome"]) == (400, "invalid_body", "not_sent")
    assert {fault["pointer"] for fault in problem["errors"]} >= {
        "/operations/0/method",
        "/operations/1/id",
        "/operations/1/path",
        "/operations/2/dependsOn/0",
        "/operations/3/body/Color",
    }


@pytest.mark.parametrize("tenant", ["demo", "demo-connector", "demo-soap"])
async def test_what_is_known_of_an_answer_that_breaks_off_is_told(tenant: str) -> None:
    operations = [
        {"id": f"c{index}", "method": "PATCH", "path": "Vendor/2513", "body": {"City": f"City {index}"}}
        for index in range(40)
    ]
    async with Sandbox(SandboxOptions(limits="off")) as sandbox, playing(sandbox) as client:
        sandbox.faults.add(Fault(action="truncate", method="POST"))
        answer = await client.post(
            f"/v1/{tenant}/batch", json={"operations": operations}, headers={"Prefer": "return=minimal"}
        )
    results = answer.json()["results"]
    known = [result for result in results if result["status"] == 200]
    unknown = [result for result in results if result["status"] != 200]
    assert known == results[: len(known)]
    assert 0 < len(known) < 40
    assert {result["error"]["code"] for result in unknown} == {"outcome_unknown"}
    assert {result["error"]["outcome"] for result in unknown} == {"unknown"}


async def test_a_request_that_fails_as_a_whole_ends_the_batch() -> None:
    async with Sandbox(SandboxOptions(limits="off")) as sandbox, playing(sandbox) as caller:
        sandbox.faults.add(Fault(action="too_many", path="/batch", skip=1, retry_after=7))
        answer = await caller.post("/v1/demo/batch", json={"operations": creates(250)})
        calls = sandbox.ledger.calls
    results = answer.json()["results"]
    assert [call.status for call in calls] == [200, 429]
    assert [result["status"] for result in results] == [201] * 100 + [429] * 150
    outcomes = [result["error"]["outcome"] for result in results[100:]]
    assert outcomes == ["refused"] * 100 + ["not_sent"] * 50


@pytest.mark.parametrize(("accept", "units"), [("application/json", 4), ("application/x-ndjson", 6)])
async def test_what_was_stored_is_read_back_once_where_nothing_waits_for_it(accept: str, units: int) -> None:
    async with Sandbox(SandboxOptions(limits="off")) as sandbox, playing(sandbox) as client:
        answer = await client.post(
            "/v1/demo-connector/batch", json={"operations": creates(2_500)}, headers={"Accept": accept}
        )
        calls = sandbox.ledger.calls
    lines = (
        answer.json()["results"] if accept.endswith("/json") else map(json.loads, answer.text.splitlines())
    )
    described = [result["body"]["Description"] for result in lines]
    assert described == [f"number {index}" for index in range(2_500)]
    assert len(calls) == units


async def test_a_result_shows_the_record_as_its_own_write_left_it() -> None:
    operations = [
        {"id": f"c{index}", "method": "PATCH", "path": "Vendor/2513", "body": {"City": f"City {index}"}}
        for index in range(3)
    ]
    depending = [{**operation, "dependsOn": ["c0"]} for operation in operations[1:]]
    async with Sandbox(SandboxOptions(limits="off")) as sandbox, playing(sandbox) as client:
        body = {"operations": [operations[0], *depending[:1]]}
        answer = await client.post("/v1/demo-connector/batch", json=body)
    assert [result["body"]["City"] for result in answer.json()["results"]] == ["City 0", "City 1"]
