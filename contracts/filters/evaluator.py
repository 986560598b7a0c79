"""A filter evaluated on a normalized record, and the order of records: what the gateway does itself.

What the vendor page "Query options" leaves open is decided here, near to OData:

* A property that is absent is null. Null equals null alone, so ``ne 'x'`` holds for it (OData 4.01
  §5.1.1.1.2) and no other comparison does. ``''`` is not null. ``not`` turns the answer round.
* A value of another kind than the literal is as unequal to it as null is, and never an error. A number
  also compares with text that is a number, a date with a date-time, by instant.
* Text is compared by code point unless ``ignore_case``; ``like`` always ignores case.
* Times are compared to all seven digits. One without an offset is local to ``zone``; a date is its midnight.
* Nulls sort first, and last when descending.

Names match without regard to case. A reference is an id, or an object: it compares by its ``Id``,
and ``Department/Id`` is the id of a Department that is given as ``"01"``. A part of a composite key
is also found in the ``Id`` of a record. What a path through a reference asks must have been expanded.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import UTC, tzinfo
from typing import Any

import msgspec

from contracts.filters.literals import Literal, LiteralKind
from contracts.filters.tree import And, Comparison, Filter, Membership, Not, Operator, Or, PropertyPath
from contracts.filters.values import Reader, Record, like, readers, resolve, sort_value

Predicate = Callable[[Record], bool]

_COMPARE: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQ: operator.eq,
    Operator.NE: operator.ne,
    Operator.GT: operator.gt,
    Operator.GE: operator.ge,
    Operator.LT: operator.lt,
    Operator.LE: operator.le,
}


def matches(tree: Filter, record: Record, *, zone: tzinfo = UTC, ignore_case: bool = False) -> bool:
    """Whether the filter holds for one record; for many, make a :func:`predicate` once."""
    return predicate(tree, zone=zone, ignore_case=ignore_case)(record)


def predicate(tree: Filter, *, zone: tzinfo = UTC, ignore_case: bool = False) -> Predicate:
    """The filter as a function of a record; its literals are read once, here."""
    return _predicate(tree, readers(zone, ignore_case))


def ordering_key(
    record: Record,
    orderby: tuple[tuple[PropertyPath, bool], ...],
    *,
    zone: tzinfo = UTC,
    ignore_case: bool = False,
) -> tuple[object, ...]:
    """What ``sorted`` orders a record by. ``orderby`` is as ``parse_orderby`` gives it.

    Any two values have an order: null, booleans, numbers, date-times, texts.
    """
    return tuple(
        _Descending(value) if descending else value
        for path, descending in orderby
        for value in (sort_value(resolve(record, path), zone, ignore_case),)
    )


class _Descending(msgspec.Struct, frozen=True):
    """A value whose order is turned round."""

    value: tuple[object, ...]

    def __lt__(self, other: _Descending) -> bool:
        return other.value < self.value


def _predicate(tree: Filter, read: dict[LiteralKind, Reader]) -> Predicate:
    match tree:
        case Comparison():
            return _comparison(tree, read)
        case Membership():
            return _membership(tree, read)
        case Not():
            inner = _predicate(tree.operand, read)
            return lambda record: not inner(record)
        case And():
            conjuncts = [_predicate(operand, read) for operand in tree.operands]
            return lambda record: all(holds(record) for holds in conjuncts)
        case Or():
            alternatives = [_predicate(operand, read) for operand in tree.operands]
            return lambda record: any(holds(record) for holds in alternatives)


def _comparison(tree: Comparison, readers: dict[LiteralKind, Reader]) -> Predicate:
    path, literal = tree.property, tree.value
    if literal.kind is LiteralKind.NULL:
        wanted = tree.operator is Operator.EQ
        return lambda record: (resolve(record, path) is None) is wanted
    if tree.operator is Operator.LIKE:
        fits = like(str(literal.value))
        return lambda record: fits(resolve(record, path))
    read, compare = readers[literal.kind], _COMPARE[tree.operator]
    right, unequal = read(_source(literal)), tree.operator is Operator.NE

    def test(record: Record) -> bool:
        left = read(resolve(record, path))
        return unequal if left is None else compare(left, right)

    return test


def _membership(tree: Membership, readers: dict[LiteralKind, Reader]) -> Predicate:
    path = tree.property
    sets: dict[Reader, set[object]] = {}
    for literal in tree.values:
        read = readers[literal.kind]
        sets.setdefault(read, set()).add(read(_source(literal)))

    def test(record: Record) -> bool:
        value = resolve(record, path)
        return any(read(value) in keys for read, keys in sets.items())

    return test


def _source(literal: Literal) -> object:
    """What a reader takes: the text of a number or a time, which is exact, else the value."""
    return literal.value if literal.kind in (LiteralKind.TEXT, LiteralKind.BOOLEAN) else literal.text
