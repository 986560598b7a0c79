"""How a record or a set is reached over REST: a path, or a path and a filter, or not at all.

Some characters can never stand in a key in the path, encoded or not (vendor page "Special
characters"). A read then asks the set with a filter for the key; a write has no other way.

How a key is said in a filter is :mod:`contracts.conditions`'s. The data provider of an external id, which
a path may leave out, is needed there: without one the filter would find the records of every provider.
"""

from __future__ import annotations

import msgspec

from contracts.addressing import Resolved
from contracts.conditions import belonging, conjunction, key_condition
from contracts.errors import OperationNotSupported
from contracts.filters import Filter
from contracts.paths import ObjectPath, Segment, unaddressable


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
        return Route(path.keyed(None), key_condition(resolved.entity, path.last.key))
    belongs = None if parent.last.key is None else belonging(resolved, parent.last.key)
    if belongs is None or len(path.segments) > 2:
        raise OperationNotSupported(
            f"{reason} Read that record itself, with expand for what it refers to; "
            "or the related set, with a filter on its reference."
        )
    condition = conjunction(belongs, key_condition(resolved.entity, path.last.key))
    return Route(ObjectPath((Segment(resolved.entity.name),)), condition)


def read_refusal(resolved: Resolved) -> str | None:
    """Why a read cannot reach this place, in a sentence; None when it can."""
    try:
        reading(resolved)
    except OperationNotSupported as error:
        return error.detail
    return None


def write_refusal(path: ObjectPath) -> str | None:
    """Why a write cannot address this path, in a sentence; None when it can."""
    reason = unaddressable(path)
    return (
        f"{reason} A write has no other way over REST; an import connector would serve it."
        if reason
        else None
    )
