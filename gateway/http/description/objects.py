"""The description of operations: records, read and written."""

from __future__ import annotations

from gateway.http.description.common import (
    CACHED,
    CALL,
    CALL_ERRORS,
    COST,
    DRY,
    JSON,
    NDJSON,
    PATH_ERRORS,
    RECORD_WRITE_ERRORS,
    STORED,
    WRITE,
    WRITTEN,
)
from gateway.http.description.model import Described, Reply

_OBJECT = "/v1/{tenant}/objects/{path}"

OBJECTS: tuple[Described, ...] = (
    Described(
        method="GET",
        path=_OBJECT,
        id="readObjects",
        group="Objects",
        summary="List records, or get one",
        text="A path that ends in an entity or a collection lists; one that ends in a key or a to-one navigation "
        "gets one record. `Accept: application/x-ndjson` streams the whole list, one record a line, and ends with "
        '`{"error": …}` if it breaks off; a reader that takes nothing of it for a minute is let go. What an interface '
        "of the tenant cannot filter, order or cut, the gateway does itself; only `expand` needs the REST interface. "
        "A caller who can do with an answer that is some seconds old says so with `Cache-Control: max-age`, and pays "
        "nothing for one.",
        scope="read",
        parameters=(
            "path",
            *CALL,
            "filter",
            "orderby",
            "select",
            "expand",
            "limit",
            "skip",
            "count",
            "cursor",
            "dry_run",
            "Cache-Control",
            "If-None-Match",
        ),
        replies=(
            Reply(
                200,
                "A page, a record, a stream of records, or with `dry_run=true` what would be sent.",
                {JSON: "ListOrRecord", NDJSON: "Record"},
                (*COST, *CACHED, "ETag", "Link", "Content-Language"),
            ),
            Reply(304, "The record still has the tag in `If-None-Match`.", {}, (*COST, *CACHED, "ETag")),
        ),
        errors=(*CALL_ERRORS, *PATH_ERRORS, "record_not_found", "invalid_filter", "invalid_cursor"),
        curl=(
            "/v1/demo/objects/Equipment/00001",
            "/v1/demo/objects/Building/01%2F02",
            '-G /v1/demo/objects/Job --data-urlencode "filter=Status eq 1" -d limit=10',
        ),
        answer='{"items":[{"Id":"0000001","Description":"Leak","Context":1,"Status":1,"Equipment":"00001"}],\n'
        ' "next":"eyJza2lwIjoxMH0.Zm9v"}',
    ),
    Described(
        method="POST",
        path=_OBJECT,
        id="createObject",
        group="Objects",
        summary="Create a record",
        text="The path ends in an entity with automatic keys or in a to-many navigation. The upstream gives the key.",
        scope="write",
        parameters=WRITE,
        body={JSON: "RecordBody"},
        replies=(Reply(201, "The record as stored.", {JSON: "Record"}, (*STORED, "Location")), DRY),
        errors=RECORD_WRITE_ERRORS,
        curl=('-X POST /v1/demo/objects/Job --json \'{"Description": "Leak", "Context": 1, "Status": 1}\'',),
    ),
    Described(
        method="PUT",
        path=_OBJECT,
        id="replaceObject",
        group="Objects",
        summary="Create or replace a record",
        text="**What the body leaves out is emptied.** To change some properties, use PATCH. Only the REST interface "
        "replaces: over an import connector use PATCH with `upsert=true`.",
        scope="write",
        parameters=(*WRITE, "If-Match", "If-None-Match"),
        body={JSON: "RecordBody"},
        replies=(
            Reply(
                200, "Replaced; or with `dry_run=true` what would be sent.", {JSON: "RecordOrPlan"}, STORED
            ),
            Reply(201, "Created.", {JSON: "Record"}, (*STORED, "Location")),
        ),
        errors=(*RECORD_WRITE_ERRORS, "record_not_found", "precondition_failed"),
        curl=(
            '-X PUT /v1/demo/objects/Equipment/00001 --json \'{"Description": "Pump", "Context": 1, "Status": 2}\'',
        ),
    ),
    Described(
        method="PATCH",
        path=_OBJECT,
        id="changeObject",
        group="Objects",
        summary="Change what is given",
        text="Properties that the body leaves out stay as they are. With `upsert=true` a record that is absent is "
        "created.",
        scope="write",
        parameters=(*WRITE, "upsert", "If-Match", "If-None-Match"),
        body={JSON: "RecordBody"},
        replies=(
            Reply(200, "Changed; or with `dry_run=true` what would be sent.", {JSON: "RecordOrPlan"}, STORED),
            Reply(201, "Created.", {JSON: "Record"}, (*STORED, "Location")),
        ),
        errors=(*RECORD_WRITE_ERRORS, "record_not_found", "precondition_failed"),
        curl=('-X PATCH /v1/demo/objects/Equipment/00001 --json \'{"Description": "Pump 2"}\'',),
    ),
    Described(
        method="DELETE",
        path=_OBJECT,
        id="deleteObject",
        group="Objects",
        summary="Delete a record",
        text="It travels as a batch of one, or through an import connector: the upstream deletes nowhere else.",
        scope="write",
        parameters=("path", *CALL, "Idempotency-Key", "If-Match", "dry_run"),
        replies=(Reply(204, "Deleted.", {}, WRITTEN), DRY),
        errors=(*RECORD_WRITE_ERRORS, "record_not_found", "precondition_failed"),
        curl=("-X DELETE /v1/demo/objects/Equipment/00001?dry_run=true",),
    ),
)
