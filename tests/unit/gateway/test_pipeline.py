"""Policies are passed from the outside in."""

from __future__ import annotations

import pytest

from contracts.call import Call
from contracts.errors import DeadlineExceeded
from contracts.operations import RunAction
from contracts.results import Deleted, Result
from gateway.pipeline import compose
from gateway.policies import Handler
from gateway.policies.deadline import Deadline
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
