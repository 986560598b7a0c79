"""Which entities a read shows and a write may change, by their names in small letters; and what was written when.

What shows in a read: the entities along its path, and those that it expands, filters, orders or selects through. What
the schema does not know may be anything (``EVERYTHING``), and so may be what a workflow, an import or a reading
changes. What the upstream's own rules change beside the record that is written, nobody here knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from contracts.filters import properties
from contracts.operations import GetRecord, ListRecords, Operation, Write, WriteBatch
from contracts.paths import ObjectPath
from contracts.schema import Entity, PropertyType, Schema

EVERYTHING = "*"

_NAVIGATIONS = (PropertyType.REFERENCE, PropertyType.COLLECTION)
_MOST = 1_000
"""How many entities are told apart; a tenant has some dozens, and the names of its own are its callers' to write."""


class Changes:
    """Counts the writes of a tenant that are over, and knows the last one of each entity."""

    def __init__(self) -> None:
        self.count = 0
        self._last: dict[str, int] = {}

    def note(self, entities: frozenset[str]) -> None:
        """A write that may have changed these is over."""
        self.count += 1
        if len(self._last) + len(entities) > _MOST:
            self._last, entities = {}, frozenset({EVERYTHING})
        for entity in entities:
            self._last[entity] = self.count

    def since(self, count: int, entities: frozenset[str]) -> bool:
        """Whether any of these may have changed since that many writes were over."""
        if self.count == count:
            return False
        if EVERYTHING in entities:
            return True
        return any(self._last.get(entity, 0) > count for entity in (EVERYTHING, *entities))


def shown(schema: Schema, operation: GetRecord | ListRecords) -> frozenset[str]:
    """The entities that show in what the read answers."""
    entity = operation.place.entity
    asked = operation.query if isinstance(operation, ListRecords) else operation
    found = {*_along(schema, operation.place.path), entity.name.lower()}
    for path in asked.expand:
        found.update(_through(schema, entity, path))
    # The last name of these is a value as a rule: what a reference holds is no other record's.
    through = [*asked.select]
    if isinstance(operation, ListRecords):
        through += [term.property for term in operation.query.orderby]
        if operation.query.filter is not None:
            through += [path for path, _ in properties(operation.query.filter)]
    for path in through:
        found.update(_through(schema, entity, path[:-1]))
    return frozenset(found)


def changed(schema: Schema, operation: Operation) -> frozenset[str]:
    """The entities that the write may change."""
    if isinstance(operation, WriteBatch):
        return frozenset().union(*(changed(schema, member.write) for member in operation.members))
    if isinstance(operation, Write):
        return frozenset({*_along(schema, operation.place.path), operation.place.entity.name.lower()})
    return frozenset({EVERYTHING})


def _along(schema: Schema, path: ObjectPath) -> Iterator[str]:
    """The entities that an object path leads through."""
    first, *steps = (segment.name for segment in path.segments)
    yield first.lower()
    entity = schema.target(first)
    if steps:
        yield from _through(schema, entity, steps)


def _through(schema: Schema, entity: Entity, names: Iterable[str]) -> Iterator[str]:
    """The entities that navigations lead to, set out from ``entity``; ends at a value."""
    for name in names:
        known = entity.find(name)
        if known is None:
            yield EVERYTHING
            return
        if known.type not in _NAVIGATIONS:
            return
        entity = schema.target(known.target or known.name)
        yield entity.name.lower()
