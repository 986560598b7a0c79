"""The caller's deadline, for the whole call: whatever the inner policies wait for, it ends in time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from contracts.call import Call
from contracts.errors import DeadlineExceeded, Outcome
from contracts.operations import Result
from gateway.clock import Clock

if TYPE_CHECKING:
    from gateway.pipeline import Handler


class Deadline:
    """Ends a call at its deadline with :class:`DeadlineExceeded`.

    The outcome is ``not_sent`` while nothing has left, ``unknown`` for a write of which something
    has, and ``not_sent`` again for a read: it changed nothing.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def __call__(self, call: Call, proceed: Handler) -> Result:
        remaining = call.deadline - self._clock.monotonic()
        if remaining <= 0:
            raise DeadlineExceeded("the deadline had passed before anything was sent")
        try:
            async with asyncio.timeout(remaining):
                return await proceed(call)
        except TimeoutError as error:
            sent = call.journal.units > 0 and not call.operation.safe
            raise DeadlineExceeded(
                "the deadline passed while the upstream was being waited for"
                if call.journal.units
                else "the deadline passed before anything was sent",
                outcome=Outcome.UNKNOWN if sent else Outcome.NOT_SENT,
                retryable=not sent,
            ) from error
