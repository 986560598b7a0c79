"""Connectors are flat: which column holds which property, and how a value stands in it as text.

A reference is named by the key of what it refers to (``Department.Id``). A composite key stands in ``Id``;
the parts that are an owner's key go through the owner: ``Id.EquipmentMeasurementPoint.Id.Equipment.Id``,
``Id.EquipmentMeasurementPoint.Id.Id``, ``Id.LineId`` (vendor pages "HTTP POST", "Inserting data", and
"IoT"). Names match in any case.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

from contracts.errors import Fault
from contracts.json_objects import pointer
from contracts.paths import Key
from contracts.records import Layout, RecordCodec
from contracts.schema import Entity, Property, PropertyType, Schema
from contracts.values import to_text

Flat = Mapping[str, object]
"""A record as a connector gives it: values by column."""

Texts = dict[str, str | None]
"""What is sent of a record: texts by column, None for null."""

_LAYOUTS = 256
"""How many layouts are kept: the records of a connector come in few, unless each leaves out others."""


class Column(msgspec.Struct, frozen=True):
    """Where a column leads: a property, or one ``part`` of the composite key that stands in it."""

    name: str
    property: str
    part: str | None = None


class FlatLayout(msgspec.Struct, frozen=True):
    """How flat records with the same columns in the same order are read: worked out once for all of them.

    ``keys`` are the composite keys, each as its parts and where their values are; they stand behind the
    record's own values in what ``layout`` takes.
    """

    keys: tuple[tuple[tuple[str, int], ...], ...]
    layout: Layout

    def record(self, flat: Flat) -> dict[str, object]:
        """The normalized record. A key of which no part is given is null."""
        values = [*flat.values()]
        for parts in self.keys:
            key = {part: values[at] for part, at in parts}
            given = [value for value in key.values() if value is not None and value != ""]
            values.append(key if given else None)
        return self.layout.record(values)


class EntityColumns:
    """The columns of one entity."""

    def __init__(self, schema: Schema, entity: Entity) -> None:
        self.entity = entity
        self._schema = schema
        own = zip(entity.key, key_columns(schema, entity), strict=True)
        self.key = tuple(
            Column(name, "Id" if entity.composite else part, part if entity.composite else None)
            for part, name in own
        )
        self._by_property = {column.property.lower(): self.key for column in self.key}
        for property in entity.properties.values():
            # A part of the own key is no property of its own here: REST does not give it beside the Id either.
            part_of_key = entity.composite and property.name.lower() in entity.key_parts
            if property.name.lower() not in self._by_property and not part_of_key:
                self._by_property[property.name.lower()] = tuple(self._columns(property))
        columns = [column for found in self._by_property.values() for column in found]
        self._by_name = {item.name.lower(): item for item in columns} | {item.name: item for item in columns}

    def _columns(self, property: Property) -> Iterator[Column]:
        if property.type is PropertyType.REFERENCE:
            target = self._schema.target(property.target or property.name)
            for part, name in zip(target.key, key_columns(self._schema, target), strict=True):
                yield Column(f"{property.name}.{name}", property.name, part if target.composite else None)
        elif property.type is not PropertyType.COLLECTION:
            yield Column(property.name, property.name)

    def named(self, name: str) -> tuple[Column, ...]:
        """The columns of a property, or the one column, of that name; none when there is no such thing."""
        column = self._by_name.get(name.lower())
        return self._by_property.get(name.lower()) or (() if column is None else (column,))

    def at(self, path: tuple[str, ...]) -> Column | None:
        """The column that a property path of a filter leads to, as ``Code``, ``Department/Id``, ``Id/Building``."""
        columns = self._by_property.get(path[0].lower(), ())
        if len(path) == 1:
            return columns[0] if len(columns) == 1 else None
        if len(path) > 2:
            return None
        last = path[1].lower()
        parts = (column for column in columns if (column.part or "Id").lower() == last)
        return next(parts, None) if columns is not self.key or self.entity.composite else None

    def layout(self, codec: RecordCodec, names: tuple[str, ...]) -> FlatLayout:
        """How records with these columns, in this order, are read.

        Columns through a reference that are no key of it are left out.
        """
        properties: list[str | None] = []
        keys: dict[str, dict[str, int]] = {}
        for at, name in enumerate(names):
            column = self._by_name.get(name) or self._by_name.get(name.lower())
            if column is None:
                properties.append(None if "." in name else name)
            elif column.part is None:
                properties.append(column.property)
            else:
                properties.append(None)
                keys.setdefault(column.property, {})[column.part] = at
        parts = tuple(tuple(key.items()) for key in keys.values())
        return FlatLayout(parts, codec.layout(self.entity, (*properties, *keys)))

    def key_texts(self, key: Key) -> Texts:
        """The columns that say which record is meant: those of the key, or its external id."""
        if key.external:
            return {str(part.name): part.value for part in key.parts}
        return {column.name: part.value for column, part in zip(self.key, key.parts, strict=True)}

    def body_texts(self, body: Mapping[str, object], zone: ZoneInfo) -> tuple[Texts, list[Fault]]:
        """The columns of a canonical body, and what in it no connector can be told, with its pointer."""
        texts: Texts = {}
        faults = []
        for name, value in body.items():
            try:
                texts |= self._texts(name, value, zone)
            except ValueError as error:
                faults.append(Fault(pointer("", name), str(error)))
        return texts, faults

    def _texts(self, name: str, value: object, zone: ZoneInfo) -> Texts:
        property = self.entity.find(name)
        columns = self._by_property.get(name.lower(), ())
        if property is None or not columns:
            return {name: _text(value)}
        if value is None:
            return {column.name: None for column in columns}
        if isinstance(value, Mapping):
            return self._reference_texts(property, columns, value)
        text = to_text(value)
        if property.type is PropertyType.DATETIME:
            text = local_time(text, zone)
        return {columns[0].name: text}

    def _reference_texts(
        self, property: Property, columns: tuple[Column, ...], key: Mapping[str, object]
    ) -> Texts:
        by_part = {column.part: column.name for column in columns}
        return {by_part.get(part, f"{property.name}.{part}"): _text(text) for part, text in key.items()}


class Tables:
    """The columns of every entity of a schema, and the records made of them."""

    def __init__(self, schema: Schema, zone: ZoneInfo) -> None:
        self._schema = schema
        self._codec = RecordCodec(schema, zone)
        self._known: dict[str, EntityColumns] = {}
        self._layout = lru_cache(maxsize=_LAYOUTS)(self._new_layout)

    def of(self, entity: Entity) -> EntityColumns:
        """The columns of an entity, worked out once."""
        columns = self._known.get(entity.name)
        if columns is None:
            columns = self._known[entity.name] = EntityColumns(self._schema, entity)
        return columns

    def record(self, entity: Entity, flat: Flat) -> dict[str, object]:
        """The normalized record."""
        return self._layout(entity.name, tuple(flat)).record(flat)

    def _new_layout(self, entity: str, names: tuple[str, ...]) -> FlatLayout:
        return self.of(self._schema.target(entity)).layout(self._codec, names)

    def identity(self, type: str, flat: Flat) -> object:
        """The ``Id`` of an object of that type; of one that the schema does not know, all that it says.

        None when it does not say its whole key.
        """
        entity = self._schema.find(type)
        if entity is None:
            given = {name: value for name, value in flat.items() if value not in (None, "")}
            return given.get("Id") if given.keys() <= {"Id"} else given
        present = {name.lower() for name, value in flat.items() if value not in (None, "")}
        columns = self.of(entity)
        if any(column.name.lower() not in present for column in columns.key):
            return None
        return self.record(entity, flat).get(columns.key[0].property)


def key_columns(schema: Schema, entity: Entity) -> tuple[str, ...]:
    """The columns of an entity's key, one for each part, in its order."""
    if not entity.composite:
        return entity.key
    owner = schema.target(entity.key[-2])
    if not entity.owned_by(owner):
        return tuple(_part_column(schema, part) for part in entity.key)
    through = (f"Id.{owner.name}.{name}" for name in key_columns(schema, owner))
    return (*through, _part_column(schema, entity.key[-1]))


def local_time(text: str, zone: ZoneInfo) -> str:
    """A date-time as connectors take it: local to the environment, without offset, to the digit as it came.

    Raises ValueError for a time that has no such name of its own: the second of the two hours that are
    called the same when clocks go back, and what lies before the year 1 or after 9999 there.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        return text
    try:
        local = moment.astimezone(zone)
    except OverflowError:
        raise ValueError("in the environment's time zone no calendar has this date-time") from None
    if local.replace(tzinfo=None, fold=0).replace(tzinfo=zone).astimezone(UTC) != moment:
        raise ValueError(
            "connectors take local times without an offset, and this one falls in the hour that comes twice "
            "when clocks go back: the second time cannot be told from the first"
        )
    fraction = text.partition(".")[2].rstrip("Z").partition("+")[0].partition("-")[0].rstrip("0")
    return local.replace(tzinfo=None, microsecond=0).isoformat() + (f".{fraction}" if fraction else "")


def _part_column(schema: Schema, part: str) -> str:
    target = schema.find(part)
    return f"Id.{part}" if target is None or target.composite else f"Id.{part}.{target.key[0]}"


def _text(value: object) -> str | None:
    return None if value is None else to_text(value)
