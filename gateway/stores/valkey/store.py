"""A Valkey or Redis server as the memory that replicas share."""

from __future__ import annotations

from typing import cast

from gateway.settings import ValkeySettings
from gateway.stores.ports import ServerState
from gateway.stores.valkey.breakers import ValkeyBreakers
from gateway.stores.valkey.idempotency import ValkeyIdempotency
from gateway.stores.valkey.ledger import ValkeyLedger
from gateway.stores.valkey.quota import ValkeyQuota
from gateway.stores.valkey.server import Server


class ValkeyStore:
    """All four parts over one pool of connections.

    Names of keys begin with the configured prefix; those of an environment share the hash tag
    ``{prefix:environment}``, so that a step touches one slot of a cluster.
    """

    def __init__(self, settings: ValkeySettings) -> None:
        self._server = Server(settings)
        self._prefix = settings.prefix
        self.quota = ValkeyQuota(self._server, settings.prefix)
        self.idempotency = ValkeyIdempotency(self._server, settings.prefix)
        self.breakers = ValkeyBreakers(self._server, settings.prefix)
        self.ledger = ValkeyLedger(self._server, settings.prefix)

    async def ping(self) -> None:
        """Raises StoreLost unless the server takes a write: a replica or a full server answers, and is no use."""
        await self._server.command("SET", f"{self._prefix}:ping", 1, "PX", 1000)

    async def state(self) -> ServerState:
        """See :class:`~gateway.stores.ports.StoreServer`."""
        told = cast("dict[str, object]", await self._server.command("INFO"))
        seconds, microseconds = cast("tuple[int, int]", await self._server.command("TIME"))
        product, version = (
            ("Valkey", told["valkey_version"])
            if "valkey_version" in told
            else ("Redis", told.get("redis_version"))
        )
        eviction, appends = told.get("maxmemory_policy"), told.get("aof_enabled")
        return ServerState(
            product=f"{product} {version}",
            eviction=None if eviction is None else str(eviction),
            appends=None if appends is None else bool(appends),
            clock=seconds + microseconds / 1_000_000,
        )

    async def close(self) -> None:
        await self._server.close()
