"""What is wrong with a configuration: every mistake with its place in the file, all of them at once."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """One mistake. ``path`` is such as ``tenants.plant-a.adapters``; ``line`` counts from 1, where known."""

    path: str
    message: str
    line: int | None = None

    def __str__(self) -> str:
        place = f"{self.path}: " if self.path else ""
        return f"{place}{self.message}" + (f" (line {self.line})" if self.line else "")


class ConfigurationError(Exception):
    """The configuration cannot be used; ``problems`` are all that were found, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line or 0))
        super().__init__("\n".join(map(str, self.problems)))


def suggestion(name: str, candidates: Iterable[str]) -> str:
    """``, did you mean 'x'?`` for the candidate that ``name`` resembles, else nothing."""
    close = get_close_matches(name, list(candidates), n=1)
    return f", did you mean '{close[0]}'?" if close else ""
