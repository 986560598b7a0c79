"""What people see of an environment's quota: its windows as they stand, and the headers that tell of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, tzinfo

import msgspec
from msgspec import UNSET, UnsetType

from contracts.call import Band
from gateway.clock import Clock
from gateway.quota.admission import Admission
from gateway.quota.forecast import Forecast, forecast, moment_text, rolling_forecast
from gateway.quota.recorder import Recorder
from gateway.quota.windows import Windows
from gateway.stores.ports import LedgerEntry, Limit, Period, Standing, WindowState

DAY_SECONDS = 86_400
_PROBED = 3
"""From so many refusals in a row on, it is taken to be the day that is used up."""

LastKnown = tuple[Limit, WindowState, float]
"""A window as it stood when it was last heard of, and when that was, in monotonic seconds."""


class WindowShown(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One window of the quota.

    ``level`` says whose it is: that of all callers of the environment, of the tenant, or of this client. ``limit`` is
    what it holds now, less for a while after the upstream has refused. ``resets_in`` is in seconds and ``resets_at``
    the moment (ISO 8601): when a day begins anew, when the next slot of any other window comes free. One that is
    not ``enforced`` counts and refuses nothing. ``forecast`` is there for days.
    """

    level: str
    window: str
    limit: int
    used: int
    remaining: int
    resets_in: int
    resets_at: str
    enforced: bool
    forecast: Forecast | None


class UpstreamShown(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Whether the upstream itself has refused for its quota.

    ``closed_for`` is how many seconds nothing is sent to it, ``strikes`` how often in a row it has refused.
    """

    closed_for: int
    strikes: int
    text: str | UnsetType = UNSET


class QuotaDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The quota as it stands for one caller.

    ``waiting`` is how many requests wait for a slot, of all callers. ``store`` is ``ok``, or says what is the
    matter with the place where the count is kept.
    """

    windows: tuple[WindowShown, ...]
    upstream: UpstreamShown
    waiting: int
    store: str


class QuotaView:
    """The quota of one environment, for those who ask; times are in the zone of its days."""

    def __init__(
        self,
        windows: Windows,
        admission: Admission,
        recorder: Recorder,
        clock: Clock,
        store_trouble: Callable[[], str | None],
    ) -> None:
        """``store_trouble`` says what is the matter with the store, None when nothing is."""
        self._windows = windows
        self._admission = admission
        self._recorder = recorder
        self._clock = clock
        self._store_trouble = store_trouble
        self._policies: dict[str, bytes] = {}

    @property
    def today(self) -> str:
        """The ISO 8601 date of the environment's day."""
        return self._windows.periods(self._clock.now())[1].label

    async def document(self, tenant: str, client: str) -> QuotaDocument:
        """The windows as they stand. Raises :class:`~contracts.errors.StoreUnavailable`."""
        limits, standing = await self._admission.standing(tenant, client)
        return QuotaDocument(
            windows=tuple(windows_shown(limits, standing, self._windows, self._clock.now())),
            upstream=upstream_shown(standing),
            waiting=self._admission.waiting,
            store=self._store_trouble() or "ok",
        )

    async def usage(self, first_day: str, last_day: str) -> tuple[LedgerEntry, ...]:
        """The environment's part of the ledger. Raises :class:`~gateway.stores.ports.StoreLost`."""
        return await self._recorder.usage(self._windows.environment, first_day, last_day)

    def headers(self, tenant: str, client: str) -> list[tuple[bytes, bytes]]:
        """``RateLimit-Policy`` and, when something is known, ``RateLimit``.

        By draft-ietf-httpapi-ratelimit-headers-11. The policy tells what the tenant may take: its own share, or all of
        the environment's. What is left is the least of every window that a unit of this client must fit into.
        """
        policy = self._policies.get(tenant)
        if policy is None:
            policy = policy_header(self._windows.limits(tenant, client, Band.INTERACTIVE))
            self._policies[tenant] = policy
        left = limit_header(self._admission.last(tenant, client), self._clock.monotonic())
        headers = ((b"ratelimit-policy", policy), (b"ratelimit", left))
        return [header for header in headers if header[1]]


def windows_shown(
    limits: Iterable[Limit], standing: Standing, windows: Windows, now: float
) -> Iterable[WindowShown]:
    """Each window as it stands, in the order of the limits; ``now`` is in seconds since 1970."""
    day = windows.periods(now)[1]
    for limit, state in zip(limits, standing.windows, strict=True):
        level, _, window = _parts(limit)
        yield WindowShown(
            level=level,
            window=window,
            limit=state.limit,
            used=state.used,
            remaining=max(0, state.limit - state.used),
            resets_in=_seconds(state.resets_in),
            resets_at=moment_text(now * 1000 + state.resets_in, windows.zone),
            enforced=limit.enforced,
            forecast=_forecast(limit, state, day, now, windows.zone),
        )


def upstream_shown(standing: Standing) -> UpstreamShown:
    """Whether the upstream wants to be left alone, in numbers and in words."""
    closed_for = _seconds(standing.closed_for)
    if not closed_for:
        return UpstreamShown(closed_for=0, strikes=standing.strikes)
    why = "its day seems to be used up" if standing.strikes >= _PROBED else "it refused for its own quota"
    return UpstreamShown(
        closed_for=closed_for,
        strikes=standing.strikes,
        text=f"nothing is sent to the upstream for {closed_for} s: {why}",
    )


def shut_text(admission: Admission, windows: Windows, clock: Clock) -> Iterator[str]:
    """What keeps everybody from sending, as far as this process knows without asking the store."""
    opens = admission.upstream_opens()
    if opens is not None:
        yield f"nothing is sent for {math.ceil(opens - clock.monotonic())} s since it refused for its own quota"
    begins = admission.day_begins()
    if begins is not None:
        moment = datetime.fromtimestamp(clock.now() + begins - clock.monotonic(), windows.zone)
        yield f"the day is used up until {moment:%H:%M}"


def policy_header(limits: Iterable[Limit]) -> bytes:
    """``RateLimit-Policy`` for a tenant with these limits; empty where none is enforced."""
    items: dict[str, str] = {}
    for limit in limits:
        level, _, window = _parts(limit)
        if limit.enforced and level in ("environment", "tenant"):
            length = DAY_SECONDS if window == "day" else _seconds(limit.length)
            items[window] = f'"{window}";q={limit.limit};w={length}'
    return ", ".join(items[window] for window in ("burst", "day") if window in items).encode()


def limit_header(known: Iterable[LastKnown], monotonic: float) -> bytes:
    """``RateLimit`` now; of windows that have begun anew since they were looked at, nothing is known any more."""
    least: dict[str, tuple[int, int]] = {}
    for limit, state, since in known:
        age = (monotonic - since) * 1000
        if not limit.enforced or age >= (state.resets_in if limit.daily else limit.length):
            continue
        window = _parts(limit)[2]
        left = (max(0, state.limit - state.used), _seconds(max(0, state.resets_in - age)))
        least[window] = min(least.get(window, left), left)
    return ", ".join(
        f'"{window}";r={least[window][0]};t={least[window][1]}'
        for window in ("burst", "day")
        if window in least
    ).encode()


def _forecast(limit: Limit, state: WindowState, day: Period, now: float, zone: tzinfo) -> Forecast | None:
    if limit.daily:
        return forecast(state, day, now, zone)
    return rolling_forecast(state, now, zone) if _parts(limit)[2] == "day" else None


def _parts(limit: Limit) -> tuple[str, str, str]:
    """Level, name and window."""
    level, name, window = limit.key.split("/", 2)
    return level, name, window


def _seconds(milliseconds: float) -> int:
    return math.ceil(milliseconds / 1000)
