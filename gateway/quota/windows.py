"""The windows that a unit must fit into, and the days of an environment, as the configuration has them.

The numbers of the environment are the upstream's, less what is left to others; a tenant's and a client's
are shares of that. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta

from contracts.call import Band
from gateway.settings import EnvironmentSettings, TenantSettings
from gateway.settings.traffic import ClientQuotaSettings, Window, units
from gateway.stores.ports import Limit, Period

DAY = 86_400_000
"""A day as it is as a rule, in milliseconds."""


class Windows:
    """The limits and the days of one environment.

    ``burst_window`` and ``burst_limit`` are the environment's burst, ``cold`` how long a store that knows nothing
    must wait; times are in milliseconds.
    """

    def __init__(
        self, environment: str, settings: EnvironmentSettings, tenants: Mapping[str, TenantSettings]
    ) -> None:
        """``tenants`` are those of the environment, by name."""
        quota = settings.quota
        self.environment = environment
        self.zone = quota.day.zone or settings.zone
        self.burst_window = _milliseconds(quota.burst.seconds)
        self.burst_limit = max(1, quota.burst.limit - quota.burst.headroom)
        self._margin = _milliseconds(quota.burst.margin)
        self.cold = self.burst_window + self._margin if quota.cold_start == "wait" else 0
        self._day_limit = max(1, quota.day.limit - quota.day.headroom)
        self._quota = quota
        self._tenants = {name: tenant.quota for name, tenant in tenants.items()}
        self._reset = time.fromisoformat(quota.day.reset)
        self._limits: dict[tuple[str, str, Band], tuple[Limit, ...]] = {}
        self._periods: tuple[Period, Period, Period] | None = None

    def limits(self, tenant: str, client: str, band: Band) -> tuple[Limit, ...]:
        """Every window for a unit of this client, from the environment's down, each burst before its day."""
        key = tenant, client, band
        limits = self._limits.get(key)
        if limits is None:
            limits = self._limits[key] = tuple(self._each(tenant, client, band))
        return limits

    def every(self) -> tuple[Limit, ...]:
        """Each window of the environment once: its own, then those of its tenants and of their clients."""
        named = (
            (tenant, client) for tenant, quota in self._tenants.items() for client in ("", *quota.clients)
        )
        limits = {limit.key: limit for limit in self.limits("", "", Band.INTERACTIVE)}
        for tenant, client in named:
            limits.update({limit.key: limit for limit in self.limits(tenant, client, Band.INTERACTIVE)})
        return tuple(limits.values())

    def periods(self, now: float) -> tuple[Period, Period, Period]:
        """Yesterday, today and tomorrow of the environment; ``now`` is in seconds since 1970.

        A day ends when the next one begins: where clocks are changed it has 23 or 25 hours.
        """
        moment = int(now * 1000)
        known = self._periods
        if known is None or not known[1].starts <= moment < known[1].ends:
            today = datetime.fromtimestamp(now, self.zone).date()
            if self._starts(today) > moment:
                today -= timedelta(days=1)
            yesterday, tomorrow = today - timedelta(days=1), today + timedelta(days=1)
            known = self._periods = self._period(yesterday), self._period(today), self._period(tomorrow)
        return known

    def day_ends(self, now: float) -> float:
        """When today ends, in seconds since 1970; a rolling day lasts 24 hours from ``now``."""
        return now + DAY / 1000 if self._quota.day.rolling else self.periods(now)[1].ends / 1000

    def _each(self, tenant: str, client: str, band: Band) -> Iterator[Limit]:
        part: float = getattr(self._quota.ceilings, band)
        yield self._burst(f"environment/{self.environment}", self.burst_limit, part, self._quota.shadow)
        yield self._day(f"environment/{self.environment}", self._day_limit, part, self._quota.shadow)
        shares = self._tenants.get(tenant)
        if shares is None:
            return
        yield from self._shared(f"tenant/{tenant}", shares, part)
        if client in shares.clients:
            yield from self._shared(f"client/{tenant}:{client}", shares.clients[client], part)

    def _shared(self, whose: str, shares: ClientQuotaSettings, part: float) -> Iterator[Limit]:
        if shares.burst is not None:
            yield self._burst(whose, units(shares.burst, self.burst_limit), part, shares.shadow)
        if shares.day is not None:
            yield self._day(whose, units(shares.day, self._day_limit), part, shares.shadow)

    def _burst(self, whose: str, limit: int, part: float, shadow: tuple[Window, ...]) -> Limit:
        return Limit(
            key=f"{whose}/burst",
            limit=limit,
            upto=_upto(limit, part),
            length=self.burst_window,
            margin=self._margin,
            adapts=whose.startswith("environment/"),
            enforced="burst" not in shadow,
        )

    def _day(self, whose: str, limit: int, part: float, shadow: tuple[Window, ...]) -> Limit:
        return Limit(
            key=f"{whose}/day",
            limit=limit,
            upto=_upto(limit, part),
            length=DAY,
            daily=not self._quota.day.rolling,
            enforced="day" not in shadow,
        )

    def _period(self, day: date) -> Period:
        return Period(self._starts(day), self._starts(day + timedelta(days=1)), day.isoformat())

    def _starts(self, day: date) -> int:
        return int(datetime.combine(day, self._reset, self.zone).timestamp() * 1000)


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _upto(limit: int, part: float) -> int:
    return max(1, int(limit * part))
