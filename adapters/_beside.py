"""Long work and the event loop, on which other calls wait meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


async def beside(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """What ``work`` gives, done in a thread, so that other calls go on. ``work`` does no I/O."""
    return await asyncio.to_thread(work, *args, **kwargs)


async def turn() -> None:
    """Let other calls go on, between two stretches of work that is long only as a whole.

    Better than a thread for work that holds the interpreter's lock: the loop would wait for the lock each time.
    """
    await asyncio.sleep(0)
