"""A query held against the schema: every name known and spelled as the schema spells it, every part in its place.

What comes back is the canonical query, so that two spellings of one question are equal. Found here and
not upstream, a slip costs nothing. Source: vendor page "Query options".
"""

from __future__ import annotations

import msgspec

from contracts.errors import Fault, InvalidFilter, InvalidRequest
from contracts.filters import And, Comparison, Filter, Membership, Not, Or, PropertyPath
from contracts.operations import OrderBy, Query
from contracts.schema import Entity, Property, PropertyType, Schema

MAX_EXPAND_LEVELS = 3

_COMPOUND = (PropertyType.COLLECTION, PropertyType.REFERENCE, PropertyType.KEY)
_NAVIGATIONS = (PropertyType.COLLECTION, PropertyType.REFERENCE)

Paths = tuple[PropertyPath, ...]


class _UnknownProperty(Exception):
    """Carries a sentence for the caller."""


def check_query(schema: Schema, entity: Entity, query: Query) -> Query:
    """The query in the schema's spelling.

    Raises InvalidFilter with the position of a wrong name, InvalidRequest for the other parts.
    """
    tree = None if query.filter is None else check_filter(schema, entity, query.filter)
    orderby = tuple(_check_term(schema, entity, term) for term in query.orderby)
    select, expand = check_shape(schema, entity, query.select, query.expand)
    return msgspec.structs.replace(query, filter=tree, orderby=orderby, select=select, expand=expand)


def check_shape(schema: Schema, entity: Entity, select: Paths, expand: Paths) -> tuple[Paths, Paths]:
    """``select`` and ``expand`` in the schema's spelling, made to agree.

    The upstream ignores an ``expand`` that ``select`` does not name, and a selection within a record
    that is not expanded; so what is expanded is added to a selection, and what is selected through is
    expanded. Raises InvalidRequest.
    """
    shown = [_checked(schema, entity, path, "select")[0] for path in select]
    inlined = [_check_expand(schema, entity, path) for path in expand]
    inlined += [_check_expand(schema, entity, path[:-1]) for path in shown if len(path) > 1]
    if shown:
        shown += [path for path in inlined if not any(item[: len(path)] == path for item in shown)]
    inlined = [
        path for path in inlined if not any(item != path and item[: len(path)] == path for item in inlined)
    ]
    return tuple(dict.fromkeys(shown)), tuple(dict.fromkeys(inlined))


def check_filter(schema: Schema, entity: Entity, tree: Filter) -> Filter:
    """The filter in the schema's spelling. Raises InvalidFilter with the position of a wrong name."""
    match tree:
        case Comparison() | Membership():
            return msgspec.structs.replace(tree, property=_filtered(schema, entity, tree))
        case Not():
            return Not(check_filter(schema, entity, tree.operand))
        case And():
            return And(tuple(check_filter(schema, entity, operand) for operand in tree.operands))
        case Or():
            return Or(tuple(check_filter(schema, entity, operand) for operand in tree.operands))


def _filtered(schema: Schema, entity: Entity, term: Comparison | Membership) -> PropertyPath:
    try:
        path, known = _spelled(schema, entity, term.property)
    except _UnknownProperty as unknown:
        raise InvalidFilter(
            str(unknown), position=term.position, expected=f"a property of {entity.name}"
        ) from None
    if known is not None and known.type in (PropertyType.COLLECTION, PropertyType.KEY):
        what = "a collection" if known.type is PropertyType.COLLECTION else "a key of several parts"
        detail = f"{'/'.join(path)} is {what} and has no value of its own"
        raise InvalidFilter(detail, position=term.position, expected="a property with one value")
    return path


def _check_term(schema: Schema, entity: Entity, term: OrderBy) -> OrderBy:
    path, known = _checked(schema, entity, term.property, "orderby")
    if known is not None and known.type in _COMPOUND:
        raise _refused(
            "orderby", f"{'/'.join(path)} is {known.type.value}, and only single values have an order"
        )
    return OrderBy(path, term.descending)


def _check_expand(schema: Schema, entity: Entity, path: PropertyPath) -> PropertyPath:
    if len(path) > MAX_EXPAND_LEVELS:
        raise _refused(
            "expand", f"{'/'.join(path)} has {len(path)} levels, and {MAX_EXPAND_LEVELS} are the most"
        )
    spelled, known = _checked(schema, entity, path, "expand")
    if known is not None and known.type not in _NAVIGATIONS:
        raise _refused(
            "expand", f"{'/'.join(spelled)} is a value; references and collections can be expanded"
        )
    return spelled


def _checked(
    schema: Schema, entity: Entity, path: PropertyPath, where: str
) -> tuple[PropertyPath, Property | None]:
    try:
        return _spelled(schema, entity, path)
    except _UnknownProperty as unknown:
        raise _refused(where, str(unknown)) from None


def _spelled(schema: Schema, entity: Entity, path: PropertyPath) -> tuple[PropertyPath, Property | None]:
    """The path in the schema's spelling and the property at its end, None for one that is not known."""
    spelled: list[str] = []
    known: Property | None = None
    for index, name in enumerate(path):
        known = entity.find(name)
        if known is None and entity.allows(name):
            return (*spelled, *path[index:]), None
        if known is None:
            raise _UnknownProperty(f"{entity.name} has no property {name}{entity.suggest(name)}")
        spelled.append(known.name)
        if known.type is PropertyType.KEY:
            entity = msgspec.structs.replace(entity, properties=entity.key_parts)
        elif known.type in _NAVIGATIONS:
            entity = schema.target(known.target or known.name)
        elif index + 1 < len(path):
            raise _UnknownProperty(f"{'/'.join(spelled)} is a value and has no property {path[index + 1]}")
    return tuple(spelled), known


def _refused(parameter: str, detail: str) -> InvalidRequest:
    return InvalidRequest(f"{parameter}: {detail}", faults=(Fault(parameter, detail),))
