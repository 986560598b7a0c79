"""Which services answer: those of the newest configuration, while calls of older ones come to their end."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable

from gateway.http.exchange import Services


async def _nothing() -> None:
    return


class Generation:
    """Everything that was made of one configuration; ``close`` gives it back."""

    def __init__(self, services: Services, close: Callable[[], Awaitable[None]] = _nothing) -> None:
        self.services = services
        self.close = close
        self.under_way = 0


class Live:
    """The generations of one process. A call keeps to the one that it began with."""

    def __init__(self, first: Generation) -> None:
        self._current = first
        self._ending: set[asyncio.Task[None]] = set()
        self._older: set[Generation] = set()
        self._closed = False

    @property
    def services(self) -> Services:
        """Those that the next call gets."""
        return self._current.services

    def enter(self) -> Generation:
        """What serves a call that begins now; :meth:`leave` ends it."""
        self._current.under_way += 1
        return self._current

    def leave(self, generation: Generation) -> None:
        """A call is over. The last one of an older generation takes that with it."""
        generation.under_way -= 1
        if generation in self._older and not generation.under_way:
            self._end(generation)

    def follow(self, newest: Generation) -> None:
        """From here on calls begin with the newest one."""
        older, self._current = self._current, newest
        self._older.add(older)
        if not older.under_way:
            self._end(older)

    async def aclose(self) -> None:
        """Give everything back; calls that are under way break off."""
        self._closed = True
        for generation in (*self._older, self._current):
            self._end(generation)
        await asyncio.gather(*self._ending)

    def _end(self, generation: Generation) -> None:
        self._older.discard(generation)
        task = asyncio.ensure_future(generation.close())
        self._ending.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._ending.discard(task)
        if not self._closed:
            # Its parts hold on to each other, and its TLS contexts weigh more than the collector knows.
            gc.collect()
