"""Whether there is still somebody to answer: work is given up when its caller has gone, or its time is over.

Most calls are over before it is worth looking: the connection is watched from a quarter of a second on.
"""

from __future__ import annotations

import asyncio
from types import TracebackType

from contracts.errors import DeadlineExceeded, Outcome
from gateway.http.exchange import Disconnected, Exchange

PATIENCE = 0.25
"""Seconds until the connection is watched."""

LATE = 0.05
"""Seconds past the deadline after which work is given up that should have ended by itself."""


class Presence:
    """A context for the work of one exchange, in the task that does it.

    When the caller goes away, ``journal.left`` is set and the work is cancelled: :class:`Disconnected` is raised. Work
    that must come to its end (:attr:`Exchange.binding`) goes on, and sends nothing more. ``bounded`` work that goes on
    past its deadline is cancelled too: DeadlineExceeded is raised.
    """

    def __init__(self, exchange: Exchange, *, bounded: bool = True) -> None:
        self._exchange = exchange
        self._bounded = bounded
        self._over = False
        self._given_up: type[Exception] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._looking: asyncio.TimerHandle | None = None
        self._hurrying: asyncio.TimerHandle | None = None

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("only the work of a task can be given up")
        self._task, self._loop = task, asyncio.get_running_loop()
        self._cancelling = task.cancelling()
        # One timer for both: most work is over before it fires.
        first = min(PATIENCE, self._remaining()) if self._bounded else PATIENCE
        self._looking = self._loop.call_later(first, self._look)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over = True
        for pending in (self._looking, self._hurrying, self._watch):
            if pending is not None:
                pending.cancel()
        if self._given_up is None:
            return
        others = self._task.uncancel() > self._cancelling
        if kind is asyncio.CancelledError and not others:
            raise Disconnected if self._given_up is Disconnected else self._late()

    def _look(self) -> None:
        """Watch the connection as soon as nothing else reads from it, and the time."""
        if self._bounded and self._hurrying is None:
            self._hurry()
        if not self._exchange.body_read:
            self._looking = self._loop.call_later(PATIENCE, self._look)
            return
        self._watch = self._loop.create_task(self._exchange.disconnected())
        self._watch.add_done_callback(self._gone)

    def _gone(self, watch: asyncio.Task[None]) -> None:
        if watch.cancelled() or watch.exception() is not None:
            return
        self._exchange.journal.left = True
        if not self._exchange.binding:
            self._give_up(Disconnected)

    def _hurry(self) -> None:
        remaining = self._remaining()
        if remaining > 0:
            self._hurrying = self._loop.call_later(remaining, self._hurry)
        else:
            self._give_up(DeadlineExceeded)

    def _give_up(self, reason: type[Exception]) -> None:
        if not self._over and self._given_up is None:
            self._given_up = reason
            self._task.cancel()

    def _remaining(self) -> float:
        """Seconds until the work is given up; its deadline may have moved since it was last asked."""
        return self._exchange.deadline - self._exchange.services.clock.monotonic() + LATE

    def _late(self) -> DeadlineExceeded:
        if self._exchange.reads and self._exchange.journal.requests:
            return DeadlineExceeded("the deadline passed while it was read", outcome=Outcome.UNKNOWN)
        if not self._exchange.departed:
            return DeadlineExceeded("the deadline passed before anything was sent that changes something")
        return DeadlineExceeded(
            "the deadline passed before the call was over, and a write of it had been sent",
            outcome=Outcome.UNKNOWN,
        )
