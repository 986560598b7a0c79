"""One value: as protocols give it, as callers get it, and as text.

One form for each type, so that a value is the same JSON whichever protocol brought it:

* a number is a number. Whole numbers are exact, whatever their size. Decimals are IEEE 754 doubles
  (RFC 8259 §6), printed with the fewest digits that mean the same: up to 15 significant digits come
  out as they came in, and nothing here calculates with them. ``100``, ``100.0`` and ``"100.00"`` are
  all ``100.0``.
* a date is ``yyyy-MM-dd``.
* a date-time is in UTC, ``yyyy-MM-ddTHH:mm:ss``, the digits of the fraction without the zeros that it
  ends in, and ``Z``: one moment is one text, whether a protocol gave it with an offset or local to the
  environment. One without an offset is local; of the two that an hour has when clocks go back, the first.
* empty is null, except in a string, where the empty string and null differ.

What cannot be read as its type stays as it came: a gateway reports, it does not repair.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from zoneinfo import ZoneInfo

from contracts.schema import PropertyType

DATETIME = r"[0-9-]{10}T[0-9:]{8}(?:\.[0-9]*[1-9])?Z"
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
    return None if value is None else value_reader(kind, zone)(value)


def value_reader(kind: PropertyType, zone: ZoneInfo) -> Callable[[object], object]:
    """What :func:`normalize_value` does to values of one type that are not null."""
    if kind in _LOCAL:
        return partial(_LOCAL[kind], zone)
    return _READERS.get(kind, _as_it_came)


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


def _as_it_came(value: object) -> object:
    return value


def _string(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _integer(value: object) -> object:
    match value:
        case str() if _INTEGER.fullmatch(value):
            return int(value)
        case bool():
            return value
        case float() if value.is_integer():
            return int(value)
        case "":
            return None
        case str() if _DECIMAL.fullmatch(value) and (number := float(value)).is_integer():
            return int(number)
        case _:
            return value


def _decimal(value: object) -> object:
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


def _boolean(value: object) -> object:
    match value:
        case bool():
            return value
        case "":
            return None
        case int() | str():
            return _BOOLEANS.get(str(value).lower(), value)
        case _:
            return value


def _date(zone: ZoneInfo, value: object) -> object:
    if not isinstance(value, str) or _DATE.fullmatch(value):
        return value
    moment = _MOMENT.fullmatch(value)
    if moment is None:
        return value or None
    if moment["offset"] is None:
        return moment["date"]
    try:
        return _in_utc(moment, zone).replace(tzinfo=UTC).astimezone(zone).date().isoformat()
    except (ValueError, OverflowError):
        return value


def _datetime(zone: ZoneInfo, value: object) -> object:
    if not isinstance(value, str) or _DATETIME.fullmatch(value):
        return value
    moment = _MOMENT.fullmatch(value)
    if moment is None:
        return value or None
    try:
        seconds = _in_utc(moment, zone).isoformat()
    except (ValueError, OverflowError):
        return value
    return f"{seconds}{(moment['fraction'] or '').rstrip('.0')}Z"


def _in_utc(moment: re.Match[str], zone: ZoneInfo) -> datetime:
    """The moment to the second, naive. Raises ValueError for one that no calendar or clock has."""
    date, time, seconds, _, offset = moment.groups()
    at = datetime.fromisoformat(f"{date}T{time or '00:00'}{seconds or ':00'}{(offset or '').upper()}")
    if offset:
        return at.astimezone(UTC).replace(tzinfo=None)
    return at - (zone.utcoffset(at) or timedelta())


_READERS: Mapping[PropertyType, Callable[[object], object]] = {
    PropertyType.STRING: _string,
    PropertyType.INTEGER: _integer,
    PropertyType.DECIMAL: _decimal,
    PropertyType.BOOLEAN: _boolean,
}
_LOCAL: Mapping[PropertyType, Callable[[ZoneInfo, object], object]] = {
    PropertyType.DATE: _date,
    PropertyType.DATETIME: _datetime,
}
