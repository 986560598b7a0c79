"""The data model: the standard entities, and what the configuration of an environment or a tenant adds to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from contracts.entities import standard_schema
from contracts.schema import Entity, Property, PropertyType, Schema

Identifier = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$(?!\n)",
        description="a name of at most 100 letters, digits and underscores, not beginning with a digit",
    ),
]
Scalar = Annotated[
    Literal["string", "integer", "decimal", "boolean", "date", "datetime"],
    Meta(
        description="'string', 'integer', 'decimal', 'boolean', 'date', 'datetime', "
        "{reference: ENTITY} or {collection: ENTITY}"
    ),
]


class NavigationSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Leads to one record (``reference``) or to many (``collection``) of the entity that is named."""

    reference: Identifier | None = None
    collection: Identifier | None = None

    @property
    def target(self) -> str | None:
        """The entity that it leads to."""
        return self.reference or self.collection


class EntitySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An entity that an environment or a tenant has of its own, or what it has added to one that is there.

    ``key`` names the parts of the key in their order; an entity that is there keeps its own. ``automatic_key``
    says that the upstream gives the key, or its last part, to a new record. ``open`` lets properties
    through that are not listed. The properties that every entity has are there without being listed.
    """

    key: tuple[Identifier, ...] = ("Id",)
    automatic_key: bool = False
    open: bool = False
    properties: dict[Identifier, Scalar | NavigationSettings] = {}


def data_model(entities: Mapping[str, EntitySettings], base: Schema | None = None) -> Schema:
    """The entities of ``base``, the standard ones where it is None, with these added."""
    return (base or standard_schema()).extended(
        Entity.of(
            name,
            *(_property(own, kind) for own, kind in entity.properties.items()),
            key=entity.key,
            automatic_key=entity.automatic_key,
            open=entity.open,
        )
        for name, entity in entities.items()
    )


def _property(name: str, kind: str | NavigationSettings) -> Property:
    if isinstance(kind, str):
        return Property(name, PropertyType(kind))
    leads_to_many = kind.reference is None
    return Property(name, PropertyType.COLLECTION if leads_to_many else PropertyType.REFERENCE, kind.target)
