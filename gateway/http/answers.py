"""What a route answers with: ready bytes, or a stream."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import msgspec

Header = tuple[bytes, bytes]

JSON: tuple[Header, ...] = (
    (b"content-type", b"application/json"),
    (b"cache-control", b"private, no-cache"),
)
"""The headers of every JSON answer: caches may keep it for this caller, and must ask before they use it."""


VARY: Header = (b"vary", b"accept, accept-language, prefer")
"""What a caller asks for decides how an answer with records looks."""


class Answer(msgspec.Struct, frozen=True):
    """A whole answer; header names are in lower case."""

    status: int
    body: bytes = b""
    headers: tuple[Header, ...] = ()


class Streamed(msgspec.Struct, frozen=True):
    """An answer whose body is made while it is sent. The generator is closed when the caller goes away."""

    status: int
    chunks: AsyncGenerator[bytes, None]
    headers: tuple[Header, ...] = ()


def language(tag: str | None) -> tuple[Header, ...]:
    """The header that tells the language of the texts, where it is known."""
    return () if tag is None else ((b"content-language", tag.encode("latin-1", "replace")),)


def json_answer(document: object, *headers: Header, status: int = 200) -> Answer:
    """The document as JSON."""
    return Answer(status, msgspec.json.encode(document), JSON + headers)
