"""What a path means where only whole sets of records can be had: a condition, and a record to be read first.

The records on the way must exist, and belong to each other, as for the upstream's own paths (vendor page
"Requesting data"). A key that begins with its owner's says so itself; any other step is looked at.
"""

from __future__ import annotations

import msgspec

from contracts.addressing import Resolved, resolve
from contracts.conditions import belonging, conjunction, key_condition, owner_properties
from contracts.filters import Filter
from contracts.operations import GetRecord, ListRecords, Query
from contracts.paths import Key, KeyPart, ObjectPath, Segment
from contracts.records import as_dict
from contracts.schema import Entity, Record, Schema
from gateway.completion.held import missing, own_key_parts

DEFAULT_PROVIDER = "Rest"
"""The data provider of an external id that is given without one (vendor page "External identifiers")."""


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """The records of ``entity`` that a place means: those that ``belongs`` and ``key`` hold for.

    ``owner`` is whose they are, where nothing has shown yet that it exists.
    """

    entity: Entity
    belongs: Filter | None = None
    key: Filter | None = None
    owner: Resolved | None = None

    @property
    def condition(self) -> Filter | None:
        """Both conditions as one."""
        return conjunction(self.belongs, self.key)


def refusal(schema: Schema, operation: GetRecord | ListRecords) -> str | None:
    """Why this read cannot be made of whole sets, in a sentence; None when it can."""
    place = operation.place
    query = operation.query if isinstance(operation, ListRecords) else Query(expand=operation.expand)
    if (reason := missing(schema, place.entity, query)) is not None:
        return reason
    if place.owner is None or leads_to_one(place) or _evident(schema, place):
        return None
    if owner_properties(place) is None:
        return (
            f"an export of {place.entity.name} does not say which of its records "
            f"{place.owner.name}/{place.path.last.name} means"
        )
    return None


def read_first(schema: Schema, place: Resolved) -> Resolved | None:
    """The record without which it cannot be said where the place leads; None when the path says it all."""
    parent = parent_of(schema, place)
    if parent is None or (not leads_to_one(place) and (_evident(schema, place) or _evident(schema, parent))):
        return None
    return parent


def reach(schema: Schema, place: Resolved, owner: Record | None) -> Reach | None:
    """Where the place leads. ``owner`` is the record that :func:`read_first` names.

    None where a reference is empty, and so leads nowhere. Raises ValueError for an owner without ``Id``.
    """
    parent = parent_of(schema, place)
    key = key_condition(place.entity, own_key(place)) if place.path.last.key is not None else None
    if parent is None or _evident(schema, place):
        return Reach(entity=place.entity, key=key)
    if leads_to_one(place):
        referred = None if owner is None else _referred(schema, place, parent.entity, owner)
        return (
            None
            if referred is None
            else Reach(entity=place.entity, key=key_condition(place.entity, referred))
        )
    owner_key = parent.key if owner is None else schema.path_of(parent.entity, owner).last.key
    return Reach(
        entity=place.entity,
        belongs=None if owner_key is None else belonging(place, owner_key),
        key=key,
        owner=parent if owner is None else None,
    )


def parent_of(schema: Schema, place: Resolved) -> Resolved | None:
    """The record that the last step of the path sets out from; None for a path of one segment."""
    segments = place.path.segments[:-1]
    return resolve(schema, ObjectPath(segments)) if segments else None


def set_of(entity: Entity) -> Resolved:
    """All records of an entity."""
    return Resolved(ObjectPath((Segment(entity.name),)), entity, single=False)


def leads_to_one(place: Resolved) -> bool:
    """Whether the path ends in a reference."""
    return place.single and place.path.last.key is None


def own_key(place: Resolved) -> Key:
    """The key of the record at a place that has one, whole, an external id with its data provider.

    Raises ValueError for a set and for a reference.
    """
    key = place.key or place.path.last.key
    if key is None:
        raise ValueError(f"{place.path.last.name} has no key")
    if key.external and key.provider is None:
        return Key((*key.parts, KeyPart("DataProvider", DEFAULT_PROVIDER)))
    return key


def _evident(schema: Schema, place: Resolved) -> bool:
    """Whether the place is one record whose own key is told, and with it all records on the way."""
    if place.key is None or place.owner is None:
        return place.key is not None
    parent = parent_of(schema, place)
    return parent is not None and place.entity.owned_by(place.owner) and _evident(schema, parent)


def _referred(schema: Schema, place: Resolved, owner: Entity, record: Record) -> Key | None:
    """The key of the record that the last step's reference names."""
    held = as_dict(record)
    name = place.path.last.name
    known = place.navigation
    value: object = held.get(name)
    if known is not None and owner.composite and name in owner.key:
        own = held.get("Id")
        parts = own_key_parts(owner, known, place.entity)
        if not isinstance(own, dict) or parts is None:
            return None
        values = [own.get(part) for part in parts]
        value = dict(zip(place.entity.key, values, strict=True)) if place.entity.composite else values[0]
    if value is None or value == "":
        return None
    return schema.path_of(place.entity, {"Id": value}).last.key
