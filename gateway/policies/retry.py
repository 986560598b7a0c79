"""Repeating what failed, by what is known of its outcome and never by the status alone.

    not sent    it may always be repeated
    refused     the upstream's own 429, after which nothing was done, and a failure of what changes nothing
    unknown     what leaves the same when it is done twice, and whose error says that it may be repeated

The gateway's own refusals are final: what they stand for does not pass within a call. Between two attempts is
a pause with full jitter, at least as long as the upstream asked for. A scan begins with its first piece: until
then nothing of it was handed on, and it is repeated like any other read; once begun, it is not.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing

import msgspec

from contracts.call import Call
from contracts.errors import GatewayError, Outcome, QuotaExceeded, RecordNotFound, UpstreamFailure
from contracts.operations import DeleteRecord, Operation, RunAction, WriteBatch
from contracts.results import BatchDone, Deleted, MemberDone, Result, Scan
from gateway.clock import Clock
from gateway.completion.scans import Pieces
from gateway.policies import Handler
from gateway.policies.budget import RetryBudget
from gateway.settings import RetrySettings
from gateway.telemetry.events import Events

_MOST_DOUBLINGS = 64
"""More than any pause below its cap can take, and less than a float cannot hold."""


class Pauses(msgspec.Struct, frozen=True):
    """How often a call is tried in all, and how long the pauses between are, in seconds."""

    attempts: int
    base: float
    throttled_base: float
    cap: float

    @classmethod
    def of(cls, settings: RetrySettings, kind: str) -> Pauses:
        """Those of one kind of operation."""
        own = settings.operations.get(kind)
        if own is None:
            return cls(settings.attempts, settings.base, settings.throttled_base, settings.cap)
        return cls(
            own.attempts or settings.attempts,
            own.base or settings.base,
            own.throttled_base or settings.throttled_base,
            own.cap or settings.cap,
        )

    def after(self, attempt: int, error: GatewayError, random: float) -> float:
        """The pause after the attempt of this number failed, counted from 1; ``random`` is from 0 to 1."""
        base = self.throttled_base if isinstance(error, QuotaExceeded) else self.base
        longest = min(self.cap, base * 2.0 ** min(attempt - 1, _MOST_DOUBLINGS))
        return max(random * longest, error.retry_after or 0.0)


class Retry:
    """Repeats the calls of one tenant to one adapter."""

    def __init__(
        self,
        settings: RetrySettings,
        budget: RetryBudget,
        *,
        environment: str,
        adapter: str,
        clock: Clock,
        events: Events,
        random: Callable[[], float],
    ) -> None:
        """``random`` gives numbers from 0 to 1."""
        self._settings = settings
        self._budget = budget
        self._environment = environment
        self._adapter = adapter
        self._clock = clock
        self._events = events
        self._random = random

    async def __call__(self, call: Call, proceed: Handler) -> Result:
        """Raises the error of the last attempt; of a write its outcome is unknown when that of one attempt is."""
        self._budget.earn()
        made = _Attempts()
        result = await self._tried(call, proceed, made)
        return Scan(pieces=self._pieces(call, proceed, made, result)) if isinstance(result, Scan) else result

    async def _tried(self, call: Call, proceed: Handler, made: _Attempts) -> Result:
        while True:
            made.number += 1
            call.journal.attempts += 1
            try:
                result = await proceed(_numbered(call, made.number))
            except GatewayError as error:
                if (made.doubtful or call.doubtful) and _gone(call.operation, error):
                    return Deleted()
                await self._before_next(call, made, error)
            else:
                return _deleted(call.operation, result) if made.doubtful or call.doubtful else result

    async def _pieces(self, call: Call, proceed: Handler, made: _Attempts, scan: Result) -> Pieces:
        while isinstance(scan, Scan):
            begun = False
            try:
                async with aclosing(scan.pieces) as pieces:
                    async for piece in pieces:
                        begun = True
                        yield piece
                return
            except GatewayError as error:
                if begun:
                    raise
                await self._before_next(call, made, error)
            scan = await self._tried(call, proceed, made)

    async def _before_next(self, call: Call, made: _Attempts, error: GatewayError) -> None:
        """Pause before the next attempt; raises ``error`` when there is to be none."""
        pauses = Pauses.of(self._settings, call.operation.kind)
        if made.number >= pauses.attempts or call.journal.left or not repeatable(call.operation, error):
            raise made.final(error)
        pause = pauses.after(made.number, error, self._random())
        lacking = self._lacking(call, pause)
        if lacking is not None:
            self._events.not_retried(
                call, environment=self._environment, adapter=self._adapter, reason=lacking
            )
            raise made.final(error)
        self._events.retrying(
            call,
            environment=self._environment,
            adapter=self._adapter,
            attempt=made.number,
            pause=pause,
            error=error,
        )
        await self._clock.sleep(pause)
        if call.journal.left:
            raise made.final(error)
        made.note(error.outcome)

    def _lacking(self, call: Call, pause: float) -> str | None:
        """What there is too little of for an attempt after that pause; else takes it out of the budget."""
        if self._clock.monotonic() + pause >= call.deadline:
            return "time"
        return None if self._budget.spend() else "budget"


def _numbered(call: Call, attempt: int) -> Call:
    return call if attempt == 1 else msgspec.structs.replace(call, attempt=attempt)


_FURTHER = (Outcome.NOT_SENT, Outcome.REFUSED, Outcome.UNKNOWN)


class _Attempts(msgspec.Struct):
    """How many a call has made, and the furthest that one of those before has come."""

    number: int = 0
    furthest: Outcome = Outcome.NOT_SENT

    @property
    def doubtful(self) -> bool:
        """Whether one of them may have been carried out."""
        return self.furthest is Outcome.UNKNOWN

    def note(self, outcome: Outcome) -> None:
        """One has ended so, and another follows."""
        self.furthest = max(self.furthest, outcome, key=_FURTHER.index)

    def final(self, error: GatewayError) -> GatewayError:
        """The error that the call ends in: that the last attempt did nothing does not say it of the others."""
        if error.outcome is Outcome.NOT_SENT or isinstance(error, QuotaExceeded):
            error.outcome = max(self.furthest, error.outcome, key=_FURTHER.index)
        return error


def _gone(operation: Operation, error: object) -> bool:
    """Whether it was to be deleted and is not there: after an attempt that may have done it, that is what was asked."""
    return isinstance(operation, DeleteRecord) and isinstance(error, RecordNotFound)


def _deleted(operation: Operation, result: Result) -> Result:
    """The same for the members of a batch."""
    if not isinstance(operation, WriteBatch) or not isinstance(result, BatchDone):
        return result
    return BatchDone(
        results=tuple(
            MemberDone(done.id, Deleted()) if _gone(member.write, done.result) else done
            for member, done in zip(operation.members, result.results, strict=True)
        )
    )


def repeatable(operation: Operation, error: GatewayError) -> bool:
    """Whether the operation may be sent once more after it ended in ``error``."""
    if isinstance(operation, RunAction) and operation.parts is not None:
        # They are read once, and how far they have been is not known.
        return False
    if isinstance(error, QuotaExceeded):
        return error.upstream is not None
    if not isinstance(error, UpstreamFailure) or not error.retryable:
        return False
    if error.outcome is Outcome.REFUSED:
        return operation.safe
    return error.outcome is Outcome.NOT_SENT or _doubles_nothing(operation)


def _doubles_nothing(operation: Operation) -> bool:
    """Whether doing it twice leaves what doing it once leaves, whatever its error says of itself."""
    if isinstance(operation, WriteBatch):
        return all(member.write.idempotent for member in operation.members)
    return operation.idempotent
