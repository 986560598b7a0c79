"""Entity tags (RFC 9110 §8.8.3) and the conditions that callers make with them (§13.1).

A tag is a hash of the JSON bytes, and strong: the same tag means the same bytes. So a record read
with ``select``, ``expand`` or in another language has another tag than the whole record.
"""

from __future__ import annotations

import hashlib
import re

from contracts.errors import InvalidRequest

_LIST = re.compile(r'\s*(?:(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"\s*(?:,\s*|$))+')
_TAG = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')


def entity_tag(body: bytes) -> str:
    """The strong tag of these bytes, in its quotes."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def matches(header: str, tag: str | None, *, weak: bool = False) -> bool:
    """Whether one of the header's tags is this one; ``*`` is any, ``tag`` is None for a record that is absent.

    ``weak`` is the comparison for If-None-Match on reads, where ``W/"x"`` equals ``"x"``; If-Match
    compares strongly. Raises :class:`InvalidRequest` when the header is no list of quoted tags.
    """
    if header.strip() == "*":
        return tag is not None
    if not _LIST.fullmatch(header):
        raise InvalidRequest(f"'{header[:80]}' is not a list of entity tags such as \"abc\", nor *")
    return any(value == tag and (weak or not prefix) for prefix, value in _TAG.findall(header))
