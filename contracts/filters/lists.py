"""The comma lists of ``orderby``, ``select`` and ``expand``: text to tuples and back.

Source: vendor page "Query options".
"""

from __future__ import annotations

import re

import msgspec

from contracts.errors import Fault, InvalidRequest
from contracts.filters.tokens import PATH
from contracts.filters.tree import PropertyPath

MAX_LENGTH = 8192
"""The most characters of a list."""

_WORD = re.compile(r"\S+")


class _Item(msgspec.Struct, frozen=True):
    """What stands between two commas: its words with their positions, and where it begins."""

    words: tuple[tuple[str, int], ...]
    start: int


def parse_orderby(text: str) -> tuple[tuple[PropertyPath, bool], ...]:
    """Property paths, each with whether it is descending: ``Description desc,Id``.

    Raises :class:`~contracts.errors.InvalidRequest` with the position.
    """
    terms = []
    for item in _items(text, "orderby", most_words=2):
        direction, position = item.words[1] if len(item.words) > 1 else ("asc", 0)
        if direction.lower() not in ("asc", "desc"):
            raise _fault("orderby", position, f"{direction!r} is no direction", "asc, desc or ','")
        terms.append((_path(item, "orderby"), direction.lower() == "desc"))
    return tuple(terms)


def print_orderby(terms: tuple[tuple[PropertyPath, bool], ...]) -> str:
    """The canonical text, not percent-encoded."""
    return ",".join("/".join(path) + (" desc" if descending else "") for path, descending in terms)


def parse_properties(text: str, parameter: str) -> tuple[PropertyPath, ...]:
    """The property paths of a ``select`` or ``expand``; ``parameter`` says which of the two.

    Raises :class:`~contracts.errors.InvalidRequest` with the position.
    """
    return tuple(_path(item, parameter) for item in _items(text, parameter, most_words=1))


def print_properties(paths: tuple[PropertyPath, ...]) -> str:
    """The canonical text, not percent-encoded."""
    return ",".join(map("/".join, paths))


def _items(text: str, parameter: str, most_words: int) -> list[_Item]:
    if len(text) > MAX_LENGTH:
        raise _fault(
            parameter, MAX_LENGTH, f"it has {len(text)} characters", f"at most {MAX_LENGTH} characters"
        )
    items, start = [], 0
    for piece in text.split(","):
        words = tuple((word[0], start + word.start()) for word in _WORD.finditer(piece))
        if len(words) > most_words:
            stray, position = words[most_words]
            raise _fault(parameter, position, f"{stray!r} does not fit here", "',' or the end")
        items.append(_Item(words, start))
        start += len(piece) + 1
    return items


def _path(item: _Item, parameter: str) -> PropertyPath:
    text, position = item.words[0] if item.words else ("", item.start)
    if not PATH.fullmatch(text):
        reason = f"{text!r} is no property" if text else "a name is missing"
        raise _fault(parameter, position, reason, "a property name, such as Description or Vendor/Name")
    return tuple(text.split("/"))


def _fault(parameter: str, position: int, reason: str, expected: str) -> InvalidRequest:
    return InvalidRequest(
        f"{parameter}, at position {position}: {reason}; expected {expected}",
        faults=(Fault(parameter, f"position {position}: expected {expected}"),),
    )
