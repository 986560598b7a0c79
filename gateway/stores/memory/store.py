"""All four parts in the memory of this process; nothing is shared and nothing outlives it."""

from __future__ import annotations

from gateway.clock import Clock
from gateway.stores.embedded import (
    EmbeddedBreakers,
    EmbeddedIdempotency,
    EmbeddedLedger,
    EmbeddedQuota,
    Step,
    T,
)
from gateway.stores.memory.rows import MemoryRows
from gateway.stores.steady import SteadyClock


class MemoryStore:
    """A :class:`~gateway.stores.ports.Store` that is always there; a step never waits, so it is never divided."""

    def __init__(self, clock: Clock) -> None:
        self._steady = SteadyClock(clock)
        self._rows = MemoryRows()
        self.quota = EmbeddedQuota(self._run)
        self.idempotency = EmbeddedIdempotency(self._run)
        self.breakers = EmbeddedBreakers(self._run)
        self.ledger = EmbeddedLedger(self._run)

    async def _run(self, step: Step[T], *, reading: bool = False) -> T:
        now = self._steady.now()
        if not reading:
            self._rows.sweep(now)
        return step(self._rows, now)

    async def ping(self) -> None:
        """Nothing to reach."""

    async def close(self) -> None:
        """Nothing to let go of."""
