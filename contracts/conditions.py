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
    return And((left, right))


def key_condition(entity: Entity, key: Key | None) -> Filter | None:
    """The condition that only the entity's record of this key fulfils; None without a key."""
    if key is None:
        return None
    within = ("Id",) if entity.composite and not key.external else ()
    return _all(equals((*within, part.name or entity.key[-1]), part) for part in key.parts)


def belonging(place: Resolved, owner_key: Key) -> Filter | None:
    """The condition that the members of a collection fulfil, by the key of the record that it is of.

    None where the members do not say, in their own key or by one property, whose they are.
    """
    owner = place.owner
    if owner is not None and place.entity.owned_by(owner) and owner.composite:
        return _all(equals(("Id", part.name or owner.key[-1]), part) for part in owner_key.parts)
    reference = _reference_to_owner(place)
    if reference is None:
        return None
    return _all(equals((reference, part.name or "Id"), part) for part in owner_key.parts)


def equals(path: PropertyPath, part: KeyPart) -> Comparison:
    """The condition that a property has the value of a key's part."""
    literal = Literal(LiteralKind.NUMBER, part.value) if part.numeric else Literal.of(part.value)
    return Comparison(path, Operator.EQ, literal)


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
