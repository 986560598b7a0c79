"""The Connector.ashx adapter over a real socket, in front of an upstream that says what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import TypeVar
from zoneinfo import ZoneInfo

from adapters._connectors.adapter import ConnectorsAdapter
from adapters._connectors.formats import Reader
from adapters._connectors.options import ExportOptions, ImportOptions
from adapters.connector import open_adapter
from adapters.connector.options import AshxOptions
from contracts.adapter import Adapter, AdapterContext, TenantProfile
from contracts.addressing import Resolved, resolve
from contracts.call import Call
from contracts.entities import standard_schema
from contracts.filters import parse_filter
from contracts.operations import ListRecords, Operation, Query
from contracts.paths import parse_path
from contracts.results import Result, Scan
from contracts.schema import Record
from contracts.wire import Slot
from gateway.clock import SystemClock
from gateway.wire import UpstreamWire, WireSettings

T = TypeVar("T")

SCHEMA = standard_schema()
ZONE = ZoneInfo("Europe/Amsterdam")
USER, PASSWORD = "sandbox-user", "sandbox-password"
OPTIONS = AshxOptions(
    exports={
        "Equipment": ExportOptions("EXP_EQ", ("Id", "Code")),
        "BuildingPart": ExportOptions("EXP_PART", ("Id",)),
        "Site": ExportOptions("EXP_SITE", (), "csv"),
        "Vendor": ExportOptions("EXP_VENDOR", (), "json"),
    },
    imports={
        name: ImportOptions(f"IMP_{name.upper()}")
        for name in ("Equipment", "Job", "BuildingPart", "InvoiceLine", "EquipmentMeasurementPointValue")
    },
)


def an_adapter(options: AshxOptions = OPTIONS) -> ConnectorsAdapter:
    return open_adapter(
        AdapterContext(
            base_url="https://upstream.example",
            schema=SCHEMA,
            zone=ZONE,
            profile=TenantProfile(),
            options=options,
        )
    )


def at(path: str) -> Resolved:
    return resolve(SCHEMA, parse_path(path))


def listing(path: str, condition: str | None = None) -> ListRecords:
    return ListRecords(
        place=at(path), query=Query(filter=None if condition is None else parse_filter(condition))
    )


def a_call(operation: Operation) -> Call:
    return Call(
        operation=operation,
        tenant="demo",
        client="tests",
        request_id="req-1",
        deadline=SystemClock().monotonic() + 30,
    )


@asynccontextmanager
async def a_wire(url: str, *, connections: int = 100) -> AsyncIterator[UpstreamWire]:
    credential = {Slot.USERNAME: USER, Slot.PASSWORD: PASSWORD, Slot.API_KEY: "sandbox-demo"}
    settings = WireSettings(base_url=url, max_connections=connections, pool_timeout=1)
    wire = UpstreamWire(settings, credential=credential, clock=SystemClock())
    try:
        yield wire
    finally:
        await wire.close()


async def over(wire: UpstreamWire, adapter: Adapter, operation: Operation) -> Result:
    call = a_call(operation)
    return await adapter.perform(call, wire.bound(call))


async def records(wire: UpstreamWire, adapter: Adapter, operation: Operation) -> list[Record]:
    scan = await over(wire, adapter, operation)
    assert isinstance(scan, Scan)
    return [record async for piece in scan.pieces for record in piece]


async def performed(adapter: Adapter, operation: Operation, url: str) -> Result:
    async with a_wire(url) as wire:
        return await over(wire, adapter, operation)


async def scanned(adapter: Adapter, operation: Operation, url: str) -> list[Record]:
    async with a_wire(url) as wire:
        return await records(wire, adapter, operation)


@asynccontextmanager
async def upstream(answer: bytes | Iterable[bytes]) -> AsyncIterator[str]:
    """An upstream that answers one request with these bytes and hangs up."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
        for piece in [answer] if isinstance(answer, bytes) else answer:
            writer.write(piece)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        server.close()


def http(body: bytes | str, status: int = 200, kind: str = "text/xml", missing: int = 0) -> bytes:
    """A whole answer; with ``missing`` it announces that many bytes more than it has."""
    content = body.encode() if isinstance(body, str) else body
    head = (
        f"HTTP/1.1 {status} Said\r\nContent-Type: {kind}\r\nContent-Length: {len(content) + missing}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + content


def data(*objects: str) -> str:
    return f'<?xml version="1.0" encoding="utf-16"?>\n<Data>{"".join(objects)}</Data>'


def an_object(type: str, action: str | None = None, **properties: str | None) -> str:
    """One object; a double underscore in a name is a point."""
    held = "".join(
        f'<Property Name="{name.replace("__", ".")}"' + ("/>" if value is None else f' Value="{value}"/>')
        for name, value in properties.items()
    )
    return f'<Object Type="{type}"' + (f' Action="{action}"' if action else "") + f">{held}</Object>"


def cut(text: str, sizes: list[int]) -> list[str]:
    """The text in pieces of these sizes, the rest in one."""
    pieces, begin = [], 0
    for size in sizes:
        pieces.append(text[begin : begin + size])
        begin += size
    return [*pieces, text[begin:]]


def fed(reader: Reader[T], pieces: Iterable[str]) -> list[T]:
    """What a reader finds, to the end of the text."""
    found = [item for piece in pieces for item in reader.feed(piece)]
    while rest := reader.finish():
        found += rest
    return found
