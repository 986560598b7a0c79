"""What outlives a change of the configuration: circuits that are open, answers that are kept."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

V = TypeVar("V")


class Carried(Generic[V]):
    """Things that are made once for the same circumstances.

    Each configuration has its own, made from that of the one before; what it does not ask for is forgotten with that.
    """

    def __init__(self, before: Carried[V] | None = None) -> None:
        self._before = {} if before is None else before._made
        self._made: dict[Hashable, tuple[object, V]] = {}

    def of(self, name: Hashable, circumstances: object, make: Callable[[], V]) -> V:
        """The one of this name: the former one when its circumstances were equal, else what ``make`` gives."""
        made = self._made.get(name) or self._before.get(name)
        if made is None or made[0] != circumstances:
            made = (circumstances, make())
        self._made[name] = made
        return made[1]
