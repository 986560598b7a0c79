"""The slots of one log in memory, in the order in which they come free."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort


class Log:
    """Counting is a search in a sorted list, so a log of ten thousand slots costs little more than one of ten."""

    def __init__(self) -> None:
        self._order: list[tuple[int, str]] = []
        self._free_at: dict[str, int] = {}

    def taken(self, now: int) -> int:
        """How many slots come free later than ``now``."""
        return len(self._order) - self._over(now)

    def comes_free(self, nth: int, now: int) -> int:
        """When the nth of the taken slots comes free, counted from 1."""
        return self._order[self._over(now) + nth - 1][0]

    def take(self, reservation: str, free_at: int, now: int) -> None:
        """Take a slot, or let the one it has come free at another moment; those that are free are dropped."""
        self.give_back(reservation)
        over = self._over(now)
        for _, gone in self._order[:over]:
            del self._free_at[gone]
        del self._order[:over]
        insort(self._order, (free_at, reservation))
        self._free_at[reservation] = free_at

    def give_back(self, reservation: str) -> None:
        """Drop its slot, if it has one."""
        free_at = self._free_at.pop(reservation, None)
        if free_at is not None:
            del self._order[bisect_left(self._order, (free_at, reservation))]

    def _over(self, now: int) -> int:
        return bisect_right(self._order, now, key=lambda slot: slot[0])
