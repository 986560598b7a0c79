"""Writes in a row, of which one fails: what that says of the ones after it."""

from __future__ import annotations

from contracts.errors import (
    DeadlineExceeded,
    GatewayError,
    NotServed,
    Outcome,
    QuotaExceeded,
    UpstreamAuthFailed,
    UpstreamFailure,
    UpstreamUnavailable,
)

ENDS_THE_SERIES = (UpstreamFailure, NotServed, QuotaExceeded)
"""What a write can end in that says nothing of its record: the ones after it would end in it too."""

_KEPT = (QuotaExceeded, DeadlineExceeded, UpstreamAuthFailed)


def not_sent(error: GatewayError, series: str) -> GatewayError:
    """What the writes end in that were not sent after one had ended the ``series`` (its name, for a sentence)."""
    kind = type(error) if isinstance(error, _KEPT) else UpstreamUnavailable
    return kind(
        f"not sent, since an earlier part of the {series} failed as a whole: {error.detail}",
        outcome=Outcome.NOT_SENT,
        retry_after=error.retry_after,
    )
