"""Writes that are repeated with the same key run once."""

from __future__ import annotations

from typing import Protocol

import msgspec


class Begun(msgspec.Struct, frozen=True):
    """The key is the caller's to run; ``fence`` must be shown from now on, so that a lost lease cannot overwrite."""

    fence: int


class Running(msgspec.Struct, frozen=True):
    """Another call with this key is under way; its lease runs out in ``ends_in`` milliseconds unless it is renewed."""

    ends_in: int


class Mismatch(msgspec.Struct, frozen=True):
    """The key was used for another request."""


class Doubtful(msgspec.Struct, frozen=True):
    """An earlier call was sent and its outcome is not known; to look what became of it is now this caller's.

    ``answer`` is what it was told, None where it ended without one.
    """

    fence: int
    answer: bytes | None


class Done(msgspec.Struct, frozen=True):
    """The first call's answer, to be replayed byte for byte."""

    answer: bytes


class IdempotencyStore(Protocol):
    """Writes that are repeated with the same key run once.

    Every record is forgotten ``keep`` milliseconds after it began. A fence that is not the newest changes nothing.
    """

    async def begin(
        self, key: str, fingerprint: bytes, lease: int, keep: int
    ) -> Begun | Running | Mismatch | Doubtful | Done:
        """Claim the key for ``lease``, or learn what became of it.

        A run whose lease is over is taken over: one that had not departed is Begun anew, one that had is Doubtful.
        """
        ...

    async def renew(self, key: str, fence: int, lease: int) -> bool:
        """Hold on to the key; false when it has passed to another."""
        ...

    async def depart(self, key: str, fence: int) -> bool:
        """Note that something is about to be sent; false when the key has passed to another, or the lease is over."""
        ...

    async def finish(self, key: str, fence: int, answer: bytes, *, settled: bool) -> bool:
        """Keep the answer; ``settled`` is false when the outcome is unknown.

        False when the key has passed to another.
        """
        ...

    async def forget(self, key: str, fence: int) -> None:
        """Nothing left the gateway: the key is free again."""
        ...
