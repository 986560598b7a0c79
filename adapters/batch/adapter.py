"""The conversation with the batch interface: encode, send, decode."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from adapters.batch.answers import Heard, read_responses
from adapters.batch.encoding import encode_batch, packed
from adapters.batch.options import BatchOptions
from adapters.batch.results import ADAPTER, Results
from adapters.rest.addressing import write_refusal
from adapters.rest.encoding import check_languages, write_headers
from adapters.rest.failures import failure
from contracts.adapter import AdapterContext, Capabilities
from contracts.call import Call
from contracts.errors import (
    EntityNotFound,
    GatewayError,
    OperationNotSupported,
    Outcome,
    PayloadTooLarge,
    RecordNotFound,
    UpstreamInvalidResponse,
)
from contracts.operations import ChangeRecord, DeleteRecord, Member, Operation, Write, WriteBatch
from contracts.records import RecordCodec
from contracts.results import BatchDone, MemberDone, Result
from contracts.wire import Wire, WireRequest, WireResponse, WireStream

_WRITES_ONLY = "the batch interface takes batches of writes, and deletes"
_NO_UPSERT = (
    "a batch has no write that creates what is absent and empties nothing: use PUT, or PATCH without upsert"
)


class BatchAdapter:
    """Batches of REST writes for one tenant; a single delete is a batch of one."""

    capabilities = Capabilities(operations=frozenset({WriteBatch.kind, DeleteRecord.kind}))

    def __init__(self, context: AdapterContext) -> None:
        options = context.options
        if not isinstance(options, BatchOptions):
            raise TypeError("the batch adapter takes BatchOptions")
        self._options = options
        self._schema = context.schema
        self._profile = context.profile
        self._codec = RecordCodec(context.schema, context.zone)

    def refusal(self, operation: Operation) -> str | None:
        """See :meth:`contracts.adapter.Adapter.refusal`."""
        match operation:
            case DeleteRecord():
                return _write_refusal(operation)
            case WriteBatch():
                return next(
                    filter(None, (_write_refusal(member.write) for member in operation.members)), None
                )
        return _WRITES_ONLY

    def pack(self, members: Sequence[Member]) -> int:
        """See :meth:`contracts.adapter.Batching.pack`."""
        return packed(self._schema, members, self._options)

    def plan(self, call: Call) -> tuple[WireRequest, ...]:
        """See :meth:`contracts.adapter.Adapter.plan`."""
        return (self._request(call, _members(call.operation)),)

    async def perform(self, call: Call, wire: Wire) -> Result:
        """See :meth:`contracts.adapter.Adapter.perform`."""
        members = _members(call.operation)
        async with wire.stream(self._request(call, members)) as answer:
            if answer.status >= 300:
                raise _refused(call.operation, await _read(answer))
            heard = await read_responses(answer, (member.id for member in members))
            done = self._results(members, heard, answer)
        if isinstance(call.operation, WriteBatch):
            return BatchDone(results=done)
        result = done[0].result
        if isinstance(result, GatewayError):
            raise result
        return result

    def _request(self, call: Call, members: tuple[Member, ...]) -> WireRequest:
        """Raises InvalidBody and PayloadTooLarge."""
        for member in members:
            if not isinstance(member.write, DeleteRecord):
                check_languages(member.write, self._profile)
        if (taken := self.pack(members)) < len(members):
            raise PayloadTooLarge(f"of these {len(members)} writes one request to the upstream takes {taken}")
        return WireRequest(
            method="POST",
            target="/batch",
            template="/batch",
            headers=write_headers(call, self._profile),
            content=encode_batch(self._schema, members),
            # A repetition doubles nothing then; it may do what an earlier write was in the way of.
            repeatable=all(member.write.idempotent for member in members),
        )

    def _results(
        self, members: tuple[Member, ...], heard: Heard, answer: WireStream
    ) -> tuple[MemberDone, ...]:
        language = answer.headers.get("content-language")
        return Results(self._schema, self._codec, members, heard, language).all()


def _members(operation: Operation) -> tuple[Member, ...]:
    match operation:
        case WriteBatch():
            return operation.members
        case DeleteRecord():
            return (Member(id="1", write=operation),)
    raise TypeError(f"{operation.kind} is not routed to this adapter")


def _write_refusal(write: Write) -> str | None:
    if isinstance(write, ChangeRecord) and write.upsert:
        return _NO_UPSERT
    return write_refusal(write.place.path)


async def _read(answer: WireStream) -> WireResponse:
    """An answer of failure, as far as it comes: its status alone says enough."""
    content = bytearray()
    with suppress(GatewayError):
        async for chunk in answer.chunks():
            content += chunk
    return WireResponse(answer.status, answer.headers, bytes(content))


def _refused(operation: Operation, answer: WireResponse) -> GatewayError:
    """What an answer to the whole request means."""
    error = failure(operation, answer, ADAPTER)
    if isinstance(error, RecordNotFound) and isinstance(operation, WriteBatch):
        return UpstreamInvalidResponse(
            "the upstream speaks of one record in answer to many", upstream=error.upstream
        )
    if isinstance(error, EntityNotFound):
        return OperationNotSupported(
            "the environment has no batch interface at this address",
            outcome=Outcome.REFUSED,
            upstream=error.upstream,
        )
    return error
