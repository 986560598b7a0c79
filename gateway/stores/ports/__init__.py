"""The ports of the stores: what may be asked of state that outlives a call.

Each method is one atomic step, on the store's own clock, and idempotent by the id it is given: a
lost reply may be asked again and counts once. Every method raises :class:`StoreLost` when the store
cannot be reached; what to do then is the asker's to decide, and never "let it pass". What is told of
time is a duration, in milliseconds from the moment of the step, since clocks differ; only the periods of
a day are moments, in milliseconds since 1970 (UTC).
"""

from __future__ import annotations

from typing import Protocol

from gateway.stores.ports.breakers import (
    BreakerStore,
    Closed,
    Open,
    Probe,
)
from gateway.stores.ports.idempotency import (
    Begun,
    Done,
    Doubtful,
    IdempotencyStore,
    Mismatch,
    Running,
)
from gateway.stores.ports.ledger import (
    LedgerEntry,
    LedgerStore,
)
from gateway.stores.ports.quota import (
    UPSTREAM,
    Account,
    Claim,
    Full,
    Limit,
    Period,
    QuotaStore,
    Reserved,
    Spent,
    Standing,
    Taken,
    Throttled,
    WindowState,
)
from gateway.stores.ports.servers import (
    ServerState,
    StoreServer,
)

__all__ = [
    "UPSTREAM",
    "Account",
    "Begun",
    "BreakerStore",
    "Claim",
    "Closed",
    "Done",
    "Doubtful",
    "Full",
    "IdempotencyStore",
    "LedgerEntry",
    "LedgerStore",
    "Limit",
    "Mismatch",
    "Open",
    "Period",
    "Probe",
    "QuotaStore",
    "Reserved",
    "Running",
    "ServerState",
    "Spent",
    "Standing",
    "Store",
    "StoreLost",
    "StoreServer",
    "Taken",
    "Throttled",
    "WindowState",
]


class StoreLost(Exception):
    """The store did not answer, or not in time; the step may or may not have been taken."""


class Store(Protocol):
    """One memory with its four parts. It is opened by its first use."""

    @property
    def quota(self) -> QuotaStore: ...

    @property
    def idempotency(self) -> IdempotencyStore: ...

    @property
    def breakers(self) -> BreakerStore: ...

    @property
    def ledger(self) -> LedgerStore: ...

    async def ping(self) -> None:
        """Raises :class:`StoreLost` when the store cannot be reached."""
        ...

    async def close(self) -> None:
        """Let go of files and connections."""
        ...
