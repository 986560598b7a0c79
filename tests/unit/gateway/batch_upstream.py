"""An upstream in memory that takes batches, keeps their rules, and fails what it is told to fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from contracts.adapter import Capabilities
from contracts.batches import units
from contracts.call import Call
from contracts.errors import FailedDependency, GatewayError, PayloadTooLarge, UpstreamRejected
from contracts.operations import CreateRecord, DeleteRecord, Member, Operation, Write, WriteBatch
from contracts.paths import Key, KeyPart, ObjectPath, Segment, print_path
from contracts.results import BatchDone, Deleted, MemberDone, Result, Stored
from contracts.wire import Wire, WireRequest


class Singles:
    """Takes one write at a time. ``fails`` says what a write ends in; ``refuses`` what is not served."""

    capabilities = Capabilities(operations=frozenset({"create", "replace", "change", "delete"}))

    def __init__(self) -> None:
        self.sent: list[tuple[Member, ...]] = []
        self.fails: Callable[[Member], GatewayError | None] = lambda member: None
        self.breaks: Callable[[int], GatewayError | None] = lambda number: None
        self.refuses: Callable[[Operation], str | None] = lambda operation: None
        self.unencodable: Callable[[Member], GatewayError | None] = lambda member: None
        self.key: Callable[[int], str | None] = str

    def refusal(self, operation: Operation) -> str | None:
        if operation.kind not in self.capabilities.operations:
            return f"no {operation.kind} here"
        return self.refuses(operation)

    def plan(self, call: Call) -> tuple[WireRequest, ...]:
        members = _members(call.operation)
        for member in members:
            if (error := self.unencodable(member)) is not None:
                raise error
        content = "\n".join(print_path(member.write.place.path) for member in members).encode()
        return (WireRequest(method="POST", target="/batch", content=content),)

    async def perform(self, call: Call, wire: Wire) -> Result:
        (member,) = _members(call.operation)
        result = self._all((member,))[0].result
        if isinstance(result, GatewayError):
            raise result
        return result

    def _all(self, members: tuple[Member, ...]) -> tuple[MemberDone, ...]:
        if (broken := self.breaks(len(self.sent))) is not None:
            raise broken
        self.sent.append(members)
        done: dict[str, Stored | Deleted | GatewayError] = {}
        for unit in units(members):
            for member in unit:
                done[member.id] = self._one(member, done)
            failed = any(isinstance(done[member.id], GatewayError) for member in unit)
            for member in unit:
                if failed and not isinstance(done[member.id], GatewayError):
                    done[member.id] = FailedDependency("the group failed")
        return tuple(MemberDone(id, result) for id, result in done.items())

    def _one(
        self, member: Member, done: dict[str, Stored | Deleted | GatewayError]
    ) -> Stored | Deleted | GatewayError:
        if any(isinstance(done.get(id), GatewayError) for id in member.depends_on):
            return FailedDependency("a dependency failed")
        if (error := self.fails(member)) is not None:
            return error
        if isinstance(member.write, DeleteRecord):
            return Deleted()
        path = self._path(member.write)
        return Stored(record={"Id": member.id}, created=True, path=path)

    def _path(self, write: Write) -> ObjectPath:
        number = self.key(sum(map(len, self.sent)))
        if not isinstance(write, CreateRecord) or number is None:
            return write.place.path
        entity = write.place.entity
        parts = tuple(KeyPart(name, number) for name in entity.key)
        key = Key(parts) if entity.composite else Key.single(number)
        return ObjectPath((Segment(entity.name, key),))


class Batches(Singles):
    """Takes up to ``count`` writes at a time, and asserts the rules of the vendor page "Inserting data in batch"."""

    capabilities = Capabilities(operations=frozenset({"batch", "delete"}))

    def __init__(self, count: int = 3) -> None:
        super().__init__()
        self.count = count
        self.too_large: Callable[[Member], bool] = lambda member: False

    def pack(self, members: Sequence[Member]) -> int:
        taken = 0
        for unit in units(members):
            if taken + len(unit) > self.count or any(map(self.too_large, unit)):
                break
            taken += len(unit)
        if not taken:
            raise PayloadTooLarge(f"the operation {members[0].id} does not fit")
        return taken

    async def perform(self, call: Call, wire: Wire) -> Result:
        members = _members(call.operation)
        assert 1 <= len(members) <= self.count
        self._check(members)
        return BatchDone(results=self._all(members))

    def _check(self, members: tuple[Member, ...]) -> None:
        before: dict[str, Member] = {}
        groups = [unit[0].group for unit in units(members) if unit[0].group is not None]
        assert len(groups) == len(set(groups))
        for member in members:
            assert member.id not in before
            assert all(id in before and before[id].group == member.group for id in member.depends_on)
            keys = [
                part.value
                for segment in member.write.place.path.segments
                if segment.key
                for part in segment.key.parts
            ]
            if member.origin is None:
                assert not any(value.startswith("$") for value in keys)
            else:
                assert member.origin in member.depends_on
            before[member.id] = member


def rejected(*ids: str) -> Callable[[Member], GatewayError | None]:
    """Refuses the members of these ids."""
    return lambda member: UpstreamRejected("no") if member.id in ids else None


def _members(operation: Operation) -> tuple[Member, ...]:
    if isinstance(operation, WriteBatch):
        return operation.members
    assert isinstance(operation, Write)
    return (Member(id="alone", write=operation),)
