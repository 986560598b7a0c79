"""Answers that are made while they are sent: NDJSON, one record or result a line, a piece in memory at a time."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import msgspec

from contracts.operations import ListRecords, RunExport
from gateway.http.answers import VARY, Header, Streamed, language
from gateway.http.exchange import Exchange
from gateway.tenants import Whole

HEADERS: tuple[Header, ...] = (
    (b"content-type", b"application/x-ndjson"),
    (b"cache-control", b"private, no-store"),
    VARY,
)


async def records(exchange: Exchange, operation: ListRecords | RunExport) -> Whole:
    """All records of a list or an export. Raises what a call raises.

    A deadline that the caller gave bounds them together. Without one each page has the default, and what
    comes in one piece from the upstream has the most that a caller could have given.
    """
    if exchange.circumstances.explicit:
        return await exchange.tenant.stream(exchange.call(operation))
    exchange.be_patient()
    clock, timeouts = exchange.services.clock, exchange.services.limits.timeouts
    return await exchange.tenant.stream(
        exchange.call(operation), page_deadline=lambda: clock.monotonic() + timeouts.default
    )


async def stream_records(exchange: Exchange, operation: ListRecords | RunExport) -> Streamed:
    """All records, one a line. Raises what a call raises."""
    whole = await records(exchange, operation)
    return await streamed(whole.pieces, *language(whole.content_language))


async def streamed(pieces: AsyncGenerator[Sequence[object], None], *further: Header) -> Streamed:
    """The items of all pieces, one a line.

    The first piece is fetched here, so that what goes wrong before the first line is an ordinary problem.
    """
    lines = _lines(pieces)
    await anext(lines)
    return Streamed(200, lines, HEADERS + further)


async def _lines(pieces: AsyncGenerator[Sequence[object], None]) -> AsyncGenerator[bytes, None]:
    """Begins with an empty line that says that the first piece is there; closes the pieces however it ends."""
    encoder = msgspec.json.Encoder()
    async with aclosing(pieces):
        piece = await anext(pieces, None)
        yield b""
        if piece:
            yield encoder.encode_lines(piece)
        async for piece in pieces:
            if piece:
                yield encoder.encode_lines(piece)
