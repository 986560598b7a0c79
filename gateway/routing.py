"""Which adapter serves which operation of a tenant: the first in its order of preference that can.

An adapter that gives whole sets only serves every read that the gateway can make of them
(:mod:`gateway.completion`).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from contracts.adapter import Adapter
from contracts.errors import OperationNotSupported
from contracts.operations import GetRecord, ListRecords, Operation, Write, WriteBatch
from contracts.schema import Schema
from gateway.capabilities import Served, capabilities, listed
from gateway.completion.places import refusal, set_of


class Chosen(msgspec.Struct, frozen=True):
    """The adapter that serves an operation. ``scanned``: not as it is asked, but made of a whole set."""

    name: str
    adapter: Adapter
    scanned: bool = False


class Routing:
    """A tenant's adapters by name, in order of preference.

    ``routes`` is the order of preference of the entities that have one of their own, in any case.
    """

    def __init__(
        self,
        adapters: Mapping[str, Adapter],
        routes: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
    ) -> None:
        self._adapters = dict(adapters)
        self._default = tuple(adapters)
        self._preferred = {entity.lower(): names for entity, names in routes.items()}
        self._routed = tuple(routes)

    def choose(self, operation: Operation, schema: Schema) -> Chosen:
        """The adapter that serves this operation, and how.

        Raises :class:`OperationNotSupported` with the reason of each adapter that serves others of its kind; where
        none does, of those that say what would.
        """
        reasons: dict[str, str] = {}
        for name in self._order(_entity(operation)):
            adapter = self._adapters[name]
            scanned = _made_of_scans(adapter, operation)
            reason = _scan_refusal(adapter, operation, schema) if scanned else adapter.refusal(operation)
            if reason is None:
                return Chosen(name, adapter, scanned)
            reasons[name] = reason
        raise OperationNotSupported(self._told(operation.kind, reasons) or "this tenant has no adapter")

    def tells_keys(self, name: str) -> bool:
        """Whether what this adapter writes is told by its key alone."""
        return self._adapters[name].capabilities.tells_keys

    def capabilities(self) -> list[Served]:
        """What is served and by which adapter, in the vocabulary's order of operations."""
        can = {name: adapter.capabilities for name, adapter in self._adapters.items()}
        return capabilities(can, self._routed, self._order)

    def _told(self, kind: str, reasons: Mapping[str, str]) -> str:
        """The reasons, by adapter, that say something of this kind of operation."""
        can = {name: self._adapters[name].capabilities for name in reasons}
        serving = [
            it for it in can if kind in can[it].operations or (can[it].scans and kind == GetRecord.kind)
        ]
        told = serving or [it for it in can if kind in can[it].missing] or list(can)
        return listed({name: reasons[name] for name in told})

    def _order(self, entity: str | None) -> tuple[str, ...]:
        own = None if entity is None else self._preferred.get(entity.lower())
        return own or self._default


def _entity(operation: Operation) -> str | None:
    """The entity whose order of preference counts; of a batch, whose members go one way, that of the first."""
    if isinstance(operation, WriteBatch):
        operation = operation.members[0].write
    if isinstance(operation, GetRecord | ListRecords | Write):
        return operation.place.entity.name
    return None


def _made_of_scans(adapter: Adapter, operation: Operation) -> bool:
    if not adapter.capabilities.scans or not isinstance(operation, GetRecord | ListRecords):
        return False
    return isinstance(operation, ListRecords) or adapter.refusal(operation) is not None


def _scan_refusal(adapter: Adapter, operation: Operation, schema: Schema) -> str | None:
    if not isinstance(operation, GetRecord | ListRecords):
        raise TypeError(f"{operation.kind} is not made of scans")
    whole = ListRecords(place=set_of(operation.place.entity), whole=True)
    return adapter.refusal(whole) or refusal(schema, operation)
