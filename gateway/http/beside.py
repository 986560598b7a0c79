"""What is to be done when a call is over, whether or not somebody waits for it: a few tries, beside all else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from gateway.clock import Clock
from gateway.stores.ports import StoreLost

Step = Callable[[], Awaitable[None]]
"""Done more than once it is as if done once."""

TRIES = (0.0, 0.1, 0.5, 2.0)
"""Seconds before each try."""

PATIENCE = 1.0
"""Seconds that whoever waits for a step waits at most."""


class Beside:
    """The steps that are being tried."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(
        self, step: Step, failed: Callable[[StoreLost], None], over: Callable[[], None]
    ) -> asyncio.Task[None]:
        """Try until the store does not fail, which ``failed`` is told each time; ``over`` is told of the end.

        It does not end with whoever waits for it.
        """
        task = asyncio.create_task(self._tried(step, failed, over))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def aclose(self) -> None:
        """Wait a little for what is not done yet, then give it up."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=PATIENCE)
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _tried(self, step: Step, failed: Callable[[StoreLost], None], over: Callable[[], None]) -> None:
        try:
            for pause in TRIES:
                if pause:
                    await self._clock.sleep(pause)
                try:
                    return await step()
                except StoreLost as error:
                    failed(error)
        finally:
            over()
