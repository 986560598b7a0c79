"""The upstream's URL paths: ``Building('0001')/BuildingParts(Building='0001',Id='001')/BuildingFloors``."""

import re
from collections.abc import Sequence
from urllib.parse import unquote_to_bytes

import msgspec

from adapters.sandbox.errors import Refusal, bad_path

_DANGEROUS = re.compile(r"[<>*%&:\\?\x00-\x1f]")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_STRING = re.compile(r"'((?:[^']|'')*)'")
_NUMBER = re.compile(r"-?\d+", re.ASCII)


class KeyPart(msgspec.Struct, frozen=True):
    """One value of a key; ``name`` is ``None`` where the value stands alone."""

    name: str | None
    value: str


class Segment(msgspec.Struct, frozen=True):
    """One step of a path: an entity or navigation, with the key in parentheses when there is one."""

    name: str
    key: tuple[KeyPart, ...] = ()

    def external(self) -> tuple[str, str | None] | None:
        """The external id and data provider, or ``None`` when the key is the upstream's own.

        Raises ``Refusal`` when both kinds are mixed.
        """
        named = {(part.name or "").lower(): part.value for part in self.key}
        if "externalid" not in named:
            return None
        if named.keys() - {"externalid", "dataprovider"}:
            raise bad_path("An own identifier and an external identifier cannot be combined.")
        return named["externalid"], named.get("dataprovider")


def decode_path(raw: str) -> str:
    """The percent-decoded path.

    Raises ``Refusal`` 400 for what a .NET front lets nobody through with: ``< > * % & : \\ ?``, control
    characters, a slash that is encoded, and bytes that are not UTF-8. Source: vendor page "Special
    characters"; the status and body of this refusal are a choice.
    """
    if _BROKEN_ESCAPE.search(raw) or "%2f" in raw.lower():
        raise _dangerous("%")
    try:
        path = unquote_to_bytes(raw).decode("utf-8")
    except UnicodeDecodeError as error:
        raise bad_path("The path is not encoded in UTF-8.") from error
    found = _DANGEROUS.search(path)
    if found:
        raise _dangerous(found[0])
    return path


def _dangerous(character: str) -> Refusal:
    return bad_path(
        f"A potentially dangerous Request.Path value was detected from the client ({character!a})."
    )


def parse_path(path: str) -> list[Segment]:
    """The segments of a decoded object path, such as ``Department('01')/Jobs``.

    A slash always ends a segment, inside quotes as well; a trailing slash is allowed. Raises ``Refusal``
    400 for a path that cannot be read, and for two external identifiers or an external and an own one in
    one path. Source: vendor page "Requesting data", sections "Resource paths" and "External identifiers".
    """
    segments = [_parse_segment(text) for text in path.rstrip("/").split("/")]
    refuse_mixed_keys(segments)
    return segments


def refuse_mixed_keys(segments: Sequence[Segment]) -> None:
    """Raise ``Refusal`` 400 for two external identifiers, or an external and an own one, in one path."""
    keyed = [segment for segment in segments if segment.key]
    externals = sum(segment.external() is not None for segment in keyed)
    if externals > 1 or (externals and len(keyed) > externals):
        raise bad_path("An external identifier cannot be combined with another identifier in one path.")


def _parse_segment(text: str) -> Segment:
    name = _NAME.match(text)
    if name is None:
        raise bad_path(f"The segment '{text}' cannot be read.")
    rest = text[name.end() :]
    if not rest:
        return Segment(name[0])
    if rest[0] != "(" or rest[-1] != ")":
        raise bad_path(f"The segment '{text}' cannot be read.")
    return Segment(name[0], _parse_key(rest[1:-1], text))


def _parse_key(text: str, segment: str) -> tuple[KeyPart, ...]:
    parts: list[KeyPart] = []
    position = 0
    while True:
        name = _NAME.match(text, position := _skip(text, position))
        after = _skip(text, name.end()) if name else position
        named = name is not None and text[after : after + 1] == "="
        if named:
            position = _skip(text, after + 1)
        value = _STRING.match(text, position) or _NUMBER.match(text, position)
        if value is None:
            raise bad_path(f"The key in '{segment}' cannot be read.")
        content = value[1].replace("''", "'") if value.re is _STRING else value[0]
        parts.append(KeyPart(name[0] if name is not None and named else None, content))
        position = _skip(text, value.end())
        if position == len(text):
            break
        if text[position] != ",":
            raise bad_path(f"The key in '{segment}' cannot be read.")
        position += 1
    names = [part.name.lower() for part in parts if part.name is not None]
    if len(parts) > 1 and (len(names) < len(parts) or len(set(names)) < len(names)):
        raise bad_path(f"The key in '{segment}' must name each of its properties once.")
    return tuple(parts)


def _skip(text: str, position: int) -> int:
    while text[position : position + 1] == " ":
        position += 1
    return position
