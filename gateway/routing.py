"""Which adapter serves which operation of a tenant: the first in its order of preference that can."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from contracts.adapter import Adapter
from contracts.errors import OperationNotSupported
from contracts.operations import OPERATIONS, Operation


class Served(msgspec.Struct, frozen=True):
    """One line of a tenant's capabilities: ``adapter`` is None when nothing serves the operation."""

    operation: str
    adapter: str | None
    query: tuple[str, ...] = ()
    reason: str | None = None


class Routing:
    """A tenant's adapters by name, in order of preference."""

    def __init__(self, adapters: Mapping[str, Adapter]) -> None:
        self._adapters = dict(adapters)

    def choose(self, operation: Operation) -> tuple[str, Adapter]:
        """The adapter that serves this operation.

        Raises :class:`OperationNotSupported` with the reason that each adapter gives.
        """
        reasons = []
        for name, adapter in self._adapters.items():
            reason = adapter.refusal(operation)
            if reason is None:
                return name, adapter
            reasons.append(f"{name}: {reason}")
        raise OperationNotSupported("; ".join(reasons) or "this tenant has no adapter")

    def capabilities(self) -> list[Served]:
        """One line per operation, in the vocabulary's order."""
        return [self._served(operation.kind) for operation in OPERATIONS]

    def _served(self, kind: str) -> Served:
        for name, adapter in self._adapters.items():
            if kind in adapter.capabilities.operations:
                query = adapter.capabilities.query if kind == "list" else frozenset()
                return Served(kind, name, tuple(sorted(query)))
        reasons = [
            f"{name}: {adapter.capabilities.missing[kind]}"
            for name, adapter in self._adapters.items()
            if kind in adapter.capabilities.missing
        ]
        return Served(
            kind, None, reason="; ".join(reasons) or "no adapter of this tenant knows this operation"
        )
