"""Texts and JSON values to stored values: numbers, dates and times as the upstream accepts them."""

import re
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal

from adapters.sandbox.model import Kind

_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,7}))?)?\s*(Z|[+-]\d\d:?\d\d)?", re.ASCII
)
_INTEGER = re.compile(r"[+-]?\d{1,19}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?\d{1,28}(\.\d{1,28})?", re.ASCII)
_INT64 = range(-(2**63), 2**63)


def moment(seconds: float) -> str:
    """Unix seconds as a stored date-time."""
    return _written(datetime.fromtimestamp(seconds, UTC))


def parse_date(text: str) -> str:
    """A date, or the date part of a date-time, as ``yyyy-MM-dd``. Raises ``ValueError``."""
    return date.fromisoformat(text[:10]).isoformat() if len(text) == 10 else parse_time(text, UTC)[:10]


def parse_time(text: str, zone: tzinfo) -> str:
    """A date-time as the sandbox stores and answers it: UTC, ``yyyy-MM-ddTHH:mm:ss[.fffffff]Z``.

    Without an offset it is local to ``zone``, the time zone of the environment. Without its ``Z`` the
    result sorts as text. Raises ``ValueError``.
    """
    if len(text) == 10:
        return _written(datetime.combine(date.fromisoformat(text), datetime.min.time(), zone))
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"'{text}' is not a date-time")
    day, hour, minute, second, fraction, offset = match.groups()
    whole = datetime.fromisoformat(f"{day}T{hour}:{minute}:{second or '00'}")
    if offset is None:
        whole = whole.replace(tzinfo=zone)
    else:
        whole = datetime.fromisoformat(f"{whole.isoformat()}{offset.replace('Z', '+00:00')}")
    return _written(whole, fraction or "")


def _written(value: datetime, fraction: str = "") -> str:
    try:
        value = value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("the date-time is out of range") from error
    digits = (fraction or (f"{value.microsecond:06d}" if value.microsecond else "")).rstrip("0")
    return f"{value:%Y-%m-%dT%H:%M:%S}{'.' + digits if digits else ''}Z".rjust(20, "0")


def stored_value(kind: Kind, value: object, zone: tzinfo) -> object:
    """``value``, as it stands in a body, as a stored value of that kind.

    Numbers may be given as texts. Raises ``ValueError`` for a value of another type.
    """
    match kind:
        case Kind.STRING if isinstance(value, str):
            return value
        case Kind.INTEGER:
            return _integer(value)
        case Kind.DECIMAL:
            return _decimal(value)
        case Kind.BOOLEAN if isinstance(value, bool):
            return value
        case Kind.DATE if isinstance(value, str):
            return parse_date(value)
        case Kind.TIME if isinstance(value, str):
            return parse_time(value, zone)
    raise ValueError(f"{json_name(value)} is not accepted here")


def json_name(value: object) -> str:
    """What JSON calls a decoded value."""
    match value:
        case None | bool():
            return "null" if value is None else "a boolean"
        case str():
            return "a string"
        case dict() | list():
            return "an object" if isinstance(value, dict) else "an array"
    return "a number"


def _integer(value: object) -> int:
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value in _INT64:
        return value
    raise ValueError("a whole number of 64 bits is expected")


def _decimal(value: object) -> Decimal:
    text = "" if isinstance(value, bool) else str(value)
    if isinstance(value, int | Decimal) or (isinstance(value, str) and _DECIMAL.fullmatch(value)):
        number = Decimal(text or "NaN")
        if number.is_finite() and abs(number.adjusted()) <= 28:
            return number
    raise ValueError("a number is expected")
