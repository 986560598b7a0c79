"""``python -m tests.faults.proof [SHOW ...]``: everything that the gateway is trusted for, shown at full size.

It takes some minutes and prints a table of figures beside their bounds; the exit code is 1 when one is broken.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from random import SystemRandom
from time import monotonic

from tests.faults import shows
from tests.faults.demo import demo_at_once
from tests.faults.findings import Findings
from tests.faults.rolling import rolling_restart
from tests.faults.shows import FULL

Show = Callable[[Path, int], Awaitable[Findings]]

SHOWS: Mapping[str, tuple[str, Show]] = {
    "valkey": (
        "4 gateways on one Valkey, 64 impatient callers, one gateway killed",
        partial(shows.shared_quota, FULL, store="valkey", gateways=4),
    ),
    "sqlite": (
        "1 gateway on SQLite, 64 impatient callers",
        partial(shows.shared_quota, FULL, store="sqlite", gateways=1),
    ),
    "valkey-day": (
        "a day of 500 on Valkey",
        partial(shows.shared_day, FULL, store="valkey", gateways=4),
    ),
    "sqlite-day": (
        "a day of 500 on SQLite",
        partial(shows.shared_day, FULL, store="sqlite", gateways=1),
    ),
    "creates": ("kill -9 amid 200 creates", partial(shows.killed_creates, FULL)),
    "fair": ("5,000 queued bulk calls, one interactive a second", partial(shows.fair_shares, FULL)),
    "lost": ("Valkey killed, back with its data", partial(shows.lost_store, FULL, forgets=False)),
    "forgotten": ("Valkey killed, back without its data", partial(shows.lost_store, FULL, forgets=True)),
    "rolling": ("3 gateways restarted one by one under 50 calls/s", rolling_restart),
    "demo": ("the demo, 300 reads at once", demo_at_once),
}


async def prove(names: list[str], seed: int) -> int:
    """Run the shows of these names, or all; the number of figures that are beyond their bounds."""
    broken = 0
    for name, (title, show) in SHOWS.items():
        if names and name not in names:
            continue
        with tempfile.TemporaryDirectory(prefix="proof-") as folder:
            began = monotonic()
            found = await show(Path(folder), seed)
            print(f"\n{name}: {title} ({monotonic() - began:.0f} s)\n{found}", flush=True)
            broken += len(found.broken)
    return broken


def main() -> int:
    names = sys.argv[1:]
    if unknown := set(names) - set(SHOWS):
        print(f"no such show: {', '.join(sorted(unknown))}; there are {', '.join(SHOWS)}", file=sys.stderr)
        return 2
    # Each of 5,000 waiting calls is a connection, here and in the gateway.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    seed = int(os.environ.get("SEED") or SystemRandom().randrange(1_000_000))
    print(f"SEED={seed}")
    broken = asyncio.run(prove(names, seed))
    print(f"\n{broken} figures are beyond their bounds" if broken else "\nall bounds are kept")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
