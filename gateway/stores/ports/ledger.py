"""Who burns the quota: sums per day and dimension."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec


class LedgerEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What was done and spent, summed per day and dimension; ``day`` is the label of the environment's day.

    ``units`` are counted by :meth:`QuotaStore.reserve` and left out of what is added.
    """

    day: str
    environment: str
    tenant: str
    client: str
    operation: str
    adapter: str
    calls: int = 0
    units: int = 0
    records: int = 0
    saved: int = 0
    refusals: int = 0
    waits: int = 0


class LedgerStore(Protocol):
    """Who burns the quota."""

    async def add(self, entry_id: str, entries: Sequence[LedgerEntry]) -> None:
        """Add the entries' figures to their days' sums, all of them once per ``entry_id``."""
        ...

    async def usage(self, environment: str, first_day: str, last_day: str) -> tuple[LedgerEntry, ...]:
        """The sums of a stretch of days, both included."""
        ...
