"""Reading one record and a list over an adapter that gives whole sets only.

Each read is one scan, narrowed as far as the adapter can. A read through a record of which only the
answer tells the key (a reference, an external id) reads that one first; an empty collection is followed
by the read of its owner, which tells a record that is not there from one that has none. These reads go the
tenant's own way, and may be served by another adapter.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from datetime import tzinfo

import msgspec

from contracts.adapter import Adapter
from contracts.call import Call
from contracts.conditions import conjunction
from contracts.errors import OperationNotSupported, Outcome, RecordNotFound, UpstreamInvalidResponse
from contracts.filters import Filter, ordering_key, predicate
from contracts.operations import GetRecord, ListRecords, Operation, Query
from contracts.results import Found, Page, Result, Scan
from contracts.schema import Entity, Record, Schema
from gateway.completion.held import held_filter, held_order
from gateway.completion.places import Reach, reach, read_first, set_of
from gateway.completion.plans import Plan
from gateway.completion.scans import Holds, Pieces, ScanLimit, Sieve, SortKey, offset, shown, whole, window

Read = GetRecord | ListRecords
Send = Callable[[Call], Awaitable[Result]]
"""Gives a call to the adapter that was chosen for it."""

Aside = Callable[[Call, Operation], Awaitable[Result]]
"""Carries out another operation of the tenant on a call's account; raises what that raises."""

PARTS = ("filter", "orderby", "select", "skip", "limit", "count")
"""The parts of a query that are made of a scan."""


class Reads:
    """The reads of one tenant that are made of scans.

    ``limit`` is how many records one of them may look at, where it does not give them all. ``zone`` is
    the environment's, for times without an offset.
    """

    def __init__(self, schema: Schema, *, zone: tzinfo, limit: int, aside: Aside) -> None:
        self._schema = schema
        self._zone = zone
        self._limit = limit
        self._aside = aside

    async def perform(self, call: Call, adapter: Adapter, send: Send) -> Found | Page | Scan:
        """Carry a read out that the adapter does not know.

        A page's continuation is an offset: the next page is made of another scan, which costs what this
        one did and shows what has changed in between.

        Raises RecordNotFound, UpstreamInvalidResponse for several records with one key, and
        OperationNotSupported for a read that would look at more records than the tenant allows.
        """
        operation = call.operation
        if isinstance(operation, GetRecord):
            return await self._found(call, operation, adapter, send)
        if isinstance(operation, ListRecords):
            return await self._listed(call, operation, adapter, send)
        raise TypeError(f"{operation.kind} is not made of scans")

    def plan(self, call: Call, name: str, adapter: Adapter, plan: Callable[[Call], Plan]) -> Plan:
        """What :meth:`perform` would send. ``plan`` is that of another read."""
        operation = call.operation
        if not isinstance(operation, GetRecord | ListRecords):
            raise TypeError(f"{operation.kind} is not made of scans")
        completed = made_of_scans(operation)
        if (owner := read_first(self._schema, operation.place)) is not None:
            # Where the second one begins only the first one's answer tells.
            first = plan(msgspec.structs.replace(call, operation=GetRecord(place=owner)))
            at_most = None if first.at_most is None else first.at_most + 1
            return Plan(adapter=name, requests=first.requests, at_most=at_most, completed=completed)
        target = self._target(operation, None)
        scan = adapter.plan(_asking(call, target, operation))
        planned = Plan(adapter=name, requests=scan, at_most=len(scan), completed=completed)
        if target.owner is None or operation.place.single:
            return planned
        return planned.followed_by(
            plan(msgspec.structs.replace(call, operation=GetRecord(place=target.owner)))
        )

    async def _found(self, call: Call, operation: GetRecord, adapter: Adapter, send: Send) -> Found:
        target = await self._reach(call, operation)
        sieve = self._sieve(target, target.key, self._scan_limit(target.entity, adapter))
        found: list[Record] = []
        async with aclosing(sieve.through(await _scan(call, target, operation, send))) as pieces:
            async for piece in pieces:
                found += piece
                if len(found) > 1:
                    raise UpstreamInvalidResponse("more than one record has this key")
        if not found:
            raise _absent()
        return Found(record=shown(operation.select)(found[0]))

    async def _listed(self, call: Call, operation: ListRecords, adapter: Adapter, send: Send) -> Page | Scan:
        target = await self._reach(call, operation)
        query = operation.query
        order = self._order(target.entity, query)
        given_whole = operation.whole and order is None and query.filter is None and target.condition is None
        limit = None if given_whole else self._scan_limit(target.entity, adapter)
        sieve = self._sieve(target, query.filter, limit)
        pieces = sieve.through(await _scan(call, target, operation, send))
        if operation.whole:
            return Scan(pieces=self._stream(call, target, sieve, whole(pieces, query, order), query))
        page = await window(pieces, query, order)
        await self._check_owner(call, target, sieve)
        return Page(
            items=list(map(shown(query.select), page.records)),
            next=str(offset(query) + len(page.records)) if page.more else None,
            count=page.count,
        )

    async def _stream(self, call: Call, target: Reach, sieve: Sieve, pieces: Pieces, query: Query) -> Pieces:
        cut = shown(query.select)
        async with aclosing(pieces) as opened:
            async for piece in opened:
                yield list(map(cut, piece))
        await self._check_owner(call, target, sieve)

    async def _reach(self, call: Call, operation: Read) -> Reach:
        owner = read_first(self._schema, operation.place)
        if owner is None:
            return self._target(operation, None)
        return self._target(operation, await self._record(call, GetRecord(place=owner)))

    def _target(self, operation: Read, owner: Record | None) -> Reach:
        try:
            target = reach(self._schema, operation.place, owner)
        except ValueError as error:
            raise UpstreamInvalidResponse(f"the upstream gave {error}") from error
        if target is None:
            raise _absent()
        return target

    async def _check_owner(self, call: Call, target: Reach, sieve: Sieve) -> None:
        """Raises RecordNotFound when no record belonged to the owner because there is none.

        Where no adapter can read the owner, the collection is what it looks like: empty.
        """
        if target.owner is None or sieve.members:
            return
        try:
            await self._record(call, GetRecord(place=target.owner))
        except OperationNotSupported:
            return

    async def _record(self, call: Call, operation: GetRecord) -> Record:
        found = await self._aside(call, operation)
        if not isinstance(found, Found):
            raise TypeError("a read of one record answers with the record")
        return found.record

    def _sieve(self, target: Reach, tree: Filter | None, limit: ScanLimit | None) -> Sieve:
        return Sieve(
            belongs=self._predicate(target.entity, target.belongs),
            holds=self._predicate(target.entity, tree),
            limit=limit,
        )

    def _predicate(self, entity: Entity, tree: Filter | None) -> Holds | None:
        if tree is None:
            return None
        return predicate(held_filter(self._schema, entity, tree), zone=self._zone)

    def _order(self, entity: Entity, query: Query) -> SortKey | None:
        if not query.orderby:
            return None
        orderby = held_order(self._schema, entity, query.orderby)
        return lambda record: ordering_key(record, orderby, zone=self._zone)

    def _scan_limit(self, entity: Entity, adapter: Adapter) -> ScanLimit:
        narrows = {name.lower(): by for name, by in adapter.capabilities.narrows.items()}
        by = narrows.get(entity.name.lower(), ())
        told = f"filters by {', '.join(by)} and nothing else" if by else "does not filter by itself"
        return ScanLimit(
            self._limit,
            f"this read would look at more than {self._limit} records of {entity.name}, the most that this "
            f"tenant allows (scan_limit); what exports them {told}",
        )


def made_of_scans(operation: Read) -> tuple[str, ...]:
    """What of this read the gateway does itself."""
    place = operation.place
    if isinstance(operation, GetRecord):
        through = ("navigation",) if place.owner is not None else ()
        return ("key", *through, *(("select",) if operation.select else ()))
    query = operation.query
    asked = {"skip": offset(query) > 0, "limit": not operation.whole}
    parts = tuple(part for part in PARTS if asked.get(part, bool(getattr(query, part))))
    return (("navigation",) if place.owner is not None else ()) + parts


async def _scan(call: Call, target: Reach, operation: Read, send: Send) -> Scan:
    scan = await send(_asking(call, target, operation))
    if not isinstance(scan, Scan):
        raise TypeError("an adapter that scans answers a list with a scan")
    return scan


def _asking(call: Call, target: Reach, operation: Read) -> Call:
    """The call for the whole set, with all that is asked of its records: the adapter narrows it as far as it can."""
    asked = operation.query.filter if isinstance(operation, ListRecords) else None
    query = Query(filter=conjunction(target.condition, asked))
    return msgspec.structs.replace(
        call, operation=ListRecords(place=set_of(target.entity), query=query, whole=True)
    )


def _absent() -> RecordNotFound:
    return RecordNotFound("the upstream has no record with this key", outcome=Outcome.REFUSED)
