"""Who burns the quota: the steps of the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from gateway.stores.ports import LedgerEntry
from gateway.stores.steps.rows import DAY, HOUR, Rows

KEPT_DAYS = 400
"""How many days the ledger goes back."""


def add(rows: Rows, now: int, entry_id: str, entries: Sequence[LedgerEntry]) -> None:
    """As in the port; an entry's id is remembered for an hour."""
    if not rows.enter(entry_id, now, now + HOUR):
        return
    for entry in entries:
        rows.add(msgspec.structs.replace(entry, units=0))
    oldest = datetime.fromtimestamp((now - KEPT_DAYS * DAY) / 1000, UTC).date().isoformat()
    for environment in {entry.environment for entry in entries}:
        rows.forget_days(environment, oldest)


def usage(rows: Rows, now: int, environment: str, first_day: str, last_day: str) -> tuple[LedgerEntry, ...]:
    """As in the port; sums of nothing are left out."""
    return rows.usage(environment, first_day, last_day)
