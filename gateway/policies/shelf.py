"""Answers in this process's memory: at most so many records, and those go first that were not asked for the longest."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Mapping

import msgspec

from contracts.results import Found, Page


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """An answer: when it was asked for (``asked``, on the gateway's monotonic clock), and the ``units`` that it cost.

    ``entities`` are those that show in it, ``count`` is how many writes were over when it was asked for, ``size`` how
    many records it holds. It is handed to many: nobody changes what is in it.
    """

    result: Found | Page
    asked: float
    units: int
    entities: frozenset[str]
    count: int
    size: int


class Shelf:
    """``room`` is how many records are kept."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._taken = 0
        self._kept: OrderedDict[Hashable, Kept] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._kept)

    def find(self, key: Hashable) -> Kept | None:
        """What is kept under the key, which counts as asked for."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def keep(self, key: Hashable, kept: Kept) -> bool:
        """Put it in the place of what was there; False for one that there is no room for at all."""
        self.drop(key)
        if kept.size > self._room:
            return False
        self._kept[key] = kept
        self._taken += kept.size
        while self._taken > self._room:
            _, dropped = self._kept.popitem(last=False)
            self._taken -= dropped.size
        return True

    def drop(self, key: Hashable) -> None:
        """Keep it no longer."""
        dropped = self._kept.pop(key, None)
        if dropped is not None:
            self._taken -= dropped.size


def size(result: Found | Page, *, expanded: bool) -> int:
    """How many records an answer holds, at least one; those within others are looked for when it is ``expanded``."""
    held = result.items if isinstance(result, Page) else [result.record]
    return max(1, _objects(held) if expanded else len(held))


def _objects(value: object) -> int:
    match value:
        case Mapping():
            return 1 + sum(map(_objects, value.values()))
        case msgspec.Struct():
            return 1 + sum(_objects(getattr(value, name)) for name in value.__struct_fields__)
        case list():
            return sum(map(_objects, value))
    return 0
