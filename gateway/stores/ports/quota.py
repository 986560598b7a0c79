"""Who may send: units taken in windows, given back, and what is known of the upstream's patience."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

UPSTREAM = "upstream"
"""In place of a limit's key: the upstream itself has said that it takes no more for now."""


class Period(msgspec.Struct, frozen=True):
    """A day of an environment, from ``starts`` up to ``ends``; ``label`` is its ISO 8601 date."""

    starts: int
    ends: int
    label: str


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """One window that a unit must fit into, e.g. the environment's burst or a tenant's share of the day.

    ``key`` is unique in the environment. ``limit`` is what the window holds, and ``upto`` how far this unit may
    fill it: less for a call that leaves the rest to more urgent ones. A *log* is a list of slots: a slot stays
    taken from its reservation until its answer, plus ``length``, plus ``margin`` (milliseconds). A ``daily`` window
    counts units by the period that the store's clock is in. One that ``adapts`` holds less for a time after the
    upstream has refused for its own quota. One that is not ``enforced`` counts and never refuses.
    """

    key: str
    limit: int
    upto: int
    length: int
    margin: int = 0
    daily: bool = False
    adapts: bool = False
    enforced: bool = True


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """To whom a unit is charged in the ledger."""

    tenant: str
    client: str
    operation: str
    adapter: str


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """One unit, asked for. Whoever holds it says within ``lease`` (milliseconds) that it still does.

    ``periods`` are the environment's days around now: the store's clock picks, and where it is in none it is
    the one in the middle. ``cold`` is how long a
    store that knows nothing of the environment takes its logs for full, since it cannot know what was sent before.
    """

    reservation: str
    environment: str
    limits: tuple[Limit, ...]
    periods: tuple[Period, ...]
    account: Account
    lease: int
    cold: int


class WindowState(msgspec.Struct, frozen=True, kw_only=True):
    """A window as it stands.

    ``limit`` is what it holds now, ``resets_in`` when all of it is free again (of a log: the next slot).
    ``recent`` is what a daily window took in the last hour; where one is asked how things stand, a log of more
    than an hour tells that, too.
    """

    key: str
    limit: int
    used: int
    resets_in: int
    recent: int = 0


class Reserved(msgspec.Struct, frozen=True, kw_only=True):
    """The unit is taken until settled, released, or until the lease runs out.

    ``over`` are the windows that are not enforced and would have refused it. ``epoch`` names this store's memory of the
    environment: another one than before says that what was known is lost. ``windows`` are as they stand after it,
    in the order of the limits.
    """

    windows: tuple[WindowState, ...]
    epoch: str
    over: tuple[str, ...] = ()


class Full(msgspec.Struct, frozen=True, kw_only=True):
    """No unit was taken; ``limit`` is the key of the window that is full longest, or :data:`UPSTREAM`."""

    limit: str
    opens_in: int
    epoch: str


class Throttled(msgspec.Struct, frozen=True, kw_only=True):
    """The upstream refused for its own quota.

    ``retry_after`` is what it asked for (milliseconds), ``window`` and ``limit`` are the burst's. The environment
    closes for ``retry_after``, or for the ``window``. At the first refusal after it was open, what the adapting windows
    hold is halved, and it rises again by a tenth of the whole with each window that passes. From the third such
    refusal in a row on, one unit at a time is let through to ask, at most one a minute and then half as often each
    time, up to a quarter of an hour: then it is the day that is used up. An answer to a unit that was taken after the
    last closing ends all that but the slow rise.
    """

    retry_after: int | None
    window: int
    limit: int


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A unit that was spent while the store could not be reached: its ``claim``, and how long its slots stay taken.

    One that has not ``ended`` is held as if it had been reserved here, on a lease as long as its slots allow.
    """

    claim: Claim
    held_for: int
    ended: bool = True


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """What a daily window is known to have taken in the period that starts at ``starts``."""

    key: str
    starts: int
    used: int


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """An environment as it stands.

    ``closed_for`` is how long the upstream wants to be left alone, 0 when it is open, ``strikes`` how often in a row
    it refused. The epoch is None while nothing is known of the environment.
    """

    windows: tuple[WindowState, ...]
    closed_for: int
    strikes: int
    epoch: str | None


class QuotaStore(Protocol):
    """Who may send, decided over every level (environment, tenant, client) in one step."""

    async def reserve(self, claim: Claim) -> Reserved | Full:
        """Take the unit in every window, or in none; asked again with the same reservation it is taken once.

        The unit is charged to its account in the ledger at once.
        """
        ...

    async def renew(self, environment: str, reservations: Sequence[str], lease: int) -> frozenset[str]:
        """Hold on for another ``lease`` to those that are still held; says which."""
        ...

    async def settle(self, environment: str, reservation: str, throttled: Throttled | None = None) -> None:
        """The answer is there, or none will come: the slots start on their way out. Once is enough."""
        ...

    async def release(self, environment: str, reservation: str) -> None:
        """Nothing was sent: give the unit back, in windows and ledger."""
        ...

    async def standing(
        self, environment: str, limits: Sequence[Limit], periods: Sequence[Period]
    ) -> Standing:
        """How full the windows are, without changing them."""
        ...

    async def restore(
        self, environment: str, cold: int, spent: Sequence[Spent], taken: Sequence[Taken]
    ) -> str:
        """Take over what another memory knows: days to at least ``spent``, then each of ``taken`` once; the epoch.

        Of a unit that is told again, and was not settled meanwhile, the newest word counts.
        An environment of which nothing was known begins closed for ``cold``, as with a first claim.
        """
        ...
