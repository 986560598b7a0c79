"""The values that a filter can name: their kinds, how they are written, what they mean in Python.

A literal keeps its text as written, so that ``1.50`` or a fraction of seven digits travels as it came.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum

import msgspec

Value = None | bool | int | Decimal | str | date | datetime | time

MAX_DIGITS = 38
"""The most digits of a number: the precision of a decimal column in SQL Server."""


class LiteralKind(StrEnum):
    NULL = "null"
    BOOLEAN = "boolean"
    NUMBER = "number"
    TEXT = "text"
    DATE = "date"
    DATE_TIME = "date-time"
    TIME = "time"


_FORMS = {
    LiteralKind.NULL: re.compile(r"null", re.IGNORECASE | re.ASCII),
    LiteralKind.BOOLEAN: re.compile(r"true|false", re.IGNORECASE | re.ASCII),
    LiteralKind.NUMBER: re.compile(r"-?[0-9]+(\.[0-9]+)?"),
    LiteralKind.DATE: re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    LiteralKind.DATE_TIME: re.compile(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,7})?)?(Z|[+-][0-9]{2}:[0-9]{2})?",
        re.IGNORECASE | re.ASCII,
    ),
    LiteralKind.TIME: re.compile(r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,7})?)?"),
}


class Literal(msgspec.Struct, frozen=True):
    """A value as written: ``text`` is the source, quotes of a text included.

    Keywords and the letters of a date-time are kept in the upstream's case (``null``, ``T``, ``Z``).
    """

    kind: LiteralKind
    text: str

    @classmethod
    def of(cls, value: Value) -> Literal:
        """The literal that means ``value``. Raises ``ValueError`` where none does: NaN, a time with offset."""
        if isinstance(value, str):
            return cls(LiteralKind.TEXT, "'" + value.replace("'", "''") + "'")
        literal = read_bare(_written(value))
        if literal is None:
            raise ValueError(f"{value!r} cannot be written in a filter")
        return literal

    @property
    def value(self) -> Value:
        """The value in Python; a seventh digit of a fraction is dropped, as ``datetime`` has six."""
        match self.kind:
            case LiteralKind.NULL:
                return None
            case LiteralKind.BOOLEAN:
                return self.text == "true"
            case LiteralKind.TEXT:
                return self.text[1:-1].replace("''", "'")
            case LiteralKind.DATE:
                return date.fromisoformat(self.text)
            case LiteralKind.DATE_TIME:
                return datetime.fromisoformat(self.text)
            case LiteralKind.TIME:
                return time.fromisoformat(self.text)
            case LiteralKind.NUMBER:
                return Decimal(self.text) if "." in self.text else int(self.text)


def read_bare(text: str) -> Literal | None:
    """The literal that an unquoted word is, None when it is none.

    Raises ``ValueError`` when it has the form of one and names nothing: 2018-02-30, 25:00, too many digits.
    """
    for kind, form in _FORMS.items():
        if form.fullmatch(text):
            return _checked(Literal(kind, _canonical(kind, text)))
    return None


def _written(value: Value) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case date() | time():
            return value.isoformat()
        case _:
            return format(value, "f" if isinstance(value, Decimal) else "d")


def _canonical(kind: LiteralKind, text: str) -> str:
    return text.upper() if kind is LiteralKind.DATE_TIME else text.lower()


def _checked(literal: Literal) -> Literal:
    if literal.kind is LiteralKind.NUMBER and sum(map(str.isdigit, literal.text)) > MAX_DIGITS:
        raise ValueError(f"a number has at most {MAX_DIGITS} digits")
    try:
        _ = literal.value
    except ValueError as error:
        raise ValueError(f"there is no such {literal.kind}: {literal.text}") from error
    return literal
