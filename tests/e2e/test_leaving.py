"""Callers that go away in the middle: what is on its way is completed, and nothing more is sent for them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import httpx2
import pytest

from adapters.sandbox import Fault, Sandbox
from gateway.http.presence import PATIENCE
from tests.support.servers import KEY, Served, eventually, gateway

CONNECTOR = {"demo": {"adapters": {"connector": {"exports": {"Equipment": {"connector": "EXP_EQUIPMENT"}}}}}}
JOB = {"Context": 1, "Status": 1, "Description": "Leak"}
READING = {"equipment": "00001", "point": "RUNHOURS", "value": 1}
CHANGE = {"method": "PATCH", "path": "Vendor/2513", "body": {"City": "Bonn"}}
MANY: dict[str, dict[str, list[dict[str, object]]]] = {
    "batch": {"operations": [{**CHANGE, "id": str(index)} for index in range(300)]},
    "measurements": {"measurements": [{**READING, "at": f"2022-06-15T12:00:{n:02}Z"} for n in range(30)]},
}


def caller(served: Served) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=served.url, headers={"X-API-Key": KEY}, timeout=20)


async def asking(
    served: Served, method: str, path: str, body: object, accept: str, key: str | None = None
) -> asyncio.StreamWriter:
    """A caller that has asked and has read nothing."""
    host, port = served.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    content = b"" if body is None else json.dumps(body).encode()
    head = (
        f"{method} /v1/demo/{path} HTTP/1.1\r\nHost: x\r\nX-API-Key: {KEY}\r\nAccept: {accept}\r\n"
        f"Content-Length: {len(content)}\r\n"
        + ("" if key is None else f"Idempotency-Key: {key}\r\n")
        + "\r\n"
    )
    writer.write(head.encode() + content)
    await writer.drain()
    return writer


@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson"])
@pytest.mark.parametrize("many", MANY)
async def test_the_rest_of_what_was_asked_is_not_sent(sandbox: Sandbox, many: str, accept: str) -> None:
    tenants = {"demo": {"adapters": ["rest", "batch"]}}
    async with gateway(sandbox.url + "/api/v1", tenants) as served:
        sandbox.faults.add(Fault(action="delay", skip=1, seconds=0.8))
        writer = await asking(served, "POST", many, MANY[many], accept)
        await eventually(lambda: sandbox.ledger.calls)
        writer.transport.abort()
        await eventually(served.lines)
        (line,) = served.lines()
    entries = next(iter(MANY[many].values()))
    assert (line["status"], line["asked"]) == (499, len(entries))
    assert "went away" in str(line["detail"])
    assert line["send_count"] in (1, 2)
    assert len(sandbox.ledger.calls) in (1, 2)


@asynccontextmanager
async def endless_export() -> AsyncIterator[tuple[str, list[str]]]:
    """An upstream whose export never ends: its address, and what it notes of its readers."""
    readers: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        piece = b'<Object Type="Equipment"><Property Name="Id" Value="1"/></Object>' * 200
        try:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n<Data>")
            readers.append("came")
            while True:
                writer.write(piece)
                await writer.drain()
        except ConnectionError:
            readers.append("left")
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", readers
    finally:
        server.close()


@pytest.mark.parametrize(
    ("method", "path", "accept"),
    [
        ("POST", "exports/EXP_EQUIPMENT", "application/x-ndjson"),
        ("POST", "exports/EXP_EQUIPMENT", "application/json"),
        ("GET", "objects/Equipment", "application/x-ndjson"),
        ("GET", "objects/Equipment?filter=Id%20eq%20'nope'", "application/x-ndjson"),
    ],
)
async def test_the_upstream_of_an_export_is_let_go(method: str, path: str, accept: str) -> None:
    async with endless_export() as (upstream, readers), gateway(upstream + "/api/v1", CONNECTOR) as served:
        writer = await asking(served, method, path, None, accept)
        await eventually(lambda: readers)
        writer.transport.abort()
        await eventually(lambda: "left" in readers)
        await eventually(served.lines)
        (line,) = served.lines()
    assert (line["status"], line["units"]) == (499, 1)
    assert "went away" in str(line["detail"])


def effects(sandbox: Sandbox) -> list[str | None]:
    return [entry.effect for entry in sandbox.ledger.calls]


async def test_a_write_that_is_on_its_way_is_completed_and_its_answer_kept(sandbox: Sandbox) -> None:
    async with gateway(sandbox.url + "/api/v1") as served, caller(served) as client:
        sandbox.faults.add(Fault(action="delay", seconds=0.8))
        writer = await asking(served, "POST", "objects/Job", JOB, "application/json", "k")
        await eventually(lambda: sandbox.ledger.received)
        writer.transport.abort()
        await eventually(served.lines)
        (line,) = served.lines()
        assert (line["status"], line["units"], line["idempotency"]) == (499, 1, "begun")
        headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
        again = await client.post("/v1/demo/objects/Job", content=json.dumps(JOB), headers=headers)
        assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
    assert len(effects(sandbox)) == 1


@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson"])
async def test_what_was_not_sent_of_a_batch_is_kept_as_such(sandbox: Sandbox, accept: str) -> None:
    tenants = {"demo": {"adapters": ["rest", "batch"]}}
    async with gateway(sandbox.url + "/api/v1", tenants) as served, caller(served) as client:
        sandbox.faults.add(Fault(action="delay", skip=1, seconds=0.8))
        writer = await asking(served, "POST", "batch", MANY["batch"], accept, "k")
        await eventually(lambda: sandbox.ledger.received == 2)
        writer.transport.abort()
        await eventually(served.lines)
        headers = {"Idempotency-Key": "k", "Accept": accept, "Content-Type": "application/json"}
        content = json.dumps(MANY["batch"]).encode()
        again = await client.post("/v1/demo/batch", content=content, headers=headers)
        lines = [json.loads(line) for line in again.text.splitlines()]
    results = lines if accept.endswith("ndjson") else lines[0]["results"]
    assert again.headers["idempotency-replayed"] == "true"
    assert [result["status"] for result in results] == [200] * 200 + [504] * 100
    assert {result["error"]["outcome"] for result in results[200:]} == {"not_sent"}
    assert sandbox.ledger.received == 2


def has_logged(served: Served, calls: int) -> bool:
    return len(served.lines()) == calls


async def test_what_still_waits_is_given_up(sandbox: Sandbox) -> None:
    full = {"quota": {"burst": {"limit": 1}, "cold_start": "trust"}}
    async with gateway(sandbox.url + "/api/v1", environment=full) as served, caller(served) as client:
        assert (await client.get("/v1/demo/objects/Equipment/00001")).status_code == 200
        calls = (("PUT", JOB, "k"), ("PUT", JOB, None), ("GET", None, None))
        for number, (method, body, key) in enumerate(calls, 2):
            writer = await asking(served, method, "objects/Equipment/00001", body, "application/json", key)
            await asyncio.sleep(0)
            writer.transport.abort()
            await eventually(partial(has_logged, served, number))
        assert [(line["status"], line["waits"]) for line in served.lines()[1:]] == [(499, 1)] * 3
    assert sandbox.ledger.received == 1


async def test_the_next_request_on_a_connection_is_no_sign_that_its_caller_has_gone(sandbox: Sandbox) -> None:
    async with gateway(sandbox.url + "/api/v1") as served:
        sandbox.faults.add(Fault(action="delay", seconds=0.7))
        host, port = served.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        asked = (
            f"GET /v1/demo/objects/Equipment/00001 HTTP/1.1\r\nHost: x\r\nX-API-Key: {KEY}\r\n\r\n".encode()
        )
        writer.write(asked)
        await eventually(lambda: sandbox.ledger.received)
        # One before, and one while the connection is watched.
        writer.write(asked)
        await asyncio.sleep(PATIENCE)
        writer.write(asked)
        for _ in range(3):
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 ")
            await reader.readexactly(
                int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            )
        writer.close()
        assert [line["status"] for line in served.lines()] == [200] * 3


async def test_a_body_that_does_not_come_whole_is_not_waited_for(sandbox: Sandbox) -> None:
    async with gateway(sandbox.url + "/api/v1") as served:
        host, port = served.url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        head = f"PUT /v1/demo/objects/Equipment/00001 HTTP/1.1\r\nHost: x\r\nX-API-Key: {KEY}\r\n"
        writer.write(head.encode() + b"Content-Length: 100\r\nIdempotency-Key: k\r\n\r\n{")
        await writer.drain()
        writer.transport.abort()
        await eventually(served.lines)
        (line,) = served.lines()
    assert (line["status"], line["idempotency"], line["units"]) == (499, None, 0)
