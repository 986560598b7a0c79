"""How a record or a set is reached over REST: a path, or a path and a filter, or not at all.

Some characters can never stand in a key in the path, encoded or not (vendor page "Special
characters"). A read then asks the set with a filter for the key; a write has no other way.
"""

from __future__ import annotations

import msgspec

from contracts.addressing import Resolved
from contracts.errors import OperationNotSupported
from contracts.filters import And, Comparison, Filter, Literal, LiteralKind, Operator
from contracts.paths import KeyPart, ObjectPath, Segment, unaddressable
from contracts.schema import Entity, PropertyType


class Route(msgspec.Struct, frozen=True):
    """``path`` goes on the line; ``filter`` narrows it to the key that could not, None when all could."""

    path: ObjectPath
    filter: Filter | None = None


def reading(resolved: Resolved) -> Route:
    """Where a read goes. Raises :class:`OperationNotSupported` when no filter can stand in for the path."""
    path = resolved.path
    reason = unaddressable(path)
    if reason is None:
        return Route(path)
    parent = ObjectPath(path.segments[:-1])
    if not parent.segments or unaddressable(parent) is None:
        return Route(path.keyed(None), _key_filter(resolved))
    reference = _reference_to_owner(resolved)
    if reference is None or len(path.segments) > 2:
        raise OperationNotSupported(
            f"{reason} Read that record itself, with expand for what it refers to; "
            "or the related set, with a filter on its reference."
        )
    owner_key = parent.last.key
    belongs = _equals(resolved.entity, reference, owner_key.parts[0]) if owner_key else None
    return Route(ObjectPath((Segment(resolved.entity.name),)), conjunction(belongs, _key_filter(resolved)))


def write_refusal(path: ObjectPath) -> str | None:
    """Why a write cannot address this path, in a sentence; None when it can."""
    reason = unaddressable(path)
    return (
        f"{reason} A write has no other way over REST; an import connector would serve it."
        if reason
        else None
    )


def conjunction(left: Filter | None, right: Filter | None) -> Filter | None:
    """Both conditions together, where None is no condition."""
    if left is None or right is None:
        return left if right is None else right
    return And((left, right))


def _key_filter(resolved: Resolved) -> Filter | None:
    """The condition that only the record of the path's last key fulfils."""
    key = resolved.path.last.key
    condition: Filter | None = None
    for part in key.parts if key else ():
        condition = conjunction(
            condition, _equals(resolved.entity, part.name or resolved.entity.key[-1], part)
        )
    return condition


def _reference_to_owner(resolved: Resolved) -> str | None:
    """The one property by which the set's records refer to the record before it; None when that is not sure."""
    owner, navigation = resolved.owner, resolved.navigation
    if (
        owner is None
        or owner.composite
        or navigation is None
        or navigation.type is not PropertyType.COLLECTION
    ):
        return None
    found = [
        item.name
        for item in resolved.entity.properties.values()
        if item.type is PropertyType.REFERENCE and (item.target or "").lower() == owner.name.lower()
    ]
    return found[0] if len(found) == 1 else None


def _equals(entity: Entity, name: str, part: KeyPart) -> Comparison:
    kind = entity.find(name)
    refers = kind is not None and kind.type is PropertyType.REFERENCE
    literal = Literal(LiteralKind.NUMBER, part.value) if part.numeric else Literal.of(part.value)
    return Comparison((name, "Id") if refers else (name,), Operator.EQ, literal)
