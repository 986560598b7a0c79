"""What the properties of a sent object mean: parts of the key, and the body of a write as REST takes it."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from adapters.sandbox.connectors.columns import key_columns, reference_columns
from adapters.sandbox.connectors.documents import Pair
from adapters.sandbox.errors import bad_body
from adapters.sandbox.model import Entity, Kind, Model, Property, Record

_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


class Place(msgspec.Struct, frozen=True):
    """Where a column leads: part ``index`` of the key, of a reference, or one of its external names."""

    role: Literal["key", "scalar", "reference", "external"]
    prop: Property | None = None
    index: int = 0
    member: str = ""


class Meaning(msgspec.Struct, frozen=True):
    """What an object says: the parts of its key, ``None`` where they are not given, and a body."""

    key: tuple[str | None, ...]
    body: Record


class Reader:
    """Reads the properties of one entity's objects; names are found without regard to case."""

    def __init__(self, model: Model, entity: Entity) -> None:
        self._model = model
        self._entity = entity
        self._key = key_columns(model, entity)
        self._places = {name.lower(): place for name, place in self._all_places()}

    def _all_places(self) -> list[tuple[str, Place]]:
        found = [(name, Place("key", index=index)) for index, name in enumerate(self._key)]
        for prop in self._entity.properties.values():
            if prop.kind is not Kind.REFERENCE:
                found.append((prop.name, Place("scalar", prop)))
                continue
            columns = reference_columns(self._model, prop)
            found += [(name, Place("reference", prop, index)) for index, name in enumerate(columns)]
            for member in ("ExternalId", "DataProvider"):
                found.append((f"{prop.name}.{member}", Place("external", prop, member=member)))
        return found

    def key_of(self, given: list[Pair]) -> list[Pair]:
        """Those of the properties that are columns of the key, in its order."""
        values = {name.lower(): value for name, value in given}
        return [(name, values[name.lower()]) for name in self._key if name.lower() in values]

    def read(self, given: list[Pair]) -> Meaning:
        """What the properties mean. Raises ``Refusal`` 400 for names unknown or given twice."""
        key: list[str | None] = [None] * len(self._key)
        body: Record = {}
        references: dict[str, dict[int, str | None]] = {}
        externals: dict[str, dict[str, str | None]] = {}
        for name, (place, value) in self._placed(given).items():
            prop = place.prop
            if prop is None:
                key[place.index] = value or None
            elif place.role == "scalar":
                body[prop.name] = _scalar(prop, name, value)
            elif place.role == "reference":
                references.setdefault(prop.name, {})[place.index] = value or None
            else:
                externals.setdefault(prop.name, {})[place.member] = value or None
        for name, parts in references.items():
            body[name] = self._reference(name, parts)
        for name, members in externals.items():
            if name in references:
                raise bad_body(f"The reference '{name}' is given by its key and by an external identifier.")
            body[name] = _external(members)
        return Meaning(tuple(key), body)

    def _placed(self, given: list[Pair]) -> Mapping[str, tuple[Place, str | None]]:
        found: dict[str, tuple[Place, str | None]] = {}
        for name, value in given:
            folded = name.lower()
            place = self._places.get(folded)
            if place is None:
                raise bad_body(
                    f"The property '{name}' of {self._entity.name} is unknown.", "PropertyNotFound"
                )
            if folded in found:
                raise bad_body(f"The property '{name}' is given twice.")
            found[folded] = place, value
        return found

    def _reference(self, name: str, parts: dict[int, str | None]) -> object:
        target = self._model[str(self._entity.properties[name].target)]
        if not any(parts.values()):
            return None
        if len([part for part in parts.values() if part]) != len(target.key):
            raise bad_body(f"The reference '{name}' needs all parts of the key of {target.name}.")
        key = tuple(str(parts[index]) for index in range(len(target.key)))
        return target.identity(key)


def _external(members: dict[str, str | None]) -> object:
    given = {member: value for member, value in members.items() if value}
    return given if "ExternalId" in given else None


def _scalar(prop: Property, name: str, value: str | None) -> object:
    """The value as a body of REST has it: an empty one is null for all but texts."""
    if value is None or (not value and prop.kind is not Kind.STRING):
        return None
    if prop.kind is Kind.BOOLEAN:
        if value.lower() not in _BOOLEANS:
            message = f"The value of '{prop.name}' is not valid: True or False is expected."
            raise bad_body(message, "InvalidPropertyValue")
        return _BOOLEANS[value.lower()]
    return value
