"""The file of the SQLite store: made, opened, and told from what is not ours to touch."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import suppress
from importlib.resources import files
from pathlib import Path

from gateway.stores.ports import StoreLost

APPLICATION = 0x554C474D
"""The application id in the file's header, by which it is known for ours."""

SCHEMA = 1
"""The version of the tables; a file of a newer one is left alone."""

LOCKED_FOR = 2.0
"""How many seconds another process may hold the file before a step gives up."""

ATTEMPTS = 5
PAUSE = 0.05
"""How often it is tried to make the tables, and how many seconds are between."""


def open_file(path: Path) -> sqlite3.Connection:
    """A connection whose commits survive a power cut; the file is made, for its owner only, when there is none.

    Raises StoreLost for a file that is not a store's or of a newer gateway, else what SQLite and the system raise.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    connection = sqlite3.connect(
        path, timeout=LOCKED_FOR, isolation_level=None, cached_statements=256, check_same_thread=True
    )
    try:
        _make(connection)
        _check(connection, path.name)
        connection.execute("PRAGMA synchronous = FULL")
    except BaseException:
        connection.close()
        raise
    return connection


def _make(connection: sqlite3.Connection) -> None:
    """Turn a new file into a store's. SQLite does not wait for another process that is just doing the same."""
    for attempt in range(ATTEMPTS):
        try:
            if _is_empty(connection):
                connection.execute("PRAGMA journal_mode = WAL")
                _fill(connection)
        except sqlite3.OperationalError as error:
            connection.rollback()
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or attempt == ATTEMPTS - 1:
                raise
            time.sleep(PAUSE)
        else:
            return


def _is_empty(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone() is None


def _fill(connection: sqlite3.Connection) -> None:
    """Make the tables, unless another process has been faster."""
    schema = files("gateway.stores.sqlite").joinpath("schema.sql").read_text(encoding="utf-8")
    connection.execute("BEGIN IMMEDIATE")
    if _is_empty(connection):
        for statement in _statements(schema):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {SCHEMA}")
    connection.execute("COMMIT")


def _statements(schema: str) -> list[str]:
    statements = [""]
    for line in schema.splitlines(keepends=True):
        statements[-1] += line
        if sqlite3.complete_statement(statements[-1]):
            statements.append("")
    return statements[:-1]


def _check(connection: sqlite3.Connection, name: str) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION:
        raise StoreLost(f"{name}: a database of something else")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA:
        raise StoreLost(f"{name}: written by a newer gateway (schema {version}, this one knows {SCHEMA})")
