"""The caller's deadline: a call that is late before it begins does not begin.

Whatever a call waits for further in (a slot, a connection, an answer) bounds that wait by the same
deadline, and can so say what it was waiting for and whether anything had been sent.
"""

from __future__ import annotations

from contracts.call import Call
from contracts.errors import DeadlineExceeded
from contracts.operations import Result
from gateway.clock import Clock
from gateway.policies import Handler


class Deadline:
    """Raises :class:`DeadlineExceeded`, outcome ``not_sent``, for a call whose deadline has passed."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def __call__(self, call: Call, proceed: Handler) -> Result:
        if self._clock.monotonic() >= call.deadline:
            raise DeadlineExceeded("the deadline had passed before anything was sent")
        return await proceed(call)
