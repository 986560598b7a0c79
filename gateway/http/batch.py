"""``/v1/{tenant}/batch``: many writes in one call, each with a result of its own."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial

import msgspec

from contracts.batches import check_batch
from contracts.call import Call
from contracts.errors import GatewayError
from contracts.operations import WriteBatch
from contracts.results import Deleted, MemberDone
from gateway.http import etags, queries
from gateway.http.answers import JSON, Answer, Header, Streamed
from gateway.http.bodies import read_body
from gateway.http.exchange import Exchange
from gateway.http.negotiation import Format, accepted
from gateway.http.parameters import flag, parse_parameters
from gateway.http.plans import plan_answer
from gateway.http.problems import problem
from gateway.http.stored import MINIMAL, shown
from gateway.http.streaming import streamed


async def run(exchange: Exchange) -> Answer | Streamed:
    """POST: the results in the order given, as JSON or as they come."""
    wanted = accepted(exchange.headers.get(b"accept"))
    etags.refuse_conditions(exchange.headers, b"if-match", b"if-none-match")
    parameters = parse_parameters(exchange.scope["query_string"], queries.COMMON)
    members = await read_body(
        exchange, exchange.services.limits.batch, partial(check_batch, exchange.tenant.schema)
    )
    operation = WriteBatch(members=members)
    if flag(parameters, "dry_run"):
        return plan_answer(exchange, operation)
    call = exchange.call(operation)
    applied: tuple[Header, ...] = (MINIMAL,) if call.minimal else ()
    if wanted is Format.NDJSON:
        return await streamed(_results(exchange, call), *applied)
    encoder = msgspec.json.Encoder()
    async with aclosing(_results(exchange, call)) as packs:
        parts = [encoder.encode(pack)[1:-1] async for pack in packs if pack]
    return Answer(200, b'{"results":[' + b",".join(parts) + b"]}", JSON + applied)


async def _results(exchange: Exchange, call: Call) -> AsyncGenerator[list[dict[str, object]], None]:
    async with aclosing(exchange.tenant.batch(call)) as packs:
        async for pack in packs:
            yield [_shown(done, call) for done in pack]


def _shown(done: MemberDone, call: Call) -> dict[str, object]:
    result = done.result
    if isinstance(result, GatewayError):
        document = problem(result, call.request_id)
        return {"id": done.id, "status": document.status, "error": document}
    if isinstance(result, Deleted):
        return {"id": done.id, "status": 204}
    status = 201 if result.created else 200
    return {"id": done.id, "status": status, "body": shown(result, minimal=call.minimal)}
