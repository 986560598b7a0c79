"""Who may send next: every request of one environment waits here for a place and for a slot of the quota.

Where nobody waits and there is room, a request costs one step of the store. Otherwise it stands in the
queue, and one loop, the pump, asks the store for whoever's turn it is, until nothing more is to be had; it
goes on when a window opens, a place is given back or a unit is released. An alarm of its own sees to it that
nobody waits past a deadline, whatever the store does meanwhile.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine, Mapping
from functools import partial

from contracts.call import Band, Call
from contracts.errors import GatewayError
from gateway.clock import Clock
from gateway.quota.bulkheads import Bulkheads
from gateway.quota.queue import Barred, Flow, Queue, Waiter
from gateway.quota.reservations import Reservations
from gateway.quota.slots import Slot
from gateway.quota.windows import Windows
from gateway.settings.traffic import BulkheadSettings
from gateway.stores.ports import Account, Limit, QuotaStore, Standing, StoreLost, WindowState
from gateway.telemetry.events import Events

SWEEP = 1.0
"""A queue is gone through again when the opening of its window has moved by so much, in seconds: that takes time."""


class Admission:
    """The gate of one environment, which all its tenants share."""

    def __init__(
        self,
        windows: Windows,
        bulkhead: BulkheadSettings,
        tenant_bulkheads: Mapping[str, BulkheadSettings],
        weights: Mapping[str, float],
        store: QuotaStore,
        clock: Clock,
        events: Events,
        lease: float = 6.0,
    ) -> None:
        """``weights`` are by client, ``lease`` is in seconds."""
        self._windows = windows
        self._store = store
        self._clock = clock
        self._bulkheads = Bulkheads(bulkhead, tenant_bulkheads)
        self._queue = Queue(weights)
        self._reservations = Reservations(
            windows, self._bulkheads, store, clock, events, lease, self._changed
        )
        self._closures = self._reservations.closures
        self._refusals = self._reservations.refusals
        self._pump: asyncio.Task[None] | None = None
        self._alarm: asyncio.Task[None] | None = None
        self._alarm_at = 0.0

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return self._queue.waiting

    async def enter(self, call: Call, account: Account, *, counts: bool, barred: Barred) -> Slot:
        """As :meth:`gateway.wire.gate.Gate.enter`; ``counts`` says that the request counts in the upstream's quota.

        One that has waited is asked about (``barred``) when its turn comes.
        """
        unwanted = self._reservations.unwanted(call)
        if unwanted is not None:
            raise unwanted
        limits = self._windows.limits(account.tenant, account.client, call.band) if counts else ()
        if not self._queue.waiting and self._reservations.passes(account.tenant, limits):
            slot = await self._reservations.take(call, account, limits)
            if slot is not None:
                return slot
        return await self._wait(Waiter(call, account, limits, barred))

    def last(self, tenant: str, client: str) -> tuple[tuple[Limit, WindowState, float], ...]:
        """The windows of a client as they stood when each was last heard of, and the monotonic moment of that."""
        limits, seen = self._windows.limits(tenant, client, Band.INTERACTIVE), self._reservations.seen
        return tuple((limit, *seen[limit.key]) for limit in limits if limit.key in seen)

    def upstream_opens(self) -> float | None:
        """When the upstream wants to be asked again (monotonic); None when nothing is known that it refuses."""
        return self._closures.upstream_opens(self._clock.monotonic())

    def day_begins(self) -> float | None:
        """When the environment's day has room again (monotonic); None when it is not known to be used up."""
        now = self._clock.monotonic()
        day = self._windows.limits("", "", Band.INTERACTIVE)[-1]
        state, since = self._reservations.seen.get(day.key, (None, 0.0))
        if not day.enforced:
            return None
        if state is not None and state.used >= state.limit and now < since + state.resets_in / 1000:
            return since + state.resets_in / 1000
        return self._closures.room_in(day, now)

    async def standing(self, tenant: str, client: str) -> tuple[tuple[Limit, ...], Standing]:
        """The windows of a client as they stand now. Raises StoreUnavailable."""
        limits = self._windows.limits(tenant, client, Band.INTERACTIVE)
        periods = self._windows.periods(self._clock.now())
        try:
            return limits, await self._store.standing(self._windows.environment, limits, periods)
        except StoreLost:
            raise self._refusals.unknown() from None

    async def aclose(self) -> None:
        """Refuse whoever waits, and tell the store of everything that is over."""
        self._refuse_all(self._refusals.stopping)
        loops = [loop for loop in (self._pump, self._alarm) if loop is not None]
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
        await self._reservations.aclose()

    async def _wait(self, waiter: Waiter) -> Slot:
        journal, began = waiter.call.journal, self._clock.monotonic()
        self._admit(waiter)
        self._queue.add(waiter)
        self._changed()
        self._ring_at(waiter.call.deadline)
        try:
            return await waiter.turn
        except asyncio.CancelledError:
            waiter.abandoned()
            raise
        finally:
            self._queue.gone(waiter)
            journal.waits += 1
            journal.queue_seconds += self._clock.monotonic() - began

    def _admit(self, waiter: Waiter) -> None:
        """Raises what refuses a newcomer at once; a more urgent one may take the place of another."""
        refusal = self._hopeless(waiter, None)
        if refusal is not None:
            raise refusal
        for tenant in (waiter.account.tenant, None):
            waiting = self._queue.waiting if tenant is None else self._queue.waiting_of(tenant)
            if waiting >= self._bulkheads.waiting(tenant):
                refusal = self._refusals.overloaded(waiting, "environment" if tenant is None else "tenant")
                shed = self._queue.least_urgent(waiter.call.band, tenant)
                if shed is None:
                    raise refusal
                self._queue.refuse(shed, refusal)

    def _hopeless(self, waiter: Waiter, before: int | None) -> GatewayError | None:
        """Why it cannot be served in time even if all goes well.

        As many as ``before`` of its own flow take a turn first; None where that is still to be counted.
        """
        deadline, now = waiter.call.deadline, self._clock.monotonic()
        closure = self._closures.longest(waiter.limits, now)
        opens = now if closure is None else closure.opens
        if closure is not None and opens >= deadline:
            return self._refusals.full(closure.limit, opens)
        for limit in waiter.limits:
            if limit.daily or not limit.enforced:
                continue
            span = (limit.length + limit.margin) / 1000
            needed = limit.upto * max(1, math.ceil((deadline - opens) / span))
            ahead = self._queue.before(waiter, needed) if before is None else before
            if ahead >= needed:
                room = opens + ahead // limit.upto * span
                return self._refusals.behind(limit, ahead, room)
        return None

    def _sweep(self) -> None:
        """Refuse those who wait for what has turned out to open too late."""
        now = self._clock.monotonic()
        for flow in self._queue.backlog():
            closure = self._closures.longest(flow.limits, now)
            if closure is not None and abs(closure.opens - flow.swept) >= SWEEP:
                flow.swept, flow.closure = closure.opens, closure
                for before, waiter in self._queue.sweep(flow):
                    refusal = self._hopeless(waiter, before)
                    if refusal is not None:
                        self._queue.refuse(waiter, refusal)

    def _changed(self) -> None:
        """There may be room, or it is known that there will be none: have the pump look."""
        if self._pump is None and self._queue.waiting:
            self._pump = self._started(self._serve_all())

    def _started(self, loop: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(loop)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, loop: asyncio.Task[None]) -> None:
        """A fault in pump or alarm leaves nobody waiting for what will not come."""
        error = None if loop.cancelled() else loop.exception()
        if error is not None:
            self._refuse_all(partial(_broken, error))

    def _refuse_all(self, why: Callable[[], Exception]) -> None:
        for flow in self._queue.backlog():
            for _, waiter in self._queue.sweep(flow):
                self._queue.refuse(waiter, why())

    async def _serve_all(self) -> None:
        try:
            while (waiter := self._next()) is not None:
                await self._serve(waiter)
        finally:
            self._pump = None
        self._ring_when_due()

    def _next(self) -> Waiter | None:
        self._refuse_late()
        self._sweep()
        return self._queue.next(lambda flow: self._reservations.passes(flow.tenant, flow.limits))

    async def _serve(self, waiter: Waiter) -> None:
        if waiter.turn.done():
            self._queue.gone(waiter)
            return
        unwanted = self._refusals.left() if waiter.call.journal.left else waiter.barred(waiter.call)
        if unwanted is not None:
            self._queue.refuse(waiter, unwanted)
            return
        try:
            slot = await self._reservations.take(waiter.call, waiter.account, waiter.limits)
        except Exception as error:
            self._queue.refuse(waiter, error)
            return
        if slot is None:
            return
        if waiter.turn.done():
            slot.unused()
        else:
            self._queue.taken(waiter, slot)

    def _refuse_late(self) -> None:
        now = self._clock.monotonic()
        for waiter in self._queue.late(now):
            self._queue.refuse(waiter, self._overdue(waiter, now))

    def _overdue(self, waiter: Waiter, now: float) -> GatewayError:
        """What one is told whose deadline came while it waited: what it waited for."""
        closure = self._closures.longest(waiter.limits, now) or self._queue.flow(waiter).closure
        if closure is not None:
            return self._refusals.full(closure.limit, closure.opens)
        return self._refusals.late() if self._bulkheads.free(waiter.account.tenant) else self._refusals.busy()

    def _ring_when_due(self) -> None:
        """Set the alarm to the next deadline, or to when a window opens; the pump needs none while it runs."""
        due = self._queue.next_deadline()
        if due is None:
            return
        if self._pump is None:
            due = min(due, *(self._opens(flow) for flow in self._queue.backlog()))
        self._ring_at(due)

    def _opens(self, flow: Flow) -> float:
        """When a flow that was held back may pass: now, if the window has opened since the pump looked."""
        now = self._clock.monotonic()
        closure = self._closures.longest(flow.limits, now)
        if closure is not None:
            return closure.again
        # Who waits for a place need not be woken: whoever gives one back says so.
        return now if self._bulkheads.free(flow.tenant) else math.inf

    def _ring_at(self, moment: float) -> None:
        if self._alarm is not None:
            if self._alarm_at <= moment:
                return
            self._alarm.cancel()
        self._alarm_at = moment
        self._alarm = self._started(self._ring())

    async def _ring(self) -> None:
        await self._clock.sleep(max(0.0, self._alarm_at - self._clock.monotonic()))
        self._alarm = None
        self._refuse_late()
        self._changed()
        self._ring_when_due()


def _broken(error: BaseException) -> Exception:
    fault = RuntimeError("the gate of this environment failed")
    fault.__cause__ = error
    return fault
