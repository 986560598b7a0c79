"""What comes back from an operation."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping

import msgspec

from contracts.errors import GatewayError
from contracts.paths import ObjectPath
from contracts.schema import Record


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of a list. ``next`` is opaque, None at the end; ``count`` is of the whole list, when asked for."""

    items: list[Record]
    next: str | None = None
    count: int | None = None
    content_language: str | None = None


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """All records of a set, of which an adapter that cannot page gives no less; narrowed as far as it could.

    ``pieces`` are read once, in constant memory, and closed by whoever reads them. They raise
    :class:`~contracts.errors.GatewayError` where the answer breaks off.
    """

    pieces: AsyncGenerator[list[Record], None]


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One record as it is now."""

    record: Record
    content_language: str | None = None


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A record as it was stored; ``path`` addresses it by its own key.

    Where the protocol answers keys alone, ``whole`` is false and the record has nothing but its ``Id``.
    """

    record: Record
    created: bool
    path: ObjectPath
    content_language: str | None = None
    whole: bool = True


class Deleted(msgspec.Struct, frozen=True, kw_only=True):
    """The record is gone."""


class ActionDone(msgspec.Struct, frozen=True, kw_only=True):
    """What the workflow answered, its wrapping taken off."""

    result: Mapping[str, object]


class MemberDone(msgspec.Struct, frozen=True):
    """What became of one write of a batch."""

    id: str
    result: Stored | Deleted | GatewayError


class BatchDone(msgspec.Struct, frozen=True, kw_only=True):
    """One result for each member, in the order of the members."""

    results: tuple[MemberDone, ...]


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one object of an import; ``action`` is what was done: Insert, Update, Skip, Delete, Error.

    ``key`` is the record's id, or an object of key parts.
    """

    type: str
    action: str
    key: object = None
    error: GatewayError | None = None


class ImportDone(msgspec.Struct, frozen=True, kw_only=True):
    """One result for each object of an import, children after their parent."""

    results: tuple[Imported, ...]


class ReadingTaken(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one reading: the line that it became, where the upstream tells, or the error."""

    line_id: str | None = None
    error: GatewayError | None = None


class ReadingsTaken(msgspec.Struct, frozen=True, kw_only=True):
    """One result for each reading, in their order."""

    results: tuple[ReadingTaken, ...]


Result = Page | Scan | Found | Stored | Deleted | ActionDone | BatchDone | ImportDone | ReadingsTaken
