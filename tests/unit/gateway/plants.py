"""Small adapters over records in memory, and tenants made of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from typing import cast
from zoneinfo import ZoneInfo

import msgspec

from contracts.adapter import Adapter, Capabilities
from contracts.addressing import Resolved, resolve
from contracts.call import Call
from contracts.entities import standard_schema
from contracts.errors import GatewayError, Outcome, RecordNotFound, UpstreamAnswer, UpstreamRejected
from contracts.filters import And, Comparison, Filter, Operator, parse_filter, predicate
from contracts.operations import (
    ChangeRecord,
    CreateRecord,
    DeleteRecord,
    GetRecord,
    ListRecords,
    Member,
    Operation,
    OrderBy,
    Query,
    ReplaceRecord,
    RunExport,
    Write,
    WriteBatch,
)
from contracts.paths import parse_path
from contracts.queries import check_query, check_shape
from contracts.results import BatchDone, Deleted, Found, MemberDone, Page, Result, Scan, Stored
from contracts.schema import Record
from contracts.wire import Wire, WireRequest
from gateway.clock import SystemClock
from gateway.pipeline import around_call
from gateway.policies.cache import Cache
from gateway.settings import CacheSettings, CredentialSettings, Secret, TenantSettings
from gateway.tenants import Interface, Tenant

SCHEMA = standard_schema()
ZONE = ZoneInfo("Europe/Amsterdam")

Row = dict[str, object]
Tables = dict[str, list[Row]]


class NoWire:
    """Adapters in memory send nothing."""

    def bound(self, call: Call) -> Wire:
        return cast(Wire, self)

    async def close(self) -> None:
        pass


class Exporter:
    """Gives whole sets, and tells keys of what it stores.

    ``asked`` has the entity and the filter of each scan, ``taken`` the pieces that were read, ``open`` how
    many scans are not closed. ``refused`` are the keys of which every write is rejected; ``breaks`` ends each
    scan after its first piece.
    """

    def __init__(
        self,
        tables: Tables,
        *,
        piece: int = 3,
        narrows: Mapping[str, tuple[str, ...]] | None = None,
        kinds: Iterable[str] = ("list", "create", "change", "delete", "batch", "export"),
        entities: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self.tables = tables
        self.asked: list[tuple[str, Filter | None]] = []
        self.writes: list[Operation] = []
        self.refused: list[object] = []
        self.breaks: GatewayError | None = None
        self.taken = 0
        self.open = 0
        self._piece = piece
        self.capabilities = Capabilities(
            operations=frozenset(kinds),
            scans=True,
            tells_keys=True,
            narrows=narrows or {},
            entities=entities or {},
            missing={"replace": "use PATCH ?upsert=true"},
        )

    def refusal(self, operation: Operation) -> str | None:
        kind = operation.kind
        if kind not in self.capabilities.operations:
            return self.capabilities.missing.get(kind, "exports and imports only")
        if isinstance(operation, ListRecords):
            if len(operation.place.path.segments) > 1 or operation.query != Query():
                return "whole sets only"
            name = operation.place.entity.name
            return None if name in self.tables else f"{name} is not exported"
        members = operation.members if isinstance(operation, WriteBatch) else ()
        if any(member.group or isinstance(member.write, ReplaceRecord) for member in members):
            return "no groups and no replacing"
        return None

    def plan(self, call: Call) -> tuple[WireRequest, ...]:
        return (WireRequest(method="POST", target=f"/{call.operation.kind}"),)

    def pack(self, members: Sequence[Member]) -> int:
        return min(len(members), 100)

    async def perform(self, call: Call, wire: Wire) -> Result:
        operation = call.operation
        call.journal.units += 1
        match operation:
            case ListRecords():
                entity = operation.place.entity.name
                self.asked.append((entity, operation.query.filter))
                return Scan(pieces=self._pieces(self._narrowed(entity, operation.query.filter)))
            case RunExport():
                return Scan(pieces=self._pieces(self.tables[operation.name]))
            case WriteBatch():
                self.writes.append(operation)
                done = (MemberDone(member.id, self._outcome(member.write)) for member in operation.members)
                return BatchDone(results=tuple(done))
            case CreateRecord() | ChangeRecord() | DeleteRecord():
                self.writes.append(operation)
                result = self._outcome(operation)
                if isinstance(result, GatewayError):
                    raise result
                return result
        raise AssertionError(operation.kind)

    def _narrowed(self, entity: str, tree: Filter | None) -> list[Row]:
        operands = tree.operands if isinstance(tree, And) else () if tree is None else (tree,)
        by = self.capabilities.narrows.get(entity, ())
        tests = [
            predicate(term)
            for term in operands
            if isinstance(term, Comparison) and term.operator is Operator.EQ and "/".join(term.property) in by
        ]
        return [row for row in self.tables[entity] if all(test(row) for test in tests)]

    async def _pieces(self, rows: list[Row]) -> AsyncGenerator[list[Record], None]:
        self.open += 1
        try:
            for begin in range(0, len(rows), self._piece):
                if self.breaks is not None and begin > 0:
                    raise self.breaks
                self.taken += 1
                yield [*rows[begin : begin + self._piece]]
        finally:
            self.open -= 1

    def _outcome(self, write: Write) -> Stored | Deleted | GatewayError:
        entity = write.place.entity
        rows = self.tables[entity.name]
        own = identity(write.place) if write.place.single else f"{len(rows) + 1:05}"
        found = next((row for row in rows if row["Id"] == own), None)
        makes = isinstance(write, CreateRecord) or (
            isinstance(write, ChangeRecord) and write.upsert and "Status" in write.body
        )
        if own in self.refused or (found is None and not makes):
            return UpstreamRejected("no", upstream=UpstreamAnswer("exporter", 200, "17", "no"))
        if isinstance(write, DeleteRecord):
            rows[:] = [row for row in rows if row is not found]
            return Deleted()
        if found is None:
            rows.append({"Id": own, "Model": "by the upstream", **write.body})
        else:
            found.update(write.body)
        record: Row = {"Id": own}
        path = SCHEMA.path_of(entity, record)
        return Stored(record=record, created=found is None, path=path, whole=False)


class Pager:
    """Reads as REST does, in pages of two at most, of the same tables."""

    capabilities = Capabilities(operations=frozenset({"list", "get"}), query=frozenset({"filter", "limit"}))

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.asked: list[Operation] = []
        self.fails: GatewayError | None = None

    def refusal(self, operation: Operation) -> str | None:
        return None if operation.kind in self.capabilities.operations else "reads only"

    def plan(self, call: Call) -> tuple[WireRequest, ...]:
        return (WireRequest(method="GET", target=f"/{call.operation.kind}"),)

    async def perform(self, call: Call, wire: Wire) -> Result:
        operation = call.operation
        self.asked.append(operation)
        call.journal.units += 1
        if self.fails is not None:
            raise self.fails
        match operation:
            case GetRecord():
                rows = self.tables[operation.place.entity.name]
                found = next((row for row in rows if row["Id"] == identity(operation.place)), None)
                if found is None:
                    raise RecordNotFound("absent", outcome=Outcome.REFUSED)
                return Found(record=found)
            case ListRecords():
                rows = self.tables[operation.place.entity.name]
                if operation.query.filter is not None:
                    rows = list(filter(predicate(operation.query.filter), rows))
                    return Page(items=[*rows])
                begin = int(operation.query.continuation or 0)
                more = begin + 2 < len(rows)
                return Page(items=[*rows[begin : begin + 2]], next=str(begin + 2) if more else None)
        raise AssertionError(operation.kind)


def identity(place: Resolved) -> object:
    """What a record at this place has as its ``Id``."""
    key = place.key or place.path.last.key
    assert key is not None
    if not place.entity.composite:
        return key.parts[0].value
    return {part.name: part.value for part in key.parts}


def tenant(
    adapters: Mapping[str, Adapter],
    *,
    routes: Mapping[str, tuple[str, ...]] | None = None,
    scan_limit: int = 250_000,
) -> Tenant:
    """A tenant of these adapters."""
    return Tenant(
        "demo",
        TenantSettings(
            environment="plant",
            credentials=CredentialSettings(api_key=Secret("k")),
            routes=dict(routes or {}),
        ),
        schema=SCHEMA,
        interfaces={name: Interface(adapter, NoWire()) for name, adapter in adapters.items()},
        policies=around_call(SystemClock(), Cache(CacheSettings(), SCHEMA, SystemClock())),
        scan_limit=scan_limit,
        zone=ZONE,
    )


def place(path: str) -> Resolved:
    """Where a path of the API leads."""
    return resolve(SCHEMA, parse_path(path))


def call(operation: Operation, *, minimal: bool = False, seconds: float = 60.0) -> Call:
    """A call with time enough."""
    return Call(
        operation=operation,
        tenant="demo",
        client="tests",
        request_id="r",
        deadline=SystemClock().monotonic() + seconds,
        minimal=minimal,
    )


def listing(
    path: str, *, filter: str | None = None, orderby: str = "", select: str = "", **more: object
) -> ListRecords:
    """A list as the HTTP boundary would ask for it."""
    at = place(path)
    terms = (term.partition(" ") for term in orderby.split(",") if term)
    query = Query(
        filter=None if filter is None else parse_filter(filter),
        orderby=tuple(OrderBy(tuple(name.split("/")), way == "desc") for name, _, way in terms),
        select=tuple(tuple(name.split("/")) for name in select.split(",") if name),
    )
    query = check_query(SCHEMA, at.entity, query)
    return ListRecords(place=at, query=msgspec.structs.replace(query, **more))


def getting(path: str, *, select: str = "") -> GetRecord:
    """A read of one record as the HTTP boundary would ask for it."""
    at = place(path)
    names = tuple(tuple(name.split("/")) for name in select.split(",") if name)
    shown, _ = check_shape(SCHEMA, at.entity, names, ())
    return GetRecord(place=at, select=shown)


async def items(tenant: Tenant, operation: ListRecords) -> list[Record]:
    """The records of one page."""
    page = await tenant.perform(call(operation))
    assert isinstance(page, Page)
    return page.items


async def record(tenant: Tenant, path: str, **more: str) -> Record:
    """One record."""
    found = await tenant.perform(call(getting(path, **more)))
    assert isinstance(found, Found)
    return found.record
