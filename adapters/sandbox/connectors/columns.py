"""The columns of connectors: names such as ``Department.Id`` and where they lead in a record."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, tzinfo
from decimal import Decimal

import msgspec

from adapters.sandbox.caller import DEFAULT_LANGUAGE
from adapters.sandbox.model import Entity, Key, Kind, Model, Property, Record
from adapters.sandbox.properties import translated

Getter = Callable[[Record], object]


class Column(msgspec.Struct, frozen=True):
    """One column of an export; ``get`` answers text, number or boolean, and ``None`` for null.

    Dates are ``yyyy-MM-ddT00:00:00``; date-times are local to the environment, without offset.
    """

    name: str
    get: Getter

    def text(self, record: Record) -> str | None:
        """The value as XML and CSV write it."""
        value = self.get(record)
        match value:
            case None | str():
                return value
            case Decimal():
                return format(value, "f")
        return str(value)


def key_columns(model: Model, entity: Entity) -> tuple[str, ...]:
    """The columns of the key, in its order.

    Where the owner's key is composite, its parts are reached through it:
    ``Id.EquipmentMeasurementPoint.Id.Equipment.Id``.
    """
    if not entity.composite:
        return ("Id",)
    targets = {part: model[name] for part, name in entity.key_targets.items()}
    owner = next((part for part in reversed(entity.key) if part in targets and targets[part].composite), None)
    inner = key_columns(model, targets[owner]) if owner is not None else ()
    rest = entity.key[len(inner) :]
    return (
        *(f"Id.{owner}.{name}" for name in inner),
        *(f"Id.{part}.Id" if part in targets else f"Id.{part}" for part in rest),
    )


def reference_columns(model: Model, prop: Property) -> tuple[str, ...]:
    """The columns of a reference: the key columns of what it refers to."""
    return tuple(f"{prop.name}.{name}" for name in key_columns(model, model[str(prop.target)]))


def export_columns(model: Model, entity: Entity, zone: tzinfo) -> list[Column]:
    """All columns of an entity: its key, then its properties in their order."""
    made = _parts(key_columns(model, entity), entity, "Id")
    for prop in entity.properties.values():
        if prop.name == "SystemCompany":
            continue
        if prop.kind is Kind.REFERENCE:
            made += _parts(reference_columns(model, prop), model[str(prop.target)], prop.name)
        else:
            made.append(Column(prop.name, _scalar(prop, zone)))
    return made


def _parts(names: Sequence[str], entity: Entity, member: str) -> list[Column]:
    """The columns of an identity of ``entity`` that stands in the member of that name."""
    if not entity.composite:
        return [Column(names[0], lambda record: record.get(member))]
    return [Column(name, _part(member, part)) for name, part in zip(names, entity.key, strict=True)]


def _part(member: str, part: str) -> Getter:
    def get(record: Record) -> object:
        identity = record.get(member)
        return identity.get(part) if isinstance(identity, dict) else None

    return get


def _scalar(prop: Property, zone: tzinfo) -> Getter:
    name = prop.name
    match prop.kind:
        case Kind.DATE:
            return lambda record: f"{record[name]}T00:00:00" if name in record else None
        case Kind.TIME:
            return lambda record: local_time(str(record[name]), zone) if name in record else None
    if prop.multilingual:
        return lambda record: translated(record.get(name), DEFAULT_LANGUAGE)
    return lambda record: record.get(name)


def local_time(stored: str, zone: tzinfo) -> str:
    """A stored date-time, UTC, in the zone of the environment: no offset, the fraction as it is."""
    moment = datetime.fromisoformat(stored[:19]).replace(tzinfo=UTC).astimezone(zone)
    return f"{moment:%Y-%m-%dT%H:%M:%S}{stored[19:-1]}".rjust(len(stored) - 1, "0")


def key_texts(model: Model, entity: Entity, key: Key) -> list[tuple[str, str]]:
    """The key columns with their values."""
    return list(zip(key_columns(model, entity), key, strict=True))
