"""The SOAP adapter, opened for a site over a real wire."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from adapters.soap import SPEC
from contracts.adapter import AdapterContext, TenantProfile
from contracts.addressing import Resolved, resolve
from contracts.call import Call
from contracts.entities import standard_schema
from contracts.filters import parse_filter
from contracts.operations import ListRecords, Operation, Query
from contracts.paths import parse_path
from contracts.results import Result, Scan
from contracts.wire import Slot, Wire
from gateway.clock import SystemClock
from gateway.wire import UpstreamWire, WireSettings

SCHEMA = standard_schema()
OPTIONS = {
    "exports": {"Equipment": {"connector": "EXP_EQ", "filters": ["Id", "Code"]}},
    "imports": {"Equipment": {"connector": "IMP_EQUIPMENT"}},
}


def at(path: str) -> Resolved:
    return resolve(SCHEMA, parse_path(path))


def a_call(operation: Operation) -> Call:
    deadline = time.monotonic() + 20
    return Call(operation=operation, tenant="t", client="c", request_id="r", deadline=deadline)


class Site:
    """What a tenant asks of its site."""

    def __init__(self, url: str, upstream: UpstreamWire) -> None:
        self._upstream = upstream
        self._adapter = SPEC.open(
            AdapterContext(
                base_url=url,
                schema=SCHEMA,
                zone=ZoneInfo("UTC"),
                profile=TenantProfile(),
                options=msgspec.convert(OPTIONS, SPEC.options),
            )
        )

    def wire(self, call: Call) -> Wire:
        return self._upstream.bound(call)

    async def perform(self, operation: Operation) -> Result:
        call = a_call(operation)
        return await self._adapter.perform(call, self.wire(call))

    async def records(self, operation: Operation) -> list[dict[str, Any]]:
        scan = await self.perform(operation)
        assert isinstance(scan, Scan)
        return [msgspec.to_builtins(record) async for piece in scan.pieces for record in piece]

    async def equipment(self, condition: str | None = None) -> list[dict[str, Any]]:
        tree = None if condition is None else parse_filter(condition)
        return await self.records(ListRecords(place=at("Equipment"), query=Query(filter=tree)))


@asynccontextmanager
async def a_site(
    url: str, username: str = "sandbox-user", password: str = "sandbox-password"
) -> AsyncIterator[Site]:
    wire = UpstreamWire(
        WireSettings(base_url=url),
        credential={Slot.USERNAME: username, Slot.PASSWORD: password},
        clock=SystemClock(),
    )
    try:
        yield Site(url, wire)
    finally:
        await wire.close()
