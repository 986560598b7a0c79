"""Answers that may be some seconds old: kept in this process, and shared by equal reads that come at the same time.

A caller says how old an answer may be, and where it says nothing the tenant's configuration does. An answer is as old
as the moment at which it was asked for: a read gets none that was asked for longer before it came than it accepts. A
write through this gateway ends the use of whatever it may have changed. What others change, here or on another replica,
is seen when an answer is too old, and no sooner; so is the late effect of a write whose outcome is not known.

Equal reads that accept some age and come while one is under way wait for its answer, each within its own deadline
(*single flight*). An error is theirs too only when it says that there is nothing; after any other each asks by itself,
and when the one that asked has gone or run out of time, another one asks in its place.

Equal are reads of one tenant that ask for the same in the same languages, whoever asks.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Hashable
from enum import Enum

import msgspec

from contracts.call import CacheUse, Call
from contracts.errors import DeadlineExceeded, NotFound
from contracts.operations import GetRecord, ListRecords, Operation
from contracts.results import Found, Page, Result
from contracts.schema import Schema
from gateway.clock import Clock
from gateway.policies import Handler
from gateway.policies.changes import Changes, changed, shown
from gateway.policies.shelf import Kept, Shelf, size
from gateway.settings import CacheSettings


def max_age(operation: Operation, said: float | None, settings: CacheSettings) -> float | None:
    """How many seconds old the answer may be, 0 for one that is new; None where caching plays no part.

    ``said`` is what the caller says. It plays none in streams, in what is no read of records, and where neither the
    caller nor the configuration speaks of it.
    """
    if not settings.longest or not isinstance(operation, GetRecord | ListRecords):
        return None
    if isinstance(operation, ListRecords) and operation.whole:
        return None
    if said is None:
        return settings.of(operation.place.entity.name) or None
    return min(said, settings.longest)


class _Absent(msgspec.Struct, frozen=True):
    """There is nothing there, and it took so many units to learn it."""

    error: NotFound
    units: int


class _Ended(Enum):
    """How a flight ended without anything that others could use."""

    FAILED = "the others ask, each by itself"
    ABANDONED = "one of the others asks for all of them"


class _Flight:
    """A read that is under way, for whoever waits for the same."""

    def __init__(self, call: Call, asked: float, count: int, entities: frozenset[str]) -> None:
        self.call = call
        self.asked = asked
        self.count = count
        self.entities = entities
        self.over: asyncio.Future[Kept | _Absent | _Ended] = asyncio.get_running_loop().create_future()

    def waits_behind(self, call: Call) -> bool:
        """Whether that call would be served before this one: it does not wait for what is less urgent."""
        return self.call.urgency > call.urgency and self.call.band is not call.band


class Cache:
    """The answers of one tenant; for one event loop."""

    def __init__(self, settings: CacheSettings, schema: Schema, clock: Clock) -> None:
        self._longest = settings.longest
        self._schema = schema
        self._clock = clock
        self._changes = Changes()
        self._shelf = Shelf(settings.records)
        self._flights: dict[Hashable, _Flight] = {}
        self._under_way = 0

    async def __call__(self, call: Call, proceed: Handler) -> Result:
        """Raises what ``proceed`` raises, and DeadlineExceeded for a call that waited for another one's answer."""
        operation = call.operation
        if not operation.safe:
            return await self._write(call, proceed)
        if call.max_age is None or not isinstance(operation, GetRecord | ListRecords):
            return await proceed(call)
        key = _key(call, operation)
        if call.max_age > 0:
            known = await self._known(key, call, self._clock.monotonic() - call.max_age)
            if known is not None:
                return known
        return await self._ask(key, call, operation, proceed)

    async def _write(self, call: Call, proceed: Handler) -> Result:
        try:
            return await proceed(call)
        finally:
            # However it ended, something of it may have been done.
            if self._shelf or self._under_way:
                self._changes.note(changed(self._schema, call.operation))

    async def _known(self, key: Hashable, call: Call, earliest: float) -> Result | None:
        """What is kept, or comes of a flight, and was asked for no sooner than that; None when there is nothing."""
        while True:
            kept = self._kept(key)
            if kept is not None and kept.asked >= earliest:
                return self._hit(call, kept, earliest)
            flight = self._flights.get(key)
            if flight is None or flight.asked < earliest or flight.waits_behind(call):
                return None
            if self._changes.since(flight.count, flight.entities):
                return None
            ended = await self._waited(flight, call)
            match ended:
                case Kept():
                    _use(call, CacheUse("collapsed"), ended.units)
                    return ended.result
                case _Absent():
                    _use(call, CacheUse("collapsed"), ended.units)
                    raise copy.copy(ended.error)
                case _Ended.FAILED:
                    return None

    def _kept(self, key: Hashable) -> Kept | None:
        kept = self._shelf.find(key)
        if kept is None:
            return None
        over_age = self._clock.monotonic() - kept.asked > self._longest
        if over_age or self._changes.since(kept.count, kept.entities):
            self._shelf.drop(key)
            return None
        return kept

    def _hit(self, call: Call, kept: Kept, earliest: float) -> Result:
        age = self._clock.monotonic() - kept.asked
        _use(call, CacheUse("hit", age=age, ttl=kept.asked - earliest), kept.units)
        return kept.result

    async def _waited(self, flight: _Flight, call: Call) -> Kept | _Absent | _Ended:
        began = self._clock.monotonic()
        done, _ = await asyncio.wait((flight.over,), timeout=call.deadline - began)
        call.journal.queue_seconds += self._clock.monotonic() - began
        if not done:
            raise DeadlineExceeded(
                "the deadline passed while an equal read was under way, whose answer this one waited for"
            )
        return flight.over.result()

    async def _ask(
        self, key: Hashable, call: Call, operation: GetRecord | ListRecords, proceed: Handler
    ) -> Result:
        entities = shown(self._schema, operation)
        flight = _Flight(call, self._clock.monotonic(), self._changes.count, entities)
        self._flights[key] = flight
        self._under_way += 1
        ended: Kept | _Absent | _Ended = _Ended.FAILED
        use = CacheUse("miss" if call.max_age else "refresh")
        _use(call, use, 0)
        units = call.journal.units
        try:
            # What the answer is made of is as new as the answer.
            result = await proceed(msgspec.structs.replace(call, max_age=None))
            if isinstance(result, Found | Page):
                ended = _answer(flight, operation, result, call.journal.units - units)
                _use(call, msgspec.structs.replace(use, stored=self._keep(key, ended)), 0)
        except NotFound as error:
            ended = _Absent(error, call.journal.units - units)
            raise
        except (asyncio.CancelledError, DeadlineExceeded):
            ended = _Ended.ABANDONED
            raise
        finally:
            self._under_way -= 1
            if self._flights.get(key) is flight:
                del self._flights[key]
            flight.over.set_result(ended)
        return result

    def _keep(self, key: Hashable, kept: Kept) -> bool:
        """Whether it is kept: unless what shows in it was written since, or a newer answer is there."""
        if self._changes.since(kept.count, kept.entities):
            return False
        there = self._kept(key)
        return (there is None or there.asked <= kept.asked) and self._shelf.keep(key, kept)


def _key(call: Call, operation: GetRecord | ListRecords) -> Hashable:
    """What makes two reads of a tenant equal; the path and the query are in the schema's spelling."""
    languages = call.accept_language, call.content_language
    if isinstance(operation, GetRecord):
        return operation.place.path, operation.select, operation.expand, languages
    return operation.place.path, operation.query, languages


def _answer(flight: _Flight, operation: GetRecord | ListRecords, result: Found | Page, units: int) -> Kept:
    expand = operation.query.expand if isinstance(operation, ListRecords) else operation.expand
    return Kept(
        result=result,
        asked=flight.asked,
        units=units,
        entities=flight.entities,
        count=flight.count,
        size=size(result, expanded=bool(expand)),
    )


def _use(call: Call, use: CacheUse, saved: int) -> None:
    call.journal.cache = use
    call.journal.saved += saved
