"""The shapes of bodies and answers, as JSON Schema; those of Structs are made from the Structs."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import get_args

from contracts.operations import Format, ImportAction

Json = dict[str, object]

REF = "#/components/schemas/{name}"


def reference(name: str) -> Json:
    """A schema by its name."""
    return {"$ref": REF.format(name=name)}


def list_of(member: str, item: str) -> Json:
    """An object with one list in it, of what the schema ``item`` describes."""
    return _object((member,), {member: {"type": "array", "items": reference(item)}})


def _object(required: tuple[str, ...], properties: Json, **further: object) -> Json:
    return {"type": "object", "required": list(required), "properties": properties, **further}


def _closed(required: tuple[str, ...], properties: Json, **further: object) -> Json:
    """An object that has no other members."""
    return _object(required, properties, additionalProperties=False, **further)


def _some(item: str) -> Json:
    """What takes many at once: 1 to 10,000."""
    return {"type": "array", "minItems": 1, "maxItems": 10_000, "items": reference(item)}


_TEXT: Json = {"type": "string", "minLength": 1}
_NAME: Json = {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$"}
_STATUS: Json = {"type": "integer", "description": "As the HTTP status of a call of its own."}
_RECORD: Json = {
    "type": "object",
    "description": "A record: property names as upstream, numbers as numbers, dates `yyyy-MM-dd`, times in UTC "
    "with `Z`, null for empty. A reference is an id, an object for a composite key, or the record when expanded.",
    "additionalProperties": True,
    "examples": [{"Id": "00001", "Description": "Pump", "Context": 1, "Status": 2, "Department": "05"}],
}
_RECORD_BODY: Json = {
    "type": "object",
    "description": "The properties of a record, without `Id` (the path or the upstream gives it). Where the entity has "
    "`Context` and `Status`, POST and PUT need both. A reference is an id, an object for a composite key, or "
    '`{"ExternalId": "…"}`.',
    "minProperties": 1,
    "additionalProperties": True,
    "examples": [{"Description": "Pump", "Context": 1, "Status": 2, "Department": "05"}],
}
_PAGE = _object(
    ("items", "next"),
    {
        "items": {"type": "array", "items": reference("Record")},
        "next": {"type": ["string", "null"], "description": "The cursor of the next page."},
        "count": {"type": ["integer", "null"], "description": "Records of the whole list, when asked for."},
    },
)
_BATCH_OPERATION = _closed(
    ("id", "method", "path"),
    {
        "id": _NAME | {"description": "Unique among all ids and group names of the batch."},
        "method": {"type": "string", "description": "POST, PUT, PATCH or DELETE, as on a path of its own."},
        "path": {
            "type": "string",
            "description": "An object path, percent-encoded as in a URL: `Equipment/00001`, `$a1/Lines`.",
        },
        "body": {"anyOf": [reference("RecordBody"), {"type": "null"}]},
        "atomicityGroup": {"type": ["string", "null"], "description": "The transaction that it belongs to."},
        "dependsOn": {"type": ["array", "null"], "items": _NAME},
    },
)
_BATCH_RESULT = _object(
    ("id", "status"),
    {
        "id": {"type": "string"},
        "status": _STATUS,
        "body": {"description": "The record as stored, or its key.", "type": "object"},
        "error": reference("Problem"),
    },
)
_BROKEN_OFF = _closed(("error",), {"error": reference("Problem")})
_READING = _closed(
    ("point", "at"),
    {
        "equipment": _TEXT,
        "processFunction": _TEXT,
        "point": _TEXT | {"description": "The key of the measurement point, as its owner knows it."},
        "at": {"type": "string", "format": "date-time", "description": "With `Z` or an offset."},
        "value": {"type": "number"},
        "delta": {"type": "number", "description": "The difference to the last reading."},
        "text": {"type": ["string", "null"]},
    },
    allOf=[
        {"oneOf": [{"required": ["equipment"]}, {"required": ["processFunction"]}]},
        {"oneOf": [{"required": ["value"]}, {"required": ["delta"]}]},
    ],
)
_READING_RESULT = _object(
    ("status",), {"status": _STATUS, "lineId": {"type": "string"}, "error": reference("Problem")}
)
_EXPORT = _closed(
    (),
    {
        "filter": {"type": "object", "additionalProperties": {"type": "string"}},
        "format": {"enum": [*get_args(Format), None]},
    },
    examples=[{"filter": {"Id": "00001"}}],
)
_EXPORTED: Json = {
    "type": "object",
    "description": "One record, its columns as the connector names them.",
    "additionalProperties": True,
}
_IMPORT_OBJECT = _closed(
    ("type", "action"),
    {
        "type": _TEXT,
        "action": {"enum": list(get_args(ImportAction))},
        "properties": {
            "type": ["object", "null"],
            "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
        },
        "objects": {"type": ["array", "null"], "items": reference("ImportObject")},
    },
)
_IMPORT_RESULT = _object(
    ("type", "action"),
    {
        "type": {"type": "string"},
        "action": {"enum": ["Insert", "Update", "Skip", "Delete", "Error"]},
        "key": {"description": "The id, or an object of key parts; null where the connector does not tell."},
        "error": reference("Problem"),
    },
)
_DAY: Json = {"type": "string", "format": "date"}
_USAGE_ITEM: Json = {
    "allOf": [reference("Figures")],
    "properties": {
        "client": {"type": "string"},
        "operation": {"type": "string"},
        "adapter": {"type": "string", "description": "`several` where parts of a call went different ways."},
        "day": _DAY,
    },
}

SCHEMAS: Mapping[str, Json] = MappingProxyType(
    {
        "Record": _RECORD,
        "RecordBody": _RECORD_BODY,
        "Page": _PAGE,
        "Batch": _closed(
            ("operations",),
            {"operations": _some("BatchOperation")},
            examples=[
                {
                    "operations": [
                        {
                            "id": "1",
                            "method": "POST",
                            "path": "Job",
                            "body": {"Description": "Leak", "Context": 1, "Status": 1},
                        },
                        {
                            "id": "2",
                            "method": "PATCH",
                            "path": "$1",
                            "dependsOn": ["1"],
                            "body": {"Equipment": "00001"},
                        },
                    ]
                }
            ],
        ),
        "BatchOperation": _BATCH_OPERATION,
        "BatchResults": list_of("results", "BatchResult"),
        "BatchResult": _BATCH_RESULT,
        "BrokenOff": _BROKEN_OFF,
        "Measurements": _closed(
            ("measurements",),
            {"measurements": _some("Reading")},
            examples=[
                {
                    "measurements": [
                        {
                            "equipment": "00001",
                            "point": "RUNHOURS",
                            "at": "2022-06-15T12:00:00Z",
                            "value": 1520.5,
                        }
                    ]
                }
            ],
        ),
        "Reading": _READING,
        "MeasurementResults": list_of("results", "ReadingResult"),
        "ReadingResult": _READING_RESULT,
        "Export": _EXPORT,
        "ExportedList": list_of("items", "Exported"),
        "Exported": _EXPORTED,
        "Import": _closed(
            ("objects",),
            {"objects": _some("ImportObject")},
            examples=[
                {
                    "objects": [
                        {
                            "type": "Vendor",
                            "action": "InsertOrUpdate",
                            "properties": {"Id": "2513", "City": "Bonn"},
                        }
                    ]
                }
            ],
        ),
        "ImportObject": _IMPORT_OBJECT,
        "ImportResults": list_of("results", "ImportResult"),
        "ImportResult": _IMPORT_RESULT,
        "Action": _object(("result",), {"result": {"type": "object"}}),
        "Arguments": {"type": "object", "additionalProperties": True},
        "Form": {"type": "object", "additionalProperties": True, "description": "Fields and files."},
        "UsageItem": _USAGE_ITEM,
        "Usage": _object(
            ("from", "to", "by", "items", "total"),
            {
                "from": _DAY,
                "to": _DAY,
                "by": {"type": "array", "items": {"enum": ["client", "operation", "adapter", "day"]}},
                "items": {"type": "array", "items": reference("UsageItem")},
                "total": reference("Figures"),
            },
        ),
        "Tenant": _object(("name",), {"name": {"type": "string"}}),
        "Health": _object(
            ("status",),
            {
                "status": {"enum": ["live", "ready", "degraded", "not ready"]},
                "parts": {"type": "object", "additionalProperties": {"type": "string"}},
            },
        ),
        "Anything": {"type": "object"},
        "Text": {"type": "string"},
    }
)
