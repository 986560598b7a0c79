"""How long a busy machine let this process wait for its turn, so that nobody is blamed for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

_BEAT = 0.01


class Pulse:
    """Notes with every beat how long the threads of this process have been ready to run, and did not."""

    def __init__(self) -> None:
        self._beats: list[tuple[float, float]] = []

    async def run(self) -> None:
        while True:
            self._beats.append((time.monotonic(), _waited()))
            await asyncio.sleep(_BEAT)

    def withheld(self, since: float) -> float:
        """Seconds up to now, from a moment of the monotonic clock on."""
        if time.monotonic() <= since:
            return 0.0
        before = next((waited for moment, waited in reversed(self._beats) if moment <= since), 0.0)
        return max(0.0, _waited() - before)


def _waited() -> float:
    """The run delay of all threads, in seconds (``/proc/PID/schedstat``, Linux); of one that ends it is forgotten."""
    waited = 0
    for thread in Path("/proc/self/task").glob("*/schedstat"):
        with suppress(OSError):
            waited += int(thread.read_text().split()[1])
    return waited / 1e9


@asynccontextmanager
async def pulse() -> AsyncIterator[Pulse]:
    """One that beats in this loop."""
    beating = Pulse()
    task = asyncio.create_task(beating.run())
    try:
        yield beating
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
