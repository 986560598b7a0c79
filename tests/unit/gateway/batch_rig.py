"""A batch runner over adapters in memory, and operations for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import aclosing

from contracts.adapter import Adapter
from contracts.batches import check_batch
from contracts.call import Call
from contracts.entities import standard_schema
from contracts.errors import (
    GatewayError,
    OperationNotSupported,
)
from contracts.operations import Member, Operation, WriteBatch
from contracts.results import Deleted, MemberDone, Result, Stored
from contracts.wire import Wire, WireRequest, WireResponse, WireStream
from gateway.completion.batches import BatchRunner
from tests.unit.gateway.batch_upstream import Singles

SCHEMA = standard_schema()
NEW = {"Context": 1, "Status": 2}
Operations = list[dict[str, object]]


class NoWire:
    """For adapters in memory."""

    async def send(self, request: WireRequest) -> WireResponse:
        raise AssertionError("nothing leaves")

    def stream(self, request: WireRequest) -> WireStream:
        raise AssertionError("nothing leaves")


class Rig:
    """A runner over adapters in their order of preference; ``performed`` and ``completed`` are what it asked for."""

    def __init__(self, **adapters: Adapter) -> None:
        self._adapters = adapters
        self.performed: list[Operation] = []
        self.completed: list[Call] = []
        self.runner = BatchRunner(SCHEMA, choose=self.choose, perform=self.perform, complete=self.complete)

    def choose(self, operation: Operation) -> tuple[str, Adapter]:
        for name, adapter in self._adapters.items():
            if adapter.refusal(operation) is None:
                return name, adapter
        reasons = [f"{name}: {adapter.refusal(operation)}" for name, adapter in self._adapters.items()]
        raise OperationNotSupported("; ".join(reasons))

    async def perform(self, call: Call) -> Result:
        self.performed.append(call.operation)
        wire: Wire = NoWire()  # type: ignore[assignment]
        return await self.choose(call.operation)[1].perform(call, wire)

    async def complete(self, call: Call, done: Sequence[MemberDone]) -> list[MemberDone]:
        self.completed.append(call)
        return [*done]

    async def packs(self, *operations: Mapping[str, object]) -> list[list[MemberDone]]:
        async with aclosing(self.runner.run(a_call(*operations))) as packs:
            return [pack async for pack in packs]

    async def results(self, *operations: Mapping[str, object]) -> dict[str, Stored | Deleted | GatewayError]:
        done = [item for pack in await self.packs(*operations) for item in pack]
        assert [item.id for item in done] == [operation["id"] for operation in operations]
        return {item.id: item.result for item in done}


def a_call(*operations: Mapping[str, object]) -> Call:
    members = check_batch(SCHEMA, {"operations": [*operations]})
    return Call(
        operation=WriteBatch(members=members), tenant="demo", client="tests", request_id="r", deadline=1e12
    )


def a_write(id: str, method: str = "PATCH", path: str = "Job/1", **rest: object) -> dict[str, object]:
    bodies: Mapping[str, dict[str, object]] = {"PATCH": {"body": {"Description": "x"}}, "DELETE": {}}
    return {"id": id, "method": method, "path": path} | bodies.get(method, {"body": NEW}) | rest


def batch_members(call: Call) -> tuple[Member, ...]:
    assert isinstance(call.operation, WriteBatch)
    return call.operation.members


def jobs_only(operation: Operation) -> str | None:
    assert isinstance(operation, WriteBatch)
    others = {member.write.place.entity.name for member in operation.members} - {"Job"}
    return "jobs only" if others else None


def creates(count: int) -> Operations:
    return [a_write(str(number), "POST", "Job") for number in range(count)]


def sent(upstream: Singles) -> list[list[str]]:
    return [[member.id for member in pack] for pack in upstream.sent]
