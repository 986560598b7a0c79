"""Property paths such as ``Department/Id``: how filters and orders reach a value of a record."""

from collections.abc import Callable

import msgspec

from adapters.sandbox.caller import DEFAULT_LANGUAGE, Caller
from adapters.sandbox.model import Entity, Kind, Property, Record, lookup
from adapters.sandbox.records import Store

Getter = Callable[[Record], object]


class PropertyPath(msgspec.Struct, frozen=True):
    """A scalar that a path leads to; ``get`` answers its comparable value, ``None`` for null."""

    name: str
    kind: Kind
    get: Getter


def comparable(kind: Kind, value: object) -> object:
    """A stored value in the form in which values of its kind compare: times without their ``Z``."""
    return value[:-1] if kind is Kind.TIME and isinstance(value, str) else value


def translated(value: object, language: str) -> object:
    """The text of a multilingual value in a language; the default language stands in where it is absent."""
    if not isinstance(value, dict):
        return value
    return value.get(language) or value.get(DEFAULT_LANGUAGE) or next(iter(value.values()), None)


def find_path(store: Store, caller: Caller, entity: Entity, text: str) -> PropertyPath:
    """The scalar that ``text`` names, seen from ``entity``.

    A reference with a single key counts as its id. Raises ``LookupError`` for a name that is unknown or
    not granted, and for one that is no scalar.
    """
    name, _, rest = text.partition("/")
    if name.lower() == "id":
        return _identity_path(store, caller, entity, text, rest)
    part = next((key for key in entity.key_targets if key.lower() == name.lower()), None)
    if part is not None:
        return _key_part_path(store, caller, entity, text, part, rest)
    granted = caller.key.granted(entity) or ()
    found = lookup(entity.properties, name)
    if found is None or found.name not in granted:
        raise LookupError(f"the property '{name}' of {entity.name} is unknown")
    if found.kind is Kind.REFERENCE:
        return _reference_path(store, caller, found, text, rest)
    if rest:
        raise LookupError(f"'{text}' is not a property")
    return PropertyPath(text, found.kind, _scalar(found, caller.language))


def _scalar(found: Property, language: str) -> Getter:
    name = found.name
    if found.multilingual:
        return lambda record: translated(record.get(name), language)
    if found.kind is Kind.TIME:
        return lambda record: comparable(Kind.TIME, record.get(name))
    return lambda record: record.get(name)


def _identity_path(store: Store, caller: Caller, entity: Entity, text: str, rest: str) -> PropertyPath:
    if not entity.composite:
        if rest:
            raise LookupError(f"'{text}' is not a property")
        return PropertyPath(text, Kind.STRING, lambda record: record["Id"])
    part, _, beyond = rest.partition("/")
    name = next((key for key in entity.key if key.lower() == (part or "id").lower()), None)
    if name is None:
        raise LookupError(f"'{text}' names no part of the key")
    return _key_part_path(store, caller, entity, text, name, beyond)


def _key_part_path(
    store: Store, caller: Caller, entity: Entity, text: str, part: str, rest: str
) -> PropertyPath:
    target = entity.key_targets.get(part)

    def get(record: Record) -> object:
        identity = record["Id"]
        return identity.get(part) if isinstance(identity, dict) else None

    if not rest:
        return PropertyPath(text, Kind.STRING, get)
    if target is None:
        raise LookupError(f"'{text}' is not a property")
    other = store.model[target]
    inner = find_path(store, caller, other, rest)
    rows = store.table(target).rows

    def follow(record: Record) -> object:
        found = rows.get(entity.owner_key(entity.key_of(record["Id"]), part, other))
        return inner.get(found) if found is not None else None

    return PropertyPath(text, inner.kind, follow)


def _reference_path(store: Store, caller: Caller, found: Property, text: str, rest: str) -> PropertyPath:
    name, target = found.name, store.model[str(found.target)]
    if not target.composite and rest.lower() in ("", "id"):
        return PropertyPath(text, Kind.STRING, lambda record: record.get(name))
    if not rest:
        raise LookupError(f"'{text}' is not a single value")
    inner = find_path(store, caller, target, rest)
    rows = store.table(target.name).rows

    def follow(record: Record) -> object:
        identity = record.get(name)
        found = rows.get(target.key_of(identity)) if identity is not None else None
        return inner.get(found) if found is not None else None

    return PropertyPath(text, inner.kind, follow)
