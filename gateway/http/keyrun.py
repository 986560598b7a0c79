"""One run of a call under its idempotency key, from the claim of the key to what is kept of it."""

from __future__ import annotations

import asyncio
from enum import Enum

from contracts.call import Journal, UpstreamSend
from contracts.errors import (
    DeadlineExceeded,
    GatewayError,
    IdempotencyInFlight,
    Outcome,
    OutcomeUnknown,
    StoreUnavailable,
    UpstreamFailure,
)
from contracts.operations import ChangeRecord, CreateRecord, Operation, ReplaceRecord, WriteBatch
from gateway.clock import Clock
from gateway.http.kept import Kept
from gateway.stores.ports import IdempotencyStore, StoreLost

RETRY_AFTER = 2.0
"""Seconds after which a store that was lost is worth another try."""


class Ending(Enum):
    """What becomes of the key when the call is over."""

    FORGOTTEN = "nothing was done: the key is free again"
    UNSETTLED = "something was sent, and what became of it is not known"
    SETTLED = "the answer is final"


class KeyRun:
    """``until`` is when the claim ends unless it is renewed, on the gateway's monotonic clock.

    ``lost`` says that the key has passed to another call. ``doubtful`` says that an earlier call with the key was sent
    and its outcome is not known; ``told`` is what that one was answered.
    """

    def __init__(
        self,
        store: IdempotencyStore,
        clock: Clock,
        key: str,
        fence: int,
        until: float,
        *,
        doubtful: bool = False,
        told: Kept | None = None,
    ) -> None:
        self.key = key
        self.fence = fence
        self.until = until
        self.lost = False
        self.doubtful = doubtful
        self.told = told
        self._store = store
        self._clock = clock
        self._sends_before: int | None = None

    def check(self, operation: Operation) -> None:
        """Raises :class:`OutcomeUnknown` for what an earlier call may have done, and doing it twice would double.

        A create goes on, as a doubtful one: what can be looked up of it is looked up before it is sent.
        """
        if self.doubtful and not _settled_by_repeating(operation):
            raise unknown_before()

    async def depart(self, journal: Journal, deadline: float) -> None:
        """Note, before a request of a write leaves, that what becomes of the call may not be known from here on.

        Raises IdempotencyInFlight when the key has passed to another, StoreUnavailable and DeadlineExceeded.
        """
        if self._sends_before is not None and not self.lost and self._clock.monotonic() < self.until:
            return
        try:
            async with asyncio.timeout(deadline - self._clock.monotonic()):
                held = not self.lost and await self._store.depart(self.key, self.fence)
        except StoreLost as error:
            raise StoreUnavailable(
                "the store of the idempotency keys cannot be reached; the write was not sent",
                retry_after=RETRY_AFTER,
            ) from error
        except TimeoutError as error:
            raise DeadlineExceeded("the deadline passed before the write was sent") from error
        if not held:
            raise IdempotencyInFlight(
                "the idempotency key has passed to another call; this write was not sent", retry_after=1
            )
        if self._sends_before is None:
            self._sends_before = len(journal.sends)

    def ending(self, failure: GatewayError | None, journal: Journal, *, departed: bool) -> Ending:
        """What becomes of the key. ``departed`` says that a request of a write was let go in this run."""
        if failure is None:
            return Ending.SETTLED if departed or self.doubtful else Ending.FORGOTTEN
        if not departed:
            return Ending.UNSETTLED if self.doubtful else Ending.FORGOTTEN
        if failure.outcome is Outcome.UNKNOWN:
            return Ending.UNSETTLED
        # A failing upstream, or one that refuses our credential, has said nothing of the request.
        final = not failure.retryable and not isinstance(failure, UpstreamFailure)
        if failure.outcome is Outcome.REFUSED and final:
            return Ending.SETTLED
        return Ending.UNSETTLED if self.doubtful or self._uncertain(failure, journal) else Ending.FORGOTTEN

    def _uncertain(self, failure: GatewayError, journal: Journal) -> bool:
        """Whether something before the last attempt, of which alone the failure speaks, may have been done."""
        sends = journal.sends[self._sends_before :]
        earlier = sends[:-1] if failure.outcome is Outcome.REFUSED else sends
        return any(map(_may_be_done, earlier))


def unknown_before() -> OutcomeUnknown:
    """For a repetition that neither has an answer to replay nor may be sent."""
    return OutcomeUnknown(
        "an earlier call with this idempotency key was sent and its outcome is not known; look whether it was "
        "carried out, and send it with another key if it was not"
    )


def _settled_by_repeating(operation: Operation) -> bool:
    """Whether it may be done again, or first looked up, when nobody knows whether it was done.

    In a batch a deletion that was done fails when it is repeated, and takes with it what depends on it.
    """
    if isinstance(operation, WriteBatch):
        return all(isinstance(member.write, ReplaceRecord | ChangeRecord) for member in operation.members)
    return operation.idempotent or isinstance(operation, CreateRecord)


def _may_be_done(send: UpstreamSend) -> bool:
    """Only a status of 4xx says that nothing was done."""
    return send.outcome == Outcome.UNKNOWN.value or (send.status or 400) // 100 != 4
