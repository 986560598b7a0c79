"""Reading through an adapter: a list to its end, and one record by whatever the adapter can read with."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing

import msgspec

from contracts.adapter import Adapter
from contracts.addressing import resolve
from contracts.call import Call
from contracts.conditions import key_condition
from contracts.conformance.scenario import Seen, builtins, call_of
from contracts.errors import RecordNotFound
from contracts.operations import GetRecord, ListRecords, Query
from contracts.paths import ObjectPath, Segment
from contracts.results import Found, Page, Result, Scan
from contracts.schema import Record, Schema
from contracts.wire import Wire

_MOST_PAGES = 100


class Unreadable(Exception):
    """The adapter reads no such record."""


class Endless(Exception):
    """A list that does not end, or a page that is larger than was asked for."""


async def gathered(adapter: Adapter, call: Call, wire: Wire) -> Result:
    """Carry a call out; a list to its end, as one page. Raises :class:`Endless`."""
    result = await adapter.perform(call, wire)
    if isinstance(result, Scan):
        scanned: list[Record] = []
        async with aclosing(result.pieces):
            async for piece in result.pieces:
                scanned += piece
        return Page(items=scanned)
    operation = call.operation
    if not isinstance(result, Page) or not isinstance(operation, ListRecords):
        return result
    pages = [result]
    while pages[-1].next is not None:
        following = msgspec.structs.replace(operation.query, continuation=pages[-1].next)
        again = msgspec.structs.replace(operation, query=following)
        page = await adapter.perform(msgspec.structs.replace(call, operation=again), wire)
        if not isinstance(page, Page) or len(pages) == _MOST_PAGES:
            raise Endless(f"the list goes on after {len(pages)} pages")
        pages.append(page)
    most = max(len(page.items) for page in pages)
    if operation.query.limit is not None and most > operation.query.limit:
        raise Endless(f"a page of {most} records, and {operation.query.limit} are the most")
    return Page(items=[item for page in pages for item in page.items], count=result.count)


class Reader:
    """Reads single records through an adapter."""

    def __init__(self, adapter: Adapter, bind: Callable[[Call], Wire], schema: Schema) -> None:
        self._adapter = adapter
        self._bind = bind
        self._schema = schema

    async def record(self, path: ObjectPath) -> Seen | None:
        """The record at its own place, None when there is none. Raises :class:`Unreadable`."""
        place = resolve(self._schema, path)
        get = GetRecord(place=place)
        if self._adapter.refusal(get) is None:
            return await self._got(get)
        entity = place.entity
        every = resolve(self._schema, ObjectPath((Segment(entity.name),)))
        said = self._adapter.capabilities
        narrow = key_condition(entity, place.key) if said.scans or "filter" in said.query else None
        listing = ListRecords(place=every, query=Query(filter=narrow), whole=True)
        if self._adapter.refusal(listing) is not None:
            raise Unreadable
        call = call_of(listing)
        page = await gathered(self._adapter, call, self._bind(call))
        items = page.items if isinstance(page, Page) else []
        same = (item for item in items if self._schema.path_of(entity, item).last.key == place.key)
        record = next(same, None)
        return None if record is None else builtins(record)

    async def _got(self, operation: GetRecord) -> Seen | None:
        call = call_of(operation)
        try:
            result = await self._adapter.perform(call, self._bind(call))
        except RecordNotFound:
            return None
        return builtins(result.record) if isinstance(result, Found) else None
