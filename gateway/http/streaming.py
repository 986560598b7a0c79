"""Whole lists as NDJSON: one record a line, one page in memory at a time."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import msgspec

from contracts.call import Call
from contracts.errors import UpstreamInvalidResponse
from contracts.operations import ListRecords
from contracts.results import Page
from gateway.http.answers import Header, Streamed
from gateway.http.exchange import Exchange

HEADERS: tuple[Header, ...] = (
    (b"content-type", b"application/x-ndjson"),
    (b"cache-control", b"private, no-store"),
    (b"vary", b"accept"),
)


async def stream_list(exchange: Exchange, operation: ListRecords) -> Streamed:
    """The list from this page to its end.

    The first page is fetched here, so that what goes wrong before the first line is an ordinary
    problem. Raises what a call raises.
    """
    first = await _page(exchange, operation)
    headers = HEADERS
    if first.content_language is not None:
        headers += ((b"content-language", first.content_language.encode()),)
    return Streamed(200, _lines(exchange, operation, first), headers)


async def _lines(exchange: Exchange, operation: ListRecords, page: Page) -> AsyncGenerator[bytes, None]:
    encoder = msgspec.json.Encoder()
    seen: set[str] = set()
    while True:
        if page.items:
            yield encoder.encode_lines(page.items)
        if page.next is None:
            return
        if page.next in seen:
            raise UpstreamInvalidResponse("the upstream's paging runs in a circle")
        seen.add(page.next)
        query = msgspec.structs.replace(operation.query, continuation=page.next, count=False)
        page = await _page(exchange, msgspec.structs.replace(operation, query=query))


async def _page(exchange: Exchange, operation: ListRecords) -> Page:
    page = await exchange.tenant.perform(_call(exchange, operation))
    if not isinstance(page, Page):
        raise TypeError("a list answers with a page")
    return page


def _call(exchange: Exchange, operation: ListRecords) -> Call:
    """A deadline that the caller gave bounds the whole stream; the default one is for each page."""
    call = exchange.call(operation)
    given = exchange.circumstances
    if given.explicit:
        return call
    return msgspec.structs.replace(call, deadline=exchange.services.clock.monotonic() + given.timeout)
