"""Who waits, and whose turn it is: weighted fair order between the flows of an environment.

A flow is what one client of a tenant has waiting in one band of urgency. Start-time fair queueing (Goyal,
Vin, Cheng 1996): each flow stands at a virtual time, moves on by the inverse of its weight when it is
served, and the one that is furthest back is next. A flow that could not be served, or had nothing waiting,
does not save its turns up. Pure.
"""

from __future__ import annotations

import asyncio
import heapq
import math
from bisect import bisect_left, insort
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping

from contracts.call import Band, Call
from contracts.errors import GatewayError
from gateway.quota.closures import Closure
from gateway.quota.slots import Slot
from gateway.stores.ports import Account, Limit

FACTORS = {Band.INTERACTIVE: 16.0, Band.NORMAL: 4.0, Band.BULK: 1.0}
"""How many turns a band gets for one of the last."""

LAST = 1.0
"""Whoever is before one whose deadline is this much later (seconds) may have given up by then, and is not counted on.

That a turn could still come in that last second is no reason to wait for it: hardly a request would end in time.
"""

_URGENCY = (Band.INTERACTIVE, Band.NORMAL, Band.BULK)

FlowKey = tuple[str, str, Band, bool]


Barred = Callable[[Call], GatewayError | None]
"""Why a call is not to be sent any more, whatever the quota says."""


class Waiter:
    """A call that waits; ``turn`` ends with its slot, or with why it gets none. Nobody is served who is ``barred``."""

    def __init__(self, call: Call, account: Account, limits: tuple[Limit, ...], barred: Barred) -> None:
        self.call = call
        self.account = account
        self.limits = limits
        self.barred = barred
        self.turn: asyncio.Future[Slot] = asyncio.get_running_loop().create_future()
        self.number = 0
        self.waits = False

    @property
    def flow(self) -> FlowKey:
        return self.account.tenant, self.account.client, self.call.band, bool(self.limits)

    def abandoned(self) -> None:
        """Its caller has gone; a slot that has just been given is given back."""
        if self.turn.done() and not self.turn.cancelled() and self.turn.exception() is None:
            self.turn.result().unused()


class Flow:
    """What waits in one flow, oldest first.

    ``swept`` is the opening up to which those who cannot be served have been refused, ``closure`` what it waited
    for last.
    """

    def __init__(self, key: FlowKey, limits: tuple[Limit, ...], weight: float) -> None:
        self.tenant, _, self.band, _ = key
        self.limits = limits
        self.step = 1.0 / weight
        self.start = 0.0
        self.held_back = False
        self.swept = -math.inf
        self.closure: Closure | None = None
        self.waiters: deque[Waiter] = deque()
        self.waiting = 0


class Queue:
    """Everyone who waits in one environment. Who has been served, was refused or has left counts no more."""

    def __init__(self, weights: Mapping[str, float]) -> None:
        """``weights`` are by client; one that is not named has 1."""
        self._weights = weights
        self._flows: dict[FlowKey, Flow] = {}
        self._backlog: dict[FlowKey, Flow] = {}
        self._tenants: Counter[str] = Counter()
        self._deadlines: list[tuple[float, int, Waiter]] = []
        self._now = 0.0
        self._number = 0
        self.waiting = 0

    def add(self, waiter: Waiter) -> None:
        """At the end of its flow."""
        flow = self.flow(waiter)
        if not flow.waiting:
            flow.start = max(flow.start, self._now)
            flow.closure = None
            self._backlog[waiter.flow] = flow
        flow.waiters.append(waiter)
        self._number += 1
        waiter.number, waiter.waits = self._number, True
        heapq.heappush(self._deadlines, (waiter.call.deadline, waiter.number, waiter))
        self._count(waiter, flow, 1)

    def flow(self, waiter: Waiter) -> Flow:
        """The flow of one that waits or may come to."""
        flow = self._flows.get(waiter.flow)
        if flow is None:
            weight = self._weights.get(waiter.account.client, 1.0) * FACTORS[waiter.call.band]
            flow = self._flows[waiter.flow] = Flow(waiter.flow, waiter.limits, weight)
        return flow

    def waiting_of(self, tenant: str) -> int:
        """How many of one tenant wait."""
        return self._tenants[tenant]

    def backlog(self) -> Iterator[Flow]:
        """The flows in which someone waits."""
        return iter(tuple(self._backlog.values()))

    def next(self, passes: Callable[[Flow], bool]) -> Waiter | None:
        """Whose turn it is among the flows that pass; it keeps its place until it is :meth:`taken` or :meth:`gone`."""
        chosen: Flow | None = None
        for flow in self._backlog.values():
            if not passes(flow):
                flow.held_back = True
                continue
            if flow.held_back:
                flow.held_back = False
                flow.start = max(flow.start, self._now)
            if chosen is None or flow.start < chosen.start:
                chosen = flow
        return None if chosen is None else _first(chosen)

    def taken(self, waiter: Waiter, slot: Slot) -> None:
        """It is served: its flow's turn is used."""
        flow = self._flows[waiter.flow]
        self._now = flow.start
        flow.start += flow.step
        waiter.turn.set_result(slot)
        self.gone(waiter)

    def refuse(self, waiter: Waiter, error: Exception) -> None:
        """It gets no slot."""
        if not waiter.turn.done():
            waiter.turn.set_exception(error)
        self.gone(waiter)

    def gone(self, waiter: Waiter) -> None:
        """It waits no longer; once is enough."""
        if waiter.waits:
            waiter.waits = False
            self._count(waiter, self._flows[waiter.flow], -1)

    def before(self, newcomer: Waiter, enough: int) -> int:
        """How many of its flow will take a turn before a newcomer, as far as is certain; counted up to ``enough``.

        Where fewer than that wait, it is how many these are.
        """
        flow = self.flow(newcomer)
        if flow.waiting < enough:
            return flow.waiting
        certain, moment = 0, newcomer.call.deadline - LAST
        for waiter in reversed(flow.waiters):
            if certain >= enough:
                break
            certain += waiter.waits and waiter.call.deadline >= moment
        return certain

    def sweep(self, flow: Flow) -> Iterator[tuple[int, Waiter]]:
        """Those who wait in a flow, each with how many will certainly take a turn before it.

        Whoever is refused on the way is not counted.
        """
        deadlines: list[float] = []
        for waiter in tuple(flow.waiters):
            if waiter.waits:
                deadline = waiter.call.deadline
                yield len(deadlines) - bisect_left(deadlines, deadline - LAST), waiter
                if waiter.waits:
                    insort(deadlines, deadline)

    def late(self, now: float) -> Iterator[Waiter]:
        """Those whose deadline has come."""
        while (deadline := self.next_deadline()) is not None and deadline <= now:
            yield heapq.heappop(self._deadlines)[2]

    def next_deadline(self) -> float | None:
        """The earliest one."""
        while self._deadlines and not self._deadlines[0][2].waits:
            heapq.heappop(self._deadlines)
        return self._deadlines[0][0] if self._deadlines else None

    def least_urgent(self, than: Band, tenant: str | None) -> Waiter | None:
        """The newest of the least urgent band that is less urgent than this one; of one tenant where it is named."""
        for band in reversed(_URGENCY[_URGENCY.index(than) + 1 :]):
            flows = (f for f in self._backlog.values() if f.band is band and tenant in (None, f.tenant))
            newest = max(map(_last, flows), key=lambda waiter: waiter.number, default=None)
            if newest is not None:
                return newest
        return None

    def _count(self, waiter: Waiter, flow: Flow, by: int) -> None:
        self.waiting += by
        flow.waiting += by
        self._tenants[waiter.account.tenant] += by
        if not flow.waiting:
            flow.waiters.clear()
            del self._backlog[waiter.flow]
        if len(self._deadlines) > 2 * self.waiting + 64:
            self._deadlines = [entry for entry in self._deadlines if entry[2].waits]
            heapq.heapify(self._deadlines)


def _first(flow: Flow) -> Waiter:
    while not flow.waiters[0].waits:
        flow.waiters.popleft()
    return flow.waiters[0]


def _last(flow: Flow) -> Waiter:
    while not flow.waiters[-1].waits:
        flow.waiters.pop()
    return flow.waiters[-1]
