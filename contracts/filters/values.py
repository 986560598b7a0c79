"""How the values of a record are found, and read as what a literal is compared with.

A reader turns a JSON value into something of one comparable kind, and answers None for a value that
is not of that kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from functools import partial

import msgspec

from contracts.filters.literals import LiteralKind
from contracts.filters.tree import PropertyPath

Record = Mapping[str, object] | msgspec.Struct
Reader = Callable[[object], object]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_TICKS = 10_000_000
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_CLOCK = r"(?P<clock>[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.(?P<fraction>[0-9]{1,7})[0-9]*)?)?)"
_TIME = re.compile(_CLOCK)
_DATE_TIME = re.compile(
    rf"(?P<date>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})(?:T{_CLOCK}(?P<offset>Z|[+-][0-9]{{2}}:[0-9]{{2}})?)?"
)


def readers(zone: tzinfo, ignore_case: bool) -> dict[LiteralKind, Reader]:
    """The reader for each kind of literal but null."""
    instant = partial(_instant, zone=zone)
    return {
        LiteralKind.BOOLEAN: _boolean,
        LiteralKind.NUMBER: _number,
        LiteralKind.TEXT: _folded if ignore_case else _text,
        LiteralKind.DATE: instant,
        LiteralKind.DATE_TIME: instant,
        LiteralKind.TIME: _time_of_day,
    }


def resolve(record: Record, path: PropertyPath) -> object:
    """The value at the end of a path: absent is None, and an object that has an id is its id."""
    value: object = record
    for name in path:
        members = _members(value)
        if members is not None:
            value = _member(members, name)
        elif name.lower() != "id":
            return None
    members = _members(value)
    identity = None if members is None else _member(members, "Id")
    return value if identity is None else identity


def sort_value(value: object, zone: tzinfo, ignore_case: bool) -> tuple[object, ...]:
    """A value as something that has an order with any other."""
    if isinstance(value, bool):
        return 1, value
    if isinstance(value, str):
        instant = _instant(value, zone) if "T" in value else None
        if instant is not None:
            return 3, instant
        return 4, value.casefold() if ignore_case else value
    number = _number(value)
    return (0,) if number is None else (2, number)


def like(pattern: str) -> Callable[[object], bool]:
    """A test for a text that fits a pattern of ``%`` (any characters) and ``_`` (one), whatever its case.

    Each stretch between two ``%`` is matched at the first place it fits and never tried again, which
    loses no match and keeps a hostile pattern from taking exponential time.
    """
    head, *others = ["".join("." if c == "_" else re.escape(c) for c in part) for part in pattern.split("%")]
    tail = ".*" + others.pop() if others else ""
    middle = "".join(f"(?>.*?{part})" for part in others if part)
    fits = re.compile(head + middle + tail, re.IGNORECASE | re.DOTALL).fullmatch
    return lambda value: isinstance(value, str) and fits(value) is not None


def _members(value: object) -> Mapping[str, object] | None:
    if isinstance(value, Mapping):
        return value
    return msgspec.structs.asdict(value) if isinstance(value, msgspec.Struct) else None


def _member(members: Mapping[str, object], name: str) -> object:
    found = _named(members, name)
    if found is None and isinstance(key := members.get("Id"), Mapping):
        return _named(key, name)
    return found


def _named(members: Mapping[str, object], name: str) -> object:
    value = members.get(name)
    if value is None:
        wanted = name.lower()
        value = next((members[other] for other in members if other.lower() == wanted), None)
    return None if value is msgspec.UNSET else value


def _boolean(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _number(value: object) -> int | Decimal | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str):
        return Decimal(value) if _NUMBER.fullmatch(value) else None
    if isinstance(value, float):
        value = Decimal(repr(value))
    return value if isinstance(value, Decimal) and value.is_finite() else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _folded(value: object) -> str | None:
    return value.casefold() if isinstance(value, str) else None


def _instant(value: object, zone: tzinfo) -> int | None:
    """Ticks of 100 ns since 1970: seven digits are more than ``datetime`` holds."""
    text = value.isoformat() if isinstance(value, date) else value
    found = _DATE_TIME.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    try:
        moment = datetime.fromisoformat(
            found["date"] + "T" + (found["clock"] or "00:00") + (found["offset"] or "")
        )
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return (moment - _EPOCH) // _SECOND * _TICKS + _fraction(found)


def _time_of_day(value: object) -> int | None:
    """Ticks of 100 ns since midnight."""
    text = value.isoformat() if isinstance(value, time) else value
    found = _TIME.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    try:
        clock = time.fromisoformat(found["clock"])
    except ValueError:
        return None
    return (clock.hour * 3600 + clock.minute * 60 + clock.second) * _TICKS + _fraction(found)


def _fraction(found: re.Match[str]) -> int:
    return int((found["fraction"] or "").ljust(7, "0"))
