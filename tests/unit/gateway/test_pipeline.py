"""Policies are passed from the outside in; routing takes the first adapter that can."""

from __future__ import annotations

import pytest

from contracts.adapter import Capabilities
from contracts.call import Call
from contracts.errors import DeadlineExceeded, OperationNotSupported
from contracts.operations import Operation, RunAction
from contracts.results import Deleted, Result
from contracts.wire import Wire, WireRequest
from gateway.pipeline import compose
from gateway.policies import Handler
from gateway.policies.deadline import Deadline
from gateway.routing import Routing, Served
from tests.faults.wires import ManualClock

ACTION = RunAction(name="x")


def call(deadline: float = 10.0) -> Call:
    return Call(operation=ACTION, tenant="t", client="c", request_id="r", deadline=deadline)


class Passing:
    """A policy that writes down when it is passed."""

    def __init__(self, name: str, passed: list[str]) -> None:
        self.name = name
        self.passed = passed

    async def __call__(self, call: Call, proceed: Handler) -> Result:
        self.passed.append(f"{self.name} in")
        result = await proceed(call)
        self.passed.append(f"{self.name} out")
        return result


async def test_the_first_policy_is_the_outermost() -> None:
    passed: list[str] = []

    async def innermost(call: Call) -> Result:
        passed.append("served")
        return Deleted()

    await compose([Passing("a", passed), Passing("b", passed)], innermost)(call())
    assert passed == ["a in", "b in", "served", "b out", "a out"]


@pytest.mark.parametrize(("now", "served"), [(9.9, True), (10.0, False), (11.0, False)])
async def test_a_call_that_is_late_does_not_begin(now: float, served: bool) -> None:
    clock = ManualClock()
    clock.time = now
    reached = []

    async def innermost(call: Call) -> Result:
        reached.append(call)
        return Deleted()

    handler = compose([Deadline(clock)], innermost)
    if served:
        await handler(call(10.0))
    else:
        with pytest.raises(DeadlineExceeded):
            await handler(call(10.0))
    assert bool(reached) is served


class Fixed:
    """An adapter that can do one kind, or says why not."""

    def __init__(self, kind: str, reason: str | None) -> None:
        self.reason = reason
        missing = {} if reason is None else {kind: reason}
        self.capabilities = Capabilities(
            operations=frozenset() if reason else frozenset({kind}), missing=missing
        )

    def refusal(self, operation: Operation) -> str | None:
        return self.reason

    def plan(self, call: Call) -> tuple[WireRequest, ...]:
        return ()

    async def perform(self, call: Call, wire: Wire) -> Result:
        return Deleted()


def test_the_first_adapter_that_can_is_chosen() -> None:
    unable, able = Fixed("action", "no files"), Fixed("action", None)
    name, chosen = Routing({"one": unable, "two": able, "three": Fixed("action", None)}).choose(ACTION)
    assert (name, chosen) == ("two", able)


def test_every_adapter_says_why_it_cannot() -> None:
    routing = Routing({"one": Fixed("action", "no files"), "two": Fixed("action", "no actions")})
    with pytest.raises(OperationNotSupported, match=r"one: no files; two: no actions"):
        routing.choose(ACTION)
    served = {line.operation: line for line in routing.capabilities()}
    assert served["action"] == Served("action", None, reason="one: no files; two: no actions")
    assert served["get"] == Served("get", None, reason="no adapter of this tenant knows this operation")
