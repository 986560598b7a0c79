"""Units and places, taken together for one request and given back after it.

The only part of the gate that asks the store. What the store refuses is kept as known for as long as it must
stay so. Telling the store that a request is over is nobody's wait: it happens beside, and where the store is lost
the lease takes its place.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Coroutine

from contracts.call import Call
from contracts.errors import GatewayError
from gateway.clock import Clock
from gateway.quota.bulkheads import Bulkheads
from gateway.quota.closures import Closures
from gateway.quota.refusals import Refusals
from gateway.quota.slots import Leases, Slot
from gateway.quota.windows import DAY, Windows
from gateway.stores.ports import (
    Account,
    Claim,
    Full,
    Limit,
    QuotaStore,
    Reserved,
    StoreLost,
    Throttled,
    WindowState,
)
from gateway.telemetry.events import Events


class Reservations:
    """What is taken in one environment by this process.

    ``changed`` is called when there may be room again, or when it is known that there will be none for longer.
    """

    def __init__(
        self,
        windows: Windows,
        bulkheads: Bulkheads,
        store: QuotaStore,
        clock: Clock,
        events: Events,
        lease: float,
        changed: Callable[[], None],
    ) -> None:
        self.bulkheads = bulkheads
        self.closures = Closures()
        self.refusals = Refusals(windows.zone, clock)
        self.seen: dict[str, tuple[WindowState, float]] = {}
        self._windows = windows
        self._environment = windows.environment
        self._store = store
        self._clock = clock
        self._events = events
        self._leases = Leases(windows.environment, store, clock, events, lease)
        self._changed = changed
        # Reservations of many processes meet in one store.
        self._process = secrets.token_hex(8)
        self._count = 0
        self._renewing: asyncio.Task[None] | None = None
        self._steps: set[asyncio.Task[None]] = set()

    def passes(self, tenant: str, limits: tuple[Limit, ...]) -> bool:
        """Whether a request may be tried: there is a place, and no window is known to be full."""
        return self.bulkheads.free(tenant) and self.closures.longest(limits, self._clock.monotonic()) is None

    def unwanted(self, call: Call) -> GatewayError | None:
        """Why nothing is to be sent for a call any more."""
        if call.journal.left:
            return self.refusals.left()
        return self.refusals.late() if self._clock.monotonic() >= call.deadline else None

    async def take(self, call: Call, account: Account, limits: tuple[Limit, ...]) -> Slot | None:
        """A place, and a unit in each window; None when one is full. Without ``limits`` it is only the place.

        Raises StoreUnavailable, and DeadlineExceeded for a call that is late or left by now.
        """
        self.bulkheads.enter(account.tenant)
        slot = None
        try:
            if limits:
                slot = await self._reserve(call, account, limits)
            else:
                slot = Slot(call, account, None, (), self._leases, self._left)
        finally:
            if slot is None:
                self.bulkheads.leave(account.tenant)
                self._changed()
        unwanted = self.unwanted(call)
        if slot is not None and unwanted is not None:
            slot.unused()
            raise unwanted
        return slot

    async def aclose(self) -> None:
        """Returns when the store has been told of everything that is over."""
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)
        while self._steps:
            await asyncio.gather(*self._steps)

    async def _reserve(self, call: Call, account: Account, limits: tuple[Limit, ...]) -> Slot | None:
        asked = self._clock.monotonic()
        claim = self._claim(account, limits)
        try:
            async with asyncio.timeout(call.deadline - asked):
                answer = await self._store.reserve(claim)
        except StoreLost:
            raise self.refusals.unknown() from None
        except (TimeoutError, asyncio.CancelledError) as error:
            # It may have been taken for all that.
            self._step(self._release(claim.reservation, limits))
            if isinstance(error, TimeoutError):
                raise self.refusals.late() from None
            raise
        if isinstance(answer, Full):
            self.closures.full(answer, limits, asked)
            return None
        self._note(call, answer)
        slot = Slot(call, account, claim.reservation, limits, self._leases, self._left)
        if self._leases.hold(slot, claim.reservation, asked):
            self._renewing = asyncio.create_task(self._leases.run())
        return slot

    def _claim(self, account: Account, limits: tuple[Limit, ...]) -> Claim:
        self._count += 1
        return Claim(
            reservation=f"{self._process}-{self._count}",
            environment=self._environment,
            limits=limits,
            periods=self._windows.periods(self._clock.now()),
            account=account,
            lease=round(self._leases.length * 1000),
            cold=self._windows.cold,
        )

    def _note(self, call: Call, answer: Reserved) -> None:
        now = self._clock.monotonic()
        for state in answer.windows:
            self.seen[state.key] = state, now
        self.closures.taken(now)
        for limit in answer.over:
            self._events.shadowed(call, environment=self._environment, limit=limit)

    def _left(self, slot: Slot, departed: bool, status: int | None, retry_after: float | None) -> None:
        throttled = self._throttled(slot, retry_after) if status == 429 else None
        if slot.reservation is not None:
            self._leases.drop(slot.reservation)
            if departed:
                self._step(self._settle(slot.reservation, throttled))
            else:
                self._step(self._release(slot.reservation, slot.limits))
        self.bulkheads.leave(slot.account.tenant)
        self._changed()

    def _throttled(self, slot: Slot, retry_after: float | None) -> Throttled:
        """The upstream refused: nothing more is tried until it opens. A wait of nothing, or of days, is no advice."""
        milliseconds = None if retry_after is None else round(retry_after * 1000)
        wait = milliseconds if milliseconds and milliseconds <= DAY else None
        self._events.throttled(
            slot.call,
            environment=self._environment,
            adapter=slot.account.adapter,
            retry_after=None if wait is None else wait / 1000,
        )
        if slot.reservation is not None:
            now = self._clock.monotonic()
            self.closures.throttled(now + (wait or self._windows.burst_window) / 1000, now)
        return Throttled(retry_after=wait, window=self._windows.burst_window, limit=self._windows.burst_limit)

    def _step(self, step: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(step)
        self._steps.add(task)
        task.add_done_callback(self._steps.discard)

    async def _settle(self, reservation: str, throttled: Throttled | None) -> None:
        try:
            await self._store.settle(self._environment, reservation, throttled)
        except StoreLost as error:
            self._events.store_error("settle", error)
            return
        if throttled is None and self.closures.tried():
            self._changed()

    async def _release(self, reservation: str, limits: tuple[Limit, ...]) -> None:
        try:
            await self._store.release(self._environment, reservation)
        except StoreLost as error:
            self._events.store_error("release", error)
            return
        self.closures.reopened(limits)
        self._changed()
