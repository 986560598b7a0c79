"""Calls and wires for tests of the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2

from contracts.addressing import resolve
from contracts.call import Call
from contracts.entities import standard_schema
from contracts.operations import GetRecord
from contracts.paths import parse_path
from contracts.wire import Slot, WireRequest
from gateway.clock import SystemClock
from gateway.wire import SendReport, UpstreamWire, WireSettings

SECRET = "s3cr3t-key-4711"
READ = WireRequest(
    method="GET", target="/object/Equipment", headers=(("ApiKey", Slot.API_KEY),), repeatable=True
)
WRITE = WireRequest(
    method="PUT",
    target="/object/Equipment('00001')",
    headers=(("ApiKey", Slot.API_KEY), ("Content-Type", "application/json")),
    content=b'{"Description": "Pump"}',
)


class ManualClock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.time = 1000.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


def a_call(*, seconds: float = 10.0, request_id: str = "req-1", traceparent: str | None = None) -> Call:
    """A call with ``seconds`` left on the machine's clock."""
    return Call(
        operation=GetRecord(place=resolve(standard_schema(), parse_path("Equipment/00001"))),
        tenant="demo",
        client="tests",
        request_id=request_id,
        deadline=SystemClock().monotonic() + seconds,
        traceparent=traceparent,
    )


@asynccontextmanager
async def a_wire(
    settings: WireSettings,
    reports: list[SendReport] | None = None,
    transport: httpx2.AsyncBaseTransport | None = None,
) -> AsyncIterator[UpstreamWire]:
    """A wire with a credential, whose reports are collected, and which is closed at the end."""
    wire = UpstreamWire(
        settings,
        credential={Slot.API_KEY: SECRET},
        clock=SystemClock(),
        meter=None if reports is None else reports.append,
        transport=transport,
    )
    try:
        yield wire
    finally:
        await wire.close()
