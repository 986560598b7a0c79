"""All four parts in one file, which survives the process and a power cut."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from gateway.clock import Clock
from gateway.stores.embedded import (
    EmbeddedBreakers,
    EmbeddedIdempotency,
    EmbeddedLedger,
    EmbeddedQuota,
    Step,
    T,
)
from gateway.stores.sqlite.writer import Writer
from gateway.stores.steady import SteadyClock


class SqliteStore:
    """A :class:`~gateway.stores.ports.Store` in the file ``path``, which is made when there is none.

    What was answered is on the disk. The event loop never waits for it: the steps are taken in a thread of the
    store's own. Others may read the file meanwhile, and a second gateway on it shares exactly.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._writer = Writer(path, SteadyClock(clock))
        self.quota = EmbeddedQuota(self._run)
        self.idempotency = EmbeddedIdempotency(self._run)
        self.breakers = EmbeddedBreakers(self._run)
        self.ledger = EmbeddedLedger(self._run)

    async def _run(self, step: Step[T], *, reading: bool = False) -> T:
        return cast("T", await self._writer.take(step, reading=reading))

    async def ping(self) -> None:
        """Raises StoreLost when nothing can be written."""
        await self._writer.take(lambda rows, now: None, reading=False)

    async def close(self) -> None:
        """Commit what waits, and close the file."""
        await self._writer.close()
