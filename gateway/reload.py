"""Takes over a configuration that was changed while the process runs: all of it, or nothing.

The files are looked at every few seconds, for their times and sizes alone: that works for editors, for volumes of
Kubernetes, which swap a symbolic link, and for network file systems, which tell nobody of changes. What cannot be
taken over is tried again when one of its files changes, one that was missing among them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from gateway.lifecycle import Lifecycle
from gateway.process import Prepared
from gateway.settings import ConfigurationError, Settings, load_named
from gateway.settings.loading import Check
from gateway.telemetry.events import Events

Mark = tuple[int, int, int] | None
"""What of a file changes when somebody changes it; None when it is not there."""

_WRITING = 5_000_000_000
"""Nanoseconds: a file that is older than this was not changed while the process started."""


class Reload:
    """Keeps what runs like what is written at ``path``, for one process."""

    def __init__(
        self,
        path: Path,
        environ: Mapping[str, str],
        files: set[Path],
        runs: Settings,
        *,
        check: Check,
        prepare: Callable[[Settings], Prepared],
        take: Callable[[Prepared], None],
        lifecycle: Lifecycle,
        events: Events,
    ) -> None:
        """``files`` are those that what ``runs`` was read from, just now.

        ``check``, ``prepare`` and ``take`` are those of :mod:`gateway.bootstrap`; the first two run in a thread.
        """
        self._path = path
        self._environ = environ
        self._check = check
        self._prepare = prepare
        self._take = take
        self._lifecycle = lifecycle
        self._events = events
        self._asked = asyncio.Event()
        self._files = files
        self._runs = runs
        self._marks = _settled(files)

    def look_now(self) -> None:
        """Do not wait for the time to look."""
        self._asked.set()

    async def watch(self, seconds: float) -> None:
        """Look every so many seconds, until cancelled; only when asked to when that is 0."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds or None):
                    await self._asked.wait()
            self._asked.clear()
            await self.look()

    async def look(self) -> None:
        """Take the configuration over if one of its files is another one than before. Does not raise."""
        marks = await asyncio.to_thread(_marks, self._files)
        if marks == self._marks:
            return
        fresh = all(self._marks.get(path, mark) == mark for path, mark in marks.items())
        self._marks = marks
        try:
            prepared = await asyncio.to_thread(self._prepared)
            if fresh and prepared.settings == self._runs and self._lifecycle.refused is None:
                return
            self._take(prepared)
        except ConfigurationError as error:
            self._refused([str(problem) for problem in error.problems])
        except Exception as error:
            # Whatever it is, what runs must run on.
            self._refused([f"it could not be put together ({type(error).__name__}: {error})"])
        else:
            self._lifecycle.refused, self._runs = None, prepared.settings
            self._events.config_taken(self._lifecycle.config)

    def _prepared(self) -> Prepared:
        files: set[Path] = set()
        try:
            return self._prepare(load_named(self._path, self._environ, self._check, files))
        finally:
            self._files = files

    def _refused(self, problems: list[str]) -> None:
        # A file can hold what is no text, and /readyz must be able to say so.
        problems = [problem.encode(errors="backslashreplace").decode() for problem in problems]
        said = "; ".join(problems)
        if said != self._lifecycle.refused:
            self._lifecycle.refused = said
            self._events.config_refused(problems, runs=self._lifecycle.config)


def _marks(files: set[Path]) -> Mapping[Path, Mark]:
    return {path: _mark(path) for path in files}


def _settled(files: set[Path]) -> Mapping[Path, Mark]:
    """The marks of files that have just been read, but for one that may have been written meanwhile."""
    before = time.time_ns() - _WRITING
    return {path: mark for path, mark in _marks(files).items() if mark is not None and mark[0] < before}


def _mark(path: Path) -> Mark:
    try:
        known = path.stat()
    except (OSError, ValueError):
        # ValueError: what stands for a path is none.
        return None
    return known.st_mtime_ns, known.st_size, known.st_ino
