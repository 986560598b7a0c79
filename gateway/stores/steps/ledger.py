"""Who burns the quota: the steps of the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import msgspec

from gateway.stores.ports import LedgerEntry
from gateway.stores.steps.rows import HOUR, Rows

KEPT_DAYS = 400
"""How many days the ledger goes back."""


def add(rows: Rows, now: int, entry_id: str, entries: Sequence[LedgerEntry]) -> None:
    """As in the port; an entry's id is remembered for an hour."""
    if not rows.enter(entry_id, now, now + HOUR):
        return
    for entry in entries:
        rows.add(msgspec.structs.replace(entry, units=0))
    # By the days' own calendar: the store's clock may have been set wrong.
    for environment, newest in {entry.environment: entry.day for entry in sorted(entries, key=_day)}.items():
        oldest = date.fromisoformat(newest) - timedelta(days=KEPT_DAYS)
        rows.forget_days(environment, oldest.isoformat())


def usage(rows: Rows, now: int, environment: str, first_day: str, last_day: str) -> tuple[LedgerEntry, ...]:
    """As in the port; sums of nothing are left out."""
    return rows.usage(environment, first_day, last_day)


def _day(entry: LedgerEntry) -> str:
    return entry.day
