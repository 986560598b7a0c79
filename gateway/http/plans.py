"""Dry runs: what a call would send, with secrets masked."""

from __future__ import annotations

import msgspec

from contracts.operations import Operation
from contracts.wire import Slot, WireRequest
from gateway.http.answers import Answer, json_answer
from gateway.http.exchange import Exchange

MASK = "***"


class PlannedRequest(msgspec.Struct, frozen=True):
    """One upstream request. ``target`` is relative to the interface's address; ``body`` is JSON, text, or null."""

    method: str
    target: str
    headers: dict[str, str]
    body: object = None


class PlanDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a dry run. ``units`` are certain; ``at_most`` is null when it depends on the answers."""

    adapter: str
    units: int
    at_most: int | None
    requests: list[PlannedRequest]


def plan_answer(exchange: Exchange, *operations: Operation) -> Answer:
    """What these operations would send, one after the other; all their checks are made, nothing is sent."""
    plans = []
    for operation in operations:
        plan = exchange.tenant.plan(exchange.call(operation))
        exchange.journal.adapter = plan.adapter
        plans.append(plan)
    bounds = [plan.at_most for plan in plans if plan.at_most is not None]
    document = PlanDocument(
        adapter=plans[-1].adapter,
        units=sum(plan.units for plan in plans),
        at_most=sum(bounds) if len(bounds) == len(plans) else None,
        requests=[_shown(request) for plan in plans for request in plan.requests],
    )
    return json_answer(document)


def _shown(request: WireRequest) -> PlannedRequest:
    headers = {name: MASK if isinstance(value, Slot) else value for name, value in request.headers}
    return PlannedRequest(request.method, request.target, headers, _body(request.content))


def _body(content: object) -> object:
    if content is None:
        return None
    if not isinstance(content, bytes):
        return "(streamed)"
    try:
        return msgspec.json.decode(content)
    except msgspec.DecodeError:
        return content.decode("utf-8", "replace")
