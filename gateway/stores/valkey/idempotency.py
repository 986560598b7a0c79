"""Idempotency keys on a Valkey server: one hash each, which the server forgets by itself."""

from __future__ import annotations

from typing import cast
from uuid import uuid4

from gateway.stores.ports import Begun, Done, Doubtful, Mismatch, Running
from gateway.stores.valkey.scripts import script
from gateway.stores.valkey.server import Server


class ValkeyIdempotency:
    """Every step is one script on the key's own hash."""

    def __init__(self, server: Server, prefix: str) -> None:
        self._server = server
        self._prefix = prefix
        self._begin = script("clock", "begin")
        self._hold = script("clock", "hold")
        self._finish = script("finish")
        self._forget = script("forget")

    async def begin(
        self, key: str, fingerprint: bytes, lease: int, keep: int
    ) -> Begun | Running | Mismatch | Doubtful | Done:
        # The asking has a name of its own: one whose reply got lost is told the same again.
        asking = uuid4().hex
        reply = await self._server.step(self._begin, self._key(key), asking, fingerprint, lease, keep)
        kind, number, answer = cast("tuple[bytes, int, bytes | None]", reply)
        match kind:
            case b"begun":
                return Begun(number)
            case b"running":
                return Running(number)
            case b"doubtful":
                return Doubtful(number, answer)
            case b"done":
                return Done(answer or b"")
        return Mismatch()

    async def renew(self, key: str, fence: int, lease: int) -> bool:
        return bool(await self._server.step(self._hold, self._key(key), fence, "renew", lease))

    async def depart(self, key: str, fence: int) -> bool:
        return bool(await self._server.step(self._hold, self._key(key), fence, "depart"))

    async def finish(self, key: str, fence: int, answer: bytes, *, settled: bool) -> bool:
        return bool(await self._server.step(self._finish, self._key(key), fence, answer, int(not settled)))

    async def forget(self, key: str, fence: int) -> None:
        await self._server.step(self._forget, self._key(key), fence)

    def _key(self, key: str) -> str:
        return f"{self._prefix}:key:{key}"
