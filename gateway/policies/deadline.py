"""The caller's deadline: a call that is late before it begins does not begin.

Whatever a call waits for further in (a slot, a connection, an answer) bounds that wait by the same
deadline, and can so say what it was waiting for and whether anything had been sent.
"""

from __future__ import annotations

from contracts.call import Call, Journal
from contracts.errors import DeadlineExceeded, Outcome
from contracts.results import Result
from gateway.clock import Clock
from gateway.policies import Handler


class Deadline:
    """Raises :class:`DeadlineExceeded` for a call whose deadline has passed."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def __call__(self, call: Call, proceed: Handler) -> Result:
        if self._clock.monotonic() >= call.deadline:
            raise _late(call)
        return await proceed(call)


def reader_behind(journal: Journal) -> DeadlineExceeded:
    """For a stream whose reader did not take it in time."""
    outcome = Outcome.UNKNOWN if journal.requests else Outcome.NOT_SENT
    return DeadlineExceeded("the caller did not take the stream in time", outcome=outcome)


def _late(call: Call) -> DeadlineExceeded:
    """Of a call of several requests, earlier ones have been sent: what is late has not."""
    if not call.journal.requests:
        return DeadlineExceeded("the deadline had passed before anything was sent")
    if not call.operation.safe:
        return DeadlineExceeded(
            "the deadline passed before this write, after other requests of the call; it was not sent"
        )
    return DeadlineExceeded(
        "the deadline passed after a part of what the call had to read", outcome=Outcome.UNKNOWN
    )
