"""The rules for the body of a write: checked before anything is sent, and put as the upstream wants it.

Source: vendor page "Inserting data". What it leaves open is decided here:

* A replacement may make the record, and a change may where the caller asked for that (``upsert``); both
  may then carry what can only be set on insert. A change alone may not.
* A string is taken for a number where it is one.
* An empty string is no reference; null empties one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from itertools import chain

import msgspec

from contracts.addressing import Resolved
from contracts.errors import Fault, InvalidBody, Outcome
from contracts.json_objects import pointer, refused
from contracts.schema import Entity, Property, PropertyType, Schema
from contracts.writing import WriteKind

NEVER_GIVEN: Mapping[str, str] = {
    "id": "the key stands in the path, never in the body",
    "systemcompany": "the company is that of the credential and cannot be written",
}

_INT64 = 2**63
_LANGUAGE = re.compile(r"[A-Za-z]{2}(?:-[A-Za-z]{2})?")
_WHOLE = re.compile(r"[+-]?[0-9]{1,19}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,38}(?:\.[0-9]{1,38})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,7})?)?(?:Z|[+-][0-9]{2}:[0-9]{2})?"
)
_EXTERNAL = {"externalid": "ExternalId", "dataprovider": "DataProvider"}
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def check_body(
    schema: Schema, resolved: Resolved, kind: WriteKind, body: Mapping[str, object], *, upsert: bool = False
) -> None:
    """Raises InvalidBody with the faults of ``body`` as a body of this write to that place."""
    may_insert = kind != "change" or upsert
    faults: Iterable[Fault] = _body_faults(schema, resolved.entity, body, may_insert)
    if kind != "change":
        faults = chain(faults, missing_for_insert(resolved.entity, body))
    if (error := refused(faults)) is not None:
        raise error


def check_insert(entity: Entity, body: Mapping[str, object]) -> None:
    """Raises InvalidBody when a body that may change a record is not enough to make one that is not there."""
    faults = tuple(missing_for_insert(entity, body))
    if faults:
        raise InvalidBody(
            "the record does not exist, and to create it the body lacks what every new record needs",
            faults=faults,
            outcome=Outcome.REFUSED,
        )


def canonical_body(schema: Schema, entity: Entity, body: Mapping[str, object]) -> dict[str, object]:
    """A checked body with names as the schema spells them and numbers as numbers."""
    canonical: dict[str, object] = {}
    for name, value in body.items():
        property = entity.find(name)
        canonical[name if property is None else property.name] = (
            value if property is None or value is None else _written(schema, property, value)
        )
    return canonical


def in_languages(entity: Entity, body: Mapping[str, object]) -> Iterator[str]:
    """The names of a checked body's values that are objects of language codes."""
    for name, value in body.items():
        property = entity.find(name)
        if property is not None and property.multilingual and isinstance(value, Mapping):
            yield name


def encode_body(schema: Schema, entity: Entity, body: Mapping[str, object]) -> bytes:
    """A checked body as the JSON that the upstream takes."""
    return _ENCODER.encode(canonical_body(schema, entity, body))


def _body_faults(
    schema: Schema, entity: Entity, body: Mapping[str, object], may_insert: bool
) -> Iterator[Fault]:
    if not body:
        yield Fault("", "at least one property is needed")
    seen: set[str] = set()
    for name, value in body.items():
        at = pointer("", name)
        property = entity.find(name)
        if name.lower() in seen:
            yield Fault(at, "the property is given twice, in two spellings")
        seen.add(name.lower())
        if (reason := _refusal(entity, name, property, may_insert)) is not None:
            yield Fault(at, reason)
        elif property is not None and value is not None:
            yield from _value_faults(schema, property, value, at)


def _refusal(entity: Entity, name: str, property: Property | None, may_insert: bool) -> str | None:
    """Why this property cannot be given at all."""
    if (never := NEVER_GIVEN.get(name.lower())) is not None:
        return never
    if entity.composite and name.lower() in entity.key_parts:
        return "a part of the key stands in the path, never in the body"
    if property is None:
        return None if entity.allows(name) else f"{entity.name} has no property {name}{entity.suggest(name)}"
    if property.read_only:
        return "the property is read-only"
    if property.type is PropertyType.COLLECTION:
        return f"a collection is not written here: POST to …/{property.name}, one record at a time"
    if property.insert_only and not may_insert:
        return "the property is set when a record is made and cannot be changed"
    return None


def missing_for_insert(entity: Entity, body: Mapping[str, object]) -> Iterator[Fault]:
    """What every new record needs and ``body`` does not give."""
    given = {name.lower() for name, value in body.items() if value is not None}
    for property in entity.properties.values():
        if property.mandatory and property.name.lower() not in given:
            yield Fault(
                pointer("", property.name), "the property must be given when a record is made or replaced"
            )


def _value_faults(schema: Schema, property: Property, value: object, at: str) -> Iterator[Fault]:
    match property.type:
        case PropertyType.REFERENCE:
            yield from _reference_faults(schema.target(property.target or property.name), value, at)
        case PropertyType.STRING if property.multilingual and isinstance(value, Mapping):
            yield from _language_faults(property, value, at)
        case PropertyType.STRING:
            yield from _faults_if(_string_fault(property, value), at)
        case PropertyType.INTEGER:
            yield from _faults_if(None if _as_whole(value) is not None else "a whole number is expected", at)
        case PropertyType.DECIMAL:
            yield from _faults_if(None if _as_decimal(value) is not None else "a number is expected", at)
        case PropertyType.BOOLEAN:
            yield from _faults_if(None if isinstance(value, bool) else "true or false is expected", at)
        case PropertyType.DATE:
            yield from _faults_if(None if _is_time(value, _DATE) else "a date is written yyyy-MM-dd", at)
        case PropertyType.DATETIME:
            told = "a date-time is written yyyy-MM-ddTHH:mm:ssZ, or with an offset such as +01:00"
            yield from _faults_if(None if _is_time(value, _MOMENT) else told, at)


def _faults_if(detail: str | None, at: str) -> Iterator[Fault]:
    if detail is not None:
        yield Fault(at, detail)


def _string_fault(property: Property, value: object) -> str | None:
    if not isinstance(value, str):
        return "a string is expected"
    if property.length is not None and len(value) > property.length:
        return f"at most {property.length} characters fit, and these are {len(value)}"
    return None


def _language_faults(property: Property, value: Mapping[str, object], at: str) -> Iterator[Fault]:
    if not value:
        yield Fault(at, "at least one language is needed")
    for language, text in value.items():
        inner = pointer(at, language)
        if not _LANGUAGE.fullmatch(language):
            yield Fault(inner, "a language is written NL or en-US")
        elif text is not None:
            yield from _faults_if(_string_fault(property, text), inner)


def _reference_faults(target: Entity, value: object, at: str) -> Iterator[Fault]:
    if isinstance(value, Mapping):
        names = {name.lower() for name in value}
        if "externalid" in names:
            yield from _external_faults(value, at)
        elif target.composite and names == target.key_parts.keys():
            for name, part in value.items():
                yield from _faults_if(_id_fault(target.key_parts[name.lower()], part), pointer(at, name))
        elif not target.unknown:
            yield Fault(at, _reference_form(target, value))
    elif target.composite:
        yield Fault(at, _reference_form(target, {}))
    else:
        yield from _faults_if(_id_fault(target.key_parts[target.key[0].lower()], value), at)


def _external_faults(value: Mapping[str, object], at: str) -> Iterator[Fault]:
    for name, part in value.items():
        inner = pointer(at, name)
        if name.lower() not in _EXTERNAL:
            yield Fault(
                inner, "beside an external id only its DataProvider can stand: no own id, nothing deeper"
            )
        elif not isinstance(part, str) or not part:
            yield Fault(inner, "a string that is not empty is expected")


def _reference_form(target: Entity, value: Mapping[str, object]) -> str:
    nested = (member for member in value.values() if isinstance(member, Mapping))
    if any(name.lower() == "externalid" for member in nested for name in member):
        return "an external id can stand one level deep and no deeper"
    parts = ", ".join(f'"{part}": "…"' for part in target.key)
    own = f"{{{parts}}}" if target.composite else "an id"
    return f'a reference to {target.name} is {own} or {{"ExternalId": "…"}}'


def _id_fault(part: Property, value: object) -> str | None:
    if part.type is PropertyType.INTEGER:
        return None if _as_whole(value) is not None else "a whole number is expected"
    if not isinstance(value, str):
        return "an id is a string: its leading zeros count"
    return None if value else "an id is not empty; null empties a reference"


def _as_whole(value: object) -> int | None:
    match value:
        case bool():
            number = None
        case int():
            number = value
        case float() if value.is_integer():
            number = int(value)
        case Decimal() if value.is_finite() and value == value.to_integral_value():
            number = int(value)
        case str() if _WHOLE.fullmatch(value):
            number = int(value)
        case _:
            number = None
    return number if number is not None and -_INT64 <= number < _INT64 else None


def _as_decimal(value: object) -> int | float | Decimal | None:
    match value:
        case bool():
            return None
        case int():
            return value
        case float() | Decimal():
            return value if Decimal(value).is_finite() else None
        case str() if _NUMBER.fullmatch(value):
            return Decimal(value)
        case _:
            return None


def _is_time(value: object, form: re.Pattern[str]) -> bool:
    if not isinstance(value, str) or not form.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _written(schema: Schema, property: Property, value: object) -> object:
    match property.type:
        case PropertyType.INTEGER:
            return _as_whole(value)
        case PropertyType.DECIMAL:
            return _as_decimal(value)
        case PropertyType.REFERENCE:
            return _written_reference(schema.target(property.target or property.name), value)
        case _:
            return value


def _written_reference(target: Entity, value: object) -> object:
    parts = target.key_parts
    if isinstance(value, Mapping):
        known = {name: parts[name.lower()] for name in value if name.lower() in parts}
        return {
            known[name].name if name in known else _EXTERNAL.get(name.lower(), name): _written_id(
                known.get(name), part
            )
            for name, part in value.items()
        }
    return _written_id(None if target.composite else parts[target.key[0].lower()], value)


def _written_id(part: Property | None, value: object) -> object:
    return _as_whole(value) if part is not None and part.type is PropertyType.INTEGER else value
