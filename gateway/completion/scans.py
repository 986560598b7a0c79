"""The records of a scan: filtered, ordered, cut to a page, and counted against the tenant's limit.

Nothing is held that is not needed: of a list in the upstream's order a piece at a time, of an ordered page
the records up to its end, of an ordered stream the whole list, which the limit bounds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from heapq import merge

import msgspec

from contracts.errors import OperationNotSupported, Outcome
from contracts.operations import Query
from contracts.records import as_dict
from contracts.results import Scan
from contracts.schema import Record

Holds = Callable[[Record], bool]
SortKey = Callable[[Record], tuple[object, ...]]
Pieces = AsyncGenerator[list[Record], None]

PAGE = 1_000
"""Records of a page where the caller names no limit: the upstream's own page size."""

_MANY = 2_000
"""From how many records on sorting is kept off the event loop."""


class ScanLimit(msgspec.Struct, frozen=True):
    """How many records of a scan may be looked at. ``told`` is the sentence for a caller whose read needs more."""

    records: int
    told: str

    def exceeded(self) -> OperationNotSupported:
        """The read has looked at all that it may."""
        return OperationNotSupported(self.told, outcome=Outcome.REFUSED)


class Sieve:
    """Lets the records of a scan through that a read asks for.

    ``members`` tells whether any record has passed ``belongs``, whatever ``holds`` said of it.
    """

    def __init__(self, *, belongs: Holds | None, holds: Holds | None, limit: ScanLimit | None) -> None:
        self.members = False
        self._belongs = belongs
        self._holds = holds
        self._limit = limit

    async def through(self, scan: Scan) -> Pieces:
        """The pieces of the scan without what is not asked for; closes it. Raises what the limit says."""
        left = None if self._limit is None else self._limit.records
        async with aclosing(scan.pieces) as pieces:
            async for piece in pieces:
                kept = self._kept(piece[:left])
                if kept:
                    yield kept
                if left is not None and self._limit is not None:
                    if len(piece) > left:
                        raise self._limit.exceeded()
                    left -= len(piece)

    def _kept(self, piece: list[Record]) -> list[Record]:
        if self._belongs is not None:
            piece = list(filter(self._belongs, piece))
        self.members = self.members or bool(piece)
        return piece if self._holds is None else list(filter(self._holds, piece))


class Window(msgspec.Struct, frozen=True):
    """A stretch of a list: ``records`` from ``begin`` on, ``more`` when others follow; ``count`` is of the whole."""

    records: list[Record]
    more: bool
    count: int | None = None


async def window(pieces: Pieces, query: Query, order: SortKey | None) -> Window:
    """The page that a query asks for. Without an order and a count no more is read than it takes."""
    begin, size = offset(query), query.limit or PAGE
    end = begin + size + 1
    kept: list[Record] = []
    total = 0
    async with aclosing(pieces) as opened:
        async for piece in opened:
            total += len(piece)
            if order is not None:
                kept += piece
                if len(kept) > 2 * end:
                    kept = (await _ordered(kept, order))[:end]
            elif len(kept) < end:
                kept += piece[: end - len(kept)]
            if order is None and not query.count and total >= end:
                break
    if order is not None:
        kept = await _ordered(kept, order)
    return Window(kept[begin : begin + size], len(kept) >= end, total if query.count else None)


async def whole(pieces: Pieces, query: Query, order: SortKey | None) -> Pieces:
    """The list from where a query begins to its end."""
    skipped = offset(query)
    async with aclosing(pieces if order is None else _in_order(pieces, order)) as opened:
        async for piece in opened:
            kept = piece[skipped:]
            skipped -= min(skipped, len(piece))
            if kept:
                yield kept


async def _in_order(pieces: Pieces, order: SortKey) -> Pieces:
    held: list[Record] = []
    async with aclosing(pieces) as opened:
        async for piece in opened:
            held += piece
    held = await _ordered(held, order)
    for begin in range(0, len(held), PAGE):
        yield held[begin : begin + PAGE]
        # All is there already, and nothing else would make the loop turn before the last page.
        await asyncio.sleep(0)


def offset(query: Query) -> int:
    """How many records of the list come before the page."""
    return query.skip if query.continuation is None else int(query.continuation)


def shown(select: tuple[tuple[str, ...], ...]) -> Callable[[Record], Record]:
    """A record with nothing but what is selected, in the record's own order, as the upstream shows it."""
    if not select:
        return lambda record: record
    names = {path[0].lower() for path in select}
    return lambda record: {name: value for name, value in as_dict(record).items() if name.lower() in names}


async def _ordered(records: list[Record], order: SortKey) -> list[Record]:
    """Equal records stay in the order of the export."""
    if len(records) < _MANY:
        return sorted(records, key=order)
    return await asyncio.to_thread(_merged, records, order)


def _merged(records: list[Record], order: SortKey) -> list[Record]:
    """Sorted in stretches, for one long sort would not let go of the interpreter until it is done."""
    keyed = [(order(record), at) for at, record in enumerate(records)]
    stretches = (sorted(keyed[begin : begin + _MANY]) for begin in range(0, len(keyed), _MANY))
    return [records[at] for _, at in merge(*stretches)]
