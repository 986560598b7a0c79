"""What a caller can ask for, and what comes back: the vocabulary of the whole house.

An operation speaks of records, never of a protocol. It is frozen and carries everything that an
adapter needs to know; ``place`` is the caller's path, already held against the schema. It says two
things of itself that every policy relies on: ``safe`` (it changes nothing) and ``idempotent`` (doing it
twice leaves what doing it once leaves; RFC 9110 §9.2).
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping
from typing import ClassVar

import msgspec

from contracts.addressing import Resolved
from contracts.filters import Filter
from contracts.paths import ObjectPath
from contracts.schema import Record


class OrderBy(msgspec.Struct, frozen=True):
    """One term of a sort order; ``property`` is a path such as ``("Vendor", "Name")``."""

    property: tuple[str, ...]
    descending: bool = False


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """How a list is narrowed, shaped and cut.

    ``limit`` is the most records a page may hold, None for the upstream's own page size.
    ``continuation`` is where the previous :class:`Page` said that the next one begins.
    """

    filter: Filter | None = None
    orderby: tuple[OrderBy, ...] = ()
    select: tuple[tuple[str, ...], ...] = ()
    expand: tuple[tuple[str, ...], ...] = ()
    limit: int | None = None
    skip: int = 0
    count: bool = False
    continuation: str | None = None


class Upload(msgspec.Struct, frozen=True):
    """One part of a multipart action: a form field when ``filename`` is None, else a file, read once."""

    name: str
    content: bytes | AsyncIterable[bytes]
    filename: str | None = None
    content_type: str | None = None


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """The root of the union; ``kind`` names an operation in configuration, logs and metrics."""

    kind: ClassVar[str]
    safe: ClassVar[bool] = False
    idempotent: ClassVar[bool] = False


class ListRecords(Operation, frozen=True, kw_only=True, tag="list"):
    """Records of a set or of a to-many navigation → :class:`Page`."""

    kind = "list"
    safe = True
    idempotent = True
    place: Resolved
    query: Query = Query()


class GetRecord(Operation, frozen=True, kw_only=True, tag="get"):
    """One record by its key or through a to-one navigation → :class:`Found`."""

    kind = "get"
    safe = True
    idempotent = True
    place: Resolved
    select: tuple[tuple[str, ...], ...] = ()
    expand: tuple[tuple[str, ...], ...] = ()


class CreateRecord(Operation, frozen=True, kw_only=True, tag="create"):
    """A new record whose key the upstream gives → :class:`Stored`."""

    kind = "create"
    place: Resolved
    body: dict[str, object]


class ReplaceRecord(Operation, frozen=True, kw_only=True, tag="replace"):
    """Create or replace by key; what the body leaves out is emptied → :class:`Stored`."""

    kind = "replace"
    idempotent = True
    place: Resolved
    body: dict[str, object]


class ChangeRecord(Operation, frozen=True, kw_only=True, tag="change"):
    """Change what the body names; with ``upsert``, create when absent; never empties → :class:`Stored`."""

    kind = "change"
    idempotent = True
    place: Resolved
    body: dict[str, object]
    upsert: bool = False


class DeleteRecord(Operation, frozen=True, kw_only=True, tag="delete"):
    """Delete by key → :class:`Deleted`."""

    kind = "delete"
    idempotent = True
    place: Resolved


class RunAction(Operation, frozen=True, kw_only=True, tag="action"):
    """Run a workflow → :class:`ActionDone`. ``parts`` makes it multipart; it is read once, in order."""

    kind = "action"
    name: str
    arguments: dict[str, object] = {}
    parts: AsyncIterable[Upload] | None = None


OPERATIONS: tuple[type[Operation], ...] = (
    ListRecords,
    GetRecord,
    CreateRecord,
    ReplaceRecord,
    ChangeRecord,
    DeleteRecord,
    RunAction,
)


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of a list. ``next`` is opaque, None at the end; ``count`` is of the whole list, when asked for."""

    items: list[Record]
    next: str | None = None
    count: int | None = None
    content_language: str | None = None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One record as it is now."""

    record: Record
    content_language: str | None = None


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A record as it was stored; ``path`` addresses it by its own key."""

    record: Record
    created: bool
    path: ObjectPath
    content_language: str | None = None


class Deleted(msgspec.Struct, frozen=True, kw_only=True):
    """The record is gone."""


class ActionDone(msgspec.Struct, frozen=True, kw_only=True):
    """What the workflow answered, its wrapping taken off."""

    result: Mapping[str, object]


Result = Page | Found | Stored | Deleted | ActionDone
