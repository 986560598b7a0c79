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
    """The answer to a dry run.

    ``units`` are spent however the upstream answers, ``at_most`` when every one of the requests is
    needed; it is null when the list alone can tell how many there will be. ``adapter`` is null when the
    call is answered without any.
    """

    adapter: str | None
    units: int
    at_most: int | None
    requests: list[PlannedRequest]


def plan_answer(exchange: Exchange, *operations: Operation, endless: bool = False) -> Answer:
    """What these operations would send, each if the answers to those before it allow; nothing is sent.

    All their checks are made. ``endless`` says that the last one goes on for as long as there are pages.
    """
    exchange.dry_run = True
    requests = []
    for operation in operations:
        plan = exchange.tenant.plan(exchange.call(operation))
        exchange.journal.adapter = plan.adapter
        requests += [_shown(request) for request in plan.requests]
    document = PlanDocument(
        adapter=exchange.journal.adapter,
        units=min(1, len(requests)),
        at_most=None if endless else len(requests),
        requests=requests,
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
