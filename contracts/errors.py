"""The errors a call can end in.

    GatewayError
    ├── InvalidInput            the caller's words are wrong
    │   ├── InvalidRequest          a header or a parameter
    │   ├── InvalidPath             an object path
    │   ├── InvalidFilter           a filter, with the position
    │   ├── InvalidCursor           a cursor that is not ours, or of another query
    │   ├── InvalidBody             a body, with a pointer to each fault
    │   ├── PayloadTooLarge         larger than the upstream would take
    │   ├── UnsupportedMediaType    a body of another kind
    │   ├── NotAcceptable           an answer of a kind we do not make
    │   └── MethodNotAllowed        a method this path does not know
    ├── AccessDenied            who calls, and what they may
    │   ├── Unauthenticated
    │   ├── Forbidden
    │   └── TenantNotFound          absent, or not this caller's to see
    ├── NotFound                the upstream (or the schema) does not have it
    │   ├── EntityNotFound          no such entity, or not granted
    │   ├── RecordNotFound
    │   ├── ActionNotFound
    │   └── ConnectorNotFound
    ├── PreconditionFailed      If-Match or If-None-Match asked for another version
    ├── KeyTaken                the idempotency key belongs to another request
    │   ├── IdempotencyInFlight     which is the same one, and still under way
    │   └── IdempotencyMismatch     which is another one
    ├── UpstreamRejected        a business rule said no
    ├── FailedDependency        a write of a batch that another one of it took with it
    ├── OperationNotSupported   no adapter of this tenant can do it
    ├── QuotaExceeded           a window is full
    ├── UpstreamFailure         the way to the upstream, or the upstream itself, failed
    │   ├── UpstreamUnavailable
    │   ├── UpstreamInvalidResponse
    │   ├── UpstreamAuthFailed      the gateway's credential, not the caller's
    │   └── OutcomeUnknown          sent, and no answer: a repetition could double it
    └── NotServed               the gateway would not or could not wait
        ├── Overloaded              too much waits or is under way already
        ├── CircuitOpen             the upstream keeps failing, and is left alone for a while
        ├── StoreUnavailable        what must be remembered could not be
        └── DeadlineExceeded

Every error carries four facts that a caller can act on: ``code`` (stable, in the API's
documentation), ``detail`` (a sentence for a person), ``retryable`` (whether the same call may
succeed later) and ``outcome`` (whether the upstream may have carried it out). The HTTP status
is the gateway's business and stands in its ``http/problems.py``, nowhere else.
"""

from __future__ import annotations

from typing import ClassVar

from contracts.outcomes import Fault as Fault
from contracts.outcomes import Outcome as Outcome
from contracts.outcomes import UpstreamAnswer as UpstreamAnswer


class GatewayError(Exception):
    """The root; raised only through its leaves."""

    code: ClassVar[str]
    title: ClassVar[str]
    retryable: bool = False
    outcome: Outcome = Outcome.NOT_SENT

    def __init__(
        self,
        detail: str,
        *,
        outcome: Outcome | None = None,
        retryable: bool | None = None,
        upstream: UpstreamAnswer | None = None,
        faults: tuple[Fault, ...] = (),
        retry_after: float | None = None,
    ) -> None:
        """``retry_after`` is in seconds from now."""
        super().__init__(detail)
        self.detail = detail
        self.upstream = upstream
        self.faults = faults
        self.retry_after = retry_after
        if outcome is not None:
            self.outcome = outcome
        if retryable is not None:
            self.retryable = retryable


class InvalidInput(GatewayError):
    """The caller's words are wrong.

    As a rule that is found before anything is sent. What only an answer shows (a record that would have to
    be created, for which the body lacks something) or a body that is sent while it comes has another outcome.
    """


class InvalidRequest(InvalidInput):
    code = "invalid_request"
    title = "A header or parameter is not valid"


class InvalidPath(InvalidInput):
    code = "invalid_path"
    title = "The object path is not valid"


class InvalidFilter(InvalidInput):
    """``position`` counts characters of the filter from 0; ``expected`` says what could have stood there."""

    code = "invalid_filter"
    title = "The filter is not valid"

    def __init__(self, detail: str, *, position: int, expected: str) -> None:
        super().__init__(
            f"at position {position}: {detail}; expected {expected}",
            faults=(Fault("filter", f"position {position}: expected {expected}"),),
        )
        self.position = position
        self.expected = expected


class InvalidCursor(InvalidInput):
    code = "invalid_cursor"
    title = "The cursor is not valid for this query"


class InvalidBody(InvalidInput):
    code = "invalid_body"
    title = "The body is not valid"


class PayloadTooLarge(InvalidInput):
    code = "payload_too_large"
    title = "The body is too large"


class UnsupportedMediaType(InvalidInput):
    code = "unsupported_media_type"
    title = "The body is of a kind that is not understood here"


class NotAcceptable(InvalidInput):
    code = "not_acceptable"
    title = "No answer of the accepted kinds can be made"


class MethodNotAllowed(InvalidInput):
    """``allowed`` are the methods that this path does know."""

    code = "method_not_allowed"
    title = "The method is not known here"

    def __init__(self, detail: str, *, allowed: tuple[str, ...]) -> None:
        super().__init__(detail)
        self.allowed = allowed


class AccessDenied(GatewayError):
    """Who calls, and what they may."""


class Unauthenticated(AccessDenied):
    code = "unauthenticated"
    title = "No valid credential was given"


class Forbidden(AccessDenied):
    code = "forbidden"
    title = "The credential does not allow this"


class TenantNotFound(AccessDenied):
    """Absent, or not this caller's to see: the two are not told apart."""

    code = "tenant_not_found"
    title = "No such tenant"


class NotFound(GatewayError):
    """Something named in the call does not exist."""


class EntityNotFound(NotFound):
    code = "entity_not_found"
    title = "No such entity, or it is not granted"


class RecordNotFound(NotFound):
    code = "record_not_found"
    title = "No such record"


class ActionNotFound(NotFound):
    code = "action_not_found"
    title = "No such action"


class ConnectorNotFound(NotFound):
    code = "connector_not_found"
    title = "No such connector"


class PreconditionFailed(GatewayError):
    code = "precondition_failed"
    title = "The record is not in the version asked for"


class KeyTaken(GatewayError):
    """The idempotency key belongs to another request of the same client."""


class IdempotencyInFlight(KeyTaken):
    code = "idempotency_in_flight"
    title = "A call with this idempotency key is still under way"
    retryable = True


class IdempotencyMismatch(KeyTaken):
    code = "idempotency_mismatch"
    title = "The idempotency key was used for another request"


class UpstreamRejected(GatewayError):
    """A business rule said no; ``upstream`` carries its message and code."""

    code = "upstream_rejected"
    title = "The upstream's rules refuse this"
    outcome = Outcome.REFUSED


class FailedDependency(GatewayError):
    """Not carried out, or undone, because another write of the batch failed."""

    code = "failed_dependency"
    title = "A write that this one depends on failed"
    outcome = Outcome.REFUSED


class OperationNotSupported(GatewayError):
    """No adapter of this tenant can do it; the detail says what would."""

    code = "operation_not_supported"
    title = "This tenant's interfaces cannot do this"


class QuotaExceeded(GatewayError):
    code = "quota_exceeded"
    title = "A quota window is full"
    retryable = True
    outcome = Outcome.REFUSED


class UpstreamFailure(GatewayError):
    """The way to the upstream, or the upstream itself, failed."""


class UpstreamUnavailable(UpstreamFailure):
    code = "upstream_unavailable"
    title = "The upstream cannot be reached or is failing"
    retryable = True


class UpstreamInvalidResponse(UpstreamFailure):
    code = "upstream_invalid_response"
    title = "The upstream's answer makes no sense"
    outcome = Outcome.UNKNOWN


class UpstreamAuthFailed(UpstreamFailure):
    code = "upstream_auth_failed"
    title = "The upstream does not accept the gateway's credential"
    outcome = Outcome.REFUSED


class OutcomeUnknown(UpstreamFailure):
    code = "outcome_unknown"
    title = "Sent, but no answer came back"
    outcome = Outcome.UNKNOWN


class NotServed(GatewayError):
    """The gateway would not or could not wait."""


class Overloaded(NotServed):
    code = "overloaded"
    title = "Too many calls are under way"
    retryable = True


class CircuitOpen(NotServed):
    code = "circuit_open"
    title = "The upstream keeps failing, and is not asked for a while"
    retryable = True


class StoreUnavailable(NotServed):
    code = "store_unavailable"
    title = "The gateway cannot reach its store"
    retryable = True


class DeadlineExceeded(NotServed):
    code = "deadline_exceeded"
    title = "The deadline of the call has passed"
    retryable = True
