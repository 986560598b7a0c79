"""The operations of the scenarios as a caller of the HTTP API makes them."""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping

import msgspec

from contracts.filters import print_filter, print_orderby, print_properties
from contracts.operations import (
    ChangeRecord,
    CreateRecord,
    DeleteRecord,
    GetRecord,
    ImportObject,
    ListRecords,
    Member,
    Operation,
    ReplaceRecord,
    RunAction,
    RunExport,
    RunImport,
    TakeReadings,
    Upload,
    Write,
    WriteBatch,
)
from contracts.paths import ObjectPath, print_path

_METHODS: Mapping[type[Write], str] = {
    CreateRecord: "POST",
    ReplaceRecord: "PUT",
    ChangeRecord: "PATCH",
    DeleteRecord: "DELETE",
}


class HttpCall(msgspec.Struct, frozen=True):
    """``path`` is what follows the tenant; ``parts`` are those of a form, in place of a body."""

    method: str
    path: str
    parameters: Mapping[str, str] = {}
    body: object = None
    parts: AsyncIterable[Upload] | None = None


def http_call(operation: Operation) -> HttpCall:
    """The call that asks for this operation."""
    match operation:
        case ListRecords() | GetRecord():
            return HttpCall("GET", _objects(operation.place.path), _query(operation))
        case CreateRecord() | ReplaceRecord() | ChangeRecord():
            upsert = {"upsert": "true"} if isinstance(operation, ChangeRecord) and operation.upsert else {}
            return HttpCall(_METHODS[type(operation)], _objects(operation.place.path), upsert, operation.body)
        case DeleteRecord():
            return HttpCall("DELETE", _objects(operation.place.path))
        case WriteBatch():
            return HttpCall("POST", "batch", body={"operations": [_member(it) for it in operation.members]})
        case RunAction():
            body = operation.arguments if operation.parts is None else None
            return HttpCall("POST", f"actions/{operation.name}", body=body, parts=operation.parts)
        case RunExport():
            given = {"filter": operation.filter, "format": operation.format}
            return HttpCall("POST", f"exports/{operation.name}", body=given)
        case RunImport():
            return HttpCall(
                "POST",
                f"imports/{operation.name}",
                body={"objects": [_object(it) for it in operation.objects]},
            )
        case TakeReadings():
            readings = [_without_nulls(msgspec.structs.asdict(reading)) for reading in operation.readings]
            for reading in readings:
                if "process_function" in reading:
                    reading["processFunction"] = reading.pop("process_function")
            return HttpCall("POST", "measurements", body={"measurements": readings})
    raise AssertionError(f"no call asks for '{operation.kind}'")


def _objects(path: ObjectPath) -> str:
    return f"objects/{print_path(path)}"


def _query(operation: ListRecords | GetRecord) -> dict[str, str]:
    shape = operation.query if isinstance(operation, ListRecords) else operation
    given = {"select": print_properties(shape.select), "expand": print_properties(shape.expand)}
    if isinstance(operation, ListRecords):
        query = operation.query
        given["filter"] = "" if query.filter is None else print_filter(query.filter)
        given["orderby"] = print_orderby(tuple((term.property, term.descending) for term in query.orderby))
        given["limit"] = "" if query.limit is None else str(query.limit)
        given["skip"] = str(query.skip or "")
        given["count"] = "true" if query.count else ""
    return {name: value for name, value in given.items() if value}


def _member(member: Member) -> dict[str, object]:
    write = member.write
    path = print_path(write.place.path)
    if member.origin is not None:
        # The first segment, entity and key, stands for what the other member made.
        path = "/".join((f"${member.origin}", *path.split("/")[2:]))
    given: dict[str, object] = {
        "id": member.id,
        "method": _METHODS[type(write)],
        "path": path,
        "body": None if isinstance(write, DeleteRecord) else write.body,
        "atomicityGroup": member.group,
        "dependsOn": list(member.depends_on) or None,
    }
    return _without_nulls(given)


def _object(item: ImportObject) -> dict[str, object]:
    return {
        "type": item.type,
        "action": item.action,
        "properties": item.properties,
        "objects": [_object(child) for child in item.objects],
    }


def _without_nulls(given: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in given.items() if value is not None}
