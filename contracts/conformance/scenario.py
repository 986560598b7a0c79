"""What a scenario is, and how a result is seen by it: as JSON, the same whichever protocol it came from.

A list that is not ordered is seen in the order of its keys. A key that the upstream gave is seen as ``NEW``.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from contracts.addressing import Resolved
from contracts.call import Call
from contracts.errors import GatewayError
from contracts.operations import (
    ChangeRecord,
    CreateRecord,
    DeleteRecord,
    GetRecord,
    ListRecords,
    Operation,
    Query,
    ReplaceRecord,
    WriteBatch,
)
from contracts.results import (
    ActionDone,
    BatchDone,
    Deleted,
    Found,
    ImportDone,
    Imported,
    Page,
    ReadingsTaken,
    Result,
    Scan,
    Stored,
)

NEW = "(new)"

Seen = dict[str, object]
"""A result as JSON."""

_FOREVER = 1e9
_PLACED = (ListRecords, GetRecord, CreateRecord, ReplaceRecord, ChangeRecord, DeleteRecord)


class Own(msgspec.Struct, frozen=True):
    """A record that a scenario makes for itself before it begins."""

    place: Resolved
    body: dict[str, object]


class Left(msgspec.Struct, frozen=True):
    """What a scenario leaves at a place: the whole record, None where there is none."""

    place: Resolved
    record: Seen | None


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """An operation, and what it ends in: ``expected`` is what is seen of its result, or of its error."""

    name: str
    operation: Operation
    expected: Seen
    own: tuple[Own, ...] = ()
    left: tuple[Left, ...] = ()

    @property
    def kind(self) -> str:
        """The kind of operation that an adapter must serve."""
        return self.operation.kind

    @property
    def entities(self) -> frozenset[str]:
        """The entities that an adapter must serve it for; empty where it is about none."""
        operation = self.operation
        if isinstance(operation, WriteBatch):
            return frozenset(member.write.place.entity.name for member in operation.members)
        return frozenset({operation.place.entity.name}) if isinstance(operation, _PLACED) else frozenset()

    @property
    def parts(self) -> frozenset[str]:
        """The parts of a query that an adapter must carry out."""
        operation = self.operation
        if isinstance(operation, GetRecord):
            given: Mapping[str, object] = {"select": operation.select, "expand": operation.expand}
        elif isinstance(operation, ListRecords):
            given = msgspec.structs.asdict(operation.query)
        else:
            given = {}
        return frozenset(name for name, value in given.items() if value)


def listed(*records: Seen, count: int | None = None) -> Seen:
    """A list; ``count`` where it was asked for."""
    return {"items": list(records)} | ({} if count is None else {"count": count})


def found(record: Seen) -> Seen:
    return {"record": record}


def stored(record: Seen, *, created: bool) -> Seen:
    return {"created": created, "record": record}


def failed(error: type[GatewayError]) -> Seen:
    return {"error": error.code}


DELETED: Seen = {"deleted": True}
TAKEN: Seen = {"taken": True}


def seen(operation: Operation, result: Result) -> Seen:
    """A result as JSON; the pages or pieces of a list are taken together before, as one page."""
    match result:
        case Page():
            ordered = isinstance(operation, ListRecords) and not operation.query.orderby
            items = [builtins(item) for item in result.items]
            return listed(*(sorted(items, key=key_text) if ordered else items), count=result.count)
        case Found():
            return found(builtins(result.record))
        case Stored() | Deleted():
            return _write_seen(operation, result)
        case ActionDone():
            return {"result": {name: result.result[name] for name in sorted(result.result)}}
        case BatchDone() if isinstance(operation, WriteBatch):
            writes = {member.id: member.write for member in operation.members}
            unnamed = {member.id for member in operation.members if member.origin is not None}
            return {
                "members": [
                    {"id": done.id, **_write_seen(writes.get(done.id), done.result, done.id in unnamed)}
                    for done in result.results
                ]
            }
        case ReadingsTaken():
            return {"readings": [_error_seen(done.error) or TAKEN for done in result.results]}
        case ImportDone():
            return {"objects": [_imported_seen(done) for done in result.results]}
        case Scan() | _:
            raise TypeError(f"{type(result).__name__} is no result of {operation.kind}")


def call_of(operation: Operation) -> Call:
    """A call that is never late: monotonic clocks begin with the machine."""
    return Call(
        operation=operation,
        tenant="conformance",
        client="conformance",
        request_id="conformance",
        deadline=_FOREVER,
    )


def query_of(operation: Operation) -> Query:
    """The query of a list; an empty one for anything else."""
    return operation.query if isinstance(operation, ListRecords) else Query()


def builtins(record: object) -> Seen:
    """A record as dicts and lists, its properties in the order that they came in."""
    made = msgspec.to_builtins(record)
    if not isinstance(made, dict):
        raise TypeError("a record is an object")
    return made


def key_text(record: Seen) -> str:
    """What tells a record from others of its entity, to sort by."""
    return msgspec.json.encode(record.get("Id")).decode()


def _write_seen(
    operation: Operation | None, result: Stored | Deleted | GatewayError, unnamed: bool = False
) -> Seen:
    """``unnamed``: the record's whole key was not known to the scenario."""
    match result:
        case Deleted():
            return DELETED
        case Stored():
            record = builtins(result.record)
            if isinstance(operation, CreateRecord):
                record |= {"Id": _masked(record.get("Id"), whole=unnamed)}
            return stored(record, created=result.created)
        case error:
            return {"error": error.code}


def _masked(key: object, *, whole: bool) -> object:
    """A key without the part that the upstream gave, which is its last."""
    if not isinstance(key, dict):
        return NEW
    *owner, last = key
    return {**{name: NEW if whole else key[name] for name in owner}, last: NEW}


def _imported_seen(done: Imported) -> Seen:
    head: Seen = {"type": done.type, "action": done.action}
    return head | (_error_seen(done.error) or {"key": done.key})


def _error_seen(error: GatewayError | None) -> Seen | None:
    return None if error is None else {"error": error.code}
