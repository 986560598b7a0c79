"""A batch adapter, calls for it, and an upstream behind a real socket that says what it is told and hangs up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from zoneinfo import ZoneInfo

import msgspec

from adapters.batch.adapter import BatchAdapter
from adapters.batch.options import BatchOptions
from contracts.adapter import AdapterContext, TenantProfile
from contracts.batches import check_batch
from contracts.call import Call
from contracts.entities import standard_schema
from contracts.operations import Member, Operation, WriteBatch
from contracts.results import BatchDone, Result
from contracts.wire import Slot
from gateway.clock import SystemClock
from gateway.wire import UpstreamWire, WireSettings

SCHEMA = standard_schema()
NEW = {"Context": 1, "Status": 2}
KEY = "sandbox-demo"


def an_adapter(options: BatchOptions | None = None, profile: TenantProfile | None = None) -> BatchAdapter:
    return BatchAdapter(
        AdapterContext(
            base_url="https://upstream.example/api/v1",
            schema=SCHEMA,
            zone=ZoneInfo("Europe/Amsterdam"),
            profile=profile or TenantProfile(),
            options=options or BatchOptions(),
        )
    )


def a_write(id: str, method: str = "PATCH", path: str = "Job/1", **rest: object) -> dict[str, object]:
    """One operation of a normalized batch, with a body where its method has one."""
    bodies: Mapping[str, dict[str, object]] = {"PATCH": {"body": {"Description": "x"}}, "DELETE": {}}
    return {"id": id, "method": method, "path": path} | bodies.get(method, {"body": NEW}) | rest


def members(*operations: Mapping[str, object]) -> tuple[Member, ...]:
    return check_batch(SCHEMA, {"operations": [*operations]})


def a_call(operation: Operation, content_language: str | None = None) -> Call:
    return Call(
        operation=operation,
        tenant="demo",
        client="tests",
        request_id="req-1",
        deadline=SystemClock().monotonic() + 30,
        content_language=content_language,
    )


@asynccontextmanager
async def a_wire(url: str) -> AsyncIterator[UpstreamWire]:
    """The way to a REST base address."""
    wire = UpstreamWire(WireSettings(base_url=url), credential={Slot.API_KEY: KEY}, clock=SystemClock())
    try:
        yield wire
    finally:
        await wire.close()


async def performed(answer: bytes, operation: Operation, adapter: BatchAdapter | None = None) -> Result:
    """What comes of an operation that is answered with these bytes, after which the upstream hangs up."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
        writer.write(answer)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    call = a_call(operation)
    async with server, a_wire(f"http://127.0.0.1:{port}/api/v1") as wire:
        return await (adapter or an_adapter()).perform(call, wire.bound(call))


async def batched(answer: bytes, *operations: Mapping[str, object]) -> dict[str, object]:
    """The results by id."""
    done = await performed(answer, WriteBatch(members=members(*operations)))
    assert isinstance(done, BatchDone)
    assert [item.id for item in done.results] == [operation["id"] for operation in operations]
    return {item.id: item.result for item in done.results}


def http(content: bytes, status: int = 200, length: int | None = None, *headers: str) -> bytes:
    """An HTTP answer; ``length`` is what it says of itself, where that is not so."""
    lines = [
        f"HTTP/1.1 {status} Status",
        "Content-Type: application/json",
        f"Content-Length: {len(content) if length is None else length}",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + content


def responses(*items: Mapping[str, object]) -> bytes:
    return msgspec.json.encode({"responses": items})
