"""What the answers of every protocol have in common: texts to be cleaned."""

from __future__ import annotations

import re

_LONGEST_MESSAGE = 500
_MOST_READ = 4_000
"""The most characters of a message that are looked at."""

_STACK = re.compile(r"\sat [\w.<>`+]++\(|\bStack ?trace\b", re.IGNORECASE)
_ADDRESS = re.compile(r"\b\w++://\S+|(?<![\w-])[\w-]++(?:\.[\w-]++)*\.ultimo\.(?:net|com)\b", re.IGNORECASE)
_MARKUP = re.compile(r"<[^>]*>")


def clean(message: str) -> str:
    """A message fit for a caller: no stack trace, markup or address, on one line, at most 500 characters."""
    text = _STACK.split(message[:_MOST_READ], maxsplit=1)[0]
    text = _ADDRESS.sub("…", _MARKUP.sub(" ", text))
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_MESSAGE else text[: _LONGEST_MESSAGE - 1] + "…"
