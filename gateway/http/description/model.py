"""What a description is made of."""

from __future__ import annotations

import msgspec


class Parameter(msgspec.Struct, frozen=True):
    """A parameter in a path, a query or a header; ``schema`` is JSON Schema."""

    name: str
    place: str
    text: str
    schema: dict[str, object]
    example: str | None = None


class Reply(msgspec.Struct, frozen=True):
    """One way in which an operation succeeds: media type → the schema's name, and the headers it has."""

    status: int
    text: str
    content: dict[str, str] = {}
    headers: tuple[str, ...] = ()


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """One method of one path.

    ``body`` is media type → schema name, and may be left out where it is ``body_optional``; ``curl`` is what
    follows the host, ``answer`` what the last of these may answer.
    """

    method: str
    path: str
    id: str
    group: str
    summary: str
    text: str
    scope: str | None = None
    public: bool = False
    parameters: tuple[str, ...] = ()
    body: dict[str, str] = {}
    body_optional: bool = False
    replies: tuple[Reply, ...]
    errors: tuple[str, ...] = ()
    curl: tuple[str, ...]
    answer: str = ""
