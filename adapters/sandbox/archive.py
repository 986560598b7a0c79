"""The optional SQLite file that keeps the records between two starts."""

import sqlite3
from collections.abc import Iterable, Iterator
from decimal import Decimal

import msgspec

from adapters.sandbox.model import Key, Record

Row = tuple[str, Key, Record | None]
"""Entity name, key, and the record, or ``None`` for one that was deleted."""


class Archive:
    """Records in one SQLite file, written through; ``path`` is made when it does not exist."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS record (entity TEXT, key TEXT, value BLOB, PRIMARY KEY (entity, key))"
        )
        self._encoder = msgspec.json.Encoder(decimal_format="number")
        self._decoder = msgspec.json.Decoder(Record, float_hook=Decimal)
        self._keys = msgspec.json.Decoder(Key)

    def load(self) -> Iterator[tuple[str, Key, Record]]:
        """Every record of the file."""
        for entity, key, value in self._connection.execute("SELECT entity, key, value FROM record"):
            yield entity, self._keys.decode(key), self._decoder.decode(value)

    def write(self, rows: Iterable[Row]) -> None:
        """Put or delete records, all or none."""
        with self._connection:
            for entity, key, record in rows:
                text = self._encoder.encode(key).decode()
                if record is None:
                    self._connection.execute("DELETE FROM record WHERE entity=? AND key=?", (entity, text))
                else:
                    self._connection.execute(
                        "INSERT OR REPLACE INTO record VALUES (?, ?, ?)",
                        (entity, text, self._encoder.encode(record)),
                    )

    def clear(self) -> None:
        """Forget everything."""
        with self._connection:
            self._connection.execute("DELETE FROM record")

    def close(self) -> None:
        self._connection.close()
