"""Many records by their keys, in as few reads as the tenant's way of reading them takes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing

import msgspec

from contracts.addressing import Resolved
from contracts.call import Call
from contracts.conditions import equals, key_paths
from contracts.errors import GatewayError, RecordNotFound, UpstreamInvalidResponse
from contracts.filters import And, Filter, Membership, Or, PropertyPath
from contracts.filters.values import resolve as value_at
from contracts.operations import GetRecord, ListRecords, Operation, Query
from contracts.paths import Key
from contracts.results import Found, Page, Scan
from contracts.schema import Entity, Record
from gateway.completion.places import own_key, set_of
from gateway.completion.reads import Aside

KEYS = 50
"""How many keys one request names, where the reader filters itself: its address must not get too long."""

Seen = Record | None | msgspec.UnsetType
"""A record, None for one that is not there, UNSET where that could not be told."""

Values = tuple[str, ...]


class _Sought(msgspec.Struct, frozen=True):
    """Records of one entity, by the values of the properties (``paths``) that tell them apart."""

    entity: Entity
    paths: tuple[PropertyPath, ...]
    keys: dict[Values, Key]

    def split(self, size: int) -> Iterator[_Sought]:
        """The same in parts of at most so many."""
        items = list(self.keys.items())
        for begin in range(0, len(items), size):
            yield msgspec.structs.replace(self, keys=dict(items[begin : begin + size]))

    def exactly(self) -> Filter:
        """What these records fulfil and no others."""
        if len(self.paths) == 1:
            return self.roughly()
        each = [And(tuple(map(equals, self.paths, key.parts))) for key in self.keys.values()]
        return each[0] if len(each) == 1 else Or(tuple(each))

    def roughly(self) -> Filter:
        """What these records fulfil and a few others may: one look at each record of a scan."""
        last = self.paths[-1]
        values = (equals(last, key.parts[-1]).value for key in self.keys.values())
        return Membership(last, tuple(dict.fromkeys(values)))

    def values(self, record: Record) -> Values | None:
        """What tells this record from others; None for one that lacks a part of it."""
        values = [value_at(record, path) for path in self.paths]
        return None if None in values else tuple(map(str, values))


class ReadBack:
    """``scans`` tells whether a list is made of a scan, which gives any number of records for one request."""

    def __init__(self, aside: Aside, scans: Callable[[Operation], bool]) -> None:
        self._aside = aside
        self._scans = scans

    async def records(self, call: Call, places: Sequence[Resolved]) -> list[Seen]:
        """The records at these places, each addressed by a key, in their order.

        After a failure nothing more is asked: what is open then stays so.
        """
        if len({place.path for place in places}) == 1:
            return [await self._one(call, places[0])] * len(places)
        known: dict[tuple[str, Values], Seen] = {}
        try:
            for sought in _grouped(places):
                for part in self._parts(sought):
                    found = await self._found(call, part)
                    known |= {(part.entity.name, values): found.get(values) for values in part.keys}
        except GatewayError:
            pass
        return [known.get((place.entity.name, _values(own_key(place))), msgspec.UNSET) for place in places]

    async def _one(self, call: Call, place: Resolved) -> Seen:
        try:
            found = await self._aside(call, GetRecord(place=place))
        except RecordNotFound:
            return None
        except GatewayError:
            return msgspec.UNSET
        if not isinstance(found, Found):
            raise TypeError("a read of one record answers with the record")
        return found.record

    def _parts(self, sought: _Sought) -> Iterator[_Sought]:
        scanned = self._scans(ListRecords(place=set_of(sought.entity), whole=True))
        return iter((sought,)) if scanned else sought.split(KEYS)

    async def _found(self, call: Call, sought: _Sought) -> dict[Values, Record]:
        """The records that are there; no more is read than it takes to find them all."""
        found: dict[Values, Record] = {}
        async with aclosing(self._pieces(call, sought)) as pieces:
            async for piece in pieces:
                for record in piece:
                    values = sought.values(record)
                    if values is not None and values in sought.keys:
                        found[values] = record
                if len(found) == len(sought.keys):
                    break
        return found

    async def _pieces(self, call: Call, sought: _Sought) -> AsyncGenerator[list[Record], None]:
        place = set_of(sought.entity)
        scanned = self._scans(ListRecords(place=place, whole=True))
        query = Query(filter=sought.roughly() if scanned else sought.exactly())
        # A page brings one of them at least.
        for _ in sought.keys:
            answer = await self._aside(call, ListRecords(place=place, query=query, whole=True))
            if isinstance(answer, Scan):
                async with aclosing(answer.pieces) as pieces:
                    async for piece in pieces:
                        yield piece
                return
            if not isinstance(answer, Page):
                raise TypeError("a list answers with a page or a scan")
            yield answer.items
            if answer.next is None:
                return
            query = msgspec.structs.replace(query, continuation=answer.next)
        raise UpstreamInvalidResponse("the upstream's paging does not come to its end")


def _grouped(places: Sequence[Resolved]) -> list[_Sought]:
    """What is sought, by entity and by what its records are told apart by."""
    groups: dict[tuple[str, tuple[PropertyPath, ...]], _Sought] = {}
    for place in places:
        key = own_key(place)
        paths = key_paths(place.entity, key)
        group = groups.setdefault((place.entity.name, paths), _Sought(place.entity, paths, {}))
        group.keys[_values(key)] = key
    return list(groups.values())


def _values(key: Key) -> Values:
    return tuple(str(int(part.value)) if part.numeric else part.value for part in key.parts)
