"""The OpenAPI 3.1 document, made from ``description``, the table of problems and the Structs of the answers."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from gateway.capabilities import Served
from gateway.http import description
from gateway.http.description import HEADERS, OPERATIONS, PARAMETERS, Described, Parameter, Reply
from gateway.http.description.common import ACCOUNT, COST
from gateway.http.description.schemas import REF, SCHEMAS, Json, list_of, reference
from gateway.http.plans import PlanDocument
from gateway.http.problem_kinds import KINDS
from gateway.http.problems import Problem
from gateway.quota.ledger import Figures
from gateway.quota.view import QuotaDocument
from gateway.version import VERSION

_FAILURE_HEADERS = {401: ("WWW-Authenticate",), 405: ("Allow",), 429: ("Retry-After",), 503: ("Retry-After",)}


def document() -> Json:
    """The whole document. It depends on nothing but this code."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": description.TITLE,
            "version": VERSION,
            "summary": description.SUMMARY,
            "description": description.INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "tags": [{"name": group} for group in dict.fromkeys(operation.group for operation in OPERATIONS)],
        "security": [{"bearer": []}, {"key": []}],
        "paths": _paths(),
        "components": {
            "schemas": _schemas(),
            "parameters": {parameter.name: _parameter(parameter) for parameter in PARAMETERS.values()},
            "headers": {
                name: {"description": text, "schema": {"type": "string"}} for name, text in HEADERS.items()
            },
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A key of this gateway, or a JWT.",
                },
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }


def _paths() -> Json:
    paths: dict[str, Json] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return dict(paths)


def _operation(operation: Described) -> Json:
    scope = f"\n\nScope: `{operation.scope}`." if operation.scope else ""
    described: Json = {
        "operationId": operation.id,
        "tags": [operation.group],
        "summary": operation.summary,
        "description": operation.text + scope,
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in operation.parameters],
        "responses": {**_replies(operation.replies), **_failures(operation)},
    }
    if operation.public:
        described["security"] = []
    if operation.body:
        described["requestBody"] = {
            "required": not operation.body_optional,
            "content": _content(operation.body),
        }
    return described


def _replies(replies: Iterable[Reply]) -> Json:
    return {
        str(reply.status): {
            "description": reply.text,
            "headers": _headers(reply.headers),
            "content": _content(reply.content),
        }
        for reply in replies
    }


def _failures(operation: Described) -> Json:
    by_status: dict[int, list[str]] = {}
    for code in operation.errors:
        by_status.setdefault(KINDS[code].status, []).append(code)
    return {
        str(status): {
            "description": "\n".join(f"* `{code}`: {KINDS[code].error.title}." for code in by_status[status]),
            "headers": _headers((*_always(operation), *_FAILURE_HEADERS.get(status, ()))),
            "content": _content({"application/problem+json": "Problem"}),
        }
        for status in sorted(by_status)
    }


def _always(operation: Described) -> tuple[str, ...]:
    """The headers of every refusal: of a public route none but the id, and the quota's where there is a tenant."""
    if operation.public:
        return ACCOUNT[:1]
    return COST if "tenant" in operation.parameters else ACCOUNT


def _parameter(parameter: Parameter) -> Json:
    described: Json = {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.place == "path",
        "description": parameter.text,
        "schema": parameter.schema,
    }
    if parameter.example is not None:
        described["example"] = parameter.example
    return described


def _content(content: dict[str, str]) -> Json:
    return {media_type: {"schema": reference(name)} for media_type, name in content.items()}


def _headers(names: Iterable[str]) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _schemas() -> Json:
    _, components = msgspec.json.schema_components(
        (Problem, PlanDocument, Served, QuotaDocument, Figures), ref_template=REF, schema_hook=_schema
    )
    # Defaults come as Python has them; the document is what JSON makes of them.
    components = msgspec.json.decode(msgspec.json.encode(components))
    for schema in components.values():
        # Docstrings of the code, as text for those who read the API's description.
        schema["description"] = " ".join(schema["description"].replace("``", "`").split())
    problem = components["Problem"]
    problem["properties"]["code"] = {"enum": sorted(KINDS)}
    problem["properties"]["outcome"] = {"enum": ["not_sent", "refused", "unknown"]}
    lists = {"CapabilityList": "Served", "TenantList": "Tenant"}
    alternatives = {
        "ListOrRecord": ("Page", "Record", "PlanDocument"),
        "RecordOrPlan": ("Record", "PlanDocument"),
        "BatchLine": ("BatchResult", "BrokenOff"),
        "BatchResultsOrPlan": ("BatchResults", "PlanDocument"),
        "MeasurementResultsOrPlan": ("MeasurementResults", "PlanDocument"),
        "ExportedOrPlan": ("ExportedList", "PlanDocument"),
        "ImportResultsOrPlan": ("ImportResults", "PlanDocument"),
        "ActionOrPlan": ("Action", "PlanDocument"),
        "CapabilitiesOrPlan": ("CapabilityList", "PlanDocument"),
        "TenantsOrPlan": ("TenantList", "PlanDocument"),
        "QuotaOrPlan": ("QuotaDocument", "PlanDocument"),
        "UsageOrPlan": ("Usage", "PlanDocument"),
    }
    return {
        **components,
        **SCHEMAS,
        **{name: list_of("items", item) for name, item in lists.items()},
        **{
            name: {"anyOf": [reference(choice) for choice in choices]}
            for name, choices in alternatives.items()
        },
    }


def _schema(kind: type) -> Json:
    """The schema of the one thing that msgspec knows none for: an upstream body, in a plan."""
    return {"description": "JSON, text, or null"}
