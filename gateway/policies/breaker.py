"""Leaving an interface alone that keeps failing: an open circuit ends calls before they take a unit.

What counts as a failure is that no sensible answer came: not what the upstream refuses (4xx, its 429, its rules,
the gateway's credential), which is an answer, and not what the gateway refuses, which says nothing of the upstream.
Nor does a caller who gave the upstream little time. Of a scan it shows while that is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing

from contracts.call import Call
from contracts.errors import (
    DeadlineExceeded,
    GatewayError,
    Outcome,
    OutcomeUnknown,
    QuotaExceeded,
    UpstreamInvalidResponse,
    UpstreamUnavailable,
)
from contracts.results import BatchDone, ImportDone, ReadingsTaken, Result, Scan
from gateway.clock import Clock
from gateway.completion.scans import Pieces
from gateway.policies import Handler
from gateway.policies.circuit import Circuit, Verdict

_FAILURES = (UpstreamUnavailable, UpstreamInvalidResponse, OutcomeUnknown)


class Breaker:
    """Lets calls through a circuit, and tells it how they went. Raises CircuitOpen."""

    def __init__(self, circuit: Circuit, clock: Clock, slow: float) -> None:
        """A call that is late says something of the upstream when that had ``slow`` seconds."""
        self._circuit = circuit
        self._clock = clock
        self._slow = slow

    async def __call__(self, call: Call, proceed: Handler) -> Result:
        trial = await self._circuit.enter(call)
        patience = _Patience(call, self._clock, self._slow)
        try:
            result = await proceed(call)
        except BaseException as error:
            await self._circuit.leave(trial, of_error(error, late=patience.over()))
            raise
        if isinstance(result, Scan):
            return Scan(pieces=self._pieces(result, trial, patience))
        await self._circuit.leave(trial, of_result(result, late=patience.over()))
        return result

    async def _pieces(self, scan: Scan, trial: str | None, patience: _Patience) -> Pieces:
        verdict = Verdict.SILENT
        try:
            async with aclosing(scan.pieces) as pieces:
                async for piece in pieces:
                    verdict = Verdict.ANSWERED
                    yield piece
            verdict = Verdict.ANSWERED
        except GatewayError as error:
            # Once records come, it may be their reader who is slow.
            late = verdict is not Verdict.ANSWERED and patience.over()
            verdict = of_error(error, late=late)
            raise
        finally:
            await self._circuit.leave(trial, verdict)


class _Patience:
    """How long the upstream has had since now for what it is asked: what the call waits at the gate is not its time."""

    def __init__(self, call: Call, clock: Clock, slow: float) -> None:
        self._journal = call.journal
        self._clock = clock
        self._end = clock.monotonic() + slow - call.journal.queue_seconds

    def over(self) -> bool:
        """Whether that is ``slow`` seconds by now."""
        return self._clock.monotonic() >= self._end + self._journal.queue_seconds


def of_error(error: BaseException, *, late: bool) -> Verdict:
    """What it says of the interface that a call ended in ``error``.

    ``late`` says that the upstream had time enough: a deadline that came while it was asked is its failure then.
    """
    if not isinstance(error, GatewayError):
        return Verdict.SILENT
    if isinstance(error, DeadlineExceeded):
        return Verdict.FAILED if late and error.outcome is Outcome.UNKNOWN else Verdict.SILENT
    said = error.upstream
    if isinstance(error, _FAILURES) and (said is None or said.status not in range(400, 500)):
        return Verdict.FAILED
    answered = error.outcome is Outcome.REFUSED and not isinstance(error, QuotaExceeded)
    return Verdict.ANSWERED if answered or said is not None else Verdict.SILENT


def of_result(result: Result, *, late: bool) -> Verdict:
    """What a result says of the interface: of one with many parts, the last part that was sent."""
    for error in reversed(_parts(result)):
        if error is None or error.outcome is not Outcome.NOT_SENT:
            return Verdict.ANSWERED if error is None else of_error(error, late=late)
    return Verdict.SILENT


def _parts(result: Result) -> Sequence[GatewayError | None]:
    """The error of each part, None for one that went well."""
    match result:
        case BatchDone():
            told = (done.result for done in result.results)
            return [item if isinstance(item, GatewayError) else None for item in told]
        case ImportDone() | ReadingsTaken():
            return [part.error for part in result.results]
    return [None]
