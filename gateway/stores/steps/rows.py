"""The rows that steps are taken over, and how they are reached. Moments and durations are in milliseconds."""

from __future__ import annotations

from typing import Protocol

import msgspec

from gateway.stores.ports import Account, LedgerEntry
from gateway.stores.steps.throttle import Throttle

BUCKET = 300_000
"""The units of a day are counted by five minutes as well, to tell how fast it goes."""

HOUR = 3_600_000

DAY = 86_400_000


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an environment since ``epoch`` began; its logs count as full until ``cold_until``."""

    epoch: str
    cold_until: int
    throttle: Throttle = Throttle()


class Reservation(msgspec.Struct, frozen=True, kw_only=True):
    """A unit that was taken at ``taken_at``, after so many ``closings`` of the environment.

    It is held until ``lease_ends``, or ``settled``. ``spans`` are the logs that it has a slot in, with length and
    margin together; ``days`` the daily windows that it counts in, by the period that ``starts`` then. It is remembered
    until ``forget_at``, so that what is asked again about it counts once.
    """

    account: Account
    taken_at: int
    closings: int
    spans: dict[str, int]
    days: tuple[str, ...]
    starts: int
    label: str
    over: tuple[str, ...]
    lease_ends: int
    forget_at: int
    settled: bool = False


class Books(Protocol):
    """The accounts of one environment. A *slot* is the place of a reservation in the log ``key``."""

    def environment(self) -> Environment | None: ...

    def keep_environment(self, row: Environment) -> None: ...

    def reservation(self, reservation: str) -> Reservation | None:
        """The row, if it is there; one whose time is over may still be."""
        ...

    def keep_reservation(self, reservation: str, row: Reservation) -> None: ...

    def drop_reservation(self, reservation: str) -> None: ...

    def slots(self, key: str, now: int) -> int:
        """How many slots are taken."""
        ...

    def comes_free(self, key: str, nth: int, now: int) -> int:
        """When the nth of the taken slots comes free, counted from 1."""
        ...

    def take(self, key: str, reservation: str, free_at: int, now: int) -> None:
        """Take a slot, or let the one it has come free at another moment."""
        ...

    def give_back(self, key: str, reservation: str) -> None: ...

    def spent(self, key: str, starts: int) -> int:
        """The units that a daily window took in its period."""
        ...

    def spend(self, key: str, starts: int, units: int) -> None:
        """Add to the units of a period; what is long over may be forgotten at this chance."""
        ...

    def pace(self, key: str, bucket: int, units: int) -> None:
        """Add to the units of five minutes."""
        ...

    def recent(self, key: str, bucket: int) -> int:
        """The units of the five minutes ``bucket`` and of those after."""
        ...

    def charge(self, label: str, account: Account, units: int) -> None:
        """Add to the units of an account, on a day of the ledger."""
        ...


class KeyRow(msgspec.Struct, frozen=True, kw_only=True):
    """An idempotency key: its newest run, ``running`` until its lease ends, and what it has come to.

    ``departed``: this run may have sent something. ``doubtful``: an earlier one may have, or this one ended without
    knowing; then ``answer`` is what its caller was told. Neither running nor doubtful: ``answer`` is to be replayed.
    """

    fingerprint: bytes
    fence: int
    lease_ends: int
    forget_at: int
    running: bool = True
    departed: bool = False
    doubtful: bool = False
    answer: bytes | None = None


class Circuit(msgspec.Struct, frozen=True, kw_only=True):
    """A circuit that was tripped so many ``times`` in a row; ``holder`` is trying it until ``held_until``."""

    times: int
    open_until: int
    holder: str | None = None
    held_until: int = 0


class Rows(Protocol):
    """All that a store keeps."""

    def books(self, environment: str) -> Books: ...

    def fence(self) -> int:
        """A number that is greater than every one before."""
        ...

    def key(self, key: str) -> KeyRow | None:
        """The row, if it is there; one whose time is over may still be."""
        ...

    def keep_key(self, key: str, row: KeyRow) -> None: ...

    def drop_key(self, key: str) -> None: ...

    def circuit(self, circuit: str) -> Circuit | None: ...

    def keep_circuit(self, circuit: str, row: Circuit) -> None: ...

    def drop_circuit(self, circuit: str) -> None: ...

    def enter(self, entry: str, now: int, forget_at: int) -> bool:
        """Note until ``forget_at`` that an entry of the ledger was made; false when that stands there."""
        ...

    def add(self, entry: LedgerEntry) -> None:
        """Add figures, those of ``units`` too, to the sums of their day."""
        ...

    def usage(self, environment: str, first_day: str, last_day: str) -> tuple[LedgerEntry, ...]:
        """The sums in the order of day, tenant, client, operation and adapter."""
        ...

    def forget_days(self, environment: str, before: str) -> None:
        """Drop the ledger's days before that one."""
        ...

    def sweep(self, now: int) -> None:
        """Forget some of what is over: a bounded number of rows."""
        ...
