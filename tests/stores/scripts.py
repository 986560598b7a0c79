"""Random scripts of steps, and what a store answers to them; for comparing stores with each other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import msgspec
from hypothesis import strategies as st

from gateway.stores.ports import Full, Limit, Period, Reserved, Spent, Standing, Store, Taken, Throttled
from tests.stores.claims import ENVIRONMENT, StoreClock, burst, claim, day, entry

HOUR = 3_600_000
NOON = int(StoreClock().now() * 1000)
PERIODS = tuple(
    Period(NOON + number * HOUR, NOON + (number + 1) * HOUR, f"2025-03-10T{number:02}")
    for number in range(60)
)

LOG = burst(3, length=1_000, margin=50, adapts=True)
OWN = burst(2, key="tenant/north/burst", length=1_000, margin=50)
ROLLING = burst(6, key="client/north:portal/day", length=2 * HOUR)
DAILY = day(9)
SHADOW = day(4, key="tenant/north/day", enforced=False)
WINDOWS: tuple[tuple[Limit, ...], ...] = (
    (LOG, DAILY),
    (LOG, DAILY, OWN, SHADOW),
    (LOG, DAILY, OWN, SHADOW, ROLLING),
    (burst(3, upto=1, length=1_000, margin=50, adapts=True), day(9, upto=5)),
)
ALL = (LOG, DAILY, OWN, SHADOW, ROLLING)

Do: TypeAlias = Callable[[Store], Awaitable[object]]


class Step(msgspec.Struct, frozen=True):
    """What is asked of a store, in words for the one who reads a failure."""

    name: str
    values: tuple[object, ...]
    do: Do

    def __repr__(self) -> str:
        return f"{self.name}{self.values}"


class Pause(msgspec.Struct, frozen=True):
    """Time that passes, in milliseconds."""

    length: int


class Restart(msgspec.Struct, frozen=True):
    """The store is closed and opened again, where it can be."""


def _step(name: str, do: Callable[..., Do], *values: st.SearchStrategy[object]) -> st.SearchStrategy[Step]:
    return st.tuples(*values).map(lambda given: Step(name, given, do(*given)))


def _claimed(name: str, windows: int, lease: int, cold: int) -> Do:
    asked = claim(name, *WINDOWS[windows], periods=PERIODS, lease=lease, cold=cold)
    return lambda store: store.quota.reserve(asked)


def _restored(name: str, windows: int, held_for: int, used: int) -> Do:
    unit = Taken(claim=claim(name, *WINDOWS[windows], periods=PERIODS), held_for=held_for)
    spent = Spent(key=DAILY.key, starts=NOON, used=used)
    return lambda store: store.quota.restore(ENVIRONMENT, 700, [spent], [unit])


def _throttled(retry_after: int | None) -> Throttled:
    return Throttled(retry_after=retry_after, window=1_000, limit=3)


names = st.sampled_from([f"r{number}" for number in range(8)])
leases = st.sampled_from([100, 1_500, 30_000, 90_000])
windows = st.integers(0, len(WINDOWS) - 1)
pauses = st.sampled_from([1, 49, 400, 1_000, 1_050, 20_000, 60_000, 600_000]).map(Pause)
throttles = st.none() | st.sampled_from([None, 0, 300, 5_000]).map(_throttled)
keys = st.sampled_from(["k1", "k2"])
fences = st.integers(1, 6)
circuits = st.sampled_from(["acme/rest", "acme/soap"])
holders = st.sampled_from(["one", "two"])

reserving = _step("reserve", _claimed, names, windows, leases, st.sampled_from([0, 700]))
settling = _step(
    "settle", lambda name, told: lambda store: store.quota.settle(ENVIRONMENT, name, told), names, throttles
)
releasing = _step("release", lambda name: lambda store: store.quota.release(ENVIRONMENT, name), names)
renewing = _step(
    "renew",
    lambda held, lease: lambda store: store.quota.renew(ENVIRONMENT, held, lease),
    st.lists(names, max_size=3),
    leases,
)
restoring = _step(
    "restore",
    _restored,
    st.sampled_from(["r0", "l1", "l2"]),
    windows,
    st.sampled_from([0, 900, 2 * HOUR]),
    st.integers(0, 9),
)
standing = _step("standing", lambda: lambda store: store.quota.standing(ENVIRONMENT, ALL, PERIODS))
beginning = _step(
    "begin",
    lambda key, body, lease, keep: lambda store: store.idempotency.begin(key, body, lease, keep),
    keys,
    st.sampled_from([b"x", b"x", b"y"]),
    leases,
    st.sampled_from([1_000, 86_400_000]),
)
holding = _step(
    "key renew",
    lambda key, fence, lease: lambda store: store.idempotency.renew(key, fence, lease),
    keys,
    fences,
    leases,
)
departing = _step(
    "depart", lambda key, fence: lambda store: store.idempotency.depart(key, fence), keys, fences
)
finishing = _step(
    "finish",
    lambda key, fence, settled: (
        lambda store: store.idempotency.finish(key, fence, b"answer", settled=settled)
    ),
    keys,
    fences,
    st.booleans(),
)
forgetting = _step(
    "forget", lambda key, fence: lambda store: store.idempotency.forget(key, fence), keys, fences
)
tripping = _step("trip", lambda name: lambda store: store.breakers.trip(name, 1_000, 5_000, 0.9), circuits)
probing = _step(
    "probe", lambda name, holder: lambda store: store.breakers.probe(name, holder, 1_000), circuits, holders
)
closing = _step("close", lambda name: lambda store: store.breakers.close(name), circuits)
adding = _step(
    "add",
    lambda name, calls: (
        lambda store: store.ledger.add(name, [entry(calls=calls), entry(client="erp", waits=1)])
    ),
    names,
    st.integers(0, 3),
)
using = _step("usage", lambda: lambda store: store.ledger.usage(ENVIRONMENT, "0", "9"))

quota_steps = st.one_of(reserving, reserving, settling, settling, releasing, renewing, restoring)
key_steps = st.one_of(holding, departing, finishing, forgetting)
other_steps = st.one_of(tripping, probing, closing, adding)


def plain(answer: object) -> object:
    """An answer without the name of the store's memory, which is another one in each."""
    if isinstance(answer, Reserved | Full):
        return msgspec.structs.replace(answer, epoch="")
    if isinstance(answer, Standing):
        return msgspec.structs.replace(answer, epoch=None if answer.epoch is None else "")
    return None if isinstance(answer, str) else answer
