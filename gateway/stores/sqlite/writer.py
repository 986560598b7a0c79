"""The one thread that works on the file: it takes all the steps that wait and commits them together."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

import msgspec

from gateway.stores.ports import StoreLost
from gateway.stores.sqlite.file import open_file
from gateway.stores.sqlite.rows import SqliteRows
from gateway.stores.steady import SteadyClock

TOGETHER = 256
"""How many steps are committed together at most."""


class Job(msgspec.Struct, eq=False):
    """A step that waits, ``done`` by which its asker is woken, and what it came to, told when it is committed."""

    step: Callable[[SqliteRows, int], object]
    reading: bool
    done: asyncio.Future[object]
    result: object = None
    failure: Exception | None = None

    def tell(self) -> None:
        """Wake the asker, in whose loop this is called, unless it has gone."""
        if self.done.done():
            return
        if self.failure is not None:
            self.done.set_exception(self.failure)
        else:
            self.done.set_result(self.result)


class Writer:
    """Opens the file with the first step, and again after an error, which may have been a passing one."""

    def __init__(self, path: Path, steady: SteadyClock) -> None:
        self._path = path
        self._steady = steady
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._connection: sqlite3.Connection | None = None
        self._closed = False

    async def take(self, step: Callable[[SqliteRows, int], object], *, reading: bool) -> object:
        """What the step came to, after it was committed; raises what it raises, and StoreLost."""
        if self._closed:
            raise StoreLost(f"{self._path.name}: closed")
        if self._thread is None:
            thread = Thread(target=self._work, name=f"store {self._path.name}", daemon=True)
            thread.start()
            self._thread = thread
        job = Job(step, reading, asyncio.get_running_loop().create_future())
        self._jobs.put(job)
        return await job.done

    async def close(self) -> None:
        """Take what still waits, then close the file."""
        if not self._closed:
            self._closed = True
            self._jobs.put(None)
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        more = True
        while more:
            jobs, more = self._waiting()
            try:
                self._commit(jobs)
            except Exception as error:
                # Whatever it is: a thread that ended here would leave every later asker waiting.
                self._give_up(jobs, error)
            _tell(jobs)
        if self._connection is not None:
            self._connection.close()

    def _waiting(self) -> tuple[list[Job], bool]:
        """The jobs that wait, at least one, and whether more may come."""
        jobs: list[Job] = []
        job = self._jobs.get()
        with suppress(Empty):
            while job is not None:
                jobs.append(job)
                if len(jobs) == TOGETHER:
                    return jobs, True
                job = self._jobs.get_nowait()
        return jobs, job is not None

    def _commit(self, jobs: Sequence[Job]) -> None:
        if not jobs:
            return
        if self._connection is None:
            self._connection = open_file(self._path)
        connection = self._connection
        reading = all(job.reading for job in jobs)
        connection.execute("BEGIN" if reading else "BEGIN IMMEDIATE")
        rows = SqliteRows(connection)
        self._steady.catch_up(rows.moment())
        for job in jobs:
            connection.execute("SAVEPOINT step")
            try:
                job.result = job.step(rows, self._steady.now())
            except (sqlite3.Error, msgspec.DecodeError):
                raise
            except Exception as error:
                connection.execute("ROLLBACK TO step")
                job.failure = error
            connection.execute("RELEASE step")
        if not reading:
            rows.sweep(self._steady.now())
            rows.keep_moment(self._steady.now())
        connection.execute("COMMIT")

    def _give_up(self, jobs: Sequence[Job], error: Exception) -> None:
        """Close the file, which undoes what is not committed."""
        for job in jobs:
            job.failure = StoreLost(_said(self._path, error))
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None


def _said(path: Path, error: Exception) -> str:
    if isinstance(error, StoreLost):
        return str(error)
    if isinstance(error, msgspec.DecodeError):
        return f"{path.name}: a row that cannot be read"
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return f"{path.name}: {reason}"


def _tell(jobs: Sequence[Job]) -> None:
    """Wake the askers, with one call for each of their loops; a loop that has ended waits for nothing."""
    for loop in {job.done.get_loop() for job in jobs}:
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_wake, [job for job in jobs if job.done.get_loop() is loop])


def _wake(jobs: Sequence[Job]) -> None:
    for job in jobs:
        job.tell()
