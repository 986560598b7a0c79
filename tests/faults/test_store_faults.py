"""Everything that can befall the store in the middle of load: never more than the windows hold, and nothing twice.

A real Valkey server, several replicas that share it, and as few milliseconds as it takes: a window of the upstream is
short here, and the replicas' second between two looks whether the store is back passes faster.
"""

from __future__ import annotations

import asyncio
import random
import resource
import signal
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.clock import SystemClock
from gateway.quota.fallback import LocalShare
from gateway.stores.memory import MemoryStore
from gateway.stores.ports import Period, Reserved, Standing, Store, StoreLost
from gateway.stores.sqlite import SqliteStore
from gateway.stores.valkey import ValkeyStore
from tests.faults.checkers import busiest
from tests.stores.claims import ENVIRONMENT, burst, claim, day, days
from tests.support.relay import relay
from tests.support.servers import eventually
from tests.support.valkey import Valkey, valkey
from tests.unit.gateway.policy_rig import Heard

BURST = burst(40, length=300, margin=30)
DAY = day(100_000)
SHARE = 0.25
TIMEOUT = 0.15
HASTE = 20


class HastyClock(SystemClock):
    """Sleeps are shorter than asked for; ``jumped`` is how far somebody has set the machine's clock."""

    def __init__(self) -> None:
        self.jumped = 0.0

    def now(self) -> float:
        return super().now() + self.jumped

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds / HASTE)


class Replica:
    """A replica that sends as much as it may; ``sent`` are the moments at which a unit left."""

    def __init__(self, name: str, store: Store, seed: int, periods: tuple[Period, ...]) -> None:
        self.clock = HastyClock()
        self.heard = Heard()
        self.sent: list[float] = []
        self.unsent = 0
        self._name = name
        self._chance = random.Random(f"{seed}{name}")
        self._store = store
        self._count = 0
        self._periods = periods
        local = MemoryStore(self.clock).quota
        shares = {ENVIRONMENT: SHARE}
        self.share = LocalShare(store.quota, store.ping, local, shares, self.clock, self.heard.events)

    @property
    def lost(self) -> bool:
        return self.share.status() is not None

    async def run(self) -> None:
        """One unit after the other, for ever: reserved, sent or not, answered after a while."""
        while True:
            self._count += 1
            unit = f"{self._name}-{self._count}"
            try:
                answer = await self.share.reserve(claim(unit, BURST, DAY, periods=self._periods, lease=500))
            except StoreLost:
                await asyncio.sleep(0.005)
                continue
            if not isinstance(answer, Reserved):
                await asyncio.sleep(0.005)
            elif self._chance.random() < 0.1:
                self.unsent += 1
                await self.share.release(ENVIRONMENT, unit)
            else:
                self.sent.append(time.monotonic())
                await asyncio.sleep(self._chance.uniform(0, 0.01))
                await self.share.settle(ENVIRONMENT, unit)

    async def standing(self) -> Standing:
        return await self._store.quota.standing(ENVIRONMENT, (BURST, DAY), self._periods)

    async def close(self) -> None:
        await self.share.aclose()
        await self._store.close()


class Load:
    """Replicas under load, and what must hold of all that they send."""

    def __init__(self, replicas: list[Replica]) -> None:
        self.replicas = replicas
        self._tasks = [asyncio.create_task(replica.run()) for replica in replicas for _ in range(4)]

    @property
    def sent(self) -> list[float]:
        return [moment for replica in self.replicas for moment in replica.sent]

    async def flows(self, seconds: float = 0.4) -> None:
        """Units leave, for a while that is longer than the window."""
        before, until = len(self.sent), time.monotonic() + seconds
        await eventually(lambda: time.monotonic() > until and len(self.sent) > before, 10)

    async def noticed(self) -> None:
        await eventually(lambda: all(replica.lost for replica in self.replicas), 10)

    async def found(self) -> None:
        await eventually(lambda: not any(replica.lost for replica in self.replicas), 10)

    async def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended

    async def counted(self) -> int:
        """What the store has counted, with everybody back."""
        await self.found()
        return (await self.replicas[0].standing()).windows[1].used

    def within_the_window(self) -> bool:
        return busiest(self.sent, BURST.length / 1000) <= BURST.limit


@pytest.fixture
def server() -> Iterator[Valkey]:
    with valkey() as running:
        yield running


@asynccontextmanager
async def load(connect: Callable[[], Store], seed: int, replicas: int = 2) -> AsyncIterator[Load]:
    """Replicas that begin at once and are closed at the end."""
    periods = days(round(time.time() * 1000))
    members = [Replica(f"replica{number}", connect(), seed, periods) for number in range(replicas)]
    running = Load(members)
    try:
        yield running
    finally:
        await running.end()
        for member in members:
            await member.close()


def to(server: Valkey, port: int | None = None) -> Callable[[], Store]:
    return lambda: ValkeyStore(server.settings(timeout=TIMEOUT, port=port))


async def checked(running: Load, *, unsure: int = 8) -> None:
    """Nothing was sent beyond the window, everything is counted, and nothing twice.

    ``unsure`` are those that were under way when the load ended, or that were given back after they had been told.
    """
    await running.found()
    await running.flows()
    await running.end()
    counted, sent = await running.counted(), len(running.sent)
    assert running.within_the_window(), busiest(running.sent, BURST.length / 1000)
    assert sent <= counted <= sent + unsure


async def test_down_at_the_start(server: Valkey, seed: int) -> None:
    server.stop()
    async with load(to(server), seed) as running:
        await running.noticed()
        await running.flows()
        server.start()
        await checked(running)


async def test_down_in_the_middle(server: Valkey, seed: int) -> None:
    async with load(to(server), seed) as running:
        await running.flows()
        server.kill()
        await running.noticed()
        await running.flows(1.0)
        server.start()
        await checked(running)


async def test_down_and_back_without_its_data(server: Valkey, seed: int) -> None:
    async with load(to(server), seed) as running:
        await running.flows()
        server.kill()
        server.wipe()
        await running.noticed()
        server.start()
        await checked(running, unsure=40)


async def test_slow(server: Valkey, seed: int) -> None:
    """It stands still for longer than anybody waits, and does late what it was asked then."""
    async with load(to(server), seed) as running:
        await running.flows()
        server.pause()
        await running.noticed()
        await running.flows(1.0)
        server.resume()
        await checked(running)


async def test_replies_lost(server: Valkey, seed: int) -> None:
    async with relay(server.port) as between, load(to(server, between.port), seed) as running:
        for replies in (1, 1, 2, 8, 30):
            await running.flows(0.1)
            between.swallowing = replies
            await eventually(lambda: between.swallowing == 0, 10)
        await checked(running)


async def test_scripts_flushed(server: Valkey, seed: int) -> None:
    async with load(to(server), seed) as running:
        for _ in range(5):
            await running.flows(0.1)
            server.command("SCRIPT", "FLUSH")
        assert not running.replicas[0].heard.lines("store lost")
        await checked(running)


async def test_data_flushed(server: Valkey, seed: int) -> None:
    async with load(to(server), seed) as running:
        await running.flows()
        server.command("FLUSHALL")
        await checked(running, unsure=40)


async def test_read_only(server: Valkey, seed: int) -> None:
    async with load(to(server), seed) as running:
        await running.flows()
        server.command("REPLICAOF", "127.0.0.1", 1)
        await running.noticed()
        await running.flows()
        assert all(replica.lost for replica in running.replicas), "it answers, and is of no use"
        server.command("REPLICAOF", "NO", "ONE")
        await checked(running)


async def test_out_of_memory(server: Valkey, seed: int) -> None:
    async with load(to(server), seed) as running:
        await running.flows()
        server.command("CONFIG", "SET", "maxmemory-policy", "noeviction", "maxmemory", 1)
        await running.noticed()
        await running.flows()
        server.command("CONFIG", "SET", "maxmemory", 0)
        await checked(running)


async def test_the_clock_of_a_replica_jumps(server: Valkey, seed: int) -> None:
    async with load(to(server), seed) as running:
        for jump in (3_000.0, -3_000.0, 0.0):
            await running.flows(0.2)
            running.replicas[0].clock.jumped = jump
        await checked(running)


def to_file(folder: Path) -> Callable[[], Store]:
    return lambda: SqliteStore(folder / "gateway.db", HastyClock())


async def test_a_file_that_is_no_database(tmp_path: Path, seed: int) -> None:
    (tmp_path / "gateway.db").write_bytes(b"no database, and long enough to tell" * 100)
    async with load(to_file(tmp_path), seed, replicas=1) as running:
        await running.noticed()
        await running.flows(1.0)
        assert running.within_the_window()


async def test_a_file_that_another_process_locks(tmp_path: Path, seed: int) -> None:
    async with load(to_file(tmp_path), seed, replicas=1) as running:
        await running.flows()
        other = sqlite3.connect(tmp_path / "gateway.db", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        await running.noticed()
        await running.flows(1.0)
        other.execute("ROLLBACK")
        other.close()
        await checked(running)


async def test_a_disk_that_is_full(tmp_path: Path, seed: int) -> None:
    """The file may not grow any more: the limit of a process stands in for the disk's."""
    async with load(to_file(tmp_path), seed, replicas=1) as running:
        await running.flows()
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1024, before[1]))
            await running.noticed()
            await running.flows(1.0)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            signal.signal(signal.SIGXFSZ, handler)
        await checked(running)
