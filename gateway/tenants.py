"""Per tenant, built once at start: its adapters opened, its wire, its routing and the composed handler."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Protocol

import msgspec

from contracts.addressing import Resolved, resolve
from contracts.call import Call
from contracts.errors import TenantNotFound
from contracts.paths import parse_path
from contracts.results import Page, Result
from contracts.schema import Schema
from contracts.wire import Wire, WireRequest
from gateway.pipeline import compose
from gateway.policies import Policy
from gateway.routing import Routing, Served
from gateway.settings import ClientSettings, TenantSettings

_PLACES = 1024
"""How many paths a tenant remembers the meaning of."""


class TenantWire(Protocol):
    """The tenant's way out: one pool, from which every call gets a wire of its own."""

    def bound(self, call: Call) -> Wire: ...

    async def close(self) -> None: ...


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a call would send: the first request, and the others as far as its answers need them."""

    adapter: str
    requests: tuple[WireRequest, ...]


class Tenant:
    """A party with credentials in one environment."""

    def __init__(
        self,
        name: str,
        settings: TenantSettings,
        *,
        schema: Schema,
        routing: Routing,
        wires: dict[str, TenantWire],
        policies: Iterable[Policy],
    ) -> None:
        """``wires`` is by adapter name: each interface has its own base address."""
        self.name = name
        self.settings = settings
        self.schema = schema
        # The same records are read all day: what a path means is worked out once.
        self.place: Callable[[str], Resolved] = lru_cache(maxsize=_PLACES)(self._place)
        self._routing = routing
        self._wires = wires
        self._handler = compose(tuple(policies), self._dispatch)

    def _place(self, path: str) -> Resolved:
        """Where a path of the API leads. Raises InvalidPath and EntityNotFound."""
        return resolve(self.schema, parse_path(path))

    async def perform(self, call: Call) -> Result:
        """Take the call through the pipeline. Raises :class:`~contracts.errors.GatewayError`."""
        return await self._handler(call)

    def plan(self, call: Call) -> Plan:
        """What the call would send, without sending. Raises :class:`~contracts.errors.OperationNotSupported`."""
        name, adapter = self._routing.choose(call.operation)
        return Plan(adapter=name, requests=adapter.plan(call))

    def capabilities(self) -> list[Served]:
        """Which operation is served by which adapter, and what none serves."""
        return self._routing.capabilities()

    async def close(self) -> None:
        """Give the tenant's connections back."""
        for wire in self._wires.values():
            await wire.close()

    async def _dispatch(self, call: Call) -> Result:
        name, adapter = self._routing.choose(call.operation)
        journal = call.journal
        journal.adapter = name
        journal.attempts += 1
        result = await adapter.perform(call, self._wires[name].bound(call))
        journal.records += len(result.items) if isinstance(result, Page) else 1
        return result


class Tenants:
    """All tenants of this gateway, and who may see which."""

    def __init__(self, tenants: Iterable[Tenant]) -> None:
        self._tenants = {tenant.name: tenant for tenant in tenants}

    def find(self, name: str, client: ClientSettings) -> Tenant:
        """Raises :class:`TenantNotFound`, the same for a tenant that is absent and for one that may not be seen."""
        tenant = self._tenants.get(name)
        if tenant is None or not client.sees(name):
            raise TenantNotFound(
                f"there is no tenant '{name}' for this credential; GET /v1/tenants lists them"
            )
        return tenant

    def visible(self, client: ClientSettings) -> list[Tenant]:
        """The tenants that this client may use, by name."""
        return [tenant for name, tenant in sorted(self._tenants.items()) if client.sees(name)]

    async def close(self) -> None:
        """Give every connection back."""
        for tenant in self._tenants.values():
            await tenant.close()
