"""An environment's gate on simulated time: calls that arrive and leave, and what the store was asked meanwhile."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from itertools import cycle
from zoneinfo import ZoneInfo

from contracts.call import Call
from contracts.errors import GatewayError
from gateway.quota.admission import Admission
from gateway.quota.slots import Slot
from gateway.quota.windows import Windows
from gateway.settings import EnvironmentSettings, TenantSettings
from gateway.settings.traffic import BulkheadSettings, QuotaSettings, TenantQuotaSettings
from gateway.stores.memory import MemoryStore
from gateway.stores.ports import (
    Account,
    Claim,
    Full,
    Limit,
    Period,
    QuotaStore,
    Reserved,
    Standing,
    Throttled,
)
from tests.unit.gateway.policy_rig import GET, Heard

ROOMY = BulkheadSettings(concurrent=10_000)
URGENCIES = {"interactive": 0, "normal": 3, "bulk": 7}
START = 1_795_000_000.0


class SimClock:
    """Time that passes only while everybody waits, and then at once to the next one who wakes."""

    def __init__(self) -> None:
        self.time = START
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._number = 0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self._number += 1
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.time + seconds, self._number, woken))
        await woken

    async def pass_(self, seconds: float) -> None:
        """Let so much time pass, and everything happen that happens in it."""
        end = self.time + seconds
        await settled()
        while self._sleepers and self._sleepers[0][0] <= end:
            moment, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                self.time = max(self.time, moment)
                woken.set_result(None)
                await settled()
        self.time = end
        await settled()


class TickingClock(SimClock):
    """Time that also passes between two looks at it, and whose sleepers wake at whole milliseconds, as uvloop's do.

    So one may wake before its time, and what has been so a moment ago need not be so any more.
    """

    def __init__(self, ticks: Sequence[float]) -> None:
        super().__init__()
        self._ticks = cycle(ticks)

    def monotonic(self) -> float:
        self.time += next(self._ticks)
        return self.time

    async def sleep(self, seconds: float) -> None:
        await super().sleep(round(seconds, 3))


async def settled() -> None:
    """Returns when whoever can go on has gone on."""
    for _ in range(25):
        await asyncio.sleep(0)


class Watched:
    """A quota store that remembers what it was asked; ``before`` is awaited before each unit is asked for."""

    def __init__(self, store: QuotaStore) -> None:
        self.store = store
        self.before: Callable[[], Awaitable[None]] | None = None
        self.reserved = 0
        self.claims: list[Claim] = []
        self.throttled: list[Throttled] = []
        self.released: list[str] = []
        self.settled: list[str] = []
        self.renewed = 0

    async def reserve(self, claim: Claim) -> Reserved | Full:
        self.reserved += 1
        self.claims.append(claim)
        if self.before is not None:
            await self.before()
        return await self.store.reserve(claim)

    async def renew(self, environment: str, reservations: Sequence[str], lease: int) -> frozenset[str]:
        self.renewed += 1
        return await self.store.renew(environment, reservations, lease)

    async def settle(self, environment: str, reservation: str, throttled: Throttled | None = None) -> None:
        self.settled.append(reservation)
        if throttled is not None:
            self.throttled.append(throttled)
        await self.store.settle(environment, reservation, throttled)

    async def release(self, environment: str, reservation: str) -> None:
        self.released.append(reservation)
        await self.store.release(environment, reservation)

    async def standing(
        self, environment: str, limits: Sequence[Limit], periods: Sequence[Period]
    ) -> Standing:
        return await self.store.standing(environment, limits, periods)

    async def restore(self, *_: object) -> str:
        raise AssertionError("nothing is restored here")


class Rig:
    """One environment, ``plant``, with tenants whose shares and bulkheads may be given."""

    def __init__(
        self,
        quota: QuotaSettings,
        *,
        bulkhead: BulkheadSettings = ROOMY,
        shares: Mapping[str, TenantQuotaSettings] = {},
        bulkheads: Mapping[str, BulkheadSettings] = {},
        weights: Mapping[str, float] = {},
        clock: SimClock | None = None,
    ) -> None:
        self.clock = clock or SimClock()
        self.store = Watched(MemoryStore(self.clock).quota)
        self.heard = Heard()
        environment = EnvironmentSettings(zone=ZoneInfo("Europe/Amsterdam"), quota=quota, bulkhead=bulkhead)
        tenants = {
            name: TenantSettings(environment="plant", quota=shares.get(name, TenantQuotaSettings()))
            for name in ("demo", *shares)
        }
        self.windows = Windows("plant", environment, tenants)
        self.admission = Admission(
            self.windows, bulkhead, bulkheads, weights, self.store, self.clock, self.heard.events
        )
        self.tasks: list[asyncio.Task[None]] = []
        self.served: list[tuple[Call, float]] = []
        self.failed: list[tuple[Call, float, Exception]] = []
        self.barred: GatewayError | None = None

    async def __aenter__(self) -> Rig:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.admission.aclose()
        for task in self.tasks:
            task.cancel()
        for task in self.tasks:
            with suppress(asyncio.CancelledError):
                await task

    def call(
        self, *, seconds: float = 30.0, tenant: str = "demo", client: str = "tests", band: str = "normal"
    ) -> Call:
        """A call with so many seconds left."""
        return Call(
            operation=GET,
            tenant=tenant,
            client=client,
            request_id="r",
            deadline=self.clock.time + seconds,
            urgency=URGENCIES[band],
        )

    async def enter(self, call: Call, *, counts: bool = True) -> Slot:
        account = Account(tenant=call.tenant, client=call.client, operation="get", adapter="rest")
        return await self.admission.enter(call, account, counts=counts, barred=lambda _: self.barred)

    def start(self, call: Call, *, takes: float = 0.0, counts: bool = True) -> asyncio.Task[None]:
        """Have a call enter, send for so many seconds, and leave; what becomes of it is noted."""
        task = asyncio.create_task(self._run(call, takes, counts))
        self.tasks.append(task)
        return task

    async def _run(self, call: Call, takes: float, counts: bool) -> None:
        try:
            slot = await self.enter(call, counts=counts)
        except Exception as error:
            self.failed.append((call, self.clock.time, error))
            return
        self.served.append((call, self.clock.time))
        if takes:
            await self.clock.sleep(takes)
        slot.leave(departed=True, status=200, retry_after=None)
