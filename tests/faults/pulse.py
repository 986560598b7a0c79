"""How long a busy machine gave this process no turn, so that nobody is blamed for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

_BEAT = 0.01
_NOISE = 0.01
"""Seconds by which a beat may be late with nobody in the way."""


class Pulse:
    """Beats in the event loop; what is missing between two beats, and was not spent computing here, others had."""

    def __init__(self) -> None:
        self._beats: list[tuple[float, float]] = []

    def _beat(self) -> None:
        self._beats.append((time.monotonic(), time.thread_time()))

    async def run(self) -> None:
        while True:
            self._beat()
            await asyncio.sleep(_BEAT)

    def withheld(self, since: float) -> float:
        """Seconds up to now, from a moment of the monotonic clock on."""
        self._beat()
        recent = [beat for beat in self._beats if beat[0] > since - _BEAT]
        gaps = (
            (later - earlier) - (spent - before) - _BEAT
            for (earlier, before), (later, spent) in pairwise(recent)
        )
        return sum(gap for gap in gaps if gap > _NOISE)


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
