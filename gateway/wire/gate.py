"""What stands before the way out: it says when a request may leave, and is told what became of it."""

from __future__ import annotations

from typing import Protocol

from contracts.call import Call


class Passage(Protocol):
    """Leave for one request to go out."""

    def check(self) -> None:
        """Called right before the first byte leaves. Raises Lapsed when the passage has not been used for too long."""
        ...

    def leave(self, *, departed: bool, status: int | None, retry_after: float | None) -> None:
        """The request is over; once. ``status`` is None when no answer came, ``retry_after`` is in seconds."""
        ...


class Gate(Protocol):
    """Lets the requests of one tenant through to one interface."""

    @property
    def counts(self) -> bool:
        """Whether requests to this interface count in the upstream's quota."""
        ...

    async def enter(self, call: Call) -> Passage:
        """Wait until a request of this call may leave, at most until its deadline.

        Raises QuotaExceeded for a window that stays full longer, Overloaded when too many wait already,
        StoreUnavailable where nothing may leave without the store, and DeadlineExceeded; all of them before
        anything was sent. What it waited is noted in the call's journal.
        """
        ...


class Lapsed(Exception):
    """The passage is no longer ours: the process stood still for longer than its lease."""
