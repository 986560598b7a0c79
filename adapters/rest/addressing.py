"""How a record or a set is reached over REST: a path, or a path and a filter, or not at all.

Some characters can never stand in a key in the path, encoded or not (vendor page "Special
characters"). A read then asks the set with a filter for the key; a write has no other way.

In a filter the parts of a composite key stand in the ``Id``. An external id stands beside its data
provider, which a path may leave out and a filter may not: the path's default is the credential's own,
and without one the filter would find the records of every provider.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

import msgspec

from contracts.addressing import Resolved
from contracts.errors import OperationNotSupported
from contracts.filters import And, Comparison, Filter, Literal, LiteralKind, Operator, PropertyPath
from contracts.paths import KeyPart, ObjectPath, Segment, unaddressable
from contracts.schema import PropertyType


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
    if any(segment.key and segment.key.external and not segment.key.provider for segment in path.segments):
        raise OperationNotSupported(
            f"{reason} To find it by a filter its data provider is needed too: "
            "ExternalId=<id>,DataProvider=<provider>."
        )
    parent = ObjectPath(path.segments[:-1])
    if not parent.segments or unaddressable(parent) is None:
        return Route(path.keyed(None), _key_filter(resolved))
    reference = _reference_to_owner(resolved)
    owner_key = parent.last.key
    if reference is None or owner_key is None or len(path.segments) > 2:
        raise OperationNotSupported(
            f"{reason} Read that record itself, with expand for what it refers to; "
            "or the related set, with a filter on its reference."
        )
    belongs = _all(_equals((reference, part.name or "Id"), part) for part in owner_key.parts)
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
    key, entity = resolved.path.last.key, resolved.entity
    if key is None:
        return None
    within = ("Id",) if entity.composite and not key.external else ()
    return _all(_equals((*within, part.name or entity.key[-1]), part) for part in key.parts)


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


def _all(conditions: Iterable[Filter]) -> Filter | None:
    return reduce(conjunction, conditions, None)


def _equals(path: PropertyPath, part: KeyPart) -> Comparison:
    literal = Literal(LiteralKind.NUMBER, part.value) if part.numeric else Literal.of(part.value)
    return Comparison(path, Operator.EQ, literal)
