"""The record after a write of which the protocol answers the key alone.

A stored record is read back by the tenant's own way of reading, unless the caller wants nothing but its
key. A refusal is held against the record too: a record that is not there is no matter of business rules. Where
that read fails, the write is what it was: stored, with its key known and no more, or refused. Of many writes
in one request the records are read together, and are what they are after all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from contracts.addressing import Resolved
from contracts.bodies import check_insert, missing_for_insert
from contracts.call import Call
from contracts.errors import GatewayError, InvalidBody, Outcome, RecordNotFound, UpstreamRejected
from contracts.operations import ChangeRecord, DeleteRecord, GetRecord, ListRecords, Write, WriteBatch
from contracts.paths import Key
from contracts.results import Deleted, MemberDone, Stored
from contracts.schema import Schema
from gateway.completion.places import parent_of, set_of
from gateway.completion.plans import Plan
from gateway.completion.readback import ReadBack, Seen
from gateway.completion.reads import Send

MemberResult = Stored | Deleted | GatewayError

COMPLETED = ("read-back",)
"""What the gateway adds to a write."""


class _Done(msgspec.Struct, frozen=True):
    """A write and what its protocol told of it. ``placed``: its place tells the record that it was refused for."""

    write: Write
    result: MemberResult
    placed: bool = True


class Writes:
    """The writes of one tenant over adapters that tell keys."""

    def __init__(self, schema: Schema, read_back: ReadBack) -> None:
        self._schema = schema
        self._read_back = read_back

    async def perform(self, call: Call, send: Send) -> Stored | Deleted:
        """Carry the write out and say what the protocol does not.

        Raises what the adapter raises, RecordNotFound in place of UpstreamRejected for a record that is not
        there, and InvalidBody for an upsert of one that lacks what a new record needs.
        """
        operation = call.operation
        if not isinstance(operation, Write):
            raise TypeError(f"{operation.kind} is no single write")
        (told,) = await self._told(call, [_Done(operation, await _outcome(call, send))])
        if isinstance(told, GatewayError):
            raise told
        return told

    async def completed(self, call: Call, done: Sequence[MemberDone]) -> list[MemberDone]:
        """The same of the writes that travelled together in ``call``. Does not raise."""
        if not isinstance(call.operation, WriteBatch):
            raise TypeError("only writes of a batch travel together")
        told = await self._told(call, self._together(call.operation, done))
        return [MemberDone(item.id, result) for item, result in zip(done, told, strict=True)]

    def _together(self, batch: WriteBatch, done: Sequence[MemberDone]) -> list[_Done]:
        """The writes of a batch; a refusal says nothing of a record that a later one of them has deleted."""
        members = {member.id: member for member in batch.members}
        deleted: set[tuple[str, Key | None]] = set()
        together: list[_Done] = []
        for item in reversed(done):
            write = members[item.id].write
            doubtful = self._doubtful(write)
            lasting = doubtful is None or (doubtful.entity.name, doubtful.key) not in deleted
            # A path that begins at another member's record has a stand-in for its key.
            placed = members[item.id].origin is None and lasting
            together.append(_Done(write, item.result, placed))
            if isinstance(item.result, Deleted):
                deleted.add((write.place.entity.name, write.place.key))
        return together[::-1]

    def plan(self, call: Call, planned: Plan, plan: Callable[[Call], Plan]) -> Plan:
        """The adapter's plan of a write, and the read that may follow. ``plan`` is that of another operation."""
        write = call.operation
        if not isinstance(write, Write):
            return planned
        stored = not isinstance(write, DeleteRecord) and not call.minimal
        record = write.place if stored and write.place.single else self._doubtful(write)
        reading = ListRecords(place=set_of(write.place.entity)) if record is None else GetRecord(place=record)
        if not stored and record is None:
            return planned
        try:
            read = plan(msgspec.structs.replace(call, operation=reading))
        except GatewayError:
            return planned
        if record is None:
            # Which record it is only the answer to the write tells.
            read = msgspec.structs.replace(read, requests=(), at_most=1)
        return msgspec.structs.replace(planned.followed_by(read), completed=COMPLETED if stored else ())

    async def _told(self, call: Call, done: Sequence[_Done]) -> list[MemberResult]:
        places = [self._asked(call, item) for item in done]
        asked = [place for place in places if place is not None]
        seen = iter(await self._read_back.records(call, asked) if asked else ())
        return [
            item.result if place is None else _completed(item, next(seen))
            for item, place in zip(done, places, strict=True)
        ]

    def _asked(self, call: Call, done: _Done) -> Resolved | None:
        """The record that a result leaves open; None when it leaves nothing open."""
        result = done.result
        if isinstance(result, Stored):
            key = result.path.last.key
            if result.whole or call.minimal or key is None:
                return None
            return Resolved(result.path, done.write.place.entity, single=True, key=key)
        if isinstance(result, UpstreamRejected) and done.placed:
            return self._doubtful(done.write)
        return None

    def _doubtful(self, write: Write) -> Resolved | None:
        """The record whose absence would be the reason of a refusal; None where there is none such."""
        place = write.place
        own = isinstance(write, DeleteRecord) or (isinstance(write, ChangeRecord) and _must_exist(write))
        return place if own else parent_of(self._schema, place)


def _completed(done: _Done, seen: Seen) -> MemberResult:
    result = done.result
    if isinstance(result, Stored) and seen is not None and seen is not msgspec.UNSET:
        return msgspec.structs.replace(result, record=seen, whole=True)
    if isinstance(result, UpstreamRejected) and seen is None:
        return _explained(done.write, result)
    return result


async def _outcome(call: Call, send: Send) -> MemberResult:
    try:
        done = await send(call)
    except UpstreamRejected as rejection:
        return rejection
    if not isinstance(done, Stored | Deleted):
        raise TypeError("a write answers with the record as stored, or that it is gone")
    return done


def _must_exist(write: ChangeRecord) -> bool:
    """Whether the change cannot make the record: asked for or not, a body that lacks something makes none."""
    return not write.upsert or any(missing_for_insert(write.place.entity, write.body))


def _explained(write: Write, rejection: UpstreamRejected) -> GatewayError:
    """The error that a refusal is when the record in doubt is not there."""
    if isinstance(write, ChangeRecord) and write.upsert:
        try:
            check_insert(write.place.entity, write.body)
        except InvalidBody as lacking:
            return lacking
    return RecordNotFound(
        "the upstream has no record with this key", outcome=Outcome.REFUSED, upstream=rejection.upstream
    )
