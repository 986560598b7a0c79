"""What a filter is.

A tree of frozen Structs. Equal means: asks the same; where in the text a property stood is kept for
error messages and is no part of equality. A tree that exists can be printed: a conjunction of fewer
than two operands or an empty ``in`` cannot be made.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

import msgspec

from contracts.filters.literals import Literal

PropertyPath = tuple[str, ...]
"""Names from the record to a property: ``("Vendor", "Name")``."""


class Operator(StrEnum):
    EQ = "eq"
    NE = "ne"
    GT = "gt"
    GE = "ge"
    LT = "lt"
    LE = "le"
    LIKE = "like"


class Comparison(msgspec.Struct, frozen=True, eq=False, tag="comparison"):
    """``property operator value``; ``position`` is where the property stood, in characters from 0."""

    property: PropertyPath
    operator: Operator
    value: Literal
    position: int = 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Comparison) and self._meaning() == other._meaning()

    def __hash__(self) -> int:
        return hash(self._meaning())

    def _meaning(self) -> tuple[PropertyPath, Operator, Literal]:
        return self.property, self.operator, self.value


class Membership(msgspec.Struct, frozen=True, eq=False, tag="in"):
    """``property in (values)``; at least one value."""

    property: PropertyPath
    values: tuple[Literal, ...]
    position: int = 0

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError("a membership needs a value")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Membership) and self._meaning() == other._meaning()

    def __hash__(self) -> int:
        return hash(self._meaning())

    def _meaning(self) -> tuple[PropertyPath, tuple[Literal, ...]]:
        return self.property, self.values


class And(msgspec.Struct, frozen=True, tag="and"):
    """All operands hold; at least two."""

    operands: tuple[Filter, ...]

    def __post_init__(self) -> None:
        if len(self.operands) < 2:
            raise ValueError("a conjunction needs two operands")


class Or(msgspec.Struct, frozen=True, tag="or"):
    """At least one operand holds; at least two operands."""

    operands: tuple[Filter, ...]

    def __post_init__(self) -> None:
        if len(self.operands) < 2:
            raise ValueError("a disjunction needs two operands")


class Not(msgspec.Struct, frozen=True, tag="not"):
    """The operand does not hold."""

    operand: Filter


Filter = Comparison | Membership | And | Or | Not


def properties(tree: Filter) -> Iterator[tuple[PropertyPath, int]]:
    """Every property that a filter names, with its position, in the order of the text."""
    pending = [tree]
    while pending:
        node = pending.pop()
        match node:
            case Comparison() | Membership():
                yield node.property, node.position
            case Not():
                pending.append(node.operand)
            case And() | Or():
                pending.extend(reversed(node.operands))
