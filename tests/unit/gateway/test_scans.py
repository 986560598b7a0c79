"""Lists that are made of scans, at sizes where the event loop would notice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from random import Random

from contracts.operations import Query
from contracts.schema import Record
from gateway.completion.scans import whole, window

COUNT = 12_345
RECORDS: list[dict[str, object]] = [{"Id": at, "Rank": Random(at).randrange(50)} for at in range(COUNT)]
ORDERED = sorted(RECORDS, key=lambda record: str(record["Rank"]))


def order(record: Record) -> tuple[object, ...]:
    assert isinstance(record, dict)
    return (str(record["Rank"]),)


async def pieces() -> AsyncGenerator[list[Record], None]:
    for begin in range(0, COUNT, 700):
        yield [*RECORDS[begin : begin + 700]]


async def test_a_long_list_is_ordered_as_a_short_one_and_equal_records_keep_their_order() -> None:
    given = [piece async for piece in whole(pieces(), Query(), order)]
    assert [record for piece in given for record in piece] == ORDERED


async def test_a_page_of_a_long_list_is_the_same_stretch_of_it() -> None:
    page = await window(pieces(), Query(skip=2_900, limit=1_000, count=True), order)
    assert (page.records, page.more, page.count) == (ORDERED[2_900:3_900], True, COUNT)


async def test_other_calls_have_their_turn_between_the_pieces_of_an_ordered_list() -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(others())
    seen = [turns async for _ in whole(pieces(), Query(), order)]
    other.cancel()
    assert len(seen) > 10
    assert len(set(seen)) == len(seen)
