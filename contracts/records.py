"""Records in: from whatever a protocol gives to the one normalized form.

A record's known properties come in the schema's order and spelling, each value in the form that
:mod:`contracts.values` sets down; what the schema does not know follows as it came. A reference is
an id, an object of key parts where the entity referred to has a composite key, or the record itself when
it was expanded; a collection is a list of records. A multilingual value stays an object of
language codes.

There are two ways to that form, and they agree to the byte. JSON that is in it already but for the
order, as the upstream's REST interface gives it, is decoded straight into a Struct made for the entity:
nothing is looked at twice. Anything else (text for a number, a property nobody declared, a record
expanded within an expanded one) takes the general way, value by value, at some ten times the cost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TypeVar
from zoneinfo import ZoneInfo

import msgspec

from contracts.record_types import Envelope, RecordTypes, TypedReader
from contracts.schema import Entity, Property, PropertyType, Record, Schema
from contracts.values import value_reader

T = TypeVar("T")

_SETTLED: Mapping[PropertyType, type] = {
    PropertyType.STRING: str,
    PropertyType.INTEGER: int,
    PropertyType.DECIMAL: float,
    PropertyType.BOOLEAN: bool,
}


class MalformedAnswer(ValueError):
    """The upstream's answer is not what it should be; the text is a short reason that quotes nothing of it."""


class ListAnswer(msgspec.Struct, frozen=True):
    """A page of records as the upstream answers it, the records normalized."""

    items: list[Record]
    count: int | None = None
    next_page_link: str | None = None


class _Column(msgspec.Struct, frozen=True):
    """How one property is read. A value of type ``settled`` needs nothing done to it."""

    name: str
    settled: type | None
    read: Callable[[object], object]


class _Plan(msgspec.Struct, frozen=True):
    """How the properties of one entity are read: ``columns`` by their name and by their lower-case name."""

    order: tuple[str, ...]
    columns: Mapping[str, _Column]

    @classmethod
    def of(cls, properties: Iterable[Property], column: Callable[[Property], _Column]) -> _Plan:
        made = [column(item) for item in properties]
        by_name = {item.name: item for item in made}
        return cls(tuple(by_name), {item.name.lower(): item for item in made} | by_name)


class RecordCodec:
    """Normalizes the records of one environment; keeps what it has compiled for each entity of the schema.

    ``zone`` is the time zone of date-times that come without an offset.
    """

    def __init__(self, schema: Schema, zone: ZoneInfo) -> None:
        self._schema = schema
        self._zone = zone
        self._types = RecordTypes(schema, zone)
        self._plans: dict[str, _Plan] = {}
        self._key_plans: dict[str, _Plan] = {}
        self._readers: dict[str, TypedReader] = {}

    def page(self, entity: Entity | None, content: bytes) -> ListAnswer:
        """The list answer in ``content``; where nothing is known of the entity its records stay as they came.

        Raises :class:`MalformedAnswer`.
        """
        if entity is None or entity.unknown:
            return _list_answer(_decode(_UNTYPED_PAGE, content))
        if (typed := self._reader(entity).page(content)) is not None:
            return _list_answer(typed)
        untyped = _decode(_UNTYPED_PAGE, content)
        untyped.items = untyped.items and [self.normalize(entity, item) for item in untyped.items]
        return _list_answer(untyped)

    def record(self, entity: Entity | None, content: bytes) -> Record:
        """The one record in ``content``. Raises :class:`MalformedAnswer`."""
        if entity is None or entity.unknown:
            return _decode(_UNTYPED_RECORD, content)
        if (typed := self._reader(entity).record(content)) is not None:
            return typed
        untyped = _decode(_UNTYPED_RECORD, content)
        return self.normalize(entity, untyped)

    def normalize(self, entity: Entity, record: Mapping[str, object]) -> dict[str, object]:
        """The normalized form of a record that was decoded elsewhere."""
        return dict(record) if entity.unknown else self._arranged(self._plan(entity), record)

    def _arranged(self, plan: _Plan, record: Mapping[str, object]) -> dict[str, object]:
        known: dict[str, object] = {}
        unknown: dict[str, object] = {}
        for name, value in record.items():
            column = plan.columns.get(name) or plan.columns.get(name.lower())
            if column is None:
                unknown[name] = value
            elif value is None or type(value) is column.settled:
                known[column.name] = value
            else:
                known[column.name] = column.read(value)
        return {name: known[name] for name in plan.order if name in known} | unknown

    def _plan(self, entity: Entity) -> _Plan:
        plan = self._plans.get(entity.name)
        if plan is None:
            plan = self._plans[entity.name] = _Plan.of(
                entity.properties.values(), partial(self._column, entity)
            )
        return plan

    def _key_plan(self, entity: Entity) -> _Plan:
        plan = self._key_plans.get(entity.name)
        if plan is None:
            parts = entity.key_parts.values()
            plan = self._key_plans[entity.name] = _Plan.of(parts, partial(self._column, entity))
        return plan

    def _column(self, entity: Entity, property: Property) -> _Column:
        target = self._schema.target(property.target or property.name)
        settled: type | None = None
        read: Callable[[object], object]
        match property.type:
            case PropertyType.KEY:
                read = partial(self._key, entity)
            case PropertyType.REFERENCE:
                read = partial(self._reference, target)
            case PropertyType.COLLECTION:
                read = partial(self._collection, target)
            case kind:
                read, settled = partial(_scalar, value_reader(kind), self._zone), _SETTLED.get(kind)
        return _Column(property.name, settled, read)

    def _key(self, entity: Entity, value: object) -> object:
        return self._arranged(self._key_plan(entity), value) if isinstance(value, Mapping) else value

    def _reference(self, target: Entity, value: object) -> object:
        if not isinstance(value, Mapping):
            if value == "":
                return None
            return value if target.composite else self._key_plan(target).columns[target.key[0]].read(value)
        parts = target.key_parts
        key_alone = all(
            name.lower() in parts and not isinstance(part, Mapping) for name, part in value.items()
        )
        plan = self._key_plan(target) if key_alone else self._plan(target)
        return self._arranged(plan, value)

    def _collection(self, target: Entity, value: object) -> object:
        if not isinstance(value, list):
            return value
        plan = self._plan(target)
        return [self._arranged(plan, item) if isinstance(item, Mapping) else item for item in value]

    def _reader(self, entity: Entity) -> TypedReader:
        reader = self._readers.get(entity.name)
        if reader is None:
            reader = self._readers[entity.name] = self._types.reader(entity)
        return reader


def as_dict(record: Record) -> dict[str, object]:
    """The record as plain dicts and lists, for what has to look inside it."""
    return record if isinstance(record, dict) else msgspec.to_builtins(record)


_UNTYPED_PAGE: msgspec.json.Decoder[Envelope[dict[str, object]]] = msgspec.json.Decoder(
    Envelope[dict[str, object]]
)
_UNTYPED_RECORD: msgspec.json.Decoder[dict[str, object]] = msgspec.json.Decoder(dict[str, object])


def _scalar(read: Callable[[object, ZoneInfo], object], zone: ZoneInfo, value: object) -> object:
    return read(value, zone)


def _decode(decoder: msgspec.json.Decoder[T], content: bytes) -> T:
    try:
        return decoder.decode(content)
    except msgspec.ValidationError:
        raise MalformedAnswer("JSON, but not of the shape of records") from None
    except ValueError:
        raise MalformedAnswer("not JSON") from None
    except RecursionError:
        raise MalformedAnswer("JSON nested too deeply") from None


def _list_answer(envelope: Envelope[dict[str, object]] | Envelope[msgspec.Struct]) -> ListAnswer:
    if envelope.items is None and envelope.count is None:
        raise MalformedAnswer("JSON, but no list of records")
    return ListAnswer([*(envelope.items or [])], envelope.count, envelope.next_page_link)
