"""The quota's account on a Valkey server: each step is one script, over the keys of one environment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast
from uuid import uuid4

import msgspec

from gateway.stores.ports import (
    Claim,
    Full,
    Limit,
    Period,
    Reserved,
    Spent,
    Standing,
    Taken,
    Throttled,
)
from gateway.stores.valkey.ledger import field
from gateway.stores.valkey.scripts import script
from gateway.stores.valkey.server import Server

NO_PERIOD = "no period is named"


class _Decision(msgspec.Struct, frozen=True):
    """What ``reserve.lua`` answers: one of the two."""

    reserved: Reserved | None = None
    full: Full | None = None


class ValkeyQuota:
    """Arguments and replies are MessagePack, which the server can read and write."""

    def __init__(self, server: Server, prefix: str) -> None:
        self._server = server
        self._prefix = prefix
        rows = ("clock", "environment")
        counting = (*rows, "throttle", "windows", "charge", "counting")
        self._reserve = script(*counting, "reserve")
        self._renew = script(*rows, "renew")
        self._settle = script(*rows, "throttle", "settle")
        self._release = script(*rows, "throttle", "windows", "charge", "release")
        self._standing = script(*rows, "throttle", "windows", "standing")
        self._restore = script(*counting, "restore")
        self._decision = msgspec.msgpack.Decoder(_Decision)

    async def reserve(self, claim: Claim) -> Reserved | Full:
        reply = await self._server.step(
            self._reserve,
            self._home(claim.environment),
            msgspec.msgpack.encode(claim),
            field("units", claim.account),
            uuid4().hex,
        )
        if reply is None:
            raise ValueError(NO_PERIOD)
        decision = self._decision.decode(cast("bytes", reply))
        return decision.reserved or cast("Full", decision.full)

    async def renew(self, environment: str, reservations: Sequence[str], lease: int) -> frozenset[str]:
        if not reservations:
            return frozenset()
        reply = await self._server.step(self._renew, self._home(environment), lease, *reservations)
        return frozenset(held.decode() for held in cast("list[bytes]", reply))

    async def settle(self, environment: str, reservation: str, throttled: Throttled | None = None) -> None:
        told = b"" if throttled is None else msgspec.msgpack.encode(throttled)
        await self._server.step(self._settle, self._home(environment), reservation, told)

    async def release(self, environment: str, reservation: str) -> None:
        await self._server.step(self._release, self._home(environment), reservation)

    async def standing(
        self, environment: str, limits: Sequence[Limit], periods: Sequence[Period]
    ) -> Standing:
        reply = await self._server.step(
            self._standing,
            self._home(environment),
            msgspec.msgpack.encode(limits),
            msgspec.msgpack.encode(periods),
        )
        if reply is None:
            raise ValueError(NO_PERIOD)
        standing = msgspec.msgpack.decode(cast("bytes", reply), type=Standing)
        return standing if standing.epoch else msgspec.structs.replace(standing, epoch=None)

    async def restore(
        self, environment: str, cold: int, spent: Sequence[Spent], taken: Sequence[Taken]
    ) -> str:
        units = [
            (unit.claim, unit.held_for, field("units", unit.claim.account), unit.ended) for unit in taken
        ]
        reply = await self._server.step(
            self._restore,
            self._home(environment),
            cold,
            msgspec.msgpack.encode(spent),
            msgspec.msgpack.encode(units),
            uuid4().hex,
        )
        return cast("bytes", reply).decode()

    def _home(self, environment: str) -> str:
        return f"{{{self._prefix}:{environment}}}"
