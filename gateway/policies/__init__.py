"""What decides whether, when and how often a call reaches the upstream: one policy a file."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from contracts.call import Call
from contracts.results import Result

Handler = Callable[[Call], Awaitable[Result]]
"""Takes a call to its result, or raises a :class:`~contracts.errors.GatewayError`."""


class Policy(Protocol):
    """Decides whether, when and with what others a call goes on to ``proceed``."""

    async def __call__(self, call: Call, proceed: Handler) -> Result: ...
