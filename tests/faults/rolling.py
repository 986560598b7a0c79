"""A rollout: every gateway is restarted, one after the other, while callers go on, and no call fails of it."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random
from time import monotonic

import aiohttp

from tests.faults.checkers import Answer, inserted
from tests.faults.findings import Findings, invariants
from tests.faults.fleet import TENANTS, Fleet, Plan, fleet
from tests.faults.programs import Program

DRAIN = 1.0
POLL = 0.1
"""Seconds between two looks at a /readyz; Kubernetes takes some seconds, and pods have a longer delay there."""

GRACE = 15.0
"""Seconds in which a process must have ended."""


class Endpoints:
    """Which gateways get calls: as a Service of Kubernetes, those that say that they are ready."""

    def __init__(self, gateways: list[Program]) -> None:
        self._gateways = gateways
        self._turns = itertools.count()
        self.ready: list[int] = list(range(len(gateways)))

    def next(self) -> int:
        """The number of the gateway whose turn it is."""
        return self.ready[next(self._turns) % len(self.ready)]

    async def watch(self) -> None:
        """Ask each for its readiness, until cancelled."""
        timeout = aiohttp.ClientTimeout(total=1)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                states = await asyncio.gather(*(self._asked(session, it) for it in self._gateways))
                self.ready = [number for number, ready in enumerate(states) if ready]
                await asyncio.sleep(POLL)

    async def _asked(self, session: aiohttp.ClientSession, gateway: Program) -> bool:
        with suppress(aiohttp.ClientError, TimeoutError):
            async with session.get(f"{operations(gateway)}/readyz") as answer:
                return answer.status == 200
        return False


def operations(gateway: Program) -> str:
    """Where the operator's routes of the process are that runs now."""
    return str([line for line in gateway.lines() if line["event"] == "serving"][-1]["operations"])


async def rolling_restart(folder: Path, seed: int, *, rate: int = 50) -> Findings:
    """``rate`` calls a second at three gateways on one Valkey, run as the image does, each restarted in its turn."""
    plan = Plan(
        gateways=3,
        image=True,
        store="valkey",
        limit=4 * rate,
        seconds=3,
        daily=100_000,
        server={"operations_port": 0, "drain_delay": DRAIN, "shutdown_timeout": 10},
    )
    async with fleet(plan, folder, keep_alive=True) as running:
        await running.upstream.fault(action="delay", longest=0.15, seed=seed, count=None)
        endpoints = Endpoints(running.gateways)
        watching = asyncio.create_task(endpoints.watch())
        load = _Load(running, endpoints, rate, seed)
        calling = asyncio.create_task(load.until_told())
        found = Findings()
        for number, gateway in enumerate(running.gateways):
            await asyncio.sleep(1.0)
            began = monotonic()
            found.exactly(f"exit code of gateway {number}", await gateway.stop(), 0)
            found.at_most(f"seconds in which gateway {number} ended", monotonic() - began, GRACE)
            await gateway.start()
            async with asyncio.timeout(10):
                while number not in endpoints.ready:  # noqa: ASYNC110 - it lies behind a socket
                    await asyncio.sleep(POLL)
        await asyncio.sleep(1.0)
        load.enough = True
        await calling
        watching.cancel()
        found += await invariants(running, plan)
        found += await _settled(running, load, plan)
    return found


async def _settled(running: Fleet, load: _Load, plan: Plan) -> Findings:
    """Every call was answered, every record is there once, and every process did its part."""
    found = Findings()
    statuses = Counter(answer.status for answer in running.answers)
    found.told("calls", len(running.answers))
    for status, count in sorted(statuses.items()):
        if status not in (200, 201):
            found.exactly(f"calls that ended in {status}", count, 0)
    records = inserted(await running.upstream.arrivals())
    found.exactly("records, of the creates that were asked for", len(records), load.creates)
    found.exactly("inserts of them", sum(records.values()), load.creates)
    for number, gateway in enumerate(running.gateways):
        events = [str(line["event"]) for line in gateway.lines()]
        again = len(events) - 1 - events[::-1].index("serving")
        found.at_least(f"calls of gateway {number} before", events[:again].count("call"), 1)
        found.at_least(f"calls of gateway {number} after", events[again:].count("call"), 1)
    faults = [line for line in running.lines() if line["level"] == "error"]
    found.exactly("errors in the logs", len(faults), 0)
    day = (await running.windows())["environment/day"]
    found.exactly("units of the day", float(str(day["used"])), len(await running.upstream.arrivals()))
    return found


class _Load:
    """Reads, creates and batches, begun at even distances and never repeated; ``creates`` counts what was asked for."""

    def __init__(self, running: Fleet, endpoints: Endpoints, rate: int, seed: int) -> None:
        self.enough = False
        self.creates = 0
        self._running = running
        self._endpoints = endpoints
        self._rate = rate
        self._seed = seed
        self._dice = Random(seed)

    async def until_told(self) -> None:
        """Returns when ``enough`` is set and all calls are answered."""
        began = monotonic()
        async with asyncio.TaskGroup() as tasks:
            for number in itertools.count():
                if self.enough:
                    return
                tasks.create_task(self._one(number))
                await asyncio.sleep(max(0.0, began + (number + 1) / self._rate - monotonic()))

    async def _one(self, number: int) -> Answer:
        how: dict[str, object] = {
            "gateway": self._endpoints.next(),
            "tenant": TENANTS[number % len(TENANTS)],
        }
        token, dice = f"roll-{self._seed}-{number}", self._dice.random()
        if dice < 0.1:
            self.creates += 5
            return await self._batch(token, 5, how)
        if dice < 0.4:
            self.creates += 1
            return await self._running.create(token, **how)  # type: ignore[arg-type]
        return await self._running.read(**how)

    async def _batch(self, token: str, size: int, how: dict[str, object]) -> Answer:
        operations = [
            {
                "id": f"m{number}",
                "method": "POST",
                "path": "Job",
                "body": {"Context": 1, "Status": 1, "Description": token, "ExternalId": f"{token}-{number}"},
            }
            for number in range(size)
        ]
        return await self._running.call(
            "batch",
            "POST",
            body={"operations": operations},
            headers={"Idempotency-Key": token},
            **how,  # type: ignore[arg-type]
        )
