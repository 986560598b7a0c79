"""Entity tags (RFC 9110 §8.8.3) and the conditions that callers make with them (§13.1).

A tag is a hash of the JSON bytes, and strong: the same tag means the same bytes. So a record read
with ``select``, ``expand`` or in another language has another tag than the whole record.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

import msgspec

from contracts.errors import InvalidRequest, PreconditionFailed

_LIST = re.compile(r'\s*(?:(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"\s*(?:,\s*|$))+')
_TAG = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')


def entity_tag(body: bytes) -> str:
    """The strong tag of these bytes, in its quotes."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


class Tags(msgspec.Struct, frozen=True):
    """What one header lists: pairs of ``W/`` or nothing and a tag in its quotes; None for ``*``."""

    listed: tuple[tuple[str, str], ...] | None

    def match(self, tag: str | None, *, weak: bool = False) -> bool:
        """Whether one of them is this one; ``*`` is any, ``tag`` is None for a record that is absent.

        ``weak`` is the comparison for If-None-Match, where ``W/"x"`` equals ``"x"``; If-Match compares strongly.
        """
        if self.listed is None:
            return tag is not None
        return any(value == tag and (weak or not prefix) for prefix, value in self.listed)


def parse_tags(header: bytes | None) -> Tags | None:
    """None when the header is absent. Raises :class:`InvalidRequest` when it is no list of quoted tags."""
    if header is None:
        return None
    text = header.decode("latin-1").strip()
    if text == "*":
        return Tags(None)
    if not _LIST.fullmatch(text):
        raise InvalidRequest(f"'{text[:80]}' is not a list of entity tags such as \"abc\", nor *")
    return Tags(tuple(_TAG.findall(text)))


class Condition(msgspec.Struct, frozen=True):
    """What ``If-Match`` and ``If-None-Match`` ask of the record that a write is about."""

    match: Tags | None
    none_match: Tags | None

    def check(self, tag: str | None) -> None:
        """``tag`` is the record's, None when it is absent. Raises :class:`PreconditionFailed`."""
        if self.match is not None and not self.match.match(tag):
            raise PreconditionFailed(
                "the record is not the version that If-Match names"
                if tag is not None
                else "the record that If-Match speaks of does not exist"
            )
        if self.none_match is not None and self.none_match.match(tag, weak=True):
            raise PreconditionFailed("the record exists in a version that If-None-Match excludes")


def condition(headers: Mapping[bytes, bytes]) -> Condition | None:
    """The condition of a write, None when it has none. Raises :class:`InvalidRequest`."""
    match, none_match = parse_tags(headers.get(b"if-match")), parse_tags(headers.get(b"if-none-match"))
    return None if match is none_match is None else Condition(match, none_match)


def refuse_conditions(headers: Mapping[bytes, bytes], *names: bytes) -> None:
    """Raises :class:`InvalidRequest` for a condition where it means nothing: ignored, it would protect nothing."""
    for name in names:
        if name in headers:
            raise InvalidRequest(f"'{name.decode().title()}' means nothing here; leave it out")
