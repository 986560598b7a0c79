"""Errors as HTTP: the documents that callers get (RFC 9457)."""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec

from contracts.errors import Fault, GatewayError, MethodNotAllowed, UpstreamAnswer
from gateway.http.answers import Answer, Header
from gateway.http.problem_kinds import KINDS

CONTENT_TYPE = b"application/problem+json"

Redact = Callable[[str], str]
"""Takes the gateway's own secrets out of a text: an upstream may repeat what it was sent."""


class Problem(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One problem document; ``instance`` is the request id."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    retryable: bool
    outcome: str
    upstream: UpstreamAnswer | None = None
    errors: tuple[Fault, ...] = ()


def problem(error: GatewayError, request_id: str, redact: Redact = str) -> Problem:
    """The document for an error; what the upstream said stands in it as ``redact`` lets it."""
    detail, upstream = error.detail, error.upstream
    if upstream is not None:
        detail = redact(detail)
        if upstream.message is not None:
            upstream = msgspec.structs.replace(upstream, message=redact(upstream.message))
    return Problem(
        type=f"/problems/{error.code}",
        title=error.title,
        status=KINDS[error.code].status,
        detail=detail,
        instance=request_id,
        code=error.code,
        retryable=error.retryable,
        outcome=error.outcome.value,
        upstream=upstream,
        errors=error.faults,
    )


def answer(error: GatewayError, request_id: str, redact: Redact = str) -> Answer:
    """The whole answer for an error: its document and the headers that its status calls for."""
    document = problem(error, request_id, redact)
    return Answer(document.status, msgspec.json.encode(document), tuple(_headers(error, document)))


def _headers(error: GatewayError, document: Problem) -> list[Header]:
    headers = [(b"content-type", CONTENT_TYPE), (b"cache-control", b"no-store")]
    wait = KINDS[error.code].wait if error.retry_after is None else max(1, math.ceil(error.retry_after))
    if wait is not None:
        headers.append((b"retry-after", str(wait).encode()))
    if document.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if isinstance(error, MethodNotAllowed):
        headers.append((b"allow", ", ".join(error.allowed).encode()))
    return headers
