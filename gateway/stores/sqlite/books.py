"""The accounts of one environment, as rows of the file."""

from __future__ import annotations

import sqlite3

from msgspec import msgpack

from gateway.stores.ports import Account
from gateway.stores.steps.rows import BUCKET, DAY, HOUR, Environment, Reservation

PRUNED = 50
"""How many free slots a step deletes: more than it takes."""


class SqliteBooks:
    """See :class:`~gateway.stores.steps.rows.Books`; within a transaction of the caller."""

    def __init__(self, connection: sqlite3.Connection, environment: str) -> None:
        self._execute = connection.execute
        self._name = environment

    def environment(self) -> Environment | None:
        found = self._execute("SELECT body FROM environment WHERE name = ?", (self._name,)).fetchone()
        return msgpack.decode(found[0], type=Environment) if found else None

    def keep_environment(self, row: Environment) -> None:
        self._execute("REPLACE INTO environment VALUES (?, ?)", (self._name, msgpack.encode(row)))

    def reservation(self, reservation: str) -> Reservation | None:
        found = self._execute(
            "SELECT body FROM reservation WHERE environment = ? AND reservation = ?",
            (self._name, reservation),
        ).fetchone()
        return msgpack.decode(found[0], type=Reservation) if found else None

    def keep_reservation(self, reservation: str, row: Reservation) -> None:
        self._execute(
            "REPLACE INTO reservation VALUES (?, ?, ?, ?)",
            (self._name, reservation, row.forget_at, msgpack.encode(row)),
        )

    def drop_reservation(self, reservation: str) -> None:
        self._execute(
            "DELETE FROM reservation WHERE environment = ? AND reservation = ?", (self._name, reservation)
        )

    def slots(self, key: str, now: int) -> int:
        return self._all(key) - self._over(key, now)

    def comes_free(self, key: str, nth: int, now: int) -> int:
        return self._number(
            "SELECT free_at FROM slot WHERE environment = ? AND key = ? AND free_at > ?"
            " ORDER BY free_at LIMIT 1 OFFSET ?",
            (self._name, key, now, nth - 1),
        )

    def take(self, key: str, reservation: str, free_at: int, now: int) -> None:
        self._execute(
            "INSERT INTO slot VALUES (?, ?, ?, ?)"
            " ON CONFLICT (environment, key, reservation) DO UPDATE SET free_at = excluded.free_at",
            (self._name, key, reservation, free_at),
        )
        self._execute(
            "DELETE FROM slot WHERE environment = ?1 AND key = ?2 AND reservation IN (SELECT reservation FROM slot"
            " WHERE environment = ?1 AND key = ?2 AND free_at <= ?3 ORDER BY free_at LIMIT ?4)",
            (self._name, key, now, PRUNED),
        )

    def give_back(self, key: str, reservation: str) -> None:
        self._execute(
            "DELETE FROM slot WHERE environment = ? AND key = ? AND reservation = ?",
            (self._name, key, reservation),
        )

    def spent(self, key: str, starts: int) -> int:
        return self._number(
            "SELECT units FROM day WHERE environment = ? AND key = ? AND starts = ?",
            (self._name, key, starts),
        )

    def spend(self, key: str, starts: int, units: int) -> None:
        self._execute(
            "INSERT INTO day VALUES (?, ?, ?, ?)"
            " ON CONFLICT (environment, key, starts) DO UPDATE SET units = units + excluded.units",
            (self._name, key, starts, units),
        )
        self._execute(
            "DELETE FROM day WHERE environment = ? AND key = ? AND starts < ?",
            (self._name, key, starts - 3 * DAY),
        )

    def pace(self, key: str, bucket: int, units: int) -> None:
        self._execute(
            "INSERT INTO pace VALUES (?, ?, ?, ?)"
            " ON CONFLICT (environment, key, bucket) DO UPDATE SET units = units + excluded.units",
            (self._name, key, bucket, units),
        )
        self._execute(
            "DELETE FROM pace WHERE environment = ? AND key = ? AND bucket < ?",
            (self._name, key, bucket - HOUR // BUCKET),
        )

    def recent(self, key: str, bucket: int) -> int:
        return self._number(
            "SELECT sum(units) FROM pace WHERE environment = ? AND key = ? AND bucket >= ?",
            (self._name, key, bucket),
        )

    def charge(self, label: str, account: Account, units: int) -> None:
        self._execute(
            "INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, 0, ?, 0, 0, 0, 0)"
            " ON CONFLICT DO UPDATE SET units = units + excluded.units",
            (
                self._name,
                label,
                account.tenant,
                account.client,
                account.operation,
                account.adapter,
                units,
            ),
        )

    def _all(self, key: str) -> int:
        return self._number("SELECT slots FROM log WHERE environment = ? AND key = ?", (self._name, key))

    def _over(self, key: str, now: int) -> int:
        return self._number(
            "SELECT count(*) FROM slot WHERE environment = ? AND key = ? AND free_at <= ?",
            (self._name, key, now),
        )

    def _number(self, query: str, values: tuple[str | int, ...]) -> int:
        found = self._execute(query, values).fetchone()
        return int(found[0] or 0) if found else 0
