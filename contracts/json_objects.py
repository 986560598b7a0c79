"""JSON bodies, read strictly: what two readers could take for two things is refused (RFC 8259 §4, RFC 7493).

Numbers keep what the caller wrote: whole ones as int, others as Decimal. An ordinary body is read
once; only one that something is wrong with is read again, to say where.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from functools import reduce
from itertools import islice

from contracts.errors import Fault, InvalidBody, PayloadTooLarge

MAX_LEVELS = 64
MAX_FAULTS = 50
"""The most faults that are told of one body: to look for more costs what the caller can make it cost."""

MAX_DIGITS = 38
"""The most digits of a number, before and after the point, that the upstream's database can hold."""

_LONGEST_NAME = 100

_HALF = "half of a surrogate pair is not a character"
_SURROGATE = re.compile(r"\\u[dD][89abABcdefCDEF]")


class _Wrong(Exception):
    """Something that is well-formed JSON and not acceptable; where is found by the second reading."""


class _Members(list[tuple[str, object]]):
    """An object of the second reading: its members as they stand, duplicates and all."""


class _Odd(str):
    """A number of the second reading that is not acceptable: what is wrong with it."""

    __slots__ = ()


def decode_body(raw: bytes, limit: int, levels: int = MAX_LEVELS) -> dict[str, object]:
    """The one JSON object in ``raw``, of at most ``limit`` bytes and ``levels`` levels.

    Raises PayloadTooLarge, and InvalidBody with a pointer to a fault where it has a place.
    """
    if len(raw) > limit:
        raise PayloadTooLarge(f"the body has {len(raw)} bytes, and {limit} are the most")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidBody(f"the body is not UTF-8: byte {error.start} cannot be read") from None
    if not text.strip():
        raise InvalidBody("the body is empty; send a JSON object")
    try:
        body = _read(text, levels)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise InvalidBody(f"the body is not JSON: {error.msg}, {where}") from None
    except RecursionError:
        raise InvalidBody(f"the body is nested more than {levels} levels deep") from None
    if not isinstance(body, dict):
        raise InvalidBody("the body is not one JSON object")
    return body


def pointer(parent: str, name: str | int) -> str:
    """The JSON pointer (RFC 6901) to a member of what ``parent`` points to; a very long name is cut."""
    text = str(name)
    shown = text if len(text) <= _LONGEST_NAME else text[:_LONGEST_NAME] + "…"
    return f"{parent}/{shown.replace('~', '~0').replace('/', '~1')}"


def refused(faults: Iterable[Fault]) -> InvalidBody | None:
    """The error that the faults of a body amount to; None without any. No more than 50 are looked for."""
    found = tuple(islice(faults, MAX_FAULTS + 1))
    if not found:
        return None
    least = "at least " if len(found) > MAX_FAULTS else ""
    more = f" (and {least}{len(found) - 1} more)" if len(found) > 1 else ""
    detail = f"{found[0].pointer or 'the body'}: {found[0].detail}{more}"
    return InvalidBody(detail, faults=found[:MAX_FAULTS])


def _read(text: str, levels: int) -> object:
    """Raises InvalidBody, JSONDecodeError, and RecursionError for what is nested too deeply."""
    try:
        body = _DECODER.decode(text)
    except _Wrong:
        body = None
    if body is None or _SURROGATE.search(text):
        error = refused(
            Fault(reduce(pointer, steps, ""), detail)
            for steps, detail in _doubtful(_LENIENT.decode(text), levels)
        )
        if error is not None:
            raise error
    if text.count("{") + text.count("[") > levels:
        _check_levels(body, levels)
    return body


def _check_levels(value: object, levels: int) -> None:
    if levels < 1:
        raise RecursionError
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        if isinstance(item, dict | list):
            _check_levels(item, levels - 1)


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


_Steps = tuple[str | int, ...]


def _doubtful(value: object, levels: int) -> Iterator[tuple[_Steps, str]]:
    """What is not acceptable, each with the way to it. Raises RecursionError for what is nested too deeply.

    The way is put together only where something was found: to carry it along costs its length at every
    member.
    """
    if levels < 1 and isinstance(value, list):
        raise RecursionError
    match value:
        case _Odd():
            yield (), str(value)
        case str() if not _encodable(value):
            yield (), _HALF
        case _Members():
            names: set[str] = set()
            for name, member in value:
                step = name if _encodable(name) else "\ufffd"
                if name in names:
                    yield (step,), "the name stands twice in its object"
                if not _encodable(name):
                    yield (step,), _HALF
                names.add(name)
                for steps, detail in _doubtful(member, levels - 1):
                    yield (step, *steps), detail
        case list():
            for index, item in enumerate(value):
                for steps, detail in _doubtful(item, levels - 1):
                    yield (index, *steps), detail


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
