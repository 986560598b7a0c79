"""Programs as processes of their own that tests kill, stop, hold still and start again."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import msgspec

START_SECONDS = 30.0
END_SECONDS = 30.0
ROOT = Path(__file__).parents[2]


class Program:
    """A program whose output goes to a file, in whose folder it works. A pipe that nobody reads would halt it.

    As a context it runs, and is killed at its end if it still does.
    """

    def __init__(
        self,
        command: Sequence[str],
        output: Path,
        ready: str,
        environ: Mapping[str, str] | None = None,
        *,
        alone: Path | None = None,
    ) -> None:
        """It is up when a line of its output holds ``ready``; ``{url}`` is then the first address in that line.

        ``environ`` is added to that of the tests; where it works ``alone``, in that folder, it has no other.
        """
        self._command = list(command)
        inherited = {**os.environ, "PYTHONPATH": str(ROOT)} if alone is None else {}
        self._environ = {**inherited, **(environ or {})}
        self._folder = alone or output.parent
        self._ready = ready
        self._process: subprocess.Popen[bytes] | None = None
        self.output = output
        self.url = ""

    @property
    def up(self) -> bool:
        return self._process is not None and self._process.poll() is None

    async def start(self) -> None:
        """Run it, or run it again, and wait until it is up. Raises AssertionError when it ends before."""
        before = self.output.stat().st_size if self.output.exists() else 0
        with self.output.open("ab") as output:
            self._run(output)
        line = await self._line(before)
        words = line.replace('"', " ").split()
        self.url = next((word for word in words if word.startswith("http://")), "")

    def _run(self, output: BinaryIO) -> None:
        self._process = subprocess.Popen(
            self._command,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=self._environ,
            cwd=self._folder,
        )

    async def _line(self, before: int) -> str:
        async with asyncio.timeout(START_SECONDS):
            while True:
                text = self.output.read_bytes()[before:].decode(errors="replace")
                for line in text.splitlines(keepends=True):
                    if self._ready in line and line.endswith("\n"):
                        return line
                assert self.up, f"it ended with: {text}"
                await asyncio.sleep(0.01)

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """As ``kill -9`` does it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    async def stop(self) -> int:
        """Ask it to end (SIGTERM) and wait for that; the exit code."""
        self.signal(signal.SIGTERM)
        return await self.ended()

    async def ended(self) -> int:
        """Wait until it has ended; the exit code."""
        assert self._process is not None
        return await asyncio.to_thread(self._process.wait, END_SECONDS)

    def lines(self) -> list[dict[str, object]]:
        """What it has logged so far, oldest first; a line that was cut by a kill is left out."""
        whole = self.output.read_bytes().rpartition(b"\n")[0].splitlines()
        return [
            msgspec.json.decode(line, type=dict[str, object])
            for line in whole
            if line.startswith(b"{") and line.endswith(b"}")
        ]

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()


def python(*module: str) -> list[str]:
    """The command that runs a module."""
    return [sys.executable, "-m", *module]
