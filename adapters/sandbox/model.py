"""The shape of the upstream's data: entities, their keys, properties and navigations."""

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import TypeVar

import msgspec

T = TypeVar("T")

Key = tuple[str, ...]
"""The values of a record's key properties, in the order of ``Entity.key``."""

Record = dict[str, object]
"""A stored record: property → value as JSON knows it. What is absent is null.

``Id`` is a string, or an object of the key properties where the key is composite. A reference is the
same of the record referred to; a multilingual text is an object of language codes.
"""


class Kind(Enum):
    """The type of a property."""

    STRING = "s"
    INTEGER = "i"
    DECIMAL = "n"
    BOOLEAN = "b"
    DATE = "d"
    TIME = "dt"
    REFERENCE = "r"


class Property(msgspec.Struct, frozen=True, kw_only=True):
    """One property of an entity.

    ``length`` counts characters of a text. ``target`` names the entity that a reference refers to.
    ``insert_only`` properties keep the value that they got when the record was inserted.
    """

    name: str
    kind: Kind
    length: int | None = None
    target: str | None = None
    mandatory: bool = False
    read_only: bool = False
    insert_only: bool = False
    multilingual: bool = False


class Navigation(msgspec.Struct, frozen=True):
    """A navigation from one record to many.

    ``via`` is the property of the target that refers back. With ``through`` the two sides are joined by
    the records of that entity, whose key is (owner, target).
    """

    name: str
    target: str
    via: str
    through: str | None = None


class Entity(msgspec.Struct, frozen=True, kw_only=True):
    """One entity.

    ``key`` names the key properties. ``automatic`` is the number of digits of keys that the upstream
    hands out itself, for the last part of the key; ``None`` when the caller must name the key.
    ``company`` tells whether records belong to a company. Records of a ``link`` entity only join those of
    two others, and no path leads to them.
    """

    name: str
    key: tuple[str, ...]
    properties: dict[str, Property]
    navigations: dict[str, Navigation]
    key_targets: dict[str, str]
    automatic: int | None = None
    company: bool = False
    link: bool = False

    @property
    def composite(self) -> bool:
        return len(self.key) > 1

    def identity(self, key: Key) -> object:
        """The JSON value that stands for ``key``: a string, or an object when the key is composite."""
        return dict(zip(self.key, key, strict=True)) if self.composite else key[0]

    def key_of(self, identity: object) -> Key:
        """The key that ``identity``, an ``Id`` or a reference, stands for."""
        if isinstance(identity, dict):
            return tuple(str(identity[name]) for name in self.key)
        return (str(identity),)

    def owner_key(self, key: Key, part: str, owner: "Entity") -> Key:
        """The key of the record that the key property ``part`` of ``key`` refers to."""
        return key[: len(owner.key)] if owner.composite else (key[self.key.index(part)],)

    def names(self) -> Iterable[str]:
        """All names of the entity's own JSON members, ``Id`` first."""
        return ("Id", *self.properties)


class Model:
    """All entities, found by name without regard to case."""

    def __init__(self, entities: Iterable[Entity]) -> None:
        self._entities = {entity.name.lower(): entity for entity in entities}

    def __iter__(self) -> Iterator[Entity]:
        return iter(self._entities.values())

    def find(self, name: str) -> Entity | None:
        """The entity of that name that a path can lead to, or ``None``."""
        found = self._entities.get(name.lower())
        return None if found is None or found.link else found

    def __getitem__(self, name: str) -> Entity:
        return self._entities[name.lower()]

    def owned(self, parent: Entity, navigation: Navigation) -> bool:
        """Whether the parent's key is the beginning of the key of what the navigation leads to."""
        child = self[navigation.target]
        size = len(parent.key)
        owner = child.key_targets.get(child.key[size - 1]) if len(child.key) > size else None
        return navigation.through is None and owner == parent.name and navigation.via == child.key[size - 1]


def lookup(members: Mapping[str, T], name: str) -> T | None:
    """The member of that name without regard to case, or ``None``."""
    found = members.get(name)
    if found is not None:
        return found
    folded = name.lower()
    return next((member for key, member in members.items() if key.lower() == folded), None)
