"""Plain values to Structs, strictly: every mistake is collected, with its place and what was expected.

msgspec checks each single value; this walks the Structs, mappings and lists around it, so that one
mistake does not hide the next, and so that the words fit someone who edits a file.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from typing import Annotated, Literal, TypeVar, Union, get_args, get_origin

import msgspec

from gateway.settings.problems import Problem, suggestion

T = TypeVar("T", bound=msgspec.Struct)

Reader = Callable[[object], object]
"""Makes a value of a type that stands in the file as something else, or raises :class:`Unreadable`."""

_SEQUENCES: tuple[type, ...] = (tuple, list, frozenset, set)
_EXPECTED: Mapping[object, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    types.NoneType: "nothing",
}


class Unreadable(Exception):
    """A value cannot be what it should be; the message says what is wrong, fit for an editor of the file."""


class Invalid:
    """Stands for a value that could not be decoded, until its surroundings are."""


INVALID = Invalid()


def decode_options(type_: type[T], value: object, path: str) -> tuple[T | None, list[Problem]]:
    """``value``, as it came from the file, as a ``type_``, and every mistake in it, by ``path``, where it stands.

    What is wrong is left out, so that the rest can still be checked; None when nothing is left.
    """
    decoder = Decoder({})
    decoded = decoder.decode(type_, value, path, None)
    return (decoded if isinstance(decoded, type_) else None), decoder.problems


class Decoder:
    """Decodes, and keeps what was wrong in ``problems``.

    ``readers`` makes values of types that need more than msgspec knows. What is wrong is left out of what is
    returned (:data:`INVALID` when nothing is left), so that the rest can still be checked.
    """

    def __init__(self, readers: Mapping[object, Reader]) -> None:
        self.problems: list[Problem] = []
        self._readers = readers

    def decode(self, hint: object, value: object, path: str, line: int | None) -> object:
        """``value`` as the type that ``hint`` names, or :data:`INVALID`."""
        if hint in self._readers:
            return self._read(self._readers[hint], value, path, line)
        inner = _bare(hint)
        origin = get_origin(inner)
        if origin in (Union, types.UnionType):
            member = _member(inner, value)
            return (
                self._leaf(hint, value, path, line)
                if member is None
                else self.decode(member, value, path, line)
            )
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct) and not inner.__struct_config__.tag:
            return self._struct(inner, value, path, line)
        if origin is dict or inner is dict:
            return self._mapping(get_args(inner) or (str, object), value, path, line)
        if origin in _SEQUENCES and (origin is not tuple or get_args(inner)[1:] == (...,)):
            return self._sequence(origin, get_args(inner)[0], value, path, line)
        return self._leaf(hint, value, path, line)

    def _struct(self, type_: type[msgspec.Struct], value: object, path: str, line: int | None) -> object:
        if not isinstance(value, dict):
            return self._unexpected("a mapping", value, path, line)
        fields = {field.encode_name: field for field in msgspec.structs.fields(type_)}
        for key in value:
            if key not in fields:
                hint = suggestion(str(key), [name for name in fields if name not in value])
                self._problem(_join(path, key), f"unknown key{hint}", _line(value, key, line))
        arguments = {}
        complete = True
        for name, field in fields.items():
            if name in value:
                decoded = self.decode(field.type, value[name], _join(path, name), _line(value, name, line))
                if decoded is not INVALID:
                    arguments[field.name] = decoded
                else:
                    complete = complete and not field.required
            elif field.required:
                wanted = expected(field.type)
                self._problem(
                    _join(path, name), f"is missing; expected {wanted}" if wanted else "is missing", line
                )
                complete = False
        if not complete:
            return INVALID
        try:
            return type_(**arguments)
        except ValueError as error:
            self._problem(path, str(error), line)
            return INVALID

    def _mapping(self, hints: tuple[object, ...], value: object, path: str, line: int | None) -> object:
        if not isinstance(value, dict):
            return self._unexpected("a mapping", value, path, line)
        found = {}
        for key, item in value.items():
            place, where = _join(path, key), _line(value, key, line)
            name = self.decode(hints[0], key, place, where)
            decoded = self.decode(hints[1], item, place, where)
            if name is not INVALID and decoded is not INVALID:
                found[key] = decoded
        # A mapping that is passed on undecoded keeps its lines, for whoever decodes it.
        return value if hints == (str, object) else found

    def _sequence(
        self,
        type_: Callable[[list[object]], object],
        item: object,
        value: object,
        path: str,
        line: int | None,
    ) -> object:
        if not isinstance(value, list):
            return self._unexpected("a list", value, path, line)
        decoded = [
            self.decode(item, member, f"{path}[{index}]", _line(value, index, line))
            for index, member in enumerate(value)
        ]
        return type_([member for member in decoded if member is not INVALID])

    def _read(self, reader: Reader, value: object, path: str, line: int | None) -> object:
        try:
            return reader(value)
        except Unreadable as error:
            self._problem(path, str(error), line)
            return INVALID

    def _leaf(self, hint: object, value: object, path: str, line: int | None) -> object:
        try:
            return msgspec.convert(value, hint)
        except msgspec.ValidationError as error:
            known = expected(hint)
            if known:
                return self._unexpected(known, value, path, line, hint)
            self._problem(path, str(error), line)
            return INVALID

    def _unexpected(
        self, wanted: str, value: object, path: str, line: int | None, hint: object = None
    ) -> object:
        advice = ""
        if isinstance(value, str) and get_origin(_bare(hint)) is Literal:
            advice = suggestion(value, map(str, get_args(_bare(hint))))
        elif isinstance(value, bool | int | float) and _accepts_text(hint):
            advice = "; put it in quotes"
        self._problem(path, f"expected {wanted}, found {found(value)}{advice}", line)
        return INVALID

    def _problem(self, path: str, message: str, line: int | None) -> None:
        self.problems.append(Problem(path, message, line))


def expected(hint: object) -> str:
    """What a type asks for, in words; empty where there are none."""
    if get_origin(hint) is Annotated:
        inner, *metas = get_args(hint)
        described = [
            meta.description for meta in metas if isinstance(meta, msgspec.Meta) and meta.description
        ]
        return described[-1] if described else expected(inner)
    origin = get_origin(hint)
    if origin is Literal:
        return "one of " + ", ".join(f"'{choice}'" for choice in get_args(hint))
    if origin in (Union, types.UnionType):
        return " or ".join(filter(None, (expected(m) for m in get_args(hint) if m is not types.NoneType)))
    shape = _shape(hint)
    return _EXPECTED.get(hint, "") if shape is None else "a list" if shape is list else "a mapping"


def found(value: object) -> str:
    """What stands there, in words. Texts are not repeated: one of them may be a secret in the wrong place."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return "a text" if isinstance(value, str) else "a mapping" if isinstance(value, dict) else "a list"


def _member(hint: object, value: object) -> object | None:
    """The member of a union that is meant for a value of this shape; None where several are."""
    members: list[object] = [member for member in get_args(hint) if member is not types.NoneType]
    if value is None and len(members) < len(get_args(hint)):
        return types.NoneType
    shape = dict if isinstance(value, dict) else list if isinstance(value, list) else None
    fitting = [member for member in members if _shape(member) is shape]
    if len(fitting) == 1:
        return fitting[0]
    return members[0] if len(members) == 1 else None


def _shape(hint: object) -> type | None:
    """How a type stands in a file: as a mapping, as a list, or (None) as a single value."""
    inner = _bare(hint)
    base = get_origin(inner) or inner
    if base in _SEQUENCES:
        return list
    return dict if isinstance(base, type) and issubclass(base, dict | msgspec.Struct) else None


def _bare(hint: object) -> object:
    """The type itself, without what is annotated."""
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def _accepts_text(hint: object) -> bool:
    inner = _bare(hint)
    return inner is str or (get_origin(inner) is Literal and all(isinstance(c, str) for c in get_args(inner)))


def _join(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)


def _line(container: object, key: object, fallback: int | None) -> int | None:
    """The line of an entry, where its container came from a file."""
    lines = getattr(container, "lines", None)
    return fallback if lines is None else lines[key]
