"""``/v1/{tenant}/batch``: many writes in one call, each with a result of its own."""

from __future__ import annotations

import asyncio
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
from gateway.http.answers import JSON, VARY, Answer, Header, Streamed
from gateway.http.bodies import read_body
from gateway.http.exchange import Exchange
from gateway.http.negotiation import Format, accepted
from gateway.http.parameters import flag, parse_parameters
from gateway.http.plans import plan_answer
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
    exchange.asked = len(members)
    if flag(parameters, "dry_run"):
        return await asyncio.to_thread(plan_answer, exchange, operation)
    call = exchange.call(operation)
    applied: tuple[Header, ...] = (MINIMAL,) if call.minimal else ()
    results = _results(exchange, call, together=wanted is not Format.NDJSON)
    if wanted is Format.NDJSON:
        return await streamed(results, *applied)
    return Answer(200, await _whole(results), (*JSON, VARY, *applied))


async def _whole(results: AsyncGenerator[list[dict[str, object]], None]) -> bytes:
    encoder = msgspec.json.Encoder()
    async with aclosing(results) as packs:
        parts = [encoder.encode(pack)[1:-1] async for pack in packs if pack]
    return b'{"results":[' + b",".join(parts) + b"]}"


async def _results(
    exchange: Exchange, call: Call, *, together: bool
) -> AsyncGenerator[list[dict[str, object]], None]:
    async with aclosing(exchange.tenant.batch(call, together=together)) as packs:
        async for pack in packs:
            # Each of thousands of refusals is searched for secrets.
            yield await asyncio.to_thread(_all_shown, exchange, pack, minimal=call.minimal)


def _all_shown(exchange: Exchange, pack: list[MemberDone], *, minimal: bool) -> list[dict[str, object]]:
    return [_shown(exchange, done, minimal=minimal) for done in pack]


def _shown(exchange: Exchange, done: MemberDone, *, minimal: bool) -> dict[str, object]:
    result = done.result
    if isinstance(result, GatewayError):
        document = exchange.part_failed(result)
        return {"id": done.id, "status": document.status, "error": document}
    if isinstance(result, Deleted):
        return {"id": done.id, "status": 204}
    status = 201 if result.created else 200
    return {"id": done.id, "status": status, "body": shown(result, minimal=minimal)}
