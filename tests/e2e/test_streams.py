"""Streams of whole lists: what they cost, what they leave in the log, and readers that do not read."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator

import httpx2
import pytest_asyncio

from adapters.sandbox import Fault, Sandbox, SandboxOptions
from tests.support.servers import KEY, Served, eventually, gateway

OBJECTS = "/v1/demo/objects"
NDJSON = {"Accept": "application/x-ndjson"}


@pytest_asyncio.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(SandboxOptions(limits="off", page_size=2)) as running:
        yield running


async def test_a_stream_asks_for_pages_as_large_as_the_upstream_makes_them(
    client: httpx2.AsyncClient, served: Served, sandbox: Sandbox
) -> None:
    answer = await client.get(f"{OBJECTS}/Job", headers=NDJSON)
    assert len(answer.text.splitlines()) == 30
    assert len(sandbox.ledger.calls) == 15
    (line,) = served.lines()
    assert (line["units"], line["attempts"]) == (15, 15)
    sends = line["sends"]
    assert isinstance(sends, list)
    assert len(sends) == 10


async def test_a_stream_has_no_pages_to_limit(client: httpx2.AsyncClient, sandbox: Sandbox) -> None:
    answer = await client.get(f"{OBJECTS}/Job", params={"limit": "1"}, headers=NDJSON)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert "all records" in answer.json()["detail"]
    assert sandbox.ledger.calls == []


async def test_a_dry_run_of_a_stream_knows_no_bound(client: httpx2.AsyncClient, sandbox: Sandbox) -> None:
    plan = (await client.get(f"{OBJECTS}/Job", params={"dry_run": "true"}, headers=NDJSON)).json()
    assert (plan["units"], plan["at_most"]) == (1, None)
    assert sandbox.ledger.calls == []


async def test_a_stream_that_breaks_off_is_a_warning_with_its_cause(
    client: httpx2.AsyncClient, served: Served, sandbox: Sandbox
) -> None:
    sandbox.faults.add(Fault(action="answer", status=503, body="busy", skip=2))
    answer = await client.get(f"{OBJECTS}/Job", headers=NDJSON)
    *records, last = [json.loads(line) for line in answer.text.splitlines()]
    assert len(records) == 4
    assert last["error"]["code"] == "upstream_unavailable"
    (line,) = served.lines()
    assert (line["level"], line["status"], line["code"]) == ("warning", 200, "upstream_unavailable")
    assert line["detail"] == last["error"]["detail"]


async def test_a_reader_that_does_not_read_is_let_go_at_its_deadline() -> None:
    options = SandboxOptions(limits="off", records=20_000, page_size=1000)
    async with Sandbox(options) as sandbox, gateway(sandbox.url + "/api/v1") as served:
        with socket.create_connection((served.url[7:].split(":")[0], int(served.url.split(":")[2]))) as idle:
            idle.sendall(
                f"GET {OBJECTS}/Equipment HTTP/1.1\r\nHost: x\r\nX-API-Key: {KEY}\r\n"
                "Accept: application/x-ndjson\r\nRequest-Timeout: 1\r\n\r\n".encode()
            )
            await eventually(served.lines, seconds=4)
        (line,) = served.lines()
        assert (line["code"], line["outcome"], line["level"]) == ("deadline_exceeded", "unknown", "warning")
        assert "take" in str(line["detail"])
