"""What becomes of calls, summed here for a second and then added to the ledger.

The units that calls cost are not summed here: a store counts each with its reservation.
"""

from __future__ import annotations

import asyncio
import uuid

import msgspec

from gateway.clock import Clock
from gateway.stores.ports import LedgerEntry, LedgerStore, StoreLost
from gateway.telemetry.events import Events

PAUSE = 1.0
"""Seconds between a call's end and its place in the ledger, at most, while the store can be reached."""

SUMS = 10_000
"""How many sums are kept while it cannot."""

OTHER = "other"
"""What stands for client, operation and adapter in the sums beyond these."""


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """One call that is over, on the ``day`` (ISO 8601) that it was in its environment then.

    ``saved`` are units, ``refused`` says that there was no room for it.
    """

    day: str
    environment: str
    tenant: str
    client: str
    operation: str
    adapter: str
    records: int = 0
    saved: int = 0
    refused: bool = False
    waits: int = 0


class _Sums(msgspec.Struct):
    """The figures of one line of the ledger that are not added yet."""

    calls: int = 0
    records: int = 0
    saved: int = 0
    refusals: int = 0
    waits: int = 0


_Line = tuple[str, str, str, str, str, str]
"""Day, environment, tenant, client, operation, adapter."""


class Recorder:
    """Writes the ledger, for one event loop.

    While the store cannot be reached the figures wait here. What was sent to it is sent again under the same id,
    so that it counts once, whichever reply was lost.
    """

    def __init__(self, store: LedgerStore, clock: Clock, events: Events) -> None:
        self._store = store
        self._clock = clock
        self._events = events
        self._open: dict[_Line, _Sums] = {}
        self._sent: tuple[str, tuple[LedgerEntry, ...]] | None = None
        self._sending = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._lost = False

    def note(self, done: Done) -> None:
        """Count a call."""
        line = (done.day, done.environment, done.tenant, done.client, done.operation, done.adapter)
        sums = self._open.get(line)
        if sums is None:
            if len(self._open) >= SUMS:
                line = (done.day, done.environment, done.tenant, OTHER, OTHER, OTHER)
            sums = self._open.setdefault(line, _Sums())
        sums.calls += 1
        sums.records += done.records
        sums.saved += done.saved
        sums.refusals += done.refused
        sums.waits += done.waits
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._write())

    async def usage(self, environment: str, first_day: str, last_day: str) -> tuple[LedgerEntry, ...]:
        """The ledger's lines of a stretch of days, both included, with all that was noted until now.

        Raises :class:`~gateway.stores.ports.StoreLost`.
        """
        await self.flush()
        return await self._store.usage(environment, first_day, last_day)

    async def flush(self) -> None:
        """Add to the ledger what has been noted. Raises :class:`~gateway.stores.ports.StoreLost`."""
        async with self._sending:
            while self._sent or self._open:
                if self._sent is None:
                    noted, self._open = self._open, {}
                    self._sent = (uuid.uuid4().hex, tuple(_entry(*item) for item in noted.items()))
                await self._store.add(*self._sent)
                self._sent = None

    async def aclose(self) -> None:
        """Add what is left, if the store can be reached."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        try:
            await self.flush()
        except StoreLost as error:
            self._events.store_error("ledger", error)

    async def _write(self) -> None:
        """Until nothing is left to add; the next call that ends begins again."""
        while True:
            await self._clock.sleep(PAUSE)
            try:
                await self.flush()
            except StoreLost as error:
                # Once is enough: that the store is lost, and for how long, is told by those that cannot wait for it.
                if not self._lost:
                    self._events.store_error("ledger", error)
                self._lost = True
            else:
                self._lost = False
                self._task = None
                return


def _entry(line: _Line, sums: _Sums) -> LedgerEntry:
    day, environment, tenant, client, operation, adapter = line
    return LedgerEntry(
        day=day,
        environment=environment,
        tenant=tenant,
        client=client,
        operation=operation,
        adapter=adapter,
        calls=sums.calls,
        records=sums.records,
        saved=sums.saved,
        refusals=sums.refusals,
        waits=sums.waits,
    )
