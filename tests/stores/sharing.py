"""Another process on the same file: takes units until it was refused so often; prints how many it got."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from gateway.clock import SystemClock
from gateway.stores.ports import Period, Reserved, Store
from gateway.stores.sqlite import SqliteStore
from tests.stores.claims import burst, claim, day

LIMITS = (burst(10_000), day(120))
ALWAYS = (Period(0, 10**14, "2025-03-10"),)


async def take_units(store: Store, name: str, most: int) -> int:
    """How many of ``most`` units were granted, asked for eight at a time."""
    granted = 0
    for start in range(0, most, 8):
        answers = await asyncio.gather(
            *(
                store.quota.reserve(claim(f"{name}{number}", *LIMITS, periods=ALWAYS))
                for number in range(start, min(start + 8, most))
            )
        )
        granted += sum(isinstance(answer, Reserved) for answer in answers)
    return granted


async def main(path: Path) -> None:
    store = SqliteStore(path, SystemClock())
    print(await take_units(store, "child", 160))
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
