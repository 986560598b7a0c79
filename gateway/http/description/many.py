"""The description of operations: batches, readings, connectors and workflows."""

from __future__ import annotations

from gateway.http.description.common import (
    CALL,
    COST,
    JSON,
    NDJSON,
    WRITE_ERRORS,
    WRITTEN,
)
from gateway.http.description.model import Described, Reply

MANY: tuple[Described, ...] = (
    Described(
        method="POST",
        path="/v1/{tenant}/batch",
        id="runBatch",
        group="Batches",
        summary="Many writes in one call",
        text="Up to 10,000 writes (`POST`, `PUT`, `PATCH`, `DELETE`), which travel in as few upstream requests as "
        "their number, size, groups and order allow. Each has a result of its own, in the order given: the call "
        "itself is 200 however they end. "
        "Operations of one `atomicityGroup` stand next to each other and are one transaction. An operation waits for "
        "those in `dependsOn`, earlier ones, and is not carried out when one of them fails; `$<id>` at the start "
        "of its path stands for the record that such a one made. `Accept: application/x-ndjson` streams the results "
        'as they come, one a line, and ends with `{"error": …}` if it breaks off. For a caller that goes away nothing '
        "more is sent: what is on its way is completed, and under an `Idempotency-Key` the results are kept, those "
        "that were not sent among them. A call that names no `Request-Timeout` has 300 seconds.",
        scope="write",
        parameters=(*CALL, "Content-Language", "Prefer", "Idempotency-Key", "dry_run"),
        body={JSON: "Batch"},
        replies=(
            Reply(
                200,
                "A result for each operation, or with `dry_run=true` what would be sent.",
                {JSON: "BatchResultsOrPlan", NDJSON: "BatchLine"},
                (*WRITTEN, "Preference-Applied"),
            ),
        ),
        errors=WRITE_ERRORS,
        curl=(
            '-X POST /v1/demo/batch --json \'{"operations": [{"id": "1", "method": "POST", "path": "Job", '
            '"body": {"Description": "Leak", "Context": 1, "Status": 1}}, {"id": "2", "method": "PATCH", '
            '"path": "$1", "dependsOn": ["1"], "body": {"Equipment": "00001"}}]}\'',
        ),
        answer='{"results":[{"id":"1","status":201,"body":{"Id":"0000031","Description":"Leak"}},\n'
        ' {"id":"2","status":200,"body":{"Id":"0000031","Description":"Leak","Equipment":"00001"}}]}',
    ),
    Described(
        method="POST",
        path="/v1/{tenant}/measurements",
        id="takeMeasurements",
        group="Measurements",
        summary="Hand over meter readings",
        text="1 to 10,000 readings, each of a measurement point of an `equipment` or of a `processFunction`, and each "
        "with the `value` that the meter showed or the `delta` to the last one (which connectors do not take). `at` "
        "has an offset or `Z`; without one it is refused, since it would be two moments when clocks are changed. "
        "Each has a result of its own, in the order given: 201, or the status of its `error`. A call that names no "
        "`Request-Timeout` has 300 seconds.",
        scope="write",
        parameters=(*CALL, "Idempotency-Key", "dry_run"),
        body={JSON: "Measurements"},
        replies=(
            Reply(
                200,
                "A result for each reading, or with `dry_run=true` what would be sent.",
                {JSON: "MeasurementResultsOrPlan"},
                WRITTEN,
            ),
        ),
        errors=WRITE_ERRORS,
        curl=(
            '-X POST /v1/demo/measurements --json \'{"measurements": [{"equipment": "00001", "point": "RUNHOURS", '
            '"at": "2022-06-15T12:00:00Z", "value": 1520.5}]}\'',
        ),
        answer='{"results":[{"status":201,"lineId":"00000000000001"}]}',
    ),
    Described(
        method="POST",
        path="/v1/{tenant}/exports/{connector}",
        id="runExport",
        group="Connectors",
        summary="Run an export connector",
        text="As it is: the columns have the connector's names, and `filter` is by what it filters by. `format` "
        "(`xml`, `csv`, `json`) is what the connector answers in, where its answer does not tell. A JSON document "
        "holds at most as many records as the operator allows (250,000 unless set); "
        "`Accept: application/x-ndjson` streams any number, one a line, and ends with "
        '`{"error": …}` if it breaks off. A call that names no `Request-Timeout` has 300 seconds.',
        scope="read",
        parameters=("connector", *CALL, "dry_run"),
        body={JSON: "Export"},
        body_optional=True,
        replies=(
            Reply(
                200,
                "The records, or with `dry_run=true` what would be sent.",
                {JSON: "ExportedOrPlan", NDJSON: "Exported"},
                COST,
            ),
        ),
        errors=(*WRITE_ERRORS, "connector_not_found"),
        curl=(
            '-X POST /v1/demo-connector/exports/EXP_EQUIPMENT --json \'{"filter": {"Id": "00001"}}\'',
            "-X POST /v1/demo-connector/exports/EXP_EQUIPMENT -H 'Accept: application/x-ndjson'",
        ),
        answer='{"Id":"00001","Description":"Pump","Status":"2","Department.Id":"01"}\n'
        '{"Id":"00002","Description":"Heater","Status":"1","Department.Id":null}',
    ),
    Described(
        method="POST",
        path="/v1/{tenant}/imports/{connector}",
        id="runImport",
        group="Connectors",
        summary="Run an import connector",
        text="As it is: properties have the connector's names, and a property `${Parent.Id}` of a nested object is its "
        "parent's. An `action` is `Insert`, `Update`, `InsertOrUpdate`, `InsertOrSkip` or `Delete`. 1 to 10,000 "
        "objects, children included, at most 32 levels deep. Each object has a result of its "
        "own, children after their parent; one that is refused leaves the others standing. A call that names no "
        "`Request-Timeout` has 300 seconds.",
        scope="write",
        parameters=("connector", *CALL, "Idempotency-Key", "dry_run"),
        body={JSON: "Import"},
        replies=(
            Reply(
                200,
                "A result for each object, or with `dry_run=true` what would be sent.",
                {JSON: "ImportResultsOrPlan"},
                WRITTEN,
            ),
        ),
        errors=(*WRITE_ERRORS, "connector_not_found"),
        curl=(
            '-X POST /v1/demo-connector/imports/IMP_VENDOR --json \'{"objects": [{"type": "Vendor", '
            '"action": "InsertOrUpdate", "properties": {"Id": "2513", "City": "Bonn"}}]}\'',
        ),
        answer='{"results":[{"type":"Vendor","action":"Update","key":"2513"}]}',
    ),
    Described(
        method="POST",
        path="/v1/{tenant}/actions/{name}",
        id="runAction",
        group="Actions",
        summary="Run a workflow",
        text="Arguments as a JSON object, or as `multipart/form-data` with files, which are streamed through.",
        scope="write",
        parameters=("name", *CALL, "Idempotency-Key", "dry_run"),
        body_optional=True,
        body={JSON: "Arguments", "multipart/form-data": "Form"},
        replies=(Reply(200, "What the workflow answered.", {JSON: "ActionOrPlan"}, WRITTEN),),
        errors=(*WRITE_ERRORS, "action_not_found"),
        curl=(
            '-X POST /v1/demo/actions/REST_ReportJob --json \'{"Description": "Leak", "ReportText": "Hall 3"}\'',
            "-X POST /v1/demo/actions/REST_AttachImageToJob -F JobId=0000001 -F ImageFile=@leak.jpg",
        ),
    ),
)
