"""Slots: leave for one request each, and the leases on which the store keeps them.

A request may leave as long as its slot's lease is known to run; a process that stood still for longer than that
finds it lapsed. The moment before the store was asked is where a lease is counted from, so that it ends
here no later than there.
"""

from __future__ import annotations

from collections.abc import Callable

from contracts.call import Call
from gateway.clock import Clock
from gateway.stores.ports import Account, Limit, QuotaStore, StoreLost
from gateway.telemetry.events import Events
from gateway.wire.gate import Lapsed

Leave = Callable[["Slot", bool, int | None, float | None], None]


class Slot:
    """One request's leave to go out; a :class:`~gateway.wire.gate.Passage`.

    ``reservation`` is None where the request does not count; such a slot cannot lapse. ``until`` is when
    its lease ends, on the monotonic clock.
    """

    def __init__(
        self,
        call: Call,
        account: Account,
        reservation: str | None,
        limits: tuple[Limit, ...],
        leases: Leases,
        leave: Leave,
    ) -> None:
        self.call = call
        self.account = account
        self.reservation = reservation
        self.limits = limits
        self.until = 0.0
        self._leases = leases
        self._leave: Leave | None = leave

    def check(self) -> None:
        """Raises :class:`Lapsed` when the lease may be over."""
        if self.reservation is not None:
            self._leases.check(self)

    def leave(self, *, departed: bool, status: int | None, retry_after: float | None) -> None:
        """The request is over; the first time counts."""
        if self._leave is not None:
            leave, self._leave = self._leave, None
            leave(self, departed, status, retry_after)

    def unused(self) -> None:
        """No request will be made of it."""
        self.leave(departed=False, status=None, retry_after=None)


class Leases:
    """The slots of one environment that are taken, held on to by one loop; ``length`` is in seconds."""

    def __init__(
        self, environment: str, store: QuotaStore, clock: Clock, events: Events, length: float
    ) -> None:
        self.length = length
        self._environment = environment
        self._store = store
        self._clock = clock
        self._events = events
        self._held: dict[str, Slot] = {}
        self._running = False

    def hold(self, slot: Slot, reservation: str, since: float) -> bool:
        """Hold on to what was asked for at ``since``; whether :meth:`run` must be started for it."""
        slot.until = since + self.length
        self._held[reservation] = slot
        started, self._running = self._running, True
        return not started

    def drop(self, reservation: str) -> None:
        """It needs no holding any more."""
        self._held.pop(reservation, None)

    def check(self, slot: Slot) -> None:
        """Raises :class:`Lapsed` when its lease may be over."""
        if self._clock.monotonic() >= slot.until:
            self._events.lapsed(slot.call, environment=self._environment, adapter=slot.account.adapter)
            raise Lapsed

    async def run(self) -> None:
        """Renew what is held, three times in a lease, until nothing is."""
        try:
            while self._held:
                await self._clock.sleep(self.length / 3)
                if self._held:
                    await self._renew()
        finally:
            self._running = False

    async def _renew(self) -> None:
        asked = dict(self._held)
        since = self._clock.monotonic()
        try:
            held = await self._store.renew(self._environment, tuple(asked), round(self.length * 1000))
        except StoreLost as error:
            self._events.store_error("renew", error)
            return
        for reservation, slot in asked.items():
            slot.until = since + self.length if reservation in held else since
