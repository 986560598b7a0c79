"""Which entities, properties and navigations there are.

A :class:`Schema` is immutable: the standard entities are in :mod:`contracts.entities`, and a tenant's
own are added with :meth:`Schema.extended`. Names match without regard to case and are printed as
the schema spells them. A name that begins with ``_`` is a customer's own (vendor page "Requesting
data"): when the schema does not know it, it is let through, and an entity not known to the schema
is *open*: it has whatever properties its records happen to have.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from enum import StrEnum

import msgspec

from contracts.errors import EntityNotFound
from contracts.paths import Key, KeyPart, ObjectPath, Segment

Record = dict[str, object] | msgspec.Struct
"""One record in its normalized form: anything that msgspec encodes to the JSON object callers get."""

MAX_SUGGESTED = 64
"""Names longer than this get no suggestion: comparing them costs more than it helps."""


class PropertyType(StrEnum):
    """What a property holds. ``KEY`` is the ``Id`` of an entity with a composite key: an object of its parts."""

    STRING = "string"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    REFERENCE = "reference"
    COLLECTION = "collection"
    KEY = "key"


class Property(msgspec.Struct, frozen=True):
    """One property of an entity.

    ``target`` is the entity that a reference or collection leads to. ``length`` is the most
    characters a string may have. ``insert_only`` can be given for a new record and never changed;
    ``mandatory`` must be given by every body that may make a record (vendor page "Inserting data").
    """

    name: str
    type: PropertyType = PropertyType.STRING
    target: str | None = None
    length: int | None = None
    read_only: bool = False
    insert_only: bool = False
    mandatory: bool = False
    multilingual: bool = False


COMMON_FIRST = (
    Property("Description", length=200, multilingual=True),
    Property("Context", PropertyType.INTEGER, insert_only=True, mandatory=True),
    Property("Status", PropertyType.INTEGER, mandatory=True),
)
COMMON_LAST = (
    Property("ExternalId", length=50),
    Property("DataProvider", length=50),
    Property("RecordCreateDate", PropertyType.DATETIME, read_only=True),
    Property("RecordChangeDate", PropertyType.DATETIME, read_only=True),
)


class Entity(msgspec.Struct, frozen=True):
    """One entity: ``key`` names its key parts in order, ``properties`` are by lower-case name in canonical order.

    ``automatic_key`` says that the upstream gives the key (or its last part) to a new record.
    ``open`` says that it may have properties that are not listed.
    """

    name: str
    key: tuple[str, ...] = ("Id",)
    automatic_key: bool = False
    properties: Mapping[str, Property] = msgspec.field(default_factory=dict)
    open: bool = False

    @classmethod
    def of(
        cls,
        name: str,
        *properties: Property,
        key: tuple[str, ...] = ("Id",),
        automatic_key: bool = False,
        open: bool = False,
    ) -> Entity:
        """An entity with the properties that are its own; a schema adds the common ones."""
        return cls(name, key, automatic_key, {item.name.lower(): item for item in properties}, open)

    @property
    def composite(self) -> bool:
        """Whether its key has more than one part."""
        return len(self.key) > 1

    @property
    def unknown(self) -> bool:
        """Whether nothing is known of it but its name."""
        return self.open and not self.properties

    def find(self, name: str) -> Property | None:
        """The property of that name, in any case."""
        return self.properties.get(name.lower())

    def allows(self, name: str) -> bool:
        """Whether a property that :meth:`find` does not find is to be let through."""
        return self.open or name.startswith("_")

    def suggest(self, name: str) -> str:
        """``; did you mean "Status"?`` for a slip of the pen, else nothing."""
        return suggestion(name, (item.name for item in self.properties.values()))

    def owned_by(self, owner: Entity) -> bool:
        """Whether its key is the owner's key and one part more, as that of a building part or a line."""
        return len(self.key) == len(owner.key) + 1 and self.key[-2] == owner.name

    @property
    def key_parts(self) -> Mapping[str, Property]:
        """The parts of its key by lower-case name: each a number or, whatever it refers to, a string."""
        return {part.lower(): Property(part, self._part_type(part)) for part in self.key}

    def _part_type(self, part: str) -> PropertyType:
        known = self.find(part)
        number = known is not None and known.type is PropertyType.INTEGER
        return PropertyType.INTEGER if number else PropertyType.STRING

    def key_part(self, name: str, value: str) -> KeyPart:
        """A named part of its key, marked numeric where that part is a number."""
        return KeyPart(name, value, self._part_type(name) is PropertyType.INTEGER)


class Schema(msgspec.Struct, frozen=True):
    """All entities, by lower-case name."""

    entities: Mapping[str, Entity]

    @classmethod
    def of(cls, entities: Iterable[Entity]) -> Schema:
        """A schema of these entities; each gets the properties that every entity has."""
        return cls({}).extended(entities)

    def extended(self, entities: Iterable[Entity]) -> Schema:
        """This schema with entities added; one that is there already gets the properties, and keeps its key."""
        additions = tuple(entities)
        names = {item.name.lower(): item.name for item in (*self.entities.values(), *additions)}
        merged = dict(self.entities)
        for addition in additions:
            known = merged.get(addition.name.lower())
            merged[addition.name.lower()] = (
                _completed(addition, names) if known is None else _merged(known, addition)
            )
        return Schema(merged)

    def find(self, name: str) -> Entity | None:
        """The entity of that name, in any case."""
        return self.entities.get(name.lower())

    def target(self, name: str) -> Entity:
        """The entity that a reference or collection names: an open one where the schema does not have it."""
        return self.find(name) or Entity.of(name, open=True)

    def entity(self, name: str) -> Entity:
        """The entity of that name, an open one for a custom name. Raises EntityNotFound with a suggestion."""
        known = self.find(name)
        if known is None and not name.startswith("_"):
            raise EntityNotFound(
                f'there is no entity "{name}"{self.suggest(name)} (the entities of an environment\'s own '
                'are named in its configuration, under "entities")'
            )
        return known or self.target(name)

    def suggest(self, name: str) -> str:
        """``; did you mean "Equipment"?`` for a slip of the pen, else nothing."""
        return suggestion(name, (item.name for item in self.entities.values()))

    def path_of(self, entity: Entity, record: Record) -> ObjectPath:
        """The path that addresses a normalized record by its own key. Raises ValueError for one without ``Id``."""
        own = record.get("Id") if isinstance(record, dict) else getattr(record, "Id", None)
        if isinstance(own, msgspec.Struct):
            own = msgspec.to_builtins(own)
        if isinstance(own, Mapping) and own:
            parts = tuple(entity.key_part(str(name), str(value)) for name, value in own.items())
        elif isinstance(own, str | int) and own != "":
            only = entity.key_part("Id", str(own))
            parts = (KeyPart(None, only.value, only.numeric),)
        else:
            raise ValueError(f"a record of {entity.name} without an Id")
        return ObjectPath((Segment(entity.name, Key(parts)),))


def suggestion(name: str, known: Iterable[str]) -> str:
    """``; did you mean "…"?`` with the nearest of the known names, or nothing when none is near."""
    if len(name) > MAX_SUGGESTED:
        return ""
    by_lower = {item.lower(): item for item in known}
    near = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.7)
    return f'; did you mean "{by_lower[near[0]]}"?' if near else ""


def _completed(entity: Entity, names: Mapping[str, str]) -> Entity:
    """With the common properties and the key, in canonical order; what the entity says itself wins.

    The parts of a composite key stand in its ``Id``. One that is another entity's name is a navigation
    beside it: it can be followed, expanded and filtered through. Any other part is no property.
    """
    own_key = PropertyType.KEY if entity.composite else PropertyType.STRING
    first = [Property("Id", own_key)]
    for part in entity.key:
        target = names.get(part.lower())
        if part.lower() == "id":
            continue
        if target is not None:
            first.append(Property(part, PropertyType.REFERENCE, target))
        elif not entity.composite:
            first.append(Property(part))
    order = (*first, *COMMON_FIRST, *entity.properties.values(), *COMMON_LAST)
    completed = {item.name.lower(): item for item in order}
    return msgspec.structs.replace(entity, properties={**completed, **entity.properties})


def _merged(known: Entity, addition: Entity) -> Entity:
    return msgspec.structs.replace(
        known,
        properties={**known.properties, **addition.properties},
        automatic_key=known.automatic_key or addition.automatic_key,
        open=known.open or addition.open,
    )
