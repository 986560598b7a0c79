"""Per tenant, built once at start: its adapters opened, its wire, its routing and the composed handler."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from datetime import tzinfo
from functools import lru_cache, partial
from typing import Protocol

import msgspec

from contracts.adapter import Adapter
from contracts.addressing import Resolved, resolve
from contracts.call import Call, Journal
from contracts.errors import TenantNotFound, UpstreamInvalidResponse
from contracts.operations import CreateRecord, ListRecords, Operation, Write, WriteBatch
from contracts.paths import parse_path
from contracts.results import BatchDone, ImportDone, MemberDone, Page, ReadingsTaken, Result, Scan
from contracts.schema import Schema
from contracts.wire import Wire
from gateway.capabilities import Served
from gateway.completion.batches import BatchRunner
from gateway.completion.creates import Creates
from gateway.completion.plans import Plan
from gateway.completion.readback import ReadBack
from gateway.completion.reads import Reads
from gateway.completion.scans import Pieces
from gateway.completion.writes import COMPLETED as READ_BACK
from gateway.completion.writes import Writes
from gateway.pipeline import compose
from gateway.policies import Handler, Policy
from gateway.routing import Routing
from gateway.settings import ClientSettings, TenantSettings

_PLACES = 1024
"""How many paths a tenant remembers the meaning of."""


class Whole(msgspec.Struct, frozen=True, kw_only=True):
    """All records of a list or an export. ``pieces`` are read once, and closed by whoever reads them."""

    pieces: Pieces
    content_language: str | None = None


class TenantWire(Protocol):
    """The tenant's way out: one pool, from which every call gets a wire of its own."""

    def bound(self, call: Call) -> Wire: ...

    async def close(self) -> None: ...


class Interface(msgspec.Struct, frozen=True):
    """One adapter of a tenant, the way to its address, and the policies around whatever it does."""

    adapter: Adapter
    wire: TenantWire
    policies: tuple[Policy, ...] = ()

    def handler(self) -> Handler:
        """Carries out what the adapter is asked to."""
        return compose(self.policies, self._perform)

    async def _perform(self, call: Call) -> Result:
        return await self.adapter.perform(call, self.wire.bound(call))


class Tenant:
    """A party with credentials in one environment."""

    def __init__(
        self,
        name: str,
        settings: TenantSettings,
        *,
        schema: Schema,
        interfaces: Mapping[str, Interface],
        policies: Sequence[Policy],
        scan_limit: int,
        zone: tzinfo,
        around_packs: Sequence[Policy] = (),
    ) -> None:
        """``interfaces`` are by the adapter's name, in the order of preference; ``policies`` are around every call,
        and ``around_packs`` around each part of a batch that goes upstream at once, outside of them.

        ``scan_limit`` is how many records a read that is made of a whole set may look at; ``zone`` is the
        environment's, for times without an offset.
        """
        self.name = name
        self.settings = settings
        self.schema = schema
        # The same records are read all day: what a path means is worked out once.
        self.place: Callable[[str], Resolved] = lru_cache(maxsize=_PLACES)(self._place)
        self._routing = Routing({key: item.adapter for key, item in interfaces.items()}, settings.routes)
        self._wires = [item.wire for item in interfaces.values()]
        self._handlers = {key: item.handler() for key, item in interfaces.items()}
        self._handler = compose(policies, self._dispatch)
        self._reads = Reads(schema, zone=zone, limit=scan_limit, aside=self._aside)
        self._writes = Writes(schema, ReadBack(self._aside, self._scans))
        self._creates = Creates(schema, self._aside)
        self._batches = BatchRunner(
            schema,
            choose=self._adapter,
            perform=compose(around_packs, self._handler),
            complete=self._complete,
        )

    def _place(self, path: str) -> Resolved:
        """Where a path of the API leads. Raises InvalidPath and EntityNotFound."""
        return resolve(self.schema, parse_path(path))

    async def perform(self, call: Call) -> Result:
        """Take the call through the pipeline. Raises :class:`~contracts.errors.GatewayError`.

        A batch goes as one upstream request; :meth:`batch` takes one of any size.
        """
        result = await self._handler(call)
        if isinstance(result, Scan):
            return Scan(pieces=_counted(result.pieces, call.journal))
        call.journal.records += _records(result)
        return result

    async def stream(self, call: Call, *, page_deadline: Callable[[], float] | None = None) -> Whole:
        """All records of a list or an export, from where its query begins.

        Each page is a call of its own through the pipeline. ``page_deadline`` gives it its own deadline
        too; a set that comes in one answer has that of the call. The first request is made here. Raises
        what it raises, and the pieces what the others do.
        """
        operation = call.operation
        if isinstance(operation, ListRecords):
            operation = msgspec.structs.replace(operation, whole=True)
            call = msgspec.structs.replace(call, operation=operation)
        if isinstance(operation, ListRecords) and not self._scans(operation):
            pages = self._pages(call, operation, page_deadline or (lambda: call.deadline))
            first = await anext(pages)
            return Whole(pieces=_items(first, pages), content_language=first.content_language)
        result = await self.perform(call)
        if not isinstance(result, Scan):
            raise TypeError("a whole set answers with a scan")
        return Whole(pieces=result.pieces)

    async def batch(self, call: Call, *, together: bool = False) -> AsyncGenerator[list[MemberDone], None]:
        """The results of many writes, in their order, as they become known.

        ``together`` says that none is looked at before all are there: what is told by keys alone may then be
        read back once. Raises what no part is sent for.
        """
        async with aclosing(self._batches.run(call, together=together)) as packs:
            async for pack in packs:
                call.journal.records += len(pack)
                yield pack

    def plan(self, call: Call) -> Plan:
        """What the call would send, without sending. Raises what the call raises before it sends."""
        operation = call.operation
        if isinstance(operation, WriteBatch):
            return self._batch_plan(call)
        chosen = self._routing.choose(operation, self.schema)
        if chosen.scanned:
            return self._reads.plan(call, chosen.name, chosen.adapter, self.plan)
        requests = chosen.adapter.plan(call)
        endless = isinstance(operation, ListRecords) and operation.whole
        planned = Plan(adapter=chosen.name, requests=requests, at_most=None if endless else len(requests))
        told = chosen.adapter.capabilities.tells_keys
        return self._writes.plan(call, planned, self.plan) if told else planned

    def capabilities(self) -> list[Served]:
        """Which operation is served by which adapter, and what none serves."""
        return self._routing.capabilities()

    async def close(self) -> None:
        """Give the tenant's connections back."""
        for wire in self._wires:
            await wire.close()

    async def _dispatch(self, call: Call) -> Result:
        chosen = self._routing.choose(call.operation, self.schema)
        call.journal.adapter = chosen.name
        send = self._handlers[chosen.name]
        if chosen.scanned:
            return await self._reads.perform(call, chosen.adapter, send)
        if chosen.adapter.capabilities.tells_keys and isinstance(call.operation, Write):
            send = partial(self._writes.perform, send=send)
        if isinstance(call.operation, CreateRecord):
            return await self._creates.perform(call, send)
        return await send(call)

    async def _aside(self, call: Call, operation: Operation) -> Result:
        """Carry out another operation on a call's account; the journal names what serves the call itself."""
        adapter = call.journal.adapter
        try:
            return await self._handler(msgspec.structs.replace(call, operation=operation))
        finally:
            call.journal.adapter = adapter

    async def _pages(
        self, call: Call, operation: ListRecords, deadline: Callable[[], float]
    ) -> AsyncGenerator[Page, None]:
        seen: set[str] = set()
        while True:
            of_page = msgspec.structs.replace(call, operation=operation, deadline=deadline())
            page = await self.perform(of_page)
            if not isinstance(page, Page):
                raise TypeError("a list that is read in pages answers with a page")
            yield page
            if page.next is None:
                return
            if page.next in seen:
                raise UpstreamInvalidResponse("the upstream's paging runs in a circle")
            seen.add(page.next)
            query = msgspec.structs.replace(operation.query, continuation=page.next, count=False)
            operation = msgspec.structs.replace(operation, query=query)

    async def _complete(self, call: Call, done: Sequence[MemberDone]) -> Sequence[MemberDone]:
        chosen = self._routing.choose(call.operation, self.schema)
        told = chosen.adapter.capabilities.tells_keys
        return await self._writes.completed(call, done) if told else done

    def _batch_plan(self, call: Call) -> Plan:
        packs = self._batches.plan(call)
        requests = tuple(request for pack in packs for request in pack.requests)
        names = tuple(dict.fromkeys(pack.adapter for pack in packs))
        # How many records must be read after the writes only their answers tell.
        read_back = any(self._routing.tells_keys(name) for name in names)
        return Plan(
            adapter=", ".join(names),
            requests=requests,
            at_most=None if read_back else len(requests),
            completed=READ_BACK if read_back and not call.minimal else (),
        )

    def _adapter(self, operation: Operation) -> tuple[str, Adapter]:
        chosen = self._routing.choose(operation, self.schema)
        return chosen.name, chosen.adapter

    def _scans(self, operation: Operation) -> bool:
        return self._routing.choose(operation, self.schema).scanned


def _records(result: Result) -> int:
    """How many records, or results of single objects, the call has brought."""
    match result:
        case Page():
            return len(result.items)
        case BatchDone() | ImportDone() | ReadingsTaken():
            return len(result.results)
    return 1


async def _items(first: Page, following: AsyncGenerator[Page, None]) -> Pieces:
    async with aclosing(following):
        yield first.items
        async for page in following:
            yield page.items


async def _counted(pieces: Pieces, journal: Journal) -> Pieces:
    async with aclosing(pieces) as opened:
        async for piece in opened:
            journal.records += len(piece)
            yield piece


class Tenants:
    """All tenants of this gateway, and who may see which."""

    def __init__(self, tenants: Iterable[Tenant]) -> None:
        self._tenants = {tenant.name: tenant for tenant in tenants}

    def find(self, name: str, client: ClientSettings) -> Tenant:
        """Raises :class:`TenantNotFound`, the same for a tenant that is absent and for one that may not be seen."""
        tenant = self._tenants.get(name)
        if tenant is None or not client.sees(name):
            raise TenantNotFound(
                f"there is no tenant '{name}' for this credential; GET /v1/tenants lists them"
            )
        return tenant

    def visible(self, client: ClientSettings) -> list[Tenant]:
        """The tenants that this client may use, by name."""
        return [tenant for name, tenant in sorted(self._tenants.items()) if client.sees(name)]

    async def close(self) -> None:
        """Give every connection back."""
        for tenant in self._tenants.values():
            await tenant.close()
