"""JSON bodies, read strictly: what two readers could take for two things is refused (RFC 8259 §4, RFC 7493).

Numbers keep what the caller wrote: whole ones as int, others as Decimal. An ordinary body is read
once; only one that something is wrong with is read again, to say where.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from contracts.errors import Fault, InvalidBody, PayloadTooLarge

MAX_LEVELS = 64
MAX_DIGITS = 38
"""The most digits of a number, before and after the point, that the upstream's database can hold."""

_HALF = "half of a surrogate pair is not a character"
_SURROGATE = re.compile(r"\\u[dD][89abABcdefCDEF]")


class _Wrong(Exception):
    """Something that is well-formed JSON and not acceptable; where is found by the second reading."""


class _Members(list[tuple[str, object]]):
    """An object of the second reading: its members as they stand, duplicates and all."""


class _Odd(str):
    """A number of the second reading that is not acceptable: what is wrong with it."""

    __slots__ = ()


def decode_body(raw: bytes, limit: int) -> dict[str, object]:
    """The one JSON object in ``raw``, of at most ``limit`` bytes and 64 levels.

    Raises PayloadTooLarge, and InvalidBody with a pointer to each fault where it has a place.
    """
    if len(raw) > limit:
        raise PayloadTooLarge(f"the body has {len(raw)} bytes, and {limit} are the most")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidBody(f"the body is not UTF-8: byte {error.start} cannot be read") from None
    try:
        body = _read(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise InvalidBody(f"the body is not JSON: {error.msg}, {where}") from None
    except RecursionError:
        raise InvalidBody(f"the body is nested more than {MAX_LEVELS} levels deep") from None
    if not isinstance(body, dict):
        raise InvalidBody("the body is not one JSON object")
    return body


def pointer(parent: str, name: str | int) -> str:
    """The JSON pointer (RFC 6901) to a member of what ``parent`` points to."""
    return f"{parent}/{str(name).replace('~', '~0').replace('/', '~1')}"


def _read(text: str) -> object:
    """Raises InvalidBody, JSONDecodeError, and RecursionError for what is nested too deeply."""
    try:
        body = _DECODER.decode(text)
    except _Wrong:
        body = None
    if body is None or _SURROGATE.search(text):
        faults = tuple(_faults("", _LENIENT.decode(text)))
        if faults:
            raise InvalidBody(f"{faults[0].pointer or 'the body'}: {faults[0].detail}", faults=faults)
    if text.count("{") + text.count("[") > MAX_LEVELS:
        _check_levels(body, 1)
    return body


def _check_levels(value: object, level: int) -> None:
    if level > MAX_LEVELS:
        raise RecursionError
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        if isinstance(item, dict | list):
            _check_levels(item, level + 1)


def _object(members: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(members)
    if len(made) != len(members):
        raise _Wrong
    return made


def _whole(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise _Wrong
    return int(text)


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise _Wrong from None
    if abs(number.adjusted()) > MAX_DIGITS or len(number.as_tuple().digits) > MAX_DIGITS:
        raise _Wrong
    return number


def _constant(name: str) -> object:
    raise _Wrong


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_whole, parse_float=_decimal, parse_constant=_constant
)


def _odd_whole(text: str) -> object:
    return _Odd(f"a number of more than {MAX_DIGITS} digits") if len(text) > MAX_DIGITS else 0


def _odd_decimal(text: str) -> object:
    try:
        return _decimal(text)
    except _Wrong:
        return _Odd(f"a number of more than {MAX_DIGITS} digits")


_LENIENT = json.JSONDecoder(
    object_pairs_hook=_Members,
    parse_int=_odd_whole,
    parse_float=_odd_decimal,
    parse_constant=lambda name: _Odd(f"{name} is not a number"),
)


def _faults(at: str, value: object, level: int = 1) -> Iterator[Fault]:
    """Raises RecursionError for what is nested too deeply."""
    if level > MAX_LEVELS and isinstance(value, list):
        raise RecursionError
    match value:
        case _Odd():
            yield Fault(at, str(value))
        case str() if not _encodable(value):
            yield Fault(at, _HALF)
        case _Members():
            names: set[str] = set()
            for name, member in value:
                inner = pointer(at, name if _encodable(name) else "\ufffd")
                if name in names:
                    yield Fault(inner, "the name stands twice in its object")
                if not _encodable(name):
                    yield Fault(inner, _HALF)
                names.add(name)
                yield from _faults(inner, member, level + 1)
        case list():
            for index, item in enumerate(value):
                yield from _faults(pointer(at, index), item, level + 1)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
