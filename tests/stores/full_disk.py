"""A process whose files cannot grow for a while: adds entries to a store's ledger until that is lost, then again.

Prints how many were added, what was said of the loss, and what the ledger holds in the end.
"""

from __future__ import annotations

import asyncio
import resource
import sys
from pathlib import Path

from gateway.stores.ports import StoreLost
from gateway.stores.sqlite import SqliteStore
from tests.stores.claims import ENVIRONMENT, StoreClock, entry


async def main(path: Path) -> None:
    store = SqliteStore(path, StoreClock())
    await store.ping()
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, most))
    added = 0
    try:
        while added < 10_000:
            await store.ledger.add(f"e{added}", [entry(calls=1)])
            added += 1
    except StoreLost as lost:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        await store.ledger.add(f"e{added}", [entry(calls=1)])
        usage = await store.ledger.usage(ENVIRONMENT, "0", "9")
        print(added, lost, [one.calls for one in usage], sep="|")
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
