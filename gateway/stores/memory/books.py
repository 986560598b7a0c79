"""The accounts of one environment, in memory."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable

from gateway.stores.memory.expiry import Expiring
from gateway.stores.memory.log import Log
from gateway.stores.ports import Account
from gateway.stores.steps.rows import BUCKET, DAY, HOUR, Environment, Reservation


class MemoryBooks:
    """See :class:`~gateway.stores.steps.rows.Books`; ``charge`` adds units to the ledger."""

    def __init__(self, charge: Callable[[str, Account, int], None]) -> None:
        self.charge = charge
        self.reservations: Expiring[Reservation] = Expiring()
        self._environment: Environment | None = None
        self._logs: defaultdict[str, Log] = defaultdict(Log)
        self._days: defaultdict[str, Counter[int]] = defaultdict(Counter)
        self._paces: defaultdict[str, Counter[int]] = defaultdict(Counter)

    def environment(self) -> Environment | None:
        return self._environment

    def keep_environment(self, row: Environment) -> None:
        self._environment = row

    def reservation(self, reservation: str) -> Reservation | None:
        return self.reservations.get(reservation)

    def keep_reservation(self, reservation: str, row: Reservation) -> None:
        self.reservations.keep(reservation, row, row.forget_at)

    def drop_reservation(self, reservation: str) -> None:
        self.reservations.drop(reservation)

    def slots(self, key: str, now: int) -> int:
        return self._logs[key].taken(now)

    def comes_free(self, key: str, nth: int, now: int) -> int:
        return self._logs[key].comes_free(nth, now)

    def take(self, key: str, reservation: str, free_at: int, now: int) -> None:
        self._logs[key].take(reservation, free_at, now)

    def give_back(self, key: str, reservation: str) -> None:
        self._logs[key].give_back(reservation)

    def spent(self, key: str, starts: int) -> int:
        return self._days[key][starts]

    def spend(self, key: str, starts: int, units: int) -> None:
        _add(self._days[key], starts, units, oldest=starts - 3 * DAY)

    def pace(self, key: str, bucket: int, units: int) -> None:
        _add(self._paces[key], bucket, units, oldest=bucket - HOUR // BUCKET)

    def recent(self, key: str, bucket: int) -> int:
        return sum(units for at, units in self._paces[key].items() if at >= bucket)


def _add(counts: Counter[int], at: int, units: int, *, oldest: int) -> None:
    if at not in counts:
        for old in [moment for moment in counts if moment < oldest]:
            del counts[old]
    counts[at] += units
