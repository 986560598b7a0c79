"""The table of what a tenant can do: which adapter serves which operation, for which entities, and how."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from contracts.adapter import Capabilities
from contracts.operations import OPERATIONS, ListRecords, WriteBatch
from gateway.completion.reads import PARTS
from gateway.completion.writes import COMPLETED

ONE_BY_ONE = "one upstream request for each write, without atomicity groups"
"""How a batch is served by an adapter that takes single writes alone."""

_STORING = ("create", "replace", "change")
_WRITES = (*_STORING, "delete")
_OF_RECORDS = ("list", "get", *_WRITES, "batch")


class Served(msgspec.Struct, frozen=True):
    """One line of a tenant's capabilities: ``adapter`` is None when nothing serves the operation.

    ``query`` are the parts of a query that the upstream carries out, ``completed`` is what the gateway
    does itself. ``entities`` are the only ones that the line is true for; None: all that no other line of
    the operation names. ``reason`` says why nothing serves it, or with what reserve it is served.
    """

    operation: str
    adapter: str | None
    query: tuple[str, ...] = ()
    completed: tuple[str, ...] = ()
    entities: tuple[str, ...] | None = None
    reason: str | None = None


def capabilities(
    adapters: Mapping[str, Capabilities],
    routed: tuple[str, ...],
    order: Callable[[str | None], tuple[str, ...]],
) -> list[Served]:
    """The lines in the vocabulary's order of operations; the line for all other entities comes last of its kind.

    ``order`` is in which the adapters are asked for an entity; ``routed`` are those that have one of their own.
    """
    return [line for operation in OPERATIONS for line in _lines(operation.kind, adapters, routed, order)]


def _lines(
    kind: str,
    adapters: Mapping[str, Capabilities],
    routed: tuple[str, ...],
    order: Callable[[str | None], tuple[str, ...]],
) -> Iterator[Served]:
    offers = {name: line for name, can in adapters.items() if (line := _offer(kind, name, can)) is not None}

    def winner(entity: str | None) -> Served | None:
        asked = [offers[name] for name in order(entity) if name in offers]
        asked.sort(key=lambda line: line.reason == ONE_BY_ONE)
        return next((line for line in asked if _covers(line, entity)), None)

    rest = winner(None)
    named: dict[str | None, list[str]] = {}
    for entity in _named(offers.values(), routed if kind in _OF_RECORDS else ()):
        line = winner(entity)
        if line != rest:
            named.setdefault(None if line is None else line.adapter, []).append(entity)
    for name, entities in named.items():
        served = offers[name] if name is not None else Served(kind, None, reason=_missing(kind, adapters))
        yield msgspec.structs.replace(served, entities=tuple(entities))
    if rest is not None or not named:
        yield rest or Served(kind, None, reason=_missing(kind, adapters))


def _offer(kind: str, name: str, can: Capabilities) -> Served | None:
    """How an adapter serves an operation, whatever others do; None when it does not."""
    if can.scans and kind == "get" and kind not in can.operations and "list" in can.operations:
        return Served(kind, name, (), ("key", "navigation", "select"), can.entities.get("list"))
    if kind == ListRecords.kind and can.scans and kind in can.operations:
        completed = ("navigation", *(part for part in PARTS if part not in can.query))
        return Served(kind, name, tuple(sorted(can.query)), completed, can.entities.get(kind))
    if kind in can.operations:
        query = tuple(sorted(can.query)) if kind == ListRecords.kind else ()
        completed = COMPLETED if can.tells_keys and kind in (*_STORING, WriteBatch.kind) else ()
        return Served(kind, name, query, completed, can.entities.get(kind), can.reserves.get(kind))
    writes = [write for write in _WRITES if write in can.operations]
    if kind == WriteBatch.kind and writes:
        return Served(kind, name, entities=_union(can, writes), reason=ONE_BY_ONE)
    return None


def _union(can: Capabilities, kinds: list[str]) -> tuple[str, ...] | None:
    """The entities that any of these operations is served for; None for all."""
    of_each = [can.entities.get(kind) for kind in kinds]
    if None in of_each:
        return None
    return tuple(dict.fromkeys(entity for entities in of_each for entity in entities or ()))


def _covers(line: Served, entity: str | None) -> bool:
    """Whether the line serves the entity; None is one that nobody names."""
    if line.entities is None or entity is None:
        return line.entities is None
    return entity.lower() in {other.lower() for other in line.entities}


def _named(offers: Iterable[Served], routed: tuple[str, ...]) -> Iterable[str]:
    """Every entity that a line or a route names, once, in the first spelling."""
    spelled: dict[str, str] = {}
    for entity in (*(name for line in offers for name in line.entities or ()), *routed):
        spelled.setdefault(entity.lower(), entity)
    return spelled.values()


def _missing(kind: str, adapters: Mapping[str, Capabilities]) -> str:
    reasons = {name: can.missing[kind] for name, can in adapters.items() if kind in can.missing}
    return listed(reasons) or "no adapter of this tenant knows this operation"


def listed(reasons: Mapping[str, str]) -> str:
    """The adapters' reasons, by name, as one sentence."""
    return "; ".join(f"{name}: {reason.removesuffix('.')}" for name, reason in reasons.items())
