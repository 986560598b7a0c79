"""The one request that is worth its unit: over an adapter, what is asked, and what its answer can tell.

It changes nothing. A list is asked for one record. An export connector, which can only give all, is asked for one
key where it narrows by keys; else no more than the head of its answer is read. Where none is configured, one is
asked for that cannot exist. A batch has nothing in it.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from contracts.adapter import Adapter, Capabilities
from contracts.addressing import Resolved
from contracts.conditions import equals
from contracts.operations import ListRecords, Operation, Query, RunExport, WriteBatch
from contracts.paths import KeyPart, ObjectPath, Segment
from contracts.schema import Entity, PropertyType, Schema

USUAL = "Equipment"
"""What most keys are granted to read."""

NOBODYS = "ultimo-gateway-doctor"
"""The connector that nobody has."""

FEW = "0"
"""The value that one record has at most, or a few, of whatever it is the value."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked over an adapter, in the vocabulary of operations; ``entity`` is whose records, if anybody's."""

    adapter: str
    operation: Operation
    text: str
    entity: str | None = None


def question(name: str, adapter: Adapter, schema: Schema, entity: str | None) -> Question | None:
    """What to ask this adapter; None when it can do nothing that could be asked without harm.

    ``entity`` is the one that the operator wants to be asked for.
    """
    can = adapter.capabilities
    if ListRecords.kind in can.operations:
        return _list(name, can, schema, entity)
    if RunExport.kind in can.operations:
        return Question(
            adapter=name,
            operation=RunExport(name=NOBODYS),
            text=f"the export connector '{NOBODYS}', which is not there",
        )
    if WriteBatch.kind in can.operations:
        return Question(adapter=name, operation=WriteBatch(members=()), text="a batch with nothing in it")
    return None


def _list(name: str, can: Capabilities, schema: Schema, wanted: str | None) -> Question | None:
    served = can.entities.get(ListRecords.kind)
    entity = _entity(schema, wanted, served, can)
    if entity is None:
        return None
    place = Resolved(ObjectPath((Segment(entity.name),)), entity, single=False)
    by = _narrows(entity, can)
    if not can.scans:
        query, text = Query(limit=1), f"at most one {entity.name}"
    elif by is None:
        query, text = Query(), f"every {entity.name}, of which only the head of the answer is read"
    else:
        query = Query(filter=equals((by,), KeyPart(None, FEW)))
        text = f"every {entity.name} whose {by} is '{FEW}'"
    operation = ListRecords(place=place, query=query, whole=can.scans)
    return Question(adapter=name, operation=operation, text=text, entity=entity.name)


def _entity(
    schema: Schema, wanted: str | None, served: Sequence[str] | None, can: Capabilities
) -> Entity | None:
    """The one that the operator wants, if it is served; else the usual one, or of a few the one that costs least."""
    if wanted is not None:
        found = schema.find(wanted)
        return found if found is not None and (served is None or found.name in served) else None
    if served is None:
        return schema.find(USUAL)
    entities = [found for name in served if (found := schema.find(name)) is not None]
    return next((found for found in entities if _narrows(found, can)), entities[0] if entities else None)


def _narrows(entity: Entity, can: Capabilities) -> str | None:
    """A text that a scan of the entity goes by."""
    for name in can.narrows.get(entity.name, ()):
        found = entity.find(name)
        if found is not None and found.type is PropertyType.STRING:
            return found.name
    return None
