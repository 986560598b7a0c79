"""A create of which nobody knows whether it was carried out: found by its external id, or sent once more.

(``ExternalId``, ``DataProvider``) is unique upstream (vendor page "Requesting data"), so a record that is there
is the one that was to be made, and a second one is refused should the first still arrive. Without an external id a
repetition could double the record, and the outcome stays unknown.
"""

from __future__ import annotations

from collections.abc import Mapping

from contracts.addressing import Resolved, resolve
from contracts.call import Call
from contracts.errors import (
    DeadlineExceeded,
    GatewayError,
    Outcome,
    OutcomeUnknown,
    RecordNotFound,
    UpstreamFailure,
    UpstreamRejected,
)
from contracts.operations import CreateRecord, GetRecord
from contracts.paths import Key, KeyPart, ObjectPath, Segment
from contracts.results import Found, Result, Stored
from contracts.schema import Schema
from gateway.completion.reads import Aside, Send

_IN_DOUBT = (UpstreamFailure, DeadlineExceeded)
_NOT_NAMED = "a create whose body carries an ExternalId is looked up and, where it is absent, sent again"


class Creates:
    """The creates of one tenant."""

    def __init__(self, schema: Schema, aside: Aside) -> None:
        self._schema = schema
        self._aside = aside

    async def perform(self, call: Call, send: Send) -> Result:
        """Send a create, at most twice, and settle its outcome; any other call is sent as it is.

        A ``doubtful`` call is looked up before it is sent. Raises what ``send`` raises; where the outcome stays
        unknown, the error that left it so, which says what was tried.
        """
        operation = call.operation
        if not isinstance(operation, CreateRecord):
            return await send(call)
        if call.doubtful:
            doubt: GatewayError = OutcomeUnknown("an earlier call may have created the record already")
            return await self._settled(call, operation, send, doubt)
        try:
            return await send(call)
        except _IN_DOUBT as error:
            if error.outcome is not Outcome.UNKNOWN:
                raise
            doubt = error
        return await self._settled(call, operation, send, doubt)

    async def _settled(self, call: Call, operation: CreateRecord, send: Send, doubt: GatewayError) -> Result:
        """The record that ``doubt`` is about: found, or made now."""
        record = self._named(operation)
        if record is None:
            raise _explained(doubt, _NOT_NAMED)
        if (stored := await self._found(call, record, doubt)) is not None:
            return stored
        try:
            return await send(call)
        except UpstreamRejected:
            # The first one may have arrived meanwhile, and be what stands in the way.
            if (stored := await self._found(call, record, doubt)) is not None:
                return stored
            raise
        except GatewayError as error:
            raise _explained(
                doubt,
                f"looked up, the record was not there, and sending it again failed: {error.detail}",
                error,
            ) from error

    def _named(self, operation: CreateRecord) -> Resolved | None:
        """Where the record is by its external id; None when the body does not give one that can be looked up."""
        external, provider = _text(operation.body, "ExternalId"), _text(operation.body, "DataProvider")
        if external is None:
            return None
        parts = [KeyPart("ExternalId", external)]
        if provider is not None:
            parts.append(KeyPart("DataProvider", provider))
        path = ObjectPath((Segment(operation.place.entity.name, Key(tuple(parts))),))
        return resolve(self._schema, path)

    async def _found(self, call: Call, record: Resolved, doubt: GatewayError) -> Stored | None:
        """The record, None when it is not there. Raises ``doubt`` with its reason when that cannot be found out."""
        if isinstance(doubt, DeadlineExceeded):
            raise _explained(doubt, "no time was left to look the record up")
        try:
            found = await self._aside(call, GetRecord(place=record))
        except RecordNotFound:
            return None
        except GatewayError as error:
            raise _explained(doubt, f"the record could not be looked up: {error.detail}", error) from error
        if not isinstance(found, Found):
            raise TypeError("a read of one record answers with the record")
        try:
            path = self._schema.path_of(record.entity, found.record)
        except ValueError:
            # The key need not be granted Id; the external id addresses the record as well.
            path = record.path
        return Stored(record=found.record, created=True, path=path, content_language=found.content_language)


def _text(body: Mapping[str, object], name: str) -> str | None:
    """The text of a property at the top of a body, whatever the case of its name."""
    value = next((value for key, value in body.items() if key.lower() == name.lower()), None)
    return value if isinstance(value, str) and value else None


def _explained(doubt: GatewayError, reason: str, cause: GatewayError | None = None) -> GatewayError:
    """The same error with a sentence on why its outcome stays unknown; ``cause`` says when that may pass."""
    return type(doubt)(
        f"{doubt.detail}; {reason}",
        outcome=Outcome.UNKNOWN,
        retryable=doubt.retryable,
        upstream=doubt.upstream,
        retry_after=doubt.retry_after if cause is None else cause.retry_after,
    )
