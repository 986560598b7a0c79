"""The operations of the API, in words: what they do, take and answer."""

from __future__ import annotations

from gateway.http.description.model import Described, Reply

ACCESS_ERRORS = ("unauthenticated", "overloaded", "internal_error", "not_acceptable", "invalid_request")
TENANT_ERRORS = (*ACCESS_ERRORS, "forbidden", "tenant_not_found")
CALL_ERRORS = (
    *TENANT_ERRORS,
    "operation_not_supported",
    "quota_exceeded",
    "upstream_unavailable",
    "upstream_invalid_response",
    "upstream_auth_failed",
    "deadline_exceeded",
)
PATH_ERRORS = ("invalid_path", "entity_not_found")
WRITE_ERRORS = (
    *CALL_ERRORS,
    "upstream_rejected",
    "outcome_unknown",
    "invalid_body",
    "payload_too_large",
    "unsupported_media_type",
)
RECORD_WRITE_ERRORS = (*WRITE_ERRORS, *PATH_ERRORS)

_ALWAYS = ("X-Request-Id", "traceparent")
_CALL = ("tenant", "Request-Timeout", "Priority", *_ALWAYS, "Accept-Language")
_COST = ("X-Request-Id", "Quota-Cost", "Server-Timing")
_JSON = "application/json"
_WRITE = ("path", *_CALL, "Content-Language", "Prefer", "Idempotency-Key", "dry_run")
_STORED = (*_COST, "ETag", "Content-Language", "Preference-Applied")
_DRY = Reply(200, "With `dry_run=true`: what would be sent.", {_JSON: "PlanDocument"}, _COST)
_OBJECT = "/v1/{tenant}/objects/{path}"

OPERATIONS: tuple[Described, ...] = (
    Described(
        method="GET",
        path=_OBJECT,
        id="readObjects",
        group="Objects",
        summary="List records, or get one",
        text="A path that ends in an entity or a collection lists; one that ends in a key or a to-one navigation "
        "gets one record. `Accept: application/x-ndjson` streams the whole list, one record a line, and ends with "
        '`{"error": …}` if it breaks off; a reader that takes nothing of it for a minute is let go.',
        scope="read",
        parameters=(
            "path",
            *_CALL,
            "filter",
            "orderby",
            "select",
            "expand",
            "limit",
            "skip",
            "count",
            "cursor",
            "dry_run",
            "If-None-Match",
        ),
        replies=(
            Reply(
                200,
                "A page, a record, a stream of records, or with `dry_run=true` what would be sent.",
                {_JSON: "ListOrRecord", "application/x-ndjson": "Record"},
                (*_COST, "ETag", "Link", "Content-Language"),
            ),
            Reply(304, "The record still has the tag in `If-None-Match`.", {}, (*_COST, "ETag")),
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
        parameters=_WRITE,
        body={_JSON: "RecordBody"},
        replies=(Reply(201, "The record as stored.", {_JSON: "Record"}, (*_STORED, "Location")), _DRY),
        errors=RECORD_WRITE_ERRORS,
        curl=('-X POST /v1/demo/objects/Job --json \'{"Description": "Leak", "Context": 1, "Status": 1}\'',),
    ),
    Described(
        method="PUT",
        path=_OBJECT,
        id="replaceObject",
        group="Objects",
        summary="Create or replace a record",
        text="**What the body leaves out is emptied.** To change some properties, use PATCH.",
        scope="write",
        parameters=(*_WRITE, "If-Match", "If-None-Match"),
        body={_JSON: "RecordBody"},
        replies=(
            Reply(
                200, "Replaced; or with `dry_run=true` what would be sent.", {_JSON: "RecordOrPlan"}, _STORED
            ),
            Reply(201, "Created.", {_JSON: "Record"}, (*_STORED, "Location")),
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
        parameters=(*_WRITE, "upsert", "If-Match", "If-None-Match"),
        body={_JSON: "RecordBody"},
        replies=(
            Reply(
                200, "Changed; or with `dry_run=true` what would be sent.", {_JSON: "RecordOrPlan"}, _STORED
            ),
            Reply(201, "Created.", {_JSON: "Record"}, (*_STORED, "Location")),
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
        text="Only where an interface of the tenant can delete.",
        scope="write",
        parameters=("path", *_CALL, "Idempotency-Key", "If-Match", "dry_run"),
        replies=(Reply(204, "Deleted.", {}, _COST), _DRY),
        errors=(*RECORD_WRITE_ERRORS, "record_not_found", "precondition_failed"),
        curl=("-X DELETE /v1/demo/objects/Equipment/00001?dry_run=true",),
    ),
    Described(
        method="POST",
        path="/v1/{tenant}/actions/{name}",
        id="runAction",
        group="Actions",
        summary="Run a workflow",
        text="Arguments as a JSON object, or as `multipart/form-data` with files, which are streamed through.",
        scope="write",
        parameters=("name", *_CALL, "Idempotency-Key", "dry_run"),
        body={_JSON: "Arguments", "multipart/form-data": "Form"},
        replies=(Reply(200, "What the workflow answered.", {_JSON: "ActionOrPlan"}, _COST),),
        errors=(*WRITE_ERRORS, "action_not_found"),
        curl=(
            '-X POST /v1/demo/actions/REST_ReportJob --json \'{"Description": "Leak", "ReportText": "Hall 3"}\'',
            "-X POST /v1/demo/actions/REST_AttachImageToJob -F JobId=0000001 -F ImageFile=@leak.jpg",
        ),
    ),
    Described(
        method="GET",
        path="/v1/{tenant}/capabilities",
        id="readCapabilities",
        group="Tenants",
        summary="What this tenant can do",
        text="Which operation is served by which adapter, and why the others are not.",
        scope="read",
        parameters=("tenant", *_ALWAYS, "dry_run"),
        replies=(Reply(200, "One entry per operation.", {_JSON: "CapabilitiesOrPlan"}, _COST),),
        errors=TENANT_ERRORS,
        curl=("/v1/demo/capabilities",),
    ),
    Described(
        method="GET",
        path="/v1/tenants",
        id="listTenants",
        group="Tenants",
        summary="The tenants of this credential",
        text="Nothing is sent upstream.",
        parameters=(*_ALWAYS, "dry_run"),
        replies=(Reply(200, "By name.", {_JSON: "TenantsOrPlan"}, _COST),),
        errors=ACCESS_ERRORS,
        curl=("/v1/tenants",),
    ),
    Described(
        method="GET",
        path="/livez",
        id="livez",
        group="Operations",
        summary="Whether the process answers",
        text="Needs nothing else.",
        public=True,
        replies=(Reply(200, "It does.", {_JSON: "Health"}),),
        curl=("/livez",),
    ),
    Described(
        method="GET",
        path="/readyz",
        id="readyz",
        group="Operations",
        summary="Whether each part can serve",
        text="For load balancers.",
        public=True,
        replies=(Reply(200, "All can.", {_JSON: "Health"}), Reply(503, "One cannot.", {_JSON: "Health"})),
        curl=("/readyz",),
    ),
    Described(
        method="GET",
        path="/metrics",
        id="metrics",
        group="Operations",
        summary="Counters for Prometheus",
        text="In the text format.",
        public=True,
        replies=(Reply(200, "The metrics.", {"text/plain": "Text"}),),
        curl=("/metrics",),
    ),
    Described(
        method="GET",
        path="/openapi.json",
        id="openapi",
        group="Description",
        summary="This description, for machines",
        text="OpenAPI 3.1.",
        public=True,
        replies=(Reply(200, "The document.", {_JSON: "Anything"}),),
        curl=("/openapi.json",),
    ),
    Described(
        method="GET",
        path="/docs",
        id="docs",
        group="Description",
        summary="This description, for people",
        text="One page.",
        public=True,
        replies=(Reply(200, "The page.", {"text/html": "Text"}),),
        curl=("/docs",),
    ),
    Described(
        method="GET",
        path="/problems",
        id="problems",
        group="Description",
        summary="Every error code",
        text="With its status.",
        public=True,
        replies=(Reply(200, "The page.", {"text/html": "Text"}),),
        curl=("/problems",),
    ),
    Described(
        method="GET",
        path="/problems/{code}",
        id="problem",
        group="Description",
        summary="What an error code means",
        text="The page that `type` of a problem document leads to.",
        public=True,
        parameters=("code",),
        replies=(Reply(200, "The page.", {"text/html": "Text"}),),
        errors=("route_not_found",),
        curl=("/problems/invalid_filter",),
    ),
)
