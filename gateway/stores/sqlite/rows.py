"""The rows of a store, in the tables of its file."""

from __future__ import annotations

import sqlite3

from msgspec import msgpack

from gateway.stores.ports import LedgerEntry
from gateway.stores.sqlite.books import SqliteBooks
from gateway.stores.steps.rows import Circuit, KeyRow

SWEPT = 200
"""How many rows of each kind a transaction deletes of what is over."""


class SqliteRows:
    """See :class:`~gateway.stores.steps.rows.Rows`; within a transaction of the caller."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._execute = connection.execute

    def books(self, environment: str) -> SqliteBooks:
        return SqliteBooks(self._connection, environment)

    def moment(self) -> int:
        """The last moment at which anything was changed."""
        return self._counter("moment")

    def keep_moment(self, now: int) -> None:
        """Note that it is ``now``."""
        self._execute("UPDATE counter SET value = max(value, ?) WHERE name = 'moment'", (now,))

    def fence(self) -> int:
        self._execute("UPDATE counter SET value = value + 1 WHERE name = 'fence'")
        return self._counter("fence")

    def key(self, key: str) -> KeyRow | None:
        found = self._execute("SELECT body FROM idempotency WHERE key = ?", (key,)).fetchone()
        return msgpack.decode(found[0], type=KeyRow) if found else None

    def keep_key(self, key: str, row: KeyRow) -> None:
        self._execute("REPLACE INTO idempotency VALUES (?, ?, ?)", (key, row.forget_at, msgpack.encode(row)))

    def drop_key(self, key: str) -> None:
        self._execute("DELETE FROM idempotency WHERE key = ?", (key,))

    def circuit(self, circuit: str) -> Circuit | None:
        found = self._execute("SELECT body FROM circuit WHERE name = ?", (circuit,)).fetchone()
        return msgpack.decode(found[0], type=Circuit) if found else None

    def keep_circuit(self, circuit: str, row: Circuit) -> None:
        self._execute("REPLACE INTO circuit VALUES (?, ?)", (circuit, msgpack.encode(row)))

    def drop_circuit(self, circuit: str) -> None:
        self._execute("DELETE FROM circuit WHERE name = ?", (circuit,))

    def enter(self, entry: str, now: int, forget_at: int) -> bool:
        done = self._execute(
            "INSERT INTO entry VALUES (?1, ?3) ON CONFLICT DO UPDATE SET forget_at = ?3 WHERE forget_at <= ?2",
            (entry, now, forget_at),
        )
        return done.rowcount == 1

    def add(self, entry: LedgerEntry) -> None:
        self._execute(
            "INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " calls = calls + excluded.calls, units = units + excluded.units,"
            " records = records + excluded.records, saved = saved + excluded.saved,"
            " refusals = refusals + excluded.refusals, waits = waits + excluded.waits",
            (
                entry.environment,
                entry.day,
                entry.tenant,
                entry.client,
                entry.operation,
                entry.adapter,
                entry.calls,
                entry.units,
                entry.records,
                entry.saved,
                entry.refusals,
                entry.waits,
            ),
        )

    def usage(self, environment: str, first_day: str, last_day: str) -> tuple[LedgerEntry, ...]:
        cursor = self._execute(
            "SELECT environment, day, tenant, client, operation, adapter,"
            " calls, units, records, saved, refusals, waits FROM ledger"
            " WHERE environment = ? AND day BETWEEN ? AND ?"
            " AND (calls OR units OR records OR saved OR refusals OR waits)"
            " ORDER BY day, tenant, client, operation, adapter",
            (environment, first_day, last_day),
        )
        names = [column[0] for column in cursor.description]
        return tuple(LedgerEntry(**dict(zip(names, row, strict=True))) for row in cursor)

    def forget_days(self, environment: str, before: str) -> None:
        self._execute("DELETE FROM ledger WHERE environment = ? AND day < ?", (environment, before))

    def sweep(self, now: int) -> None:
        self._execute(
            "DELETE FROM reservation WHERE (environment, reservation) IN"
            " (SELECT environment, reservation FROM reservation WHERE forget_at <= ? LIMIT ?)",
            (now, SWEPT),
        )
        self._execute(
            "DELETE FROM idempotency WHERE rowid IN"
            " (SELECT rowid FROM idempotency WHERE forget_at <= ? LIMIT ?)",
            (now, SWEPT),
        )
        self._execute(
            "DELETE FROM entry WHERE id IN (SELECT id FROM entry WHERE forget_at <= ? LIMIT ?)",
            (now, SWEPT),
        )

    def _counter(self, name: str) -> int:
        found = self._execute("SELECT value FROM counter WHERE name = ?", (name,)).fetchone()
        return int(found[0])
