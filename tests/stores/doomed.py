"""Processes that die by SIGKILL, each in the middle of a script on a file of its own: ``<folder>``.

One dies in every step before it is committed (``<step>-before.db``), one in every step after it was answered
(``<step>-after.db``).
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from gateway.stores.embedded import Step, T
from gateway.stores.sqlite import SqliteStore
from tests.stores.claims import StoreClock
from tests.stores.script import STEPS


class Dying(SqliteStore):
    """Its process dies when a step was taken and nothing of it is committed."""

    async def _run(self, step: Step[T], *, reading: bool = False) -> T:
        def die(rows: object, now: int) -> T:
            step(rows, now)  # type: ignore[arg-type]
            os.kill(os.getpid(), signal.SIGKILL)
            raise AssertionError

        return await super()._run(die, reading=reading)


async def run_until(path: Path, number: int, *, committed: bool) -> None:
    """Take the steps up to ``number``, and die in that one or when it is done."""
    store = SqliteStore(path, StoreClock())
    for step in STEPS[:number]:
        await step(store)
    if committed:
        await STEPS[number](store)
        os.kill(os.getpid(), signal.SIGKILL)
    await store.close()
    await STEPS[number](Dying(path, StoreClock()))


def main(folder: Path) -> None:
    for number in range(len(STEPS)):
        for word, committed in (("before", False), ("after", True)):
            child = os.fork()
            if child == 0:
                asyncio.run(run_until(folder / f"{number}-{word}.db", number, committed=committed))
                os._exit(1)
            _, status = os.waitpid(child, 0)
            assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL, (number, word)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
