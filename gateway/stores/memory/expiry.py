"""Rows that are forgotten when their time is over."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Generic, TypeVar

R = TypeVar("R")


class Expiring(Generic[R]):
    """A table by name; a row that is kept again with another moment is forgotten at that one."""

    def __init__(self) -> None:
        self._rows: dict[str, tuple[int, R]] = {}
        self._queue: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, name: str) -> R | None:
        """The row, if it is there; one whose time is over may still be."""
        found = self._rows.get(name)
        return found[1] if found else None

    def keep(self, name: str, row: R, forget_at: int) -> None:
        """Keep the row until ``forget_at``."""
        before = self._rows.get(name)
        self._rows[name] = (forget_at, row)
        if before is None or forget_at < before[0]:
            heappush(self._queue, (forget_at, name))

    def drop(self, name: str) -> None:
        """Forget the row now, if it is there."""
        self._rows.pop(name, None)

    def sweep(self, now: int, most: int) -> None:
        """Forget the rows whose time is over, looking at ``most`` at a time."""
        for _ in range(most):
            if not self._queue or self._queue[0][0] > now:
                return
            _, name = heappop(self._queue)
            found = self._rows.get(name)
            if found is None:
                continue
            if found[0] > now:
                heappush(self._queue, (found[0], name))
            else:
                del self._rows[name]
