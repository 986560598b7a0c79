"""The four parts of a store that takes the steps itself, within this process; how it runs one is handed in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol, TypeVar

from gateway.stores.ports import (
    Begun,
    Claim,
    Closed,
    Done,
    Doubtful,
    Full,
    LedgerEntry,
    Limit,
    Mismatch,
    Open,
    Period,
    Probe,
    Reserved,
    Running,
    Spent,
    Standing,
    Taken,
    Throttled,
)
from gateway.stores.steps import breakers, idempotency, ledger, quota
from gateway.stores.steps.rows import Rows

T = TypeVar("T")

Step = Callable[[Rows, int], T]
"""A function of the rows and the moment; it has changed nothing when it raises."""


class Run(Protocol):
    """Takes a step as a whole, at one moment of the store's clock; ``reading`` promises that it changes nothing."""

    async def __call__(self, step: Step[T], *, reading: bool = False) -> T: ...


class EmbeddedQuota:
    """The quota's account; see the port."""

    def __init__(self, run: Run) -> None:
        self._run = run

    async def reserve(self, claim: Claim) -> Reserved | Full:
        return await self._run(lambda rows, now: quota.reserve(rows.books(claim.environment), now, claim))

    async def renew(self, environment: str, reservations: Sequence[str], lease: int) -> frozenset[str]:
        return await self._run(
            lambda rows, now: quota.renew(rows.books(environment), now, reservations, lease)
        )

    async def settle(self, environment: str, reservation: str, throttled: Throttled | None = None) -> None:
        await self._run(lambda rows, now: quota.settle(rows.books(environment), now, reservation, throttled))

    async def release(self, environment: str, reservation: str) -> None:
        await self._run(lambda rows, now: quota.release(rows.books(environment), now, reservation))

    async def standing(
        self, environment: str, limits: Sequence[Limit], periods: Sequence[Period]
    ) -> Standing:
        return await self._run(
            lambda rows, now: quota.standing(rows.books(environment), now, limits, periods), reading=True
        )

    async def restore(
        self, environment: str, cold: int, spent: Sequence[Spent], taken: Sequence[Taken]
    ) -> str:
        return await self._run(
            lambda rows, now: quota.restore(rows.books(environment), now, cold, spent, taken)
        )


class EmbeddedIdempotency:
    """The idempotency keys; see the port."""

    def __init__(self, run: Run) -> None:
        self._run = run

    async def begin(
        self, key: str, fingerprint: bytes, lease: int, keep: int
    ) -> Begun | Running | Mismatch | Doubtful | Done:
        return await self._run(
            partial(idempotency.begin, key=key, fingerprint=fingerprint, lease=lease, keep=keep)
        )

    async def renew(self, key: str, fence: int, lease: int) -> bool:
        return await self._run(partial(idempotency.renew, key=key, fence=fence, lease=lease))

    async def depart(self, key: str, fence: int) -> bool:
        return await self._run(partial(idempotency.depart, key=key, fence=fence))

    async def finish(self, key: str, fence: int, answer: bytes, *, settled: bool) -> bool:
        return await self._run(
            partial(idempotency.finish, key=key, fence=fence, answer=answer, settled=settled)
        )

    async def forget(self, key: str, fence: int) -> None:
        await self._run(partial(idempotency.forget, key=key, fence=fence))


class EmbeddedBreakers:
    """The circuits; see the port."""

    def __init__(self, run: Run) -> None:
        self._run = run

    async def trip(self, circuit: str, base: int, longest: int, jitter: float) -> Open:
        return await self._run(
            partial(breakers.trip, circuit=circuit, base=base, longest=longest, jitter=jitter)
        )

    async def probe(self, circuit: str, holder: str, lease: int) -> Closed | Open | Probe:
        return await self._run(partial(breakers.probe, circuit=circuit, holder=holder, lease=lease))

    async def close(self, circuit: str) -> None:
        await self._run(partial(breakers.close, circuit=circuit))


class EmbeddedLedger:
    """The ledger; see the port."""

    def __init__(self, run: Run) -> None:
        self._run = run

    async def add(self, entry_id: str, entries: Sequence[LedgerEntry]) -> None:
        await self._run(partial(ledger.add, entry_id=entry_id, entries=entries))

    async def usage(self, environment: str, first_day: str, last_day: str) -> tuple[LedgerEntry, ...]:
        return await self._run(
            partial(ledger.usage, environment=environment, first_day=first_day, last_day=last_day),
            reading=True,
        )
