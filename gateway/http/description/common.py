"""What the descriptions of several operations have in common: errors, parameters, headers."""

from __future__ import annotations

from gateway.http.description.model import Reply

ACCESS_ERRORS = ("unauthenticated", "overloaded", "internal_error", "not_acceptable", "invalid_request")
TENANT_ERRORS = (*ACCESS_ERRORS, "forbidden", "tenant_not_found")
CALL_ERRORS = (
    *TENANT_ERRORS,
    "operation_not_supported",
    "quota_exceeded",
    "circuit_open",
    "store_unavailable",
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
    "idempotency_in_flight",
    "idempotency_mismatch",
)
RECORD_WRITE_ERRORS = (*WRITE_ERRORS, *PATH_ERRORS)

ALWAYS = ("X-Request-Id", "traceparent")
CALL = ("tenant", "Request-Timeout", "Priority", *ALWAYS, "Accept-Language")
ACCOUNT = ("X-Request-Id", "Quota-Cost", "Server-Timing")
COST = (*ACCOUNT, "RateLimit-Policy", "RateLimit")
CACHED = ("Cache-Status", "Age")
WRITTEN = (*COST, "Idempotency-Replayed")
JSON = "application/json"
NDJSON = "application/x-ndjson"
WRITE = ("path", *CALL, "Content-Language", "Prefer", "Idempotency-Key", "dry_run")
STORED = (*WRITTEN, "ETag", "Content-Language", "Preference-Applied")
DRY = Reply(200, "With `dry_run=true`: what would be sent.", {JSON: "PlanDocument"}, COST)
