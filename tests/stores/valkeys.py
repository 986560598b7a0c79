"""Valkey for the suite of the stores: its own clock goes on by itself, and is set ahead where the store lets it."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from gateway.stores.valkey import ValkeyStore
from tests.support.valkey import Valkey

LONGEST = 2_000
"""How long a test may really wait, in milliseconds."""


class ServerTime:
    """The time of a Valkey server.

    Time never goes back for an environment, so the moment of its last step may be ahead of the server's clock; the
    steps go on from there. Keys and circuits know the clock alone: for them one has to wait.
    """

    def __init__(self, server: Valkey) -> None:
        self._server = server

    def now(self) -> int:
        seconds, microseconds = cast("tuple[int, int]", self._server.command("TIME"))
        return int(seconds) * 1000 + int(microseconds) // 1000

    async def advance(self, milliseconds: float) -> None:
        names = cast("list[bytes]", self._server.command("KEYS", "*"))
        for home in (name.decode() for name in names if name.endswith(b"}")):
            moment = self._moment(home) + round(milliseconds)
            self._server.command("HSET", home, "last", moment, "seen", 2 * moment)
        if any(b":key:" in name or b":circuit:" in name for name in names):
            if milliseconds > LONGEST:
                pytest.skip("the server's clock cannot be moved, and nobody wants to wait for it")
            await asyncio.sleep(milliseconds / 1000)

    def stand(self, environment: str, moment: int) -> None:
        """Let the next step be at this moment, which is ahead of the clock: as if that were set back just now."""
        self._server.command("HSET", f"{{test:{environment}}}", "last", moment, "seen", 2 * moment)

    def _moment(self, home: str) -> int:
        """The time of an environment, which is slower than the clock while it is ahead of it."""
        last, seen = (
            int(text) for text in cast("list[bytes]", self._server.command("HMGET", home, "last", "seen"))
        )
        now = self.now()
        return max(now, last + max(0, now - seen) * 9 // 10)


def valkey_store(server: Valkey) -> ValkeyStore:
    """An empty store on a server that runs already."""
    server.command("FLUSHALL")
    return ValkeyStore(server.settings())
