"""Where an object path leads in a schema: to which entity, to one record or to many.

The path comes back in the schema's own spelling, so that two ways of writing one address are equal:
names as the schema has them, key parts in the entity's order, ``Id=1`` as ``1``, numbers unquoted
upstream. What cannot fit (a key of the wrong parts, a step through something that is no navigation)
is found here and costs nothing upstream. Source: vendor page "Requesting data", resource paths.
"""

from __future__ import annotations

import re

import msgspec

from contracts.errors import InvalidPath
from contracts.paths import Key, KeyPart, ObjectPath, Segment
from contracts.schema import Entity, Property, PropertyType, Schema

_NUMBER = re.compile(r"-?\d{1,19}", re.ASCII)
_EXTERNAL = {"externalid": "ExternalId", "dataprovider": "DataProvider"}


class Resolved(msgspec.Struct, frozen=True):
    """Where a path leads: one record (``single``) or a set of records of ``entity``.

    ``path`` is the path in the schema's own spelling. ``key`` is the record's own whole key, where
    the path tells it: None for a set, behind a to-one navigation and for an external id. ``owner``
    and ``navigation`` are the entity that the last step set out from and the property it went
    through: None for a path of one segment, and ``navigation`` also for a custom one that the
    schema does not know.
    """

    path: ObjectPath
    entity: Entity
    single: bool
    key: Key | None = None
    owner: Entity | None = None
    navigation: Property | None = None


def resolve(schema: Schema, path: ObjectPath) -> Resolved:
    """Where ``path`` leads. A path that ends in a key or in a to-one navigation is single.

    A custom navigation that the schema does not know leads to many, unless it has the name of an
    entity: then it is taken for a reference to that entity, as all of the upstream's are.

    Raises EntityNotFound, and InvalidPath for a navigation that is not there and for a key that
    does not fit its entity.
    """
    first, *steps = path.segments
    entity = schema.entity(first.name)
    key, whole = _fit(entity, first.key, None, None)
    here = Resolved(ObjectPath((Segment(entity.name, key),)), entity, key is not None, whole)
    for step in steps:
        here = _follow(schema, here, step)
    return here


def _follow(schema: Schema, here: Resolved, step: Segment) -> Resolved:
    owner = here.entity
    if not here.single:
        raise InvalidPath(
            f"{here.path.last.name} is a set: say which record, as {here.path.last.name}/<key>/{step.name}"
        )
    navigation = _navigation(owner, step.name)
    if navigation is None:
        known = schema.find(step.name)
        name, entity, to_one = step.name, known or schema.target(step.name), known is not None
    else:
        to_one = navigation.type is PropertyType.REFERENCE
        name, entity = navigation.name, schema.target(navigation.target or navigation.name)
    if to_one and step.key is not None:
        raise InvalidPath(
            f"{owner.name}/{name} leads to one record and takes no key: "
            f"address the record as {entity.name}/<key>, or leave the key out"
        )
    key, whole = _fit(entity, step.key, owner, here.key)
    path = ObjectPath((*here.path.segments, Segment(name, key)))
    return Resolved(path, entity, to_one or key is not None, whole, owner, navigation)


def _navigation(owner: Entity, name: str) -> Property | None:
    """The navigation of that name; None for a custom one that is not known."""
    known = owner.find(name)
    if known is None and owner.allows(name):
        return None
    if known is None:
        raise InvalidPath(f"{owner.name} has no navigation {name}{owner.suggest(name)}")
    if known.type not in (PropertyType.REFERENCE, PropertyType.COLLECTION):
        raise InvalidPath(f"{owner.name}/{known.name} is a value, and a path cannot go on through it")
    return known


def _fit(
    entity: Entity, key: Key | None, owner: Entity | None, owner_key: Key | None
) -> tuple[Key | None, Key | None]:
    """The key as it was written, in the schema's spelling, and the record's whole key where it is known.

    A child whose key begins with its owner's may leave those parts out.
    """
    if key is None:
        return None, None
    if key.external:
        return _external(key), None
    if entity.unknown:
        return key, key
    inherited = entity.key[:-1] if owner is not None and entity.owned_by(owner) else ()
    if len(key.parts) == 1 and key.parts[0].name is None:
        given = {entity.key[-1]: key.parts[0].value}
    else:
        given = _named(entity, key)
    missing = [part for part in entity.key if part not in given]
    if any(part not in inherited for part in missing):
        raise InvalidPath(
            f"the key of {entity.name} is written {key_form(entity)}, and {missing[0]} is missing"
        )
    written = Key(tuple(_part(entity, name, given[name]) for name in entity.key if name in given))
    if len(written.parts) == 1:
        written = Key((msgspec.structs.replace(written.parts[0], name=None),))
    return written, _whole(entity, given, inherited, owner_key)


def _whole(
    entity: Entity, given: dict[str, str], inherited: tuple[str, ...], owner_key: Key | None
) -> Key | None:
    from_owner: dict[str, str] = {}
    if inherited and owner_key is not None:
        from_owner = {name: part.value for name, part in zip(inherited, owner_key.parts, strict=True)}
    for name, value in from_owner.items():
        if given.get(name, value) != value:
            raise InvalidPath(
                f"{name} is {value} earlier in the path and {given[name]} in the key of {entity.name}"
            )
    values = from_owner | given
    if any(name not in values for name in entity.key):
        return None
    if not entity.composite:
        only = _part(entity, entity.key[0], values[entity.key[0]])
        return Key((msgspec.structs.replace(only, name=None),))
    return Key(tuple(_part(entity, name, values[name]) for name in entity.key))


def _named(entity: Entity, key: Key) -> dict[str, str]:
    spelled = {name.lower(): name for name in entity.key}
    given: dict[str, str] = {}
    for part in key.parts:
        name = spelled.get((part.name or "").lower())
        if name is None:
            raise InvalidPath(
                f"the key of {entity.name} is written {key_form(entity)}, and {part.name} is no part of it"
            )
        given[name] = part.value
    return given


def _external(key: Key) -> Key:
    """The grammar has seen to it that there is nothing else in such a key."""
    parts = (KeyPart(_EXTERNAL[(part.name or "").lower()], part.value) for part in key.parts)
    return Key(tuple(sorted(parts, key=lambda part: part.name != "ExternalId")))


def _part(entity: Entity, name: str, value: str) -> KeyPart:
    part = entity.key_part(name, value)
    if part.numeric and not _NUMBER.fullmatch(value):
        raise InvalidPath(f"{name} of {entity.name} is a whole number, and {value} is not")
    return part


def key_form(entity: Entity) -> str:
    """How a record of this entity is addressed, for a sentence."""
    if not entity.composite:
        return f"{entity.name}/<key>"
    return f"{entity.name}/" + ",".join(f"{name}=<value>" for name in entity.key)
