"""``/v1/{tenant}/actions/{name}``: workflows, with JSON or with files."""

from __future__ import annotations

import re

from contracts.errors import ActionNotFound, InvalidInput, Outcome, UnsupportedMediaType
from contracts.json_objects import decode_body
from contracts.operations import RunAction
from contracts.results import ActionDone, Result
from gateway.http import etags, multipart, queries
from gateway.http.answers import Answer, json_answer
from gateway.http.exchange import Exchange
from gateway.http.negotiation import accepted, media_type, require_json
from gateway.http.parameters import flag, parse_parameters
from gateway.http.plans import plan_answer

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")


async def run(exchange: Exchange) -> Answer:
    """POST: the answer is ``{"result": {...}}``."""
    accepted(exchange.headers.get(b"accept"))
    etags.refuse_conditions(exchange.headers, b"if-match", b"if-none-match")
    parameters = parse_parameters(exchange.scope["query_string"], queries.COMMON)
    exchange.action = _name(exchange)
    operation = await _operation(exchange, exchange.action)
    if flag(parameters, "dry_run"):
        return plan_answer(exchange, operation)
    done = await _done(exchange, operation)
    if not isinstance(done, ActionDone):
        raise TypeError("an action answers with its result")
    return json_answer({"result": done.result})


async def _done(exchange: Exchange, operation: RunAction) -> Result:
    try:
        return await exchange.tenant.perform(exchange.call(operation))
    except InvalidInput as error:
        # A form is read while it is sent: what is wrong with a later part is found when the first has left.
        if exchange.journal.requests and error.outcome is Outcome.NOT_SENT:
            error.outcome = Outcome.UNKNOWN
        raise


async def _operation(exchange: Exchange, name: str) -> RunAction:
    limits = exchange.services.limits
    content_type = exchange.headers.get(b"content-type")
    if content_type is not None and media_type(content_type) == "multipart/form-data":
        uploads = multipart.uploads(exchange)
        await exchange.in_time(uploads.begin)
        return RunAction(name=name, parts=uploads)
    if media_type(content_type).startswith(("multipart/", "application/x-www-form-urlencoded")):
        raise UnsupportedMediaType("an action takes application/json, or multipart/form-data with files")
    require_json(content_type, exchange.headers.get(b"content-encoding"))
    body = await exchange.body(limits.action)
    return RunAction(name=name, arguments=decode_body(body, limits.action) if body.strip() else {})


def _name(exchange: Exchange) -> str:
    name: str = exchange.scope["path_params"]["name"]
    if not _NAME.fullmatch(name):
        raise ActionNotFound("an action's name is letters, digits, '_', '.' and '-'")
    return name
