"""What a record of an export says by itself: where the property that a filter or an order names stands in it.

An export holds the record's own properties, and of each record that it refers to the key. So
``Department/Id`` is there and ``Department/Description`` is not. A reference by a key of several parts
is an object of them; a reference that is a part of the record's own key stands in its ``Id``.
"""

from __future__ import annotations

import msgspec

from contracts.filters import And, Comparison, Filter, Membership, Not, Or, PropertyPath, properties
from contracts.operations import OrderBy, Query
from contracts.schema import Entity, Property, PropertyType, Schema


def missing(schema: Schema, entity: Entity, query: Query) -> str | None:
    """Why an export of the entity cannot answer the query, in a sentence; None when it can."""
    if query.expand:
        return "an export holds no other records, so nothing can be expanded"
    named = [term.property for term in query.orderby]
    if query.filter is not None:
        named += [path for path, _ in properties(query.filter)]
    lacking = next((path for path in named if held(schema, entity, path) is None), None)
    if lacking is None:
        return None
    return (
        f"an export of {entity.name} does not hold {'/'.join(lacking)}: of a record that it refers to "
        "it has the key and nothing else"
    )


def held(schema: Schema, entity: Entity, path: PropertyPath) -> PropertyPath | None:
    """Where in a normalized record the value of a checked path stands; None where an export does not have it."""
    name, *rest = path
    known = entity.find(name)
    if known is None:
        return path if not rest or [step.lower() for step in rest] == ["id"] else None
    if known.type is PropertyType.REFERENCE:
        return _reference(schema, entity, known, rest) if rest else path
    return path if not rest or known.type is PropertyType.KEY else None


def held_filter(schema: Schema, entity: Entity, tree: Filter) -> Filter:
    """The filter with every property where the record has it. Raises ValueError for one that it does not have."""
    match tree:
        case Comparison() | Membership():
            return msgspec.structs.replace(tree, property=_sure(schema, entity, tree.property))
        case Not():
            return Not(held_filter(schema, entity, tree.operand))
        case And():
            return And(tuple(held_filter(schema, entity, operand) for operand in tree.operands))
        case Or():
            return Or(tuple(held_filter(schema, entity, operand) for operand in tree.operands))


def held_order(
    schema: Schema, entity: Entity, orderby: tuple[OrderBy, ...]
) -> tuple[tuple[PropertyPath, bool], ...]:
    """The order with every property where the record has it. Raises ValueError for one that it does not have."""
    return tuple((_sure(schema, entity, term.property), term.descending) for term in orderby)


def _sure(schema: Schema, entity: Entity, path: PropertyPath) -> PropertyPath:
    found = held(schema, entity, path)
    if found is None:
        raise ValueError(f"an export of {entity.name} does not hold {'/'.join(path)}")
    return found


def _reference(schema: Schema, entity: Entity, known: Property, rest: list[str]) -> PropertyPath | None:
    target = schema.target(known.target or known.name)
    part = _key_part(target, rest)
    if part is None:
        return None
    if entity.composite and known.name in entity.key:
        own = own_key_parts(entity, known, target)
        return None if own is None else ("Id", own[target.key.index(part)])
    return (known.name, part) if target.composite else (known.name,)


def own_key_parts(entity: Entity, known: Property, target: Entity) -> tuple[str, ...] | None:
    """Which parts of the entity's key are the key of the record that one of them refers to, in its order.

    A part by which the key refers to a record with a composite key ends the stretch that is that key, as
    Building and BuildingPart in the key of a building floor.
    """
    end = entity.key.index(known.name) + 1
    if not target.composite:
        return (known.name,)
    return entity.key[:end] if len(target.key) == end else None


def _key_part(target: Entity, rest: list[str]) -> str | None:
    """The part of the target's key that the rest of a path names, as ``Id``, ``Id/Building`` or ``Building/Id``."""
    names = [name.lower() for name in rest]
    if names == ["id"]:
        return None if target.composite else target.key[0]
    if len(names) == 2 and "id" in names:
        names.remove("id")
    spelled = {part.lower(): part for part in target.key}
    return spelled.get(names[0]) if len(names) == 1 else None
