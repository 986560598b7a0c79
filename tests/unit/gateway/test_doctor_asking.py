"""The one question is one request, whatever the adapter would make of it."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from contracts.adapter import Capabilities
from contracts.call import Call
from contracts.errors import InvalidRequest
from contracts.operations import Operation, RunExport, WriteBatch
from contracts.results import BatchDone, Result
from contracts.schema import Schema
from contracts.wire import Wire, WireRequest, WireResponse, WireStream
from gateway.clock import SystemClock
from gateway.doctor.asking import ask
from gateway.doctor.questions import Question, question
from gateway.settings import data_model
from gateway.tenants import Interface


class Counting:
    """A wire that counts what leaves over it."""

    def __init__(self) -> None:
        self.left = 0

    def bound(self, call: Call) -> Wire:
        return self

    async def send(self, request: WireRequest) -> WireResponse:
        self.left += 1
        return WireResponse(200, {}, b"")

    def stream(self, request: WireRequest) -> AbstractAsyncContextManager[WireStream]:
        raise AssertionError("nothing here streams")

    async def close(self) -> None:
        pass


class Chatty:
    """An adapter that sends two requests for everything."""

    def __init__(self, *operations: str) -> None:
        self.capabilities = Capabilities(operations=frozenset(operations))

    def refusal(self, operation: Operation) -> str | None:
        return None

    def plan(self, call: Call) -> tuple[WireRequest, ...]:
        return ()

    async def perform(self, call: Call, wire: Wire) -> Result:
        for _ in range(2):
            await wire.send(WireRequest(method="GET", target="/"))
        return BatchDone(results=())


async def test_one_request_leaves_and_no_other() -> None:
    wire, clock = Counting(), SystemClock()
    asked = Question(adapter="chatty", operation=RunExport(name="x"), text="something")
    interface = Interface(Chatty("export"), wire)
    done = await ask("erp", asked, interface, clock, clock.monotonic() + 5)
    assert wire.left == 1
    assert isinstance(done.error, InvalidRequest)


def test_what_is_asked_changes_nothing() -> None:
    schema: Schema = data_model({})
    asked = {
        kind: question("it", Chatty(kind), schema, None) for kind in ("list", "export", "batch", "create")
    }
    for kind in ("list", "export"):
        found = asked[kind]
        assert found is not None
        assert found.operation.safe
    batch = asked["batch"]
    assert batch is not None
    assert batch.operation == WriteBatch(members=())
    assert asked["create"] is None, "what can only write is not asked"
    assert question("it", Chatty("list"), schema, "Nothing") is None
