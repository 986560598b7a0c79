"""Every code that a problem document can carry: the only table from code to status, and what it tells people."""

from __future__ import annotations

import msgspec

from contracts import errors
from contracts.errors import GatewayError, NotFound, Outcome


class RouteNotFound(NotFound):
    """A path that is no part of the API."""

    code = "route_not_found"
    title = "There is nothing at this path"


class InternalError(GatewayError):
    """A fault of the gateway itself; its trace is in the log, under the request id."""

    code = "internal_error"
    title = "The gateway failed"
    outcome = Outcome.UNKNOWN


class Kind(msgspec.Struct, frozen=True):
    """What a code means and what a caller can do about it, for the page at ``/problems/<code>``.

    ``example`` shows it wrong and right; ``wait`` is the Retry-After, in seconds, of an error that knows none
    of its own.
    """

    status: int
    error: type[GatewayError]
    meaning: str
    advice: str
    example: str = ""
    wait: int | None = None


_KINDS = (
    Kind(
        400,
        errors.InvalidRequest,
        "A header or a query parameter is missing, misspelled or out of its range.",
        "Correct what `detail` and `errors` name. Nothing was sent and no quota was used.",
    ),
    Kind(
        400,
        errors.InvalidFilter,
        "The filter cannot be read, or names a property that the entity does not have.",
        "Look at the position that `detail` gives (characters, counted from 0) and at what it expected there.",
        "Wrong: `Status = 1 AND Name == \"Pump\"`. Right: `Status eq 1 and Description like 'Pump%'`.",
    ),
    Kind(
        400,
        errors.InvalidPath,
        "The object path does not lead anywhere: segments alternate entity, key, navigation, key.",
        "Percent-encode every key on its own (a slash in a key is `%2F`) and follow what `detail` suggests.",
        "Wrong: `Equipment%2F00001`. Right: `Equipment/00001`, and `Building/01%2F02` for the key `01/02`.",
    ),
    Kind(
        400,
        errors.InvalidCursor,
        "The cursor was changed, is too old, or belongs to another tenant, path or query.",
        "Use `next` or the `Link` header of the previous page as they are, or begin again without a cursor.",
    ),
    Kind(
        400,
        errors.InvalidBody,
        "The body is not the JSON object that is needed, or breaks a rule that the upstream would enforce.",
        "`errors` lists every fault with a JSON pointer to it; correct them all at once.",
    ),
    Kind(
        401,
        errors.Unauthenticated,
        "No credential was given, or it is not known, not valid any more or not meant for this gateway.",
        "Send `Authorization: Bearer <key>` or `X-API-Key: <key>`.",
    ),
    Kind(
        403,
        errors.Forbidden,
        "The credential is known, but lacks the scope that this operation needs.",
        "Use a credential with the scope that `detail` names, or ask the operator for it.",
    ),
    Kind(
        404,
        errors.TenantNotFound,
        "There is no such tenant, or the credential may not see it; the two are not told apart.",
        "`GET /v1/tenants` lists the tenants that the credential may use.",
    ),
    Kind(
        404,
        errors.EntityNotFound,
        "The path names an entity that does not exist or is not granted to the gateway's upstream key.",
        "Check the spelling. A customer's own entities begin with an underscore, or are named in the "
        "gateway's configuration under the environment's `entities`.",
    ),
    Kind(
        404,
        errors.RecordNotFound,
        "The entity exists, a record with this key does not.",
        "Check the key; keys are text, and leading zeros count.",
    ),
    Kind(
        404,
        errors.ActionNotFound,
        "This tenant knows no action of that name.",
        "Check the spelling, or have the action added to the tenant's configuration.",
    ),
    Kind(
        404,
        errors.ConnectorNotFound,
        "The upstream has no connector of that name, or it is not active.",
        "Check the spelling, or have the connector made, or activated, in the upstream.",
    ),
    Kind(
        404,
        RouteNotFound,
        "The API has nothing at this path.",
        "`GET /docs` and `GET /openapi.json` describe every path.",
    ),
    Kind(
        405,
        errors.MethodNotAllowed,
        "The path exists, but not with this method.",
        "The `Allow` header lists the methods that it knows.",
    ),
    Kind(
        406,
        errors.NotAcceptable,
        "The `Accept` header allows none of the formats that can be made.",
        "Accept `application/json`, or `application/x-ndjson` for a stream of a list, an export or a batch.",
    ),
    Kind(
        412,
        errors.PreconditionFailed,
        "The record is not the version that `If-Match` or `If-None-Match` asked for.",
        "Read the record again, decide again, and repeat the write with its new `ETag`.",
    ),
    Kind(
        409,
        errors.IdempotencyInFlight,
        "A call with the same `Idempotency-Key` has not ended yet.",
        "Repeat the request, with the same key and body, after the seconds in `Retry-After`.",
        wait=1,
    ),
    Kind(
        413,
        errors.PayloadTooLarge,
        "The body is larger than the upstream would take.",
        "Split it; `detail` says how large it may be.",
    ),
    Kind(
        415,
        errors.UnsupportedMediaType,
        "The body is of a type or encoding that is not understood here.",
        "Send `application/json`; an action also takes `multipart/form-data`.",
    ),
    Kind(
        422,
        errors.UpstreamRejected,
        "The upstream understood the request, and one of its business rules refused it.",
        "`upstream.message` and `upstream.code` say which rule; repeating the same request changes nothing.",
    ),
    Kind(
        422,
        errors.IdempotencyMismatch,
        "The `Idempotency-Key` was used before, with another method, path, query, language or body.",
        "Use a new key for a new request; repeat a request exactly as it was to get its answer again.",
    ),
    Kind(
        424,
        errors.FailedDependency,
        "A write of a batch was not carried out, or was undone, because another one of the batch failed.",
        "Look at the result of the write that `detail` names, correct it, and send both again.",
    ),
    Kind(
        429,
        errors.QuotaExceeded,
        "A window of the upstream's quota, or of this caller's share in it, is full.",
        "Wait for the seconds in `Retry-After`.",
        wait=10,  # the length of the upstream's rate window
    ),
    Kind(
        500,
        InternalError,
        "Something went wrong inside the gateway that should not have.",
        "Report the request id in `instance`; the operator finds the cause under it in the log.",
    ),
    Kind(
        501,
        errors.OperationNotSupported,
        "None of the interfaces that this tenant has can do this, or not within what the operator allows.",
        "`GET /v1/{tenant}/capabilities` lists what can be done; `detail` says what would serve this.",
    ),
    Kind(
        502,
        errors.UpstreamUnavailable,
        "The upstream could not be reached, or answered that it cannot serve at the moment.",
        "When `retryable` is true, repeat the request after a while.",
    ),
    Kind(
        502,
        errors.UpstreamInvalidResponse,
        "The upstream answered with something that is not an answer of its interface.",
        "If `outcome` is `unknown`, check the record before repeating a write.",
    ),
    Kind(
        502,
        errors.UpstreamAuthFailed,
        "The upstream refused the gateway's own credential. The caller's credential is fine.",
        "Tell the operator; nothing that a caller sends changes this.",
    ),
    Kind(
        502,
        errors.OutcomeUnknown,
        "The request was sent and no answer came back: it may or may not have been carried out.",
        "Read the record before repeating a write; repeating it blindly may do it twice.",
    ),
    Kind(
        503,
        errors.Overloaded,
        "The gateway has as many calls under way as it can carry.",
        "Wait for the seconds in `Retry-After`.",
        wait=1,
    ),
    Kind(
        503,
        errors.CircuitOpen,
        "The upstream has failed again and again, so it is left alone for a while. Nothing was sent.",
        "Wait for the seconds in `Retry-After`; until then every call ends like this, and costs nothing.",
        wait=5,
    ),
    Kind(
        503,
        errors.StoreUnavailable,
        "The gateway cannot reach the store in which it keeps the quota's account and idempotency keys, and does "
        "not do without. Nothing was sent.",
        "Repeat the request, with the same `Idempotency-Key`, after the seconds in `Retry-After`.",
        wait=2,
    ),
    Kind(
        504,
        errors.DeadlineExceeded,
        "The call did not end within its `Request-Timeout` (or the default).",
        "`outcome` says whether the upstream may have carried it out; if not, repeat it with more time.",
    ),
)

KINDS = {kind.error.code: kind for kind in _KINDS}
"""Every code that a problem document can carry."""
