"""Long work beside the event loop: the one thing that adapters need a thread for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


async def beside(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """What ``work`` gives, done in a thread, so that other calls go on. ``work`` does no I/O."""
    return await asyncio.to_thread(work, *args, **kwargs)
