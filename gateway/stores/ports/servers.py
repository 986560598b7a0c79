"""What a store that is a server says of itself, for those who look after it."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import msgspec


class ServerState(msgspec.Struct, frozen=True, kw_only=True):
    """``eviction`` is what it does when its memory is full, ``appends`` whether it writes each change to a file.

    ``clock`` is its time, in Unix seconds. None is what it does not tell.
    """

    product: str
    eviction: str | None
    appends: bool | None
    clock: float


@runtime_checkable
class StoreServer(Protocol):
    """A store behind a connection."""

    async def state(self) -> ServerState:
        """Raises :class:`~gateway.stores.ports.StoreLost`, also where it does not permit the question."""
        ...
