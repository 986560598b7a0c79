"""The rows of a store, in memory."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from gateway.stores.memory.books import MemoryBooks
from gateway.stores.memory.expiry import Expiring
from gateway.stores.ports import Account, LedgerEntry
from gateway.stores.steps.rows import Circuit, KeyRow

SWEPT = 8
"""How many rows of each kind a step looks at for what is over: more than a step adds."""

Whose = tuple[str, str, str, str]
Figures = tuple[int, int, int, int, int, int]


class MemoryRows:
    """See :class:`~gateway.stores.steps.rows.Rows`."""

    def __init__(self) -> None:
        self._fences: Iterator[int] = itertools.count(1)
        self._environments: dict[str, MemoryBooks] = {}
        self._keys: Expiring[KeyRow] = Expiring()
        self._circuits: dict[str, Circuit] = {}
        self._entries: Expiring[int] = Expiring()
        self._ledger: dict[str, dict[str, dict[Whose, Figures]]] = {}

    def books(self, environment: str) -> MemoryBooks:
        found = self._environments.get(environment)
        if found is None:

            def charge(label: str, account: Account, units: int) -> None:
                self.add(_charged(environment, label, account, units))

            found = self._environments[environment] = MemoryBooks(charge)
        return found

    def fence(self) -> int:
        return next(self._fences)

    def key(self, key: str) -> KeyRow | None:
        return self._keys.get(key)

    def keep_key(self, key: str, row: KeyRow) -> None:
        self._keys.keep(key, row, row.forget_at)

    def drop_key(self, key: str) -> None:
        self._keys.drop(key)

    def circuit(self, circuit: str) -> Circuit | None:
        return self._circuits.get(circuit)

    def keep_circuit(self, circuit: str, row: Circuit) -> None:
        self._circuits[circuit] = row

    def drop_circuit(self, circuit: str) -> None:
        self._circuits.pop(circuit, None)

    def enter(self, entry: str, now: int, forget_at: int) -> bool:
        if (self._entries.get(entry) or 0) > now:
            return False
        self._entries.keep(entry, forget_at, forget_at)
        return True

    def add(self, entry: LedgerEntry) -> None:
        whose = (entry.tenant, entry.client, entry.operation, entry.adapter)
        sums = self._ledger.setdefault(entry.environment, {}).setdefault(entry.day, {})
        before = sums.get(whose, (0, 0, 0, 0, 0, 0))
        added = (entry.calls, entry.units, entry.records, entry.saved, entry.refusals, entry.waits)
        after = tuple(a + b for a, b in zip(before, added, strict=True))
        if any(after):
            sums[whose] = (after[0], after[1], after[2], after[3], after[4], after[5])
        else:
            sums.pop(whose, None)

    def usage(self, environment: str, first_day: str, last_day: str) -> tuple[LedgerEntry, ...]:
        days = self._ledger.get(environment, {})
        return tuple(
            _entry(environment, day, whose, days[day][whose])
            for day in sorted(days)
            if first_day <= day <= last_day
            for whose in sorted(days[day])
        )

    def forget_days(self, environment: str, before: str) -> None:
        days = self._ledger.get(environment, {})
        for day in [day for day in days if day < before]:
            del days[day]

    def sweep(self, now: int) -> None:
        for books in self._environments.values():
            books.reservations.sweep(now, SWEPT)
        self._keys.sweep(now, SWEPT)
        self._entries.sweep(now, SWEPT)


def _charged(environment: str, label: str, account: Account, units: int) -> LedgerEntry:
    return LedgerEntry(
        day=label,
        environment=environment,
        tenant=account.tenant,
        client=account.client,
        operation=account.operation,
        adapter=account.adapter,
        units=units,
    )


def _entry(environment: str, day: str, whose: Whose, figures: Figures) -> LedgerEntry:
    tenant, client, operation, adapter = whose
    calls, units, records, saved, refusals, waits = figures
    return LedgerEntry(
        day=day,
        environment=environment,
        tenant=tenant,
        client=client,
        operation=operation,
        adapter=adapter,
        calls=calls,
        units=units,
        records=records,
        saved=saved,
        refusals=refusals,
        waits=waits,
    )
