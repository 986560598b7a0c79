"""Every status and code of the REST interface becomes the one right error, and nothing of its body leaks."""

from __future__ import annotations

import msgspec
import pytest

from adapters._answers import clean
from adapters.rest.failures import failure
from contracts.addressing import resolve
from contracts.entities import standard_schema
from contracts.errors import GatewayError, Outcome
from contracts.operations import ChangeRecord, CreateRecord, GetRecord, Operation, RunAction
from contracts.paths import parse_path
from contracts.wire import WireResponse

SCHEMA = standard_schema()
RECORD = resolve(SCHEMA, parse_path("Equipment/00001"))
GET = GetRecord(place=RECORD)
CREATE = CreateRecord(place=resolve(SCHEMA, parse_path("Job")), body={"Context": 1})
CHANGE = ChangeRecord(place=RECORD, body={"Status": 1})
ACTION = RunAction(name="REST_ReportJob")


def answer(status: int, body: object = None, **headers: str) -> WireResponse:
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return WireResponse(status, {name.replace("_", "-"): value for name, value in headers.items()}, content)


def said(code: object, message: str = "no") -> dict[str, object]:
    return {"message": message, "code": code}


@pytest.mark.parametrize(
    ("operation", "status", "body", "code", "outcome", "retryable"),
    [
        (GET, 400, said("FilterSyntaxError"), "upstream_rejected", "refused", False),
        (
            ACTION,
            400,
            {"message": "taken", "code": "1015", "type": "3"},
            "upstream_rejected",
            "refused",
            False,
        ),
        (ACTION, 400, {"message": "taken", "code": 1015, "type": 3}, "upstream_rejected", "refused", False),
        (GET, 401, said("InvalidApiKey"), "upstream_auth_failed", "refused", False),
        (GET, 401, b"", "upstream_auth_failed", "refused", False),
        (GET, 403, b"<html>", "upstream_auth_failed", "refused", False),
        (GET, 404, said("EntityNotFound"), "record_not_found", "refused", False),
        (GET, 404, said("ResourceNotFound"), "entity_not_found", "refused", False),
        (ACTION, 404, said("ResourceNotFound"), "action_not_found", "refused", False),
        (GET, 404, b"<h1>Not Found</h1>", "upstream_invalid_response", "refused", False),
        (CHANGE, 404, b"<h1>Not Found</h1>", "upstream_invalid_response", "unknown", False),
        (CHANGE, 405, b"", "operation_not_supported", "refused", False),
        (CHANGE, 409, said("x"), "upstream_rejected", "refused", False),
        (CHANGE, 413, said("x"), "payload_too_large", "refused", False),
        (GET, 429, said("x"), "quota_exceeded", "refused", True),
        (GET, 302, b"", "upstream_invalid_response", "refused", False),
        (GET, 418, b"", "upstream_invalid_response", "refused", False),
        (GET, 500, said("InternalServerError"), "upstream_unavailable", "refused", True),
        (CHANGE, 500, said("InternalServerError"), "upstream_unavailable", "unknown", True),
        (CREATE, 500, said("InternalServerError"), "upstream_unavailable", "unknown", False),
        (CREATE, 502, b"<html>bad gateway</html>", "upstream_unavailable", "unknown", False),
        (GET, 503, b"", "upstream_unavailable", "refused", True),
    ],
)
def test_what_a_status_means(
    operation: Operation, status: int, body: object, code: str, outcome: str, retryable: bool
) -> None:
    error = failure(operation, answer(status, body))
    assert (error.code, error.outcome, error.retryable) == (code, Outcome(outcome), retryable)
    assert error.upstream is not None
    assert (error.upstream.adapter, error.upstream.status) == ("rest", status)


def test_a_business_rule_keeps_its_message_and_code() -> None:
    body = {"message": "The room is taken.\r\nCause: 0012 overlaps", "code": "1015", "type": 3}
    error = failure(ACTION, answer(400, body))
    assert error.detail == "The room is taken. Cause: 0012 overlaps"
    assert error.upstream is not None
    assert error.upstream.code == "1015"


LEAKS = [
    b'{"message":"boom at Ultimo.Core.Job.Save(Job j) in C:\\\\src\\\\Job.cs:line 3","code":"InternalServerError",'
    b'"exceptionType":"System.X","detailMessage":"secret","stackTrace":"at Ultimo.Core"}',
    b"<html><body>Server Error in '/' Application. at Ultimo.Core.Job</body></html>",
    b'{"message":"see https://customer.ultimo.net/api/v1/object/Job and customer.ultimo.com","code":"x"}',
    b"\xff\xfe\x00",
    b"[" * 100_000,
]


@pytest.mark.parametrize("status", [400, 404, 500, 503])
@pytest.mark.parametrize("content", LEAKS)
def test_nothing_of_a_body_leaks_but_its_message(status: int, content: bytes) -> None:
    error = failure(GET, answer(status, content))
    shown = f"{error.detail} {error.upstream}".lower()
    for leak in ("ultimo.core", "secret", "c:\\", "customer.", "<", "system.x", "application"):
        assert leak not in shown


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": " 0 "}, 0.0),
        ({"retry_after": "-1"}, None),
        ({"retry_after": "soon"}, None),
        ({}, None),
        ({"retry_after": "Sun, 22 Nov 2026 10:00:30 GMT", "date": "Sun, 22 Nov 2026 10:00:00 GMT"}, 30.0),
        ({"retry_after": "Sun, 22 Nov 2026 09:00:00 GMT", "date": "Sun, 22 Nov 2026 10:00:00 GMT"}, 0.0),
        ({"retry_after": "Sun, 22 Nov 2026 10:00:30 GMT"}, None),
        ({"retry_after": "86400"}, 86_400.0),
        ({"retry_after": "86401"}, None),
        ({"retry_after": "9" * 400}, None),
        ({"retry_after": "Fri, 31 Dec 9999 23:59:59 GMT", "date": "Sun, 22 Nov 2026 10:00:00 GMT"}, None),
        (
            {"retry_after": f"Sun, 22 Nov {'9' * 30} 10:00:00 GMT", "date": "Sun, 22 Nov 2026 10:00:00 GMT"},
            None,
        ),
    ],
)
def test_retry_after_in_every_form(headers: dict[str, str], seconds: float | None) -> None:
    for status in (429, 503):
        assert failure(GET, answer(status, b"", **headers)).retry_after == seconds


def test_long_messages_are_cut() -> None:
    assert len(clean("x" * 10_000)) == 500


def test_every_refusal_is_one_of_ours() -> None:
    for status in range(300, 600):
        assert isinstance(failure(GET, answer(status, b"")), GatewayError)
