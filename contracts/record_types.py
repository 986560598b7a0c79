"""The types that records are decoded to: one Struct for each entity, made from the schema.

A Struct takes exactly the records that are in the normalized form already, but for the order of
their properties, which its own is. Each type below therefore says what of :mod:`contracts.values`
a value must meet to be left alone; whatever does not meet it makes the decoder refuse the whole, and
:mod:`contracts.records` takes its general way. Only the date-times of the outermost record are
taken as they come and put right afterwards, a column at a time: they are in every record, and
some environments give them in local time. References and collections may be expanded once, references
to entities with composite keys not at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from operator import attrgetter
from types import GenericAlias
from typing import Annotated, Any, Generic, TypeVar, Union
from zoneinfo import ZoneInfo

import msgspec
from msgspec import UNSET, Meta, UnsetType

from contracts.schema import Entity, Property, PropertyType, Schema
from contracts.values import DATETIME, normalize_value

R = TypeVar("R")

_FILLED = Annotated[str, Meta(min_length=1)]
_DATE = Annotated[str, Meta(min_length=10, max_length=10)]
_DATETIME = Annotated[str, Meta(pattern=rf"^{DATETIME}\Z")]
_COLUMN = re.compile(rf"(?:{DATETIME}\n)*")

_SCALARS: dict[PropertyType, Any] = {
    PropertyType.STRING: str,
    PropertyType.INTEGER: int,
    PropertyType.DECIMAL: float,
    PropertyType.BOOLEAN: bool,
    PropertyType.DATE: _DATE,
    PropertyType.DATETIME: _DATETIME,
}


class Envelope(msgspec.Struct, Generic[R]):
    """The list answer on the line (vendor page "Requesting data", pagination)."""

    items: list[R] | None = None
    count: int | None = None
    next_page_link: str | None = msgspec.field(default=None, name="nextPageLink")


class TypedReader:
    """Decodes what is in the normalized form but for its date-times; answers None to everything else."""

    def __init__(self, kind: type[msgspec.Struct], moments: Iterable[str], zone: ZoneInfo) -> None:
        """``moments`` are the date-times of ``kind``, which its decoder only takes for strings."""
        self._page: msgspec.json.Decoder[Envelope[msgspec.Struct]]
        self._page = msgspec.json.Decoder(GenericAlias(Envelope, (kind,)))
        self._record = msgspec.json.Decoder(kind)
        self._moments = tuple(moments)
        self._zone = zone

    def page(self, content: bytes) -> Envelope[msgspec.Struct] | None:
        try:
            envelope = self._page.decode(content)
        except (ValueError, RecursionError):
            return None
        self._settle(envelope.items or [])
        return envelope

    def record(self, content: bytes) -> msgspec.Struct | None:
        try:
            record = self._record.decode(content)
        except (ValueError, RecursionError):
            return None
        self._settle([record])
        return record

    def _settle(self, records: list[msgspec.Struct]) -> None:
        """Put date-times into their one form; a whole column that is in it costs a third of looking at each."""
        for name in self._moments:
            column = [value for value in map(attrgetter(name), records) if value]
            if not column or _COLUMN.fullmatch("\n".join(column) + "\n"):
                continue
            for record in records:
                if value := getattr(record, name):
                    setattr(record, name, normalize_value(PropertyType.DATETIME, value, self._zone))


class RecordTypes:
    """Makes the types of a schema's entities, each once."""

    def __init__(self, schema: Schema, zone: ZoneInfo) -> None:
        self._schema = schema
        self._zone = zone
        self._expanded: dict[str, type[msgspec.Struct]] = {}
        self._keys: dict[str, type[msgspec.Struct]] = {}

    def reader(self, entity: Entity) -> TypedReader:
        """What decodes this entity's records."""
        moments = [item.name for item in entity.properties.values() if item.type is PropertyType.DATETIME]
        types = {item.name: self._type(entity, item) for item in entity.properties.values()}
        return TypedReader(_struct(entity.name, types | dict.fromkeys(moments, _FILLED)), moments, self._zone)

    def _expanded_type(self, entity: Entity) -> type[msgspec.Struct]:
        """The type of a record inside another: nothing in it is expanded further."""
        made = self._expanded.get(entity.name)
        if made is None:
            properties = entity.properties.values()
            types = {item.name: self._inner_type(entity, item) for item in properties}
            made = self._expanded[entity.name] = _struct(entity.name, types)
        return made

    def _key_type(self, entity: Entity) -> type[msgspec.Struct]:
        made = self._keys.get(entity.name)
        if made is None:
            types = {part.name: _SCALARS[part.type] for part in entity.key_parts.values()}
            made = self._keys[entity.name] = _struct(f"{entity.name}Key", types)
        return made

    def _type(self, entity: Entity, property: Property) -> Any:
        """The type of a property of the outermost record."""
        target = self._schema.target(property.target or property.name)
        match property.type:
            case PropertyType.COLLECTION:
                return GenericAlias(list, (self._expanded_type(target),))
            case PropertyType.REFERENCE if not target.composite and target.properties:
                return Union[self._inner_type(entity, property), self._expanded_type(target)]  # noqa: UP007
            case _:
                return self._inner_type(entity, property)

    def _inner_type(self, entity: Entity, property: Property) -> Any:
        target = self._schema.target(property.target or property.name)
        match property.type:
            case PropertyType.KEY:
                return self._key_type(entity)
            case PropertyType.COLLECTION:
                return None
            case PropertyType.REFERENCE if target.composite:
                return self._key_type(target)
            case PropertyType.REFERENCE:
                number = target.key_parts[target.key[0].lower()].type is PropertyType.INTEGER
                return int if number else _FILLED
            case PropertyType.STRING if property.multilingual:
                return str | dict[str, str | None]
            case kind:
                return _SCALARS[kind]


def _struct(name: str, types: dict[str, Any]) -> type[msgspec.Struct]:
    """Null is allowed everywhere, and what is absent stays absent."""
    fields = [(field, Union[kind, None, UnsetType], UNSET) for field, kind in types.items()]  # noqa: UP007
    return msgspec.defstruct(name, fields, forbid_unknown_fields=True, gc=False)
