"""What a path says, said as a condition: for where a record or a set is found by a filter instead.

In a filter the parts of a composite key stand in the ``Id``. An external id stands beside its data
provider, which a path may leave out: the path's default is the credential's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

from contracts.addressing import Resolved
from contracts.filters import And, Comparison, Filter, Literal, LiteralKind, Operator, PropertyPath
from contracts.paths import Key, KeyPart
from contracts.schema import Entity, PropertyType


def conjunction(left: Filter | None, right: Filter | None) -> Filter | None:
    """Both conditions together, where None is no condition."""
    if left is None or right is None:
        return left if right is None else right
    operands = [part.operands if isinstance(part, And) else (part,) for part in (left, right)]
    return And((*operands[0], *operands[1]))


def key_condition(entity: Entity, key: Key | None) -> Filter | None:
    """The condition that only the entity's record of this key fulfils; None without a key."""
    if key is None:
        return None
    return _all(map(equals, key_paths(entity, key), key.parts))


def key_paths(entity: Entity, key: Key) -> tuple[PropertyPath, ...]:
    """Where a record of the entity holds the parts of such a key."""
    within = ("Id",) if entity.composite and not key.external else ()
    return tuple((*within, part.name or entity.key[-1]) for part in key.parts)


def belonging(place: Resolved, owner_key: Key) -> Filter | None:
    """The condition that the members of a collection fulfil, by the key of the record that it is of.

    None where the members do not say, in their own key or by one property, whose they are.
    """
    membership = owner_properties(place)
    if membership is None:
        return None
    if owner_key.external:
        within = membership[0][:-1]
        if within == ("Id",):
            return None
        return _all(equals((*within, part.name or "Id"), part) for part in owner_key.parts)
    return _all(equals(path, part) for path, part in zip(membership, owner_key.parts, strict=True))


def owner_properties(place: Resolved) -> tuple[PropertyPath, ...] | None:
    """Where the members of a collection hold the key of the record that it is of: a property for each part.

    None where they do not hold it, or where it is not sure that they do.
    """
    owner = place.owner
    if owner is not None and place.entity.owned_by(owner) and owner.composite:
        return tuple(("Id", name) for name in place.entity.key[:-1])
    reference = _reference_to_owner(place)
    return None if reference is None else ((reference, "Id"),)


def equals(path: PropertyPath, part: KeyPart) -> Comparison:
    """The condition that a property has the value of a key's part."""
    literal = Literal(LiteralKind.NUMBER, part.value) if part.numeric else Literal.of(part.value)
    return Comparison(path, Operator.EQ, literal)


def _reference_to_owner(place: Resolved) -> str | None:
    """The one property by which the set's records refer to the record before it; None when that is not sure."""
    owner, navigation = place.owner, place.navigation
    if (
        owner is None
        or owner.composite
        or navigation is None
        or navigation.type is not PropertyType.COLLECTION
    ):
        return None
    found = [
        item.name
        for item in place.entity.properties.values()
        if item.type is PropertyType.REFERENCE and (item.target or "").lower() == owner.name.lower()
    ]
    return found[0] if len(found) == 1 else None


def _all(conditions: Iterable[Filter]) -> Filter | None:
    return reduce(conjunction, conditions, None)
