"""A batch of any length, carried out in as few upstream requests as its order allows.

The writes keep their order. They fall into *packs*: stretches that one adapter takes in one request, sized by it
(:class:`~contracts.adapter.Batching`); an adapter that takes no batches is given its writes one by one. A pack is
formed when the one before it is over: what depends on a failed write is not sent, and a path that begins at a record
made before (``$a1/Lines``) has its key put in.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from contracts.adapter import Adapter, Batching
from contracts.batches import rebased, units
from contracts.call import Call
from contracts.errors import Fault, GatewayError, InvalidBody, OperationNotSupported, Outcome, PayloadTooLarge
from contracts.json_objects import pointer, refused
from contracts.operations import Member, Operation, WriteBatch
from contracts.results import BatchDone, Deleted, MemberDone, Result, Stored
from contracts.schema import Schema
from contracts.series import ENDS_THE_SERIES, not_sent
from contracts.wire import WireRequest
from gateway.completion.progress import Progress, Route, dependent

Choose = Callable[[Operation], tuple[str, Adapter]]
"""The adapter that serves an operation, with its name; raises OperationNotSupported."""

Perform = Callable[[Call], Awaitable[Result]]
"""Takes one pack, or one write, upstream."""

Complete = Callable[[Call, Sequence[MemberDone]], Awaitable[Sequence[MemberDone]]]
"""Makes whole what an adapter told of a pack that was sent: the call is the pack's own. Does not raise.

The place of a member whose ``origin`` is in the same pack is a stand-in: the path of what it stored is not."""

_FEW, _MORE, _MOST = 16, 8, 1000
"""How many writes are looked at to form one pack: a few, that many times more while all are taken, at most so many."""


class PlannedPack(msgspec.Struct, frozen=True):
    """One pack of a batch that is not sent: the adapter, and its requests."""

    adapter: str
    requests: tuple[WireRequest, ...]


class BatchRunner:
    """Batches over one tenant's adapters."""

    def __init__(self, schema: Schema, *, choose: Choose, perform: Perform, complete: Complete) -> None:
        self._schema = schema
        self._choose = choose
        self._perform = perform
        self._complete = complete

    async def run(self, call: Call, *, together: bool = False) -> AsyncGenerator[list[MemberDone], None]:
        """One result for each member, in their order, as the packs finish.

        ``together`` says that none is looked at before all are there: where no two members mean the same record
        they then come at the end, and are made whole once and not after each pack, for nothing that comes later in
        the batch could show in them.
        Raises, before anything is sent, OperationNotSupported, InvalidBody and PayloadTooLarge for what could not
        be sent; and what the first pack ends in as a whole, unless it may have been carried out. A pack that ends
        as a whole later is the result of each of its members, and nothing after it is sent.
        """
        routes = await asyncio.to_thread(self._checked, call)
        progress = Progress(_members(call), routes)
        together = together and _apart(_members(call))
        packs: list[_Pack] = []
        while (pack := await asyncio.to_thread(self._next, progress)) is not None:
            try:
                done = await self._sent(call, pack)
                progress.settle(pack.members, done if together else await self._made_whole(call, pack, done))
            except GatewayError as error:
                if progress.untouched and error.outcome is not Outcome.UNKNOWN:
                    raise
                progress.settle(pack.members, (MemberDone(member.id, error) for member in pack.members))
                progress.abandon(not_sent(error, "batch"))
            packs.append(pack)
            if not together and (fresh := progress.fresh()):
                yield fresh
        call.journal.adapter = ", ".join(dict.fromkeys(pack.route.name for pack in packs)) or None
        fresh = progress.fresh()
        for pack in _joined(packs) if together else ():
            fresh = await self._completed(call, pack, fresh)
        if fresh:
            yield fresh

    def plan(self, call: Call) -> tuple[PlannedPack, ...]:
        """The packs that :meth:`run` would send if every write succeeded; ``$a1`` stands for a key that is not known.

        Raises what :meth:`run` raises before it sends.
        """
        return tuple(self._planned(call, self._routes(call)))

    def _checked(self, call: Call) -> dict[str, Route]:
        """Where each member goes; raises what any of them could not be sent for."""
        routes = self._routes(call)
        for _ in self._planned(call, routes):
            pass
        return routes

    def _routes(self, call: Call) -> dict[str, Route]:
        """Raises OperationNotSupported and PayloadTooLarge."""
        routes = {member.id: self._route(member) for member in _members(call)}
        for unit in units(_members(call)):
            _check_unit(unit, routes)
        return routes

    def _planned(self, call: Call, routes: Mapping[str, Route]) -> Iterator[PlannedPack]:
        """The packs as they are when every write succeeds; at the end raises InvalidBody for all faults found."""
        progress = Progress(_members(call), routes)
        positions = {member.id: index for index, member in enumerate(_members(call))}
        faults: list[Fault] = []
        while (pack := self._next(progress)) is not None:
            try:
                yield PlannedPack(pack.route.name, pack.planned(call))
            except InvalidBody as error:
                faults += _located(call, pack, error, positions)
            progress.assume(pack.members)
        if (refusal := refused(faults)) is not None:
            raise refusal

    def _route(self, member: Member) -> Route:
        """Raises OperationNotSupported."""
        try:
            try:
                name, adapter = self._choose(WriteBatch(members=(member,)))
            except OperationNotSupported:
                if member.group is not None:
                    raise
                name, adapter = self._choose(member.write)
        except OperationNotSupported as error:
            raise OperationNotSupported(f"the operation {member.id}: {error.detail}") from None
        return Route(name, adapter, isinstance(adapter, Batching))

    def _next(self, progress: Progress) -> _Pack | None:
        """The next pack; None when nothing is left to be sent. Settles what cannot be sent any more."""
        ahead = _FEW
        while run := self._run(progress, ahead):
            route = progress.routes[run[0].id]
            try:
                taken = route.takes(run)
            except PayloadTooLarge as error:
                progress.refuse(next(units(run)), run[0], error)
                continue
            if taken < len(run) or len(run) < ahead or ahead >= _MOST:
                return _Pack(route, tuple(run[:taken]))
            ahead = min(ahead * _MORE, _MOST)
        return None

    def _run(self, progress: Progress, most: int) -> list[Member]:
        """The members ahead that go to the same adapter as the first of them: as many as asked for, groups whole."""
        run: list[Member] = []
        for unit in self._ready(progress):
            route = progress.routes[unit[0].id]
            if run and route.name != progress.routes[run[0].id].name:
                break
            run += unit
            if not route.batching or len(run) >= most:
                break
        return run

    def _ready(self, progress: Progress) -> Iterator[tuple[Member, ...]]:
        """What is ahead, as it can be sent now: groups whole."""
        for unit in progress.ahead():
            ready: list[Member] = []
            for member in unit:
                try:
                    ready.append(self._resolved(member, progress))
                except GatewayError as error:
                    progress.refuse(unit, member, error)
                    break
            else:
                yield tuple(ready)

    def _resolved(self, member: Member, progress: Progress) -> Member:
        """The member without what earlier packs have settled. Raises what it cannot be sent for any more."""
        if not member.depends_on:
            return member
        if (failed := next((id for id in member.depends_on if id in progress.failed), None)) is not None:
            raise dependent(f"the operation {failed}, which this one depends on, failed")
        waits_for = tuple(id for id in member.depends_on if id not in progress.succeeded)
        member = msgspec.structs.replace(member, depends_on=waits_for)
        made = None if member.origin is None else progress.succeeded.get(member.origin)
        if made is None:
            return member
        if made.last.key is None:
            raise dependent(f"the upstream did not tell the key of what the operation {member.origin} made")
        member = rebased(self._schema, member, made)
        # The key may be one that only another interface can address. A group is sent whole, and so never comes here.
        progress.routes[member.id] = self._route(member)
        return member

    async def _sent(self, call: Call, pack: _Pack) -> Sequence[MemberDone]:
        sent = msgspec.structs.replace(call, operation=pack.operation)
        if not pack.route.batching:
            return [MemberDone(pack.members[0].id, await self._alone(sent))]
        result = await self._perform(sent)
        if not isinstance(result, BatchDone):
            raise TypeError("a batch answers with one result for each member")
        return result.results

    async def _made_whole(self, call: Call, pack: _Pack, done: Sequence[MemberDone]) -> Sequence[MemberDone]:
        if not pack.route.batching:
            return done
        return await self._complete(msgspec.structs.replace(call, operation=pack.operation), done)

    async def _completed(self, call: Call, pack: _Pack, done: list[MemberDone]) -> list[MemberDone]:
        """All results, those of the pack made whole."""
        sent = {member.id for member in pack.members}
        of_pack = [item for item in done if item.id in sent]
        whole = {item.id: item for item in await self._made_whole(call, pack, of_pack)}
        return [whole.get(item.id, item) for item in done]

    async def _alone(self, call: Call) -> Stored | Deleted | GatewayError:
        try:
            result = await self._perform(call)
        except ENDS_THE_SERIES:
            raise
        except GatewayError as error:
            return error
        if not isinstance(result, Stored | Deleted):
            raise TypeError("a write answers with the record as stored, or that it is gone")
        return result


class _Pack(msgspec.Struct, frozen=True):
    route: Route
    members: tuple[Member, ...]

    @property
    def operation(self) -> Operation:
        return WriteBatch(members=self.members) if self.route.batching else self.members[0].write

    def planned(self, call: Call) -> tuple[WireRequest, ...]:
        return self.route.adapter.plan(msgspec.structs.replace(call, operation=self.operation))


def _apart(members: Iterable[Member]) -> bool:
    """Whether for sure no two of these writes mean the same record."""
    seen: set[tuple[str, object]] = set()
    for member in members:
        place = member.write.place
        if member.origin is not None or (place.single and place.key is None):
            return False
        record = (place.entity.name, place.key)
        if place.single and record in seen:
            return False
        seen.add(record)
    return True


def _joined(packs: Sequence[_Pack]) -> list[_Pack]:
    """The members that went to each adapter, whatever the number of requests."""
    members: dict[str, list[Member]] = {}
    for pack in packs:
        members.setdefault(pack.route.name, []).extend(pack.members)
    routes = {pack.route.name: pack.route for pack in packs}
    return [_Pack(routes[name], tuple(sent)) for name, sent in members.items()]


def _members(call: Call) -> tuple[Member, ...]:
    if not isinstance(call.operation, WriteBatch):
        raise TypeError("only a batch is carried out in packs")
    return call.operation.members


def _check_unit(unit: tuple[Member, ...], routes: Mapping[str, Route]) -> None:
    """Raises PayloadTooLarge, and OperationNotSupported for a group that could not be one transaction."""
    group, route = unit[0].group, routes[unit[0].id]
    if group is not None and not (route.batching and all(routes[it.id].name == route.name for it in unit)):
        raise OperationNotSupported(
            f"the group {group} cannot be one transaction: none of this tenant's interfaces takes all of it at once"
        )
    route.takes(unit)


def _located(call: Call, pack: _Pack, error: InvalidBody, positions: Mapping[str, int]) -> list[Fault]:
    """The faults of a pack's bodies, with their places in the batch."""
    faults = []
    for member in pack.members:
        try:
            _Pack(pack.route, (member,)).planned(call)
        except InvalidBody as alone:
            at = pointer(pointer("/operations", positions[member.id]), "body")
            faults += [Fault(at + fault.pointer, fault.detail) for fault in alone.faults]
    return faults or [Fault("/operations", error.detail)]
