"""One value: as protocols give it, as callers get it, and as text.

One form for each type, so that a value is the same JSON whichever protocol brought it:

* a number is a number. Whole numbers are exact, whatever their size. Decimals are IEEE 754 doubles
  (RFC 8259 §6), printed with the fewest digits that mean the same: up to 15 significant digits come
  out as they came in, and nothing here calculates with them. ``100``, ``100.0`` and ``"100.00"`` are
  all ``100.0``.
* a date is ``yyyy-MM-dd``.
* a date-time is ``yyyy-MM-ddTHH:mm:ss``, the digits of the fraction as they came, and ``Z`` or
  ``±hh:mm`` (never ``+00:00``). One without an offset gets that of the environment's time zone at that
  time; of the two that an hour has when clocks go back, the first.
* empty is null, except in a string, where the empty string and null differ.

What cannot be read as its type stays as it came: a gateway reports, it does not repair.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from contracts.schema import Property, PropertyType

OFFSET = r"(?:Z|[+-](?!00:00)[0-9]{2}:[0-9]{2})"
DATETIME = r"[0-9-]{10}T[0-9:.]{8,}" + OFFSET
"""What a date-time looks like that needs nothing done to it."""

_DATETIME = re.compile(DATETIME)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[T ](?P<time>[0-9]{2}:[0-9]{2})(?P<seconds>:[0-9]{2})?(?P<fraction>\.[0-9]{1,9})?"
    r" ?(?P<offset>[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
_INTEGER = re.compile(r"[+-]?[0-9]{1,40}")
_DECIMAL = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")
_BOOLEANS: Mapping[str, bool] = {"true": True, "1": True, "false": False, "0": False}


def normalize_value(kind: PropertyType, value: object, zone: ZoneInfo) -> object:
    """The one form of a scalar value; references, collections and keys pass through."""
    return None if value is None else value_reader(kind)(value, zone)


def value_reader(kind: PropertyType) -> Callable[[object, ZoneInfo], object]:
    """What :func:`normalize_value` does to values of one type that are not null."""
    return _READERS.get(kind, _as_it_came)


def from_text(property: Property, text: str, zone: ZoneInfo) -> object:
    """The value that a protocol of texts means: the same as :func:`normalize_value` makes of its JSON twin."""
    if not text and property.type is not PropertyType.STRING:
        return None
    return normalize_value(property.type, text, zone)


def to_text(value: object) -> str:
    """A value for a protocol of texts: null is empty, numbers have no exponent. Raises ValueError for an object."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            return format(Decimal(repr(value)), "f").removesuffix(".0")
        case Decimal():
            return format(value, "f")
        case str() | int():
            return str(value)
        case _:
            raise ValueError("an object or a list has no text")


def _as_it_came(value: object, zone: ZoneInfo) -> object:
    return value


def _string(value: object, zone: ZoneInfo) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _integer(value: object, zone: ZoneInfo) -> object:
    match value:
        case bool():
            return value
        case float() if value.is_integer():
            return int(value)
        case "":
            return None
        case str() if _INTEGER.fullmatch(value):
            return int(value)
        case str() if _DECIMAL.fullmatch(value) and (number := float(value)).is_integer():
            return int(number)
        case _:
            return value


def _decimal(value: object, zone: ZoneInfo) -> object:
    match value:
        case bool():
            return value
        case "":
            return None
        case str() if not _DECIMAL.fullmatch(value):
            return value
        case int() | float() | Decimal() | str():
            try:
                number = float(value)
            except OverflowError:
                return value
            return number if math.isfinite(number) else value
        case _:
            return value


def _boolean(value: object, zone: ZoneInfo) -> object:
    match value:
        case bool():
            return value
        case "":
            return None
        case int() | str():
            return _BOOLEANS.get(str(value).lower(), value)
        case _:
            return value


def _date(value: object, zone: ZoneInfo) -> object:
    if not isinstance(value, str) or _DATE.fullmatch(value):
        return value
    moment = _MOMENT.fullmatch(value)
    if moment is None:
        return value or None
    if moment["offset"] is None:
        return moment["date"]
    try:
        return datetime.fromisoformat(_canonical(moment, zone)).astimezone(zone).date().isoformat()
    except (ValueError, OverflowError):
        return value


def _datetime(value: object, zone: ZoneInfo) -> object:
    if not isinstance(value, str) or _DATETIME.fullmatch(value):
        return value
    moment = _MOMENT.fullmatch(value)
    if moment is None:
        return value or None
    try:
        return _canonical(moment, zone)
    except (ValueError, OverflowError):
        return value


def _canonical(moment: re.Match[str], zone: ZoneInfo) -> str:
    local = f"{moment['date']}T{moment['time'] or '00:00'}{moment['seconds'] or ':00'}"
    return f"{local}{moment['fraction'] or ''}{_offset(moment['offset'], local, zone)}"


def _offset(written: str | None, local: str, zone: ZoneInfo) -> str:
    """``Z`` or ``±hh:mm``; raises ValueError for a local time that no calendar or clock has."""
    at = datetime.fromisoformat(local)
    if written is None:
        difference = at.replace(tzinfo=zone).utcoffset()
        minutes = round(difference.total_seconds() / 60) if difference else 0
        sign, minutes = "-" if minutes < 0 else "+", abs(minutes)
        offset = f"{sign}{minutes // 60:02}:{minutes % 60:02}"
    elif written in "Zz":
        return "Z"
    else:
        offset = f"{written[:3]}:{written[3:].removeprefix(':') or '00'}"
    return "Z" if offset[1:] == "00:00" else offset


_READERS: Mapping[PropertyType, Callable[[object, ZoneInfo], object]] = {
    PropertyType.STRING: _string,
    PropertyType.INTEGER: _integer,
    PropertyType.DECIMAL: _decimal,
    PropertyType.BOOLEAN: _boolean,
    PropertyType.DATE: _date,
    PropertyType.DATETIME: _datetime,
}
