"""A query held against the schema: every name known and spelled as the schema spells it, every part in its place.

What comes back is the canonical query, so that two spellings of one question are equal. Found here and
not upstream, a slip costs nothing. Source: vendor page "Query options".

The parts of a composite key stand in its ``Id``: ``Id/LineId`` filters and sorts, and selects the ``Id``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from contracts.errors import Fault, InvalidFilter, InvalidRequest
from contracts.filters import (
    And,
    Comparison,
    Filter,
    LiteralKind,
    Membership,
    Not,
    Operator,
    Or,
    PropertyPath,
)
from contracts.operations import OrderBy, Query
from contracts.schema import Entity, Property, PropertyType, Schema

MAX_EXPAND_LEVELS = 3

_NAVIGATIONS = (PropertyType.COLLECTION, PropertyType.REFERENCE)
_MAX_QUOTED = 40

_TEXT = (frozenset({LiteralKind.TEXT}), "a text in single quotes")
_NUMBER = (frozenset({LiteralKind.NUMBER}), "a number, without quotes")
_TIME = (
    frozenset({LiteralKind.DATE, LiteralKind.DATE_TIME}),
    "a date or a date-time, such as 2018-03-09 or 2018-03-09T15:33:51Z, without quotes",
)
_COMPARED: Mapping[PropertyType, tuple[frozenset[LiteralKind], str]] = {
    PropertyType.STRING: _TEXT,
    PropertyType.INTEGER: _NUMBER,
    PropertyType.DECIMAL: _NUMBER,
    PropertyType.BOOLEAN: (frozenset({LiteralKind.BOOLEAN}), "true or false, without quotes"),
    PropertyType.DATE: _TIME,
    PropertyType.DATETIME: _TIME,
}

Paths = tuple[PropertyPath, ...]


class _UnknownProperty(Exception):
    """Carries a sentence for the caller."""


class _Named(msgspec.Struct, frozen=True):
    """A path in the schema's spelling; ``known`` is the property at its end, None where the schema has none.

    ``owner`` is the entity that has the property, ``collection`` the first collection on the way.
    """

    path: PropertyPath
    known: Property | None
    owner: Entity
    collection: str | None = None

    @property
    def text(self) -> str:
        return "/".join(self.path)


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
    named = [_checked(schema, entity, path, "select") for path in select]
    shown = [_shown(item) for item in named]
    inlined = [_check_expand(schema, entity, path) for path in expand]
    inlined += [_check_expand(schema, entity, path[:-1]) for path in shown if len(path) > 1]
    _check_key_parts(named, _beginnings(inlined))
    if shown:
        covered = _beginnings(shown)
        shown += [path for path in inlined if path not in covered]
    passed = _beginnings(path[:-1] for path in inlined)
    inlined = [path for path in inlined if path not in passed]
    return tuple(dict.fromkeys(shown)), tuple(dict.fromkeys(inlined))


def _beginnings(paths: Iterable[PropertyPath]) -> set[PropertyPath]:
    return {path[:length] for path in paths for length in range(1, len(path) + 1)}


def _shown(named: _Named) -> PropertyPath:
    """What is selected: a composite key is shown whole."""
    if named.known is None or "Id" not in named.path:
        return named.path
    return named.path[: named.path.index("Id") + 1]


def _check_key_parts(selected: Iterable[_Named], expanded: set[PropertyPath]) -> None:
    """A record shows a part of its key in its ``Id``, and by its own name only when that is expanded."""
    for named in selected:
        name, owner = named.path[-1], named.owner
        navigation = named.known is not None and named.known.type is PropertyType.REFERENCE
        if navigation and owner.composite and name.lower() in owner.key_parts and named.path not in expanded:
            instead = "/".join((*named.path[:-1], "Id"))
            detail = f"{named.text} is a part of the key: select {instead}, or expand {named.text} too"
            raise _refused("select", detail)


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
        named = _spelled(schema, entity, term.property)
    except _UnknownProperty as unknown:
        raise InvalidFilter(
            str(unknown), position=term.position, expected=f"a property of {entity.name}"
        ) from None
    if (fault := _several(schema, named) or _uncomparable(schema, named, term)) is not None:
        detail, expected = fault
        raise InvalidFilter(detail, position=term.position, expected=expected)
    return named.path


def _several(schema: Schema, named: _Named) -> tuple[str, str] | None:
    """Why there is no single value at the end of the path, and what is expected; None when there is one."""
    known = named.known
    if named.collection is not None:
        return f"{named.collection} is a collection and has no value of its own", "a property with one value"
    if known is not None and known.type is PropertyType.KEY:
        return f"{named.text} is a key of several parts", f"one of them, as {named.text}/{named.owner.key[0]}"
    if known is not None and known.type is PropertyType.REFERENCE:
        target = schema.target(known.target or known.name)
        if target.composite:
            part = f"{named.text}/Id/{target.key[0]}"
            return f"{named.text} is a reference by a key of several parts", f"one of them, as {part}"
    return None


def _uncomparable(schema: Schema, named: _Named, term: Comparison | Membership) -> tuple[str, str] | None:
    """Why the property cannot be compared so, and what is expected; None when it can."""
    compared = _compared_type(schema, named.known)
    if compared is None:
        return None
    kinds, expected = _COMPARED[compared]
    literals = (term.value,) if isinstance(term, Comparison) else term.values
    for literal in literals:
        if literal.kind not in kinds and literal.kind is not LiteralKind.NULL:
            return f"{named.text} cannot be compared with {literal.text[:_MAX_QUOTED]}", expected
    equality = isinstance(term, Membership) or term.operator in (Operator.EQ, Operator.NE)
    if compared is PropertyType.BOOLEAN and not equality:
        return f"{named.text} is true or false, and these have no order", "one of the operators eq, ne"
    return None


def _compared_type(schema: Schema, known: Property | None) -> PropertyType | None:
    """What a filter sees: a reference is the key that it holds. None where the schema does not say."""
    if known is None or known.type is not PropertyType.REFERENCE:
        return None if known is None else known.type
    target = schema.target(known.target or known.name)
    return None if target.unknown else target.key_parts[target.key[0].lower()].type


def _check_term(schema: Schema, entity: Entity, term: OrderBy) -> OrderBy:
    named = _checked(schema, entity, term.property, "orderby")
    if (fault := _several(schema, named)) is not None:
        raise _refused("orderby", f"{fault[0]}; expected {fault[1]}")
    if named.known is not None and named.known.type is PropertyType.REFERENCE:
        raise _refused("orderby", f"{named.text} is a reference; write {named.text}/Id")
    return OrderBy(named.path, term.descending)


def _check_expand(schema: Schema, entity: Entity, path: PropertyPath) -> PropertyPath:
    if len(path) > MAX_EXPAND_LEVELS:
        raise _refused(
            "expand", f"{'/'.join(path)} has {len(path)} levels, and {MAX_EXPAND_LEVELS} are the most"
        )
    named = _checked(schema, entity, path, "expand")
    if named.known is not None and named.known.type not in _NAVIGATIONS:
        raise _refused("expand", f"{named.text} is a value; references and collections can be expanded")
    return named.path


def _checked(schema: Schema, entity: Entity, path: PropertyPath, where: str) -> _Named:
    try:
        return _spelled(schema, entity, path)
    except _UnknownProperty as unknown:
        raise _refused(where, str(unknown)) from None


def _spelled(schema: Schema, entity: Entity, path: PropertyPath) -> _Named:
    spelled: PropertyPath = ()
    known: Property | None = None
    collection: str | None = None
    owner = entity
    for index, name in enumerate(path):
        known, owner = entity.find(name), entity
        if known is None:
            _check_unknown(entity, spelled, name)
            return _Named((*spelled, *path[index:]), None, owner, collection)
        spelled = (*spelled, known.name)
        if known.type is PropertyType.COLLECTION and collection is None:
            collection = "/".join(spelled)
        if known.type is PropertyType.KEY:
            entity = msgspec.structs.replace(entity, properties=entity.key_parts, open=False)
        elif known.type in _NAVIGATIONS:
            entity = schema.target(known.target or known.name)
        elif index + 1 < len(path):
            raise _UnknownProperty(f"{'/'.join(spelled)} is a value and has no property {path[index + 1]}")
    return _Named(spelled, known, owner, collection)


def _check_unknown(entity: Entity, before: PropertyPath, name: str) -> None:
    """Raises _UnknownProperty unless a property of this name may be there all the same."""
    part = entity.key_parts.get(name.lower()) if entity.composite else None
    if part is not None:
        instead = "/".join((*before, "Id", part.name))
        raise _UnknownProperty(f"{part.name} is a part of the key of {entity.name}; write {instead}")
    if not entity.allows(name):
        raise _UnknownProperty(f"{entity.name} has no property {name}{entity.suggest(name)}")


def _refused(parameter: str, detail: str) -> InvalidRequest:
    return InvalidRequest(f"{parameter}: {detail}", faults=(Fault(parameter, detail),))
