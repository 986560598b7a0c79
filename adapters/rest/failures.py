"""What an answer of 300 or above means: the one place where REST statuses and codes become errors.

Bodies are ``{"message", "code"}`` where the upstream itself speaks, and anything at all where a
proxy before it does. Nothing of a body leaves but its message, cleaned; stack traces never do.
"""

from __future__ import annotations

import msgspec

from adapters._answers import clean
from contracts.errors import (
    ActionNotFound,
    EntityNotFound,
    GatewayError,
    OperationNotSupported,
    Outcome,
    PayloadTooLarge,
    QuotaExceeded,
    RecordNotFound,
    UpstreamAnswer,
    UpstreamAuthFailed,
    UpstreamInvalidResponse,
    UpstreamRejected,
    UpstreamUnavailable,
)
from contracts.operations import Operation, RunAction
from contracts.retry_after import retry_after
from contracts.wire import WireResponse


class _ErrorBody(msgspec.Struct):
    message: str | None = None
    code: str | int | None = None


def failure(operation: Operation, answer: WireResponse, adapter: str = "rest") -> GatewayError:
    """The error that an answer of 300 or above means for this operation."""
    said = upstream_answer(answer, adapter)
    status = answer.status
    if status == 404:
        return _not_found(operation, said)
    if status in (401, 403):
        return UpstreamAuthFailed(
            "the upstream does not accept this tenant's API key, or not from here: check the key, its grants "
            "and its address list",
            upstream=said,
        )
    if status in (400, 409, 422):
        return UpstreamRejected(said.message or "the upstream refused this without a reason", upstream=said)
    if status == 405:
        return OperationNotSupported(
            "the upstream does not take this method here; on-premises environments take no REST writes",
            outcome=Outcome.REFUSED,
            upstream=said,
        )
    if status == 413:
        return PayloadTooLarge(
            said.message or "the upstream finds the body too large", outcome=Outcome.REFUSED, upstream=said
        )
    if status == 429:
        return QuotaExceeded(
            "the upstream's request limit is reached; it is shared by every caller of the environment",
            upstream=said,
            retry_after=retry_after(answer.headers),
        )
    return _failed(operation, said, answer)


def upstream_answer(answer: WireResponse, adapter: str) -> UpstreamAnswer:
    """What the upstream said in an answer of 300 or above: its code, and its message, cleaned."""
    body = _error_body(answer)
    code = None if body is None or body.code is None else str(body.code)
    message = clean(body.message) if body and body.message else None
    return UpstreamAnswer(adapter, answer.status, code, message)


def _not_found(operation: Operation, said: UpstreamAnswer) -> GatewayError:
    refused = Outcome.REFUSED
    if said.code == "EntityNotFound":
        return RecordNotFound("the upstream has no record with this key", upstream=said, outcome=refused)
    if said.code == "ResourceNotFound":
        if isinstance(operation, RunAction):
            return ActionNotFound("the upstream has no such action", upstream=said, outcome=refused)
        return EntityNotFound(
            "the upstream does not know this entity or navigation, or the tenant's key is not granted it",
            upstream=said,
            outcome=refused,
        )
    # A proxy's 404 says nothing of the record: an upsert that believed it would create a double.
    return UpstreamInvalidResponse(
        "a 404 came back that is not the upstream's own: check the environment's address",
        upstream=said,
        outcome=refused if operation.safe else Outcome.UNKNOWN,
    )


def _failed(operation: Operation, said: UpstreamAnswer, answer: WireResponse) -> GatewayError:
    if answer.status < 500:
        return UpstreamInvalidResponse(
            f"the upstream answered with the status {answer.status}, which means nothing here",
            upstream=said,
            outcome=Outcome.REFUSED,
        )
    return UpstreamUnavailable(
        f"the upstream failed with the status {answer.status}",
        upstream=said,
        outcome=Outcome.REFUSED if operation.safe else Outcome.UNKNOWN,
        retryable=operation.idempotent,
        retry_after=retry_after(answer.headers),
    )


def _error_body(answer: WireResponse) -> _ErrorBody | None:
    try:
        return msgspec.json.decode(answer.content, type=_ErrorBody)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
