"""The ports of the stores: what a policy may ask of state that outlives a call.

Each method is one atomic step, on the store's own clock, and idempotent by the id it is given: a
lost reply may be asked again and counts once. Every method raises :class:`StoreUnavailable` when
the store cannot be reached; what to do then is the policy's to decide, and never "let it pass".
Times are milliseconds since 1970 (UTC) as integers, durations milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec


class StoreUnavailable(Exception):
    """The store did not answer, or not in time; the step may or may not have been taken."""


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """One window that a reservation must fit into, e.g. the environment's burst or a tenant's share of the day.

    ``key`` names the counter. A *log* window (``day_start`` None) is a log of slots: a slot stays
    taken from its reservation until its answer, plus ``length``, plus ``margin``. A *day* window
    counts units from ``day_start`` on.
    """

    key: str
    limit: int
    length: int
    margin: int = 0
    day_start: int | None = None


class Reserved(msgspec.Struct, frozen=True):
    """The units are taken until settled, released, or until the lease runs out."""

    reservation: str
    lease_until: int


class Full(msgspec.Struct, frozen=True):
    """No unit was taken; ``limit`` is the key of the window that is full and ``opens`` when a slot comes free."""

    limit: str
    opens: int


class WindowState(msgspec.Struct, frozen=True):
    """A window as it stands."""

    key: str
    limit: int
    used: int
    resets: int


class QuotaStore(Protocol):
    """Who may send, decided over every level (environment, tenant, client) in one step."""

    async def reserve(
        self, reservation: str, units: int, limits: Sequence[Limit], lease: int
    ) -> Reserved | Full:
        """Take ``units`` in every window, or in none."""
        ...

    async def settle(self, reservation: str, units: int) -> None:
        """The answer is there: charge what was really sent, and start the slots' way out of the log windows."""
        ...

    async def release(self, reservation: str) -> None:
        """Nothing was sent: give everything back."""
        ...

    async def windows(self, limits: Sequence[Limit]) -> tuple[WindowState, ...]:
        """How full the windows are, without changing them."""
        ...


class Begun(msgspec.Struct, frozen=True):
    """The key is the caller's to run; ``fence`` must be shown when it ends, so that a lost lease cannot overwrite."""

    fence: int


class Running(msgspec.Struct, frozen=True):
    """Another call with this key is under way."""


class Mismatch(msgspec.Struct, frozen=True):
    """The key was used for another request."""


class Unsettled(msgspec.Struct, frozen=True):
    """The first call was sent and its outcome is not known."""

    answer: bytes


class Done(msgspec.Struct, frozen=True):
    """The first call's answer, to be replayed byte for byte."""

    answer: bytes


class IdempotencyStore(Protocol):
    """Writes that are repeated with the same key run once."""

    async def begin(
        self, key: str, fingerprint: bytes, lease: int, keep: int
    ) -> Begun | Running | Mismatch | Unsettled | Done:
        """Claim the key for ``lease``, or learn what became of it; it is forgotten after ``keep``."""
        ...

    async def finish(self, key: str, fence: int, answer: bytes, *, settled: bool) -> None:
        """Keep the answer; ``settled`` is false when the outcome is unknown."""
        ...

    async def forget(self, key: str, fence: int) -> None:
        """Nothing left the gateway: the key is free again."""
        ...


class CacheStore(Protocol):
    """Answers that may be given again."""

    async def get(self, key: bytes) -> tuple[bytes, int] | None:
        """The stored answer and its age, None when there is none."""
        ...

    async def put(self, key: bytes, tags: Sequence[str], answer: bytes, keep: int) -> None:
        """Store an answer under the tags that a later write may drop it by."""
        ...

    async def drop(self, tags: Sequence[str]) -> None:
        """Forget every answer that carries one of the tags."""
        ...


class LedgerEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What was spent, summed per day and dimension; ``day`` is ISO 8601."""

    day: str
    environment: str
    tenant: str
    client: str
    operation: str
    adapter: str
    calls: int = 0
    units: int = 0
    records: int = 0
    units_saved: int = 0
    refusals: int = 0
    waits: int = 0


class LedgerStore(Protocol):
    """Who burns the quota."""

    async def add(self, entry_id: str, entry: LedgerEntry) -> None:
        """Add the entry's figures to its day's sums, once per ``entry_id``."""
        ...

    async def usage(self, first_day: str, last_day: str) -> tuple[LedgerEntry, ...]:
        """The sums of a stretch of days, both included."""
        ...
