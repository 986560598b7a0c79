"""A value that must not be seen: it goes where it is needed and is printed nowhere."""

from __future__ import annotations

import hmac
from typing import NoReturn


class Secret:
    """Holds a text that ``repr``, ``str``, formatting, msgspec and pickle do not give away.

    Two secrets compare in a time that does not tell how much of them is alike.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The text itself; for the one place that sends or verifies it."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    # A hash would be a way to compare; dictionaries of secrets have no use here.
    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not written anywhere")
