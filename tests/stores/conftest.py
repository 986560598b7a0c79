"""Every store that there is, empty and ready, with the means to let its time pass."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path

import pytest

from gateway.clock import Clock
from gateway.stores.memory import MemoryStore
from gateway.stores.ports import (
    BreakerStore,
    Claim,
    Full,
    IdempotencyStore,
    LedgerStore,
    Limit,
    Period,
    QuotaStore,
    Reserved,
    Standing,
    Store,
    Throttled,
)
from gateway.stores.sqlite import SqliteStore
from tests.stores.claims import ENVIRONMENT, StoreClock, claim, days
from tests.stores.valkeys import ServerTime, valkey_store
from tests.support.valkey import Valkey, valkey

Advance = Callable[[float], Coroutine[None, None, None]]


class Subject:
    """A store under test, and short words for what is asked of it.

    ``exact`` says that its time stands still between the steps; where it does not, durations are a little shorter
    than expected, by ``SLACK`` at most.
    """

    SLACK = 2_000

    def __init__(self, store: Store, now: Callable[[], int], advance: Advance, *, exact: bool) -> None:
        self.store = store
        self.now = now
        self.advance = advance
        self.exact = exact
        self.periods = days(now())

    @property
    def quota(self) -> QuotaStore:
        return self.store.quota

    @property
    def idempotency(self) -> IdempotencyStore:
        return self.store.idempotency

    @property
    def breakers(self) -> BreakerStore:
        return self.store.breakers

    @property
    def ledger(self) -> LedgerStore:
        return self.store.ledger

    def about(self, actual: int, expected: int) -> bool:
        """Whether a duration is the expected one, as far as the store's clock lets one tell."""
        if self.exact:
            return actual == expected
        return expected - self.SLACK <= actual <= expected

    def claim(self, reservation: str, *limits: Limit, lease: int = 30_000, cold: int = 0) -> Claim:
        """One unit, in the days around now."""
        return claim(reservation, *limits, periods=self.periods, lease=lease, cold=cold)

    async def reserve(
        self, reservation: str, *limits: Limit, lease: int = 30_000, cold: int = 0
    ) -> Reserved | Full:
        """Ask for one unit."""
        return await self.quota.reserve(self.claim(reservation, *limits, lease=lease, cold=cold))

    async def settle(self, reservation: str, throttled: Throttled | None = None) -> None:
        """The answer to a unit is there."""
        await self.quota.settle(ENVIRONMENT, reservation, throttled)

    async def release(self, reservation: str) -> None:
        """A unit was not sent."""
        await self.quota.release(ENVIRONMENT, reservation)

    async def standing(self, *limits: Limit, periods: tuple[Period, ...] | None = None) -> Standing:
        """How things stand."""
        return await self.quota.standing(ENVIRONMENT, limits, periods or self.periods)

    async def used(self, limit: Limit) -> int:
        """How much of one window is taken."""
        return (await self.standing(limit)).windows[0].used

    async def units(self) -> int:
        """All units that the ledger knows of."""
        return sum(one.units for one in await self.ledger.usage(ENVIRONMENT, "0000-01-01", "9999-12-31"))


@pytest.fixture(scope="session")
def server() -> Iterator[Valkey]:
    """A Valkey server for all the tests of a process."""
    with valkey() as running:
        yield running


@pytest.fixture(params=["memory", "sqlite", "valkey"])
async def subject(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Subject]:
    if request.param == "valkey":
        running: Valkey = request.getfixturevalue("server")
        time, remote = ServerTime(running), valkey_store(running)
        yield Subject(remote, time.now, time.advance, exact=False)
        await remote.close()
        return
    clock = StoreClock()

    async def advance(milliseconds: float) -> None:
        clock.move(milliseconds / 1000)

    def now() -> int:
        return int(clock.now() * 1000)

    store: Store = (
        MemoryStore(clock) if request.param == "memory" else SqliteStore(tmp_path / "gateway.db", clock)
    )
    yield Subject(store, now, advance, exact=True)
    await store.close()


Open = Callable[..., SqliteStore]


@pytest.fixture
async def open_store(tmp_path: Path) -> AsyncIterator[Open]:
    """Opens stores on one file, and closes them."""
    stores: list[SqliteStore] = []

    def open_store(clock: Clock | None = None, name: str = "gateway.db") -> SqliteStore:
        stores.append(SqliteStore(tmp_path / name, clock or StoreClock()))
        return stores[-1]

    yield open_store
    for store in stores:
        await store.close()
