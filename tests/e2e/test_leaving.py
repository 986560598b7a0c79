"""Callers that go away in the middle: nothing more is sent for them, and the upstream is let go too."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from adapters.sandbox import Fault, Sandbox
from tests.support.servers import KEY, Served, eventually, gateway

CONNECTOR = {"demo": {"adapters": {"connector": {"exports": {"Equipment": {"connector": "EXP_EQUIPMENT"}}}}}}
READING = {"equipment": "00001", "point": "RUNHOURS", "value": 1}
CHANGE = {"method": "PATCH", "path": "Vendor/2513", "body": {"City": "Bonn"}}
MANY: dict[str, dict[str, list[dict[str, object]]]] = {
    "batch": {"operations": [{**CHANGE, "id": str(index)} for index in range(300)]},
    "measurements": {"measurements": [{**READING, "at": f"2022-06-15T12:00:{n:02}Z"} for n in range(30)]},
}


async def asking(served: Served, method: str, path: str, body: object, accept: str) -> asyncio.StreamWriter:
    """A caller that has asked and has read nothing."""
    host, port = served.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    content = b"" if body is None else json.dumps(body).encode()
    head = (
        f"{method} /v1/demo/{path} HTTP/1.1\r\nHost: x\r\nX-API-Key: {KEY}\r\nAccept: {accept}\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    writer.write(head.encode() + content)
    await writer.drain()
    return writer


@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson"])
@pytest.mark.parametrize("many", MANY)
async def test_the_rest_of_what_was_asked_is_not_sent(sandbox: Sandbox, many: str, accept: str) -> None:
    tenants = {"demo": {"adapters": ["rest", "batch"]}}
    async with gateway(sandbox.url + "/api/v1", tenants) as served:
        sandbox.faults.add(Fault(action="delay", skip=1, seconds=30))
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
