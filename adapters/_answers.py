"""What the answers of every protocol have in common: texts to be cleaned, and how long to wait."""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import parsedate_to_datetime

from contracts.wire import WireResponse

_LONGEST_MESSAGE = 500
_MOST_READ = 4_000
"""The most characters of a message that are looked at."""

_LONGEST_WAIT = 86_400.0
_STACK = re.compile(r"\sat [\w.<>`+]++\(|\bStack ?trace\b", re.IGNORECASE)
_ADDRESS = re.compile(r"\b\w++://\S+|(?<![\w-])[\w-]++(?:\.[\w-]++)*\.ultimo\.(?:net|com)\b", re.IGNORECASE)
_MARKUP = re.compile(r"<[^>]*>")


def clean(message: str) -> str:
    """A message fit for a caller: no stack trace, markup or address, on one line, at most 500 characters."""
    text = _STACK.split(message[:_MOST_READ], maxsplit=1)[0]
    text = _ADDRESS.sub("…", _MARKUP.sub(" ", text))
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_MESSAGE else text[: _LONGEST_MESSAGE - 1] + "…"


def retry_after(answer: WireResponse) -> float | None:
    """Seconds, from either form of the header (RFC 9110 §10.2.3); None when absent, or more than a day.

    The upstream's longest window is a day: what asks for more is no advice. A date is taken relative
    to the answer's own ``Date``: two clocks need not agree.
    """
    value = answer.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        seconds = float(value)
    else:
        try:
            until = parsedate_to_datetime(value)
            answered = parsedate_to_datetime(answer.headers.get("date", ""))
        except (ValueError, OverflowError):
            return None
        wait = until.replace(tzinfo=until.tzinfo or UTC) - answered.replace(tzinfo=answered.tzinfo or UTC)
        seconds = max(0.0, wait.total_seconds())
    return seconds if seconds <= _LONGEST_WAIT else None
