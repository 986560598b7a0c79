"""How long an upstream asks to be left alone: the field ``Retry-After`` (RFC 9110 §10.2.3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

_LONGEST = 86_400.0


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, from either form; names of ``headers`` are in lower case. None when absent, or more than a day.

    The upstream's longest window is a day: what asks for more is no advice. A date is taken relative
    to the answer's own ``Date``: two clocks need not agree.
    """
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        seconds = float(value)
    else:
        try:
            until = parsedate_to_datetime(value)
            answered = parsedate_to_datetime(headers.get("date", ""))
        except (ValueError, OverflowError):
            return None
        wait = until.replace(tzinfo=until.tzinfo or UTC) - answered.replace(tzinfo=answered.tzinfo or UTC)
        seconds = max(0.0, wait.total_seconds())
    return seconds if seconds <= _LONGEST else None
