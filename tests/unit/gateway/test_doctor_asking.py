"""The one question is one request, whatever the adapter would make of it."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, suppress

import pytest

from contracts.adapter import Adapter, Capabilities
from contracts.call import Call
from contracts.errors import DeadlineExceeded, GatewayError
from contracts.operations import ListRecords, Operation, RunExport, WriteBatch
from contracts.results import BatchDone, Result
from contracts.schema import Schema
from contracts.wire import Wire, WireRequest, WireResponse, WireStream
from gateway.clock import SystemClock
from gateway.doctor.question import GRACE, AdapterFailed, OneAlone, Question, ask, question
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
    """An adapter of somebody else's, that sends two requests for everything."""

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


class Persistent(Chatty):
    """One that sends again whatever it is told."""

    async def perform(self, call: Call, wire: Wire) -> Result:
        for _ in range(3):
            with suppress(GatewayError):
                await wire.send(WireRequest(method="GET", target="/"))
        return BatchDone(results=())


class Faulty(Chatty):
    """One that does not understand the answer."""

    async def perform(self, call: Call, wire: Wire) -> Result:
        await wire.send(WireRequest(method="GET", target="/"))
        raise KeyError("items")


class Endless(Chatty):
    """One that waits for something else than the wire."""

    async def perform(self, call: Call, wire: Wire) -> Result:
        await wire.send(WireRequest(method="GET", target="/"))
        await asyncio.Event().wait()
        raise AssertionError


@pytest.mark.parametrize(
    ("adapter", "error", "words"),
    [
        (Chatty("export"), OneAlone, "one is all that is spent"),
        (Persistent("export"), None, ""),
        (Faulty("export"), AdapterFailed, "KeyError in test_doctor_asking.py, line "),
        (Endless("export"), DeadlineExceeded, "the adapter came to no end in time"),
    ],
    ids=lambda it: type(it).__name__,
)
async def test_one_request_leaves_and_a_report_comes_of_it_whatever_the_adapter_does(
    adapter: Adapter, error: type[GatewayError] | None, words: str
) -> None:
    wire, clock = Counting(), SystemClock()
    asked = Question(adapter="foreign", operation=RunExport(name="x"), text="something")
    done = await ask("erp", asked, Interface(adapter, wire), clock, clock.monotonic() - GRACE + 0.05)
    assert wire.left == 1
    assert type(done.error) is (error or type(None))
    assert words in (done.error.detail if done.error else "")


def test_what_is_asked_changes_nothing() -> None:
    schema: Schema = data_model({})
    asked = {
        kind: question("it", Chatty(kind), schema, None) for kind in ("list", "export", "batch", "create")
    }
    for kind in ("list", "export"):
        found = asked[kind]
        assert found is not None
        assert found.operation.safe
    assert isinstance(asked["list"], Question)
    assert isinstance(asked["list"].operation, ListRecords)
    assert asked["list"].operation.query.limit == 1
    batch = asked["batch"]
    assert batch is not None
    assert batch.operation == WriteBatch(members=())
    assert asked["create"] is None, "what can only write is not asked"
    assert question("it", Chatty("list"), schema, "Nothing") is None
