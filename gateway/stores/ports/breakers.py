"""Interfaces that are left alone for a while, and who may try them."""

from __future__ import annotations

from typing import Protocol

import msgspec


class Closed(msgspec.Struct, frozen=True):
    """The circuit is closed: calls pass."""


class Open(msgspec.Struct, frozen=True):
    """The circuit is open, or another one is trying it: nothing passes for ``opens_in`` milliseconds."""

    opens_in: int


class Probe(msgspec.Struct, frozen=True):
    """The circuit may be tried, by this one call."""


class BreakerStore(Protocol):
    """The circuits that are open, shared by all replicas."""

    async def trip(self, circuit: str, base: int, longest: int, jitter: float) -> Open:
        """Open it for ``base`` milliseconds, doubled for each time in a row and at most ``longest``, times ``jitter``.

        One that is open already stays as it is, unless its time was up: the probe has failed then.
        """
        ...

    async def probe(self, circuit: str, holder: str, lease: int) -> Closed | Open | Probe:
        """Ask to be the one that tries it; nobody else may until ``lease`` is over, it trips again, or it closes."""
        ...

    async def close(self, circuit: str) -> None:
        """It works again, and has never failed."""
        ...
