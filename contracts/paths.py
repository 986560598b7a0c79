"""The object-path grammar: the normalized form and the upstream's, to one value and back.

    normalized   Building/0001/BuildingParts/Building=0001,Id=001/BuildingFloors
    upstream     Building('0001')/BuildingParts(Building='0001',Id='001')/BuildingFloors

Both are taken and given percent-encoded, as they stand on the line. A path is split first and decoded
after, so that every key can be written: ``Building/01%2F02``. A raw ``=`` names a part of a key and a
raw ``,`` separates parts; ``%3D`` and ``%2C`` are characters of a key. A key ``..`` is read and printed
as ``%2E%2E``; clients that fold dot segments need ``Id=..``, which means the same record.

Sources: vendor pages "Requesting data" (resource paths, external identifiers) and "Special
characters"; RFC 3986 for the encoding.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote, unquote

import msgspec

from contracts.errors import InvalidPath

MAX_LENGTH = 2048
"""The most characters of a path, as it is given."""

MAX_SEGMENTS = 12


class KeyPart(msgspec.Struct, frozen=True):
    """One value of a key. ``numeric``: written without quotes upstream, when the value is a number."""

    name: str | None
    value: str
    numeric: bool = False


class Key(msgspec.Struct, frozen=True):
    """What tells one record from the others: one value, or named parts."""

    parts: tuple[KeyPart, ...]

    @classmethod
    def single(cls, value: str) -> Key:
        """The key of one unnamed value."""
        return cls((KeyPart(None, value),))

    @property
    def external(self) -> bool:
        """Whether the record is named by its external id."""
        return self._part("externalid") is not None

    @property
    def provider(self) -> str | None:
        """The data provider that an external id belongs to, where the key says so."""
        return self._part("dataprovider")

    def _part(self, name: str) -> str | None:
        return next((part.value for part in self.parts if part.name and part.name.lower() == name), None)


class Segment(msgspec.Struct, frozen=True):
    """An entity (the first segment) or a navigation, and the key within it. Only the last may lack a key."""

    name: str
    key: Key | None = None


class ObjectPath(msgspec.Struct, frozen=True):
    """The way to a record or a set of them. Names keep the case they were given in."""

    segments: tuple[Segment, ...]

    @property
    def entity(self) -> str:
        """The name that the path begins with."""
        return self.segments[0].name

    @property
    def last(self) -> Segment:
        return self.segments[-1]

    def child(self, name: str, key: Key | None = None) -> ObjectPath:
        """The path one navigation further."""
        return ObjectPath((*self.segments, Segment(name, key)))

    def keyed(self, key: Key | None) -> ObjectPath:
        """The same path with another key in its last segment; None makes it the set."""
        return ObjectPath((*self.segments[:-1], Segment(self.last.name, key)))


_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_REFUSED_UPSTREAM = re.compile(r"[/<>*%&:\\?\x00-\x1f\x7f-\x9f]")
_UPSTREAM_SEGMENT = re.compile(r"(?P<name>[^(]*)(?:\((?P<key>.*)\))?", re.DOTALL)
_UPSTREAM_PART = re.compile(
    r"(?:(?P<name>[^=',]*)=)?(?:'(?P<text>(?:[^']+|'')*+)'|(?P<number>-?[0-9]+(?:\.[0-9]+)?))(?P<comma>,|\Z)",
    re.DOTALL,
)


def parse_path(raw: str) -> ObjectPath:
    """The path that the normalized form states; a slash after a set is tolerated.

    Raises :class:`~contracts.errors.InvalidPath` with what to write instead.
    """
    pieces = _pieces(raw, ends_in_set=lambda pieces: len(pieces) % 2 == 1)
    names = [_name(_decoded(piece)) for piece in pieces[::2]]
    keys: list[Key | None] = [_key(piece) for piece in pieces[1::2]]
    keys += [None] * (len(names) - len(keys))
    return _checked(tuple(map(Segment, names, keys)))


def print_path(path: ObjectPath) -> str:
    """The canonical normalized form: what RFC 3986 calls unreserved as it is, all else encoded."""
    return "/".join(
        segment.name if segment.key is None else f"{segment.name}/{_print_key(segment.key)}"
        for segment in path.segments
    )


def parse_upstream_path(text: str) -> ObjectPath:
    """The path that an upstream address states, without what stands before the entity (``object/``).

    Raises :class:`~contracts.errors.InvalidPath`.
    """
    pieces = _pieces(text, ends_in_set=lambda pieces: not pieces[-1].endswith(")"))
    return _checked(tuple(_upstream_segment(_decoded(piece)) for piece in pieces))


def print_upstream_path(path: ObjectPath) -> str:
    """The upstream form, quotes doubled, encoded for the line. Ask :func:`unaddressable` first."""
    return "/".join(
        segment.name if segment.key is None else f"{segment.name}({_print_upstream_key(segment.key)})"
        for segment in path.segments
    )


def unaddressable(path: ObjectPath) -> str | None:
    """Why the upstream cannot be asked by this path, in a sentence; None when it can.

    The upstream refuses some characters in the keys of a path, encoded or not (vendor page "Special
    characters"); each of them works in a filter.
    """
    for segment in path.segments:
        for part in segment.key.parts if segment.key else ():
            if found := _REFUSED_UPSTREAM.search(part.value):
                return (
                    f"the key {part.value!r} of {segment.name} holds {found[0]!r}, "
                    "which the upstream does not take in a path."
                )
    return None


def _pieces(raw: str, ends_in_set: Callable[[list[str]], bool]) -> list[str]:
    if len(raw) > MAX_LENGTH:
        raise InvalidPath(f"the path has more than {MAX_LENGTH} characters")
    if found := re.search(r"[?#]", raw):
        raise InvalidPath(f"a {found[0]!r} ends a path; in a key write {quote(found[0])}")
    pieces = raw.split("/")
    if len(pieces) > 1 and not pieces[-1] and ends_in_set(pieces[:-1]):
        pieces.pop()
    if not pieces[0]:
        raise InvalidPath(
            "a path begins with the name of an entity, with no slash before it: Equipment/00001"
        )
    if not all(pieces):
        raise InvalidPath("a segment of the path is empty; a slash inside a key is written %2F")
    return pieces


def _decoded(piece: str) -> str:
    if found := _ESCAPE.search(piece):
        raise InvalidPath(
            f"{piece[found.start() : found.start() + 3]!r} is no escape; a percent sign is written %25"
        )
    try:
        text = unquote(piece, errors="strict")
    except UnicodeDecodeError:
        raise InvalidPath(f"{piece!r} is not percent-encoded UTF-8") from None
    if found := _UNPRINTABLE.search(text):
        raise InvalidPath(f"{piece!r} holds the control character U+{ord(found[0]):04X}")
    return text


def _name(text: str) -> str:
    if text in (".", ".."):
        raise InvalidPath(f"{text!r} is no name: the path is read as it stands, without going up or down")
    if "(" in text:
        raise InvalidPath(f"{text!r} is no name; a key is a segment of its own: Equipment/00001")
    if not _NAME.fullmatch(text):
        raise InvalidPath(
            f"{text!r} is no name of an entity, a navigation or a part of a key; after a name comes a key, "
            "after a key a navigation: Department/01/Jobs, and a slash inside a key is written %2F"
        )
    return text


def _key(piece: str) -> Key:
    parts = [part.partition("=") for part in piece.split(",")]
    if len(parts) == 1 and not parts[0][1]:
        return Key.single(_decoded(piece))
    if not all(separator for _, separator, _ in parts):
        raise InvalidPath(
            f"{piece!r}: a key of several parts names each of them: Building=0001,Id=001; "
            "a comma inside a key is written %2C"
        )
    if any("=" in value for _, _, value in parts):
        raise InvalidPath(f"{piece!r}: an equals sign inside a key is written %3D")
    return _checked_key([KeyPart(_name(_decoded(name)), _decoded(value)) for name, _, value in parts])


def _upstream_segment(text: str) -> Segment:
    found = _UPSTREAM_SEGMENT.fullmatch(text)
    if found is None:
        raise InvalidPath(f"{text!r} is not closed; write Equipment('00001')")
    if found["key"] is None:
        return Segment(_name(text))
    return Segment(_name(found["name"]), _checked_key(_upstream_parts(found["key"])))


def _upstream_parts(text: str) -> list[KeyPart]:
    parts: list[KeyPart] = []
    at, more = 0, True
    while more:
        found = _UPSTREAM_PART.match(text, at)
        if found is None:
            raise InvalidPath(
                f"({text}) is no key; write ('00001') or (Building='0001',Id='001'), a quote in a text doubled"
            )
        name = None if found["name"] is None else _name(found["name"])
        number: str | None = found["number"]
        value = found["text"].replace("''", "'") if number is None else number
        parts.append(KeyPart(name, value, numeric=number is not None))
        at, more = found.end(), found["comma"] == ","
    return parts


def _checked_key(parts: list[KeyPart]) -> Key:
    """The key, when it is well formed by itself."""
    key = Key(tuple(parts))
    names = [part.name.lower() for part in parts if part.name is not None]
    if not all(part.value for part in parts):
        raise InvalidPath("a key, or a part of one, is empty")
    if len(parts) > 1 and len(names) < len(parts):
        raise InvalidPath("a key of several parts names each of them: Building=0001,Id=001")
    if len(set(names)) < len(names):
        raise InvalidPath(f"a part of the key is named twice: {', '.join(names)}")
    if key.provider is not None and not key.external:
        raise InvalidPath("DataProvider says whose an external id is: write ExternalId=4711,DataProvider=erp")
    if key.external and not {"externalid", "dataprovider"}.issuperset(names):
        raise InvalidPath(
            "a key is either the external id (and its DataProvider) or the record's own, not both"
        )
    return key


def _checked(segments: tuple[Segment, ...]) -> ObjectPath:
    """The path, when its keys can stand together."""
    if len(segments) > MAX_SEGMENTS:
        raise InvalidPath(f"the path has more than {MAX_SEGMENTS} names")
    if bare := next((segment.name for segment in segments[:-1] if segment.key is None), None):
        raise InvalidPath(f"{bare} needs a key before the path goes on")
    keys = [segment.key for segment in segments if segment.key]
    if len(keys) > 1 and any(key.external for key in keys):
        raise InvalidPath(
            "an external id is the only key of its path: no second one, and no own id beside it; "
            "look the record up first and go on from its own id"
        )
    return ObjectPath(segments)


def _print_key(key: Key) -> str:
    if len(key.parts) == 1 and key.parts[0].value in (".", "..") and key.parts[0].name is None:
        return key.parts[0].value.replace(".", "%2E")
    return ",".join(
        _encoded(part.value) if part.name is None else f"{part.name}={_encoded(part.value)}"
        for part in key.parts
    )


def _print_upstream_key(key: Key) -> str:
    return ",".join(
        ("" if part.name is None else f"{part.name}=") + _print_upstream_value(part) for part in key.parts
    )


def _print_upstream_value(part: KeyPart) -> str:
    if part.numeric and _NUMBER.fullmatch(part.value):
        return part.value
    return "'" + _encoded(part.value.replace("'", "''")) + "'"


def _encoded(text: str) -> str:
    return quote(text, safe="")
