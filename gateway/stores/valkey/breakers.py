"""Open circuits on a Valkey server: one hash each, gone when the circuit closes."""

from __future__ import annotations

from typing import cast

from gateway.stores.ports import Closed, Open, Probe
from gateway.stores.valkey.scripts import script
from gateway.stores.valkey.server import Server


class ValkeyBreakers:
    """Every step is one script on the circuit's own hash."""

    def __init__(self, server: Server, prefix: str) -> None:
        self._server = server
        self._prefix = prefix
        self._trip = script("clock", "trip")
        self._probe = script("clock", "probe")

    async def trip(self, circuit: str, base: int, longest: int, jitter: float) -> Open:
        reply = await self._server.step(self._trip, self._key(circuit), base, longest, jitter)
        return Open(cast("int", reply))

    async def probe(self, circuit: str, holder: str, lease: int) -> Closed | Open | Probe:
        reply = await self._server.step(self._probe, self._key(circuit), holder, lease)
        kind, opens_in = cast("tuple[bytes, int]", reply)
        if kind == b"open":
            return Open(opens_in)
        return Probe() if kind == b"probe" else Closed()

    async def close(self, circuit: str) -> None:
        await self._server.command("DEL", self._key(circuit))

    def _key(self, circuit: str) -> str:
        return f"{self._prefix}:circuit:{circuit}"
