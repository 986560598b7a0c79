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

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache, partial
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


_LAYOUTS = 128
"""How many layouts are kept for an entity: its records come in few, unless each leaves out others."""


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


_Step = tuple[str, int, type | None, Callable[[object], object] | None]
"""A property of a record: its name, where its value is, and how it is read; None to leave it as it came."""


class Layout(msgspec.Struct, frozen=True):
    """How records are normalized that have the same properties in the same order: worked out once for all of them."""

    _steps: tuple[_Step, ...]

    def record(self, values: Sequence[object]) -> dict[str, object]:
        """The normalized record of these values, one for each name that the layout was made for."""
        return {
            name: value
            if (value := values[at]) is None or read is None or type(value) is settled
            else read(value)
            for name, at, settled, read in self._steps
        }


class _Plan:
    """How the properties of one entity are read."""

    def __init__(self, properties: Iterable[Property], column: Callable[[Property], _Column]) -> None:
        by_name = {item.name: column(item) for item in properties}
        self.columns = {name.lower(): item for name, item in by_name.items()} | by_name
        """By their name and by their lower-case name."""
        self.layout = lru_cache(maxsize=_LAYOUTS)(self._layout)
        self._order = tuple(by_name)

    def record(self, given: Mapping[str, object]) -> dict[str, object]:
        return self.layout(tuple(given)).record([*given.values()])

    def _layout(self, names: tuple[str | None, ...]) -> Layout:
        known: dict[str, _Step] = {}
        unknown: dict[str, _Step] = {}
        for at, name in enumerate(names):
            if name is None:
                continue
            column = self.columns.get(name) or self.columns.get(name.lower())
            if column is None:
                unknown[name] = (name, at, None, None)
            else:
                known[column.name] = (column.name, at, column.settled, column.read)
        return Layout((*(known[name] for name in self._order if name in known), *unknown.values()))


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
        return dict(record) if entity.unknown else self._plan(entity).record(record)

    def layout(self, entity: Entity, names: tuple[str | None, ...]) -> Layout:
        """What normalizes records with these properties, in this order: the same as :meth:`normalize`, at less cost.

        Values whose name is None are left out; of two with the same name the later one stands.
        """
        return self._plan(entity).layout(names)

    def _plan(self, entity: Entity) -> _Plan:
        plan = self._plans.get(entity.name)
        if plan is None:
            plan = self._plans[entity.name] = _Plan(entity.properties.values(), partial(self._column, entity))
        return plan

    def _key_plan(self, entity: Entity) -> _Plan:
        plan = self._key_plans.get(entity.name)
        if plan is None:
            parts = entity.key_parts.values()
            plan = self._key_plans[entity.name] = _Plan(parts, partial(self._column, entity))
        return plan

    def _column(self, entity: Entity, property: Property) -> _Column:
        target = self._schema.target(property.target or property.name)
        settled: type | None = None
        read: Callable[[object], object]
        match property.type:
            case PropertyType.KEY:
                read = partial(_key, self._key_plan(entity))
            case PropertyType.REFERENCE:
                read = self._reference_reader(target)
            case PropertyType.COLLECTION:
                read = partial(self._collection, target)
            case kind:
                read, settled = value_reader(kind, self._zone), _SETTLED.get(kind)
        return _Column(property.name, settled, read)

    def _reference_reader(self, target: Entity) -> Callable[[object], object]:
        keys, composite = self._key_plan(target), target.composite
        read_key = keys.columns[target.key[0]].read

        def read(value: object) -> object:
            if isinstance(value, str) and not value:
                return None
            if isinstance(value, str) or not isinstance(value, Mapping):
                return value if composite else read_key(value)
            key_alone = all(
                name.lower() in keys.columns and not isinstance(part, Mapping) for name, part in value.items()
            )
            return (keys if key_alone else self._plan(target)).record(value)

        return read

    def _collection(self, target: Entity, value: object) -> object:
        if not isinstance(value, list):
            return value
        plan = self._plan(target)
        return [plan.record(item) if isinstance(item, Mapping) else item for item in value]

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


def _key(keys: _Plan, value: object) -> object:
    return keys.record(value) if isinstance(value, Mapping) else value


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
