"""What becomes of an idempotency key, by how its call ended and what had left before."""

from __future__ import annotations

import pytest

from contracts.call import Journal, UpstreamSend
from contracts.errors import (
    GatewayError,
    Outcome,
    OutcomeUnknown,
    QuotaExceeded,
    RecordNotFound,
    UpstreamAuthFailed,
    UpstreamRejected,
    UpstreamUnavailable,
)
from gateway.clock import SystemClock
from gateway.http.keyrun import Ending, KeyRun
from gateway.stores.memory import MemoryStore
from gateway.stores.ports import Begun

FORGOTTEN, UNSETTLED, SETTLED = Ending.FORGOTTEN, Ending.UNSETTLED, Ending.SETTLED

Sent = tuple[int | None, Outcome | None]
READ: Sent = (200, None)
DONE: Sent = (200, None)
REFUSED: Sent = (429, None)
BROKEN: Sent = (503, None)
NOT_SENT: Sent = (None, Outcome.NOT_SENT)
LOST: Sent = (None, Outcome.UNKNOWN)


async def departed(*sends: Sent, doubtful: bool = False) -> tuple[KeyRun, Journal]:
    """A run that was let go after one read, and made these sends."""
    clock = SystemClock()
    store = MemoryStore(clock).idempotency
    begun = await store.begin("k", b"f", 10_000, 60_000)
    assert isinstance(begun, Begun)
    run = KeyRun(store, clock, "k", begun.fence, clock.monotonic() + 10, doubtful=doubtful)
    journal = Journal(sends=[_send(READ)])
    await run.depart(journal, clock.monotonic() + 10)
    journal.sends += map(_send, sends)
    return run, journal


def _send(sent: Sent) -> UpstreamSend:
    status, outcome = sent
    return UpstreamSend("POST", status, 0.1, "answered" if outcome is None else outcome.value)


@pytest.mark.parametrize(
    ("failure", "sends", "ending"),
    [
        (None, (DONE,), SETTLED),
        (UpstreamRejected("no"), (REFUSED,), SETTLED),
        (RecordNotFound("none", outcome=Outcome.REFUSED), (REFUSED,), SETTLED),
        (OutcomeUnknown("lost"), (LOST,), UNSETTLED),
        (UpstreamUnavailable("no connection"), (NOT_SENT,), FORGOTTEN),
        (QuotaExceeded("429"), (REFUSED,), FORGOTTEN),
        (QuotaExceeded("429"), (LOST, REFUSED), UNSETTLED),
        (QuotaExceeded("429"), (BROKEN, REFUSED), UNSETTLED),
        (UpstreamUnavailable("503", outcome=Outcome.REFUSED), (BROKEN,), FORGOTTEN),
        (UpstreamUnavailable("no connection"), (REFUSED, NOT_SENT), FORGOTTEN),
        # What is told of is a later request of the call: the one before it was carried out.
        (UpstreamUnavailable("no connection"), (DONE, NOT_SENT), UNSETTLED),
        (QuotaExceeded("full", outcome=Outcome.NOT_SENT), (DONE,), UNSETTLED),
        # The next credential may do.
        (UpstreamAuthFailed("401"), (REFUSED,), FORGOTTEN),
        (UpstreamAuthFailed("401"), (LOST, REFUSED), UNSETTLED),
    ],
)
async def test_a_key_is_free_again_only_if_nothing_was_done(
    failure: GatewayError | None, sends: tuple[Sent, ...], ending: Ending
) -> None:
    run, journal = await departed(*sends)
    assert run.ending(failure, journal, departed=True) is ending


@pytest.mark.parametrize(
    "failure", [UpstreamUnavailable("no connection"), QuotaExceeded("429"), UpstreamAuthFailed("401")]
)
async def test_what_was_in_doubt_stays_so_until_something_final_is_known(failure: GatewayError) -> None:
    run, journal = await departed(NOT_SENT, doubtful=True)
    for left in (True, False):
        assert run.ending(failure, journal, departed=left) is UNSETTLED
    assert run.ending(UpstreamRejected("no"), journal, departed=True) is SETTLED
    assert run.ending(None, journal, departed=False) is SETTLED


async def test_what_never_left_is_forgotten() -> None:
    run, journal = await departed()
    for failure in (None, UpstreamRejected("no"), UpstreamUnavailable("no connection")):
        assert run.ending(failure, journal, departed=False) is FORGOTTEN
