"""Spans around what a call passes through: policies that only watch, and stand in a pipeline where calls are traced."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import msgspec

from contracts.call import Call
from contracts.errors import GatewayError
from contracts.operations import (
    ChangeRecord,
    CreateRecord,
    DeleteRecord,
    Member,
    Operation,
    ReplaceRecord,
    Write,
    WriteBatch,
)
from contracts.results import BatchDone, Deleted, Result, Scan, Stored
from contracts.schema import Record
from gateway.policies import Handler, Policy
from gateway.telemetry.tracing import Span, Tracer, described, end, recorded

_WRITES = (CreateRecord, ReplaceRecord, ChangeRecord, DeleteRecord)

MOST_MEMBERS = 128
"""How many writes of one pack have spans of their own; a span has no more links than that, either."""


def traced(tracer: Tracer | None, policies: Sequence[Policy], then: str | None = None) -> tuple[Policy, ...]:
    """The policies, each in a span of its name, and what they lead to in one named ``then``; without tracer as is."""
    if tracer is None:
        return tuple(policies)
    spans: list[Policy] = []
    for policy in policies:
        spans += [InSpan(tracer, type(policy).__name__.lower()), policy]
    return (*spans, InSpan(tracer, then)) if then is not None else tuple(spans)


class InSpan:
    """Has everything further within a span; of a scan, until it has been read."""

    def __init__(self, tracer: Tracer, name: str) -> None:
        self._tracer = tracer
        self._name = name

    async def __call__(self, call: Call, proceed: Handler) -> Result:
        if not recorded(call.traceparent):
            return await proceed(call)
        attributes = {**described(call.operation), "ultimo_gateway.attempt": call.attempt}
        span = self._tracer.start(self._name, parent=call.traceparent, attributes=attributes)
        try:
            result = await proceed(msgspec.structs.replace(call, traceparent=span.traceparent))
        except BaseException as error:
            end(span, error)
            raise
        if isinstance(result, Scan):
            return Scan(pieces=_read_within(span, result))
        span.end()
        return result


class PackSpans:
    """Has each pack of a batch within a span, and beside it one for each of its writes, to which its requests link."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    async def __call__(self, call: Call, proceed: Handler) -> Result:
        if not recorded(call.traceparent):
            return await proceed(call)
        writes = _writes(call.operation)
        attributes = {"ultimo_gateway.members": len(writes)}
        span = self._tracer.start("pack", parent=call.traceparent, attributes=attributes)
        members = [self._member(span, write) for write in writes[:MOST_MEMBERS]]
        links = tuple(member.traceparent for member in members)
        try:
            result = await proceed(msgspec.structs.replace(call, traceparent=span.traceparent, links=links))
        except BaseException as error:
            for each in (*members, span):
                end(each, error)
            raise
        # An interface that takes no batches has been given a single write, and answers as to one.
        results = [done.result for done in result.results] if isinstance(result, BatchDone) else [result]
        for member, done in zip(members, results, strict=False):
            _finish(member, done)
        span.end()
        return result

    def _member(self, pack: Span, member: Member | Write) -> Span:
        write = member.write if isinstance(member, Member) else member
        attributes = described(write)
        if isinstance(member, Member):
            attributes["ultimo_gateway.id"] = member.id
        return self._tracer.start(write.kind, parent=pack.traceparent, attributes=attributes)


async def _read_within(span: Span, scan: Scan) -> AsyncGenerator[list[Record], None]:
    try:
        async with aclosing(scan.pieces) as pieces:
            async for piece in pieces:
                yield piece
    except GeneratorExit:
        # Who read it has enough.
        end(span)
        raise
    except BaseException as error:
        end(span, error)
        raise
    end(span)


def _writes(operation: Operation) -> Sequence[Member | Write]:
    if isinstance(operation, WriteBatch):
        return operation.members
    return (operation,) if isinstance(operation, _WRITES) else ()


def _finish(span: Span, result: Result | GatewayError) -> None:
    if isinstance(result, Stored):
        span.set({"ultimo_gateway.result": "created" if result.created else "stored"})
    elif isinstance(result, Deleted):
        span.set({"ultimo_gateway.result": "deleted"})
    end(span, result if isinstance(result, GatewayError) else None)
