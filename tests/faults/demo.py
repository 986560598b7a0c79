"""The demo as people start it, asked for more than a window holds."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from tests.faults import shows
from tests.faults.findings import Findings
from tests.faults.fleet import Fleet, Plan, Upstream
from tests.faults.programs import Program, python
from tests.faults.shows import FULL


@asynccontextmanager
async def demo(folder: Path) -> AsyncIterator[Fleet]:
    """``ultimo-gateway demo`` on free ports; its only gateway and its sandbox."""
    program = Program(
        python("gateway.cli", "demo"),
        folder / "demo.log",
        "gateway   http",
        {"PORT": "0", "SANDBOX_PORT": "0"},
    )
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, force_close=True)) as session:
        await program.start()
        try:
            (upstream,) = re.findall(r"^sandbox +(\S+)", program.output.read_text(), re.MULTILINE)
            yield Fleet(Upstream(upstream, session), [program], session, None)
            assert await program.stop() == 0
        finally:
            program.kill()


async def demo_at_once(folder: Path, seed: int) -> Findings:
    """300 reads at once with the default deadline: all are served, and all accounts agree."""
    async with demo(folder) as running:
        return await shows.agreed(
            running,
            Plan(limit=FULL.limit, seconds=FULL.seconds),
            FULL.reads,
            tenant="demo",
            client="demo-key",
        )
