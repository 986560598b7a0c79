"""Dry runs: what a call would send, with secrets masked."""

from __future__ import annotations

import msgspec

from contracts.operations import Operation
from contracts.wire import Content, Slot, WireRequest
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
    """The answer to a dry run.

    ``units`` are spent however the upstream answers, ``at_most`` when every request is needed; it is null
    when the answers alone can tell how many there will be. ``adapter`` is null when the call is answered
    without any. ``completed`` is what the gateway does itself, because the adapter cannot.
    """

    adapter: str | None
    units: int
    at_most: int | None
    completed: list[str]
    requests: list[PlannedRequest]


def plan_answer(exchange: Exchange, *operations: Operation) -> Answer:
    """What these operations would send, each if the answers to those before it allow; nothing is sent.

    All their checks are made.
    """
    exchange.dry_run = True
    plans = [exchange.tenant.plan(exchange.call(operation)) for operation in operations]
    exchange.journal.adapter = plans[-1].adapter if plans else None
    requests = [_shown(request) for plan in plans for request in plan.requests]
    bounds = [plan.at_most for plan in plans if plan.at_most is not None]
    document = PlanDocument(
        adapter=exchange.journal.adapter,
        units=min(1, len(requests)),
        at_most=sum(bounds) if len(bounds) == len(plans) else None,
        completed=list(dict.fromkeys(part for plan in plans for part in plan.completed)),
        requests=requests,
    )
    return json_answer(document)


def _shown(request: WireRequest) -> PlannedRequest:
    headers = {name: MASK if isinstance(value, Slot) else value for name, value in request.headers}
    target = request.target
    for name, _ in request.secrets:
        target += ("&" if "?" in target else "?") + f"{name}={MASK}"
    return PlannedRequest(request.method, target, headers, _body(request.content))


def _body(content: Content | None) -> object:
    if content is None:
        return None
    if isinstance(content, tuple):
        content = b"".join(part if isinstance(part, bytes) else MASK.encode() for part in content)
    if not isinstance(content, bytes):
        return "(streamed)"
    try:
        return msgspec.json.decode(content)
    except msgspec.DecodeError:
        return content.decode("utf-8", "replace")
