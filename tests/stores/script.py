"""A script of steps over all parts of a store, and what is to be seen of it afterwards."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from gateway.stores.ports import Store, Throttled
from tests.stores.claims import ENVIRONMENT, StoreClock, burst, claim, day, days, entry

KEY = "north/portal/4711"
LIMITS = (
    burst(5, adapts=True, margin=250),
    day(9),
    burst(3, key="tenant/north/burst"),
    day(4, key="tenant/north/day"),
)
PERIODS = days(int(StoreClock().now() * 1000))

STEPS: tuple[Callable[[Store], Awaitable[object]], ...] = (
    lambda store: store.quota.reserve(claim("r1", *LIMITS, periods=PERIODS)),
    lambda store: store.idempotency.begin(KEY, b"body", 10_000, 86_400_000),
    lambda store: store.idempotency.depart(KEY, 1),
    lambda store: store.quota.settle(ENVIRONMENT, "r1"),
    lambda store: store.idempotency.finish(KEY, 1, b"answer", settled=True),
    lambda store: store.ledger.add("e1", [entry(calls=1), entry(client="erp", records=2)]),
    lambda store: store.quota.reserve(claim("r2", *LIMITS, periods=PERIODS)),
    lambda store: store.quota.release(ENVIRONMENT, "r2"),
    lambda store: store.breakers.trip("acme/rest", 5_000, 300_000, 1.0),
    lambda store: store.quota.reserve(claim("r3", *LIMITS, periods=PERIODS)),
    lambda store: store.quota.settle(ENVIRONMENT, "r3", Throttled(retry_after=None, window=10_000, limit=5)),
)


async def seen(store: Store) -> tuple[object, ...]:
    """All that the store says, without its epoch; to look at the key is the last thing."""
    standing = await store.quota.standing(ENVIRONMENT, LIMITS, PERIODS)
    return (
        standing.windows,
        standing.closed_for,
        standing.strikes,
        await store.ledger.usage(ENVIRONMENT, "0000-01-01", "9999-12-31"),
        await store.breakers.probe("acme/rest", "someone", 1),
        await store.idempotency.begin(KEY, b"body", 10_000, 86_400_000),
    )
