"""What a caller can ask for: the vocabulary of the whole house.

An operation speaks of records, never of a protocol. It is frozen and carries everything that an
adapter needs to know; ``place`` is the caller's path, already held against the schema. It says two
things of itself that every policy relies on: ``safe`` (it changes nothing) and ``idempotent`` (doing it
twice leaves what doing it once leaves; RFC 9110 §9.2). What comes back is in :mod:`contracts.results`.
"""

from __future__ import annotations

from collections.abc import AsyncIterable
from decimal import Decimal
from typing import ClassVar, Literal

import msgspec

from contracts.addressing import Resolved
from contracts.filters import Filter


class OrderBy(msgspec.Struct, frozen=True):
    """One term of a sort order; ``property`` is a path such as ``("Vendor", "Name")``."""

    property: tuple[str, ...]
    descending: bool = False


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """How a list is narrowed, shaped and cut.

    ``limit`` is the most records a page may hold, None for the upstream's own page size.
    ``continuation`` is where the previous a page said that the next one begins.
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
    """Records of a set or of a to-many navigation → ``Page``, or ``Scan``.

    ``whole`` says that the caller reads the list to its end, and needs no page of it cut.
    """

    kind = "list"
    safe = True
    idempotent = True
    place: Resolved
    query: Query = Query()
    whole: bool = False


class GetRecord(Operation, frozen=True, kw_only=True, tag="get"):
    """One record by its key or through a to-one navigation → ``Found``."""

    kind = "get"
    safe = True
    idempotent = True
    place: Resolved
    select: tuple[tuple[str, ...], ...] = ()
    expand: tuple[tuple[str, ...], ...] = ()


class CreateRecord(Operation, frozen=True, kw_only=True, tag="create"):
    """A new record whose key the upstream gives → ``Stored``."""

    kind = "create"
    place: Resolved
    body: dict[str, object]


class ReplaceRecord(Operation, frozen=True, kw_only=True, tag="replace"):
    """Create or replace by key; what the body leaves out is emptied → ``Stored``."""

    kind = "replace"
    idempotent = True
    place: Resolved
    body: dict[str, object]


class ChangeRecord(Operation, frozen=True, kw_only=True, tag="change"):
    """Change what the body names; with ``upsert``, create when absent; never empties → ``Stored``."""

    kind = "change"
    idempotent = True
    place: Resolved
    body: dict[str, object]
    upsert: bool = False


class DeleteRecord(Operation, frozen=True, kw_only=True, tag="delete"):
    """Delete by key → ``Deleted``."""

    kind = "delete"
    idempotent = True
    place: Resolved


class RunAction(Operation, frozen=True, kw_only=True, tag="action"):
    """Run a workflow → ``ActionDone``. ``parts`` makes it multipart; it is read once, in order."""

    kind = "action"
    name: str
    arguments: dict[str, object] = {}
    parts: AsyncIterable[Upload] | None = None


Write = CreateRecord | ReplaceRecord | ChangeRecord | DeleteRecord
"""The writes of one record."""


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One write of a batch.

    ``group`` names the transaction that it belongs to. ``depends_on`` are ids of earlier members that must
    have succeeded. ``origin`` is the id of the member whose record the path begins at (``$a1/Lines``): the
    first segment of the write's place then stands for that record, and its key may be a stand-in.
    """

    id: str
    write: Write
    group: str | None = None
    depends_on: tuple[str, ...] = ()
    origin: str | None = None


class WriteBatch(Operation, frozen=True, kw_only=True, tag="batch"):
    """Many writes, in order → ``BatchDone``.

    An adapter is given no more of them than one request takes (:meth:`contracts.adapter.Batching.pack`).
    """

    kind = "batch"
    members: tuple[Member, ...]


Format = Literal["xml", "csv", "json"]
"""What an export connector answers in."""

ImportAction = Literal["Insert", "Update", "InsertOrUpdate", "InsertOrSkip", "Delete"]


class RunExport(Operation, frozen=True, kw_only=True, tag="export"):
    """Run an export connector as it is → ``Scan``.

    ``filter`` is by the names that the connector filters by. ``format`` is what it answers in, None when
    the answer tells.
    """

    kind = "export"
    safe = True
    idempotent = True
    name: str
    filter: dict[str, str] = {}
    format: Format | None = None


class ImportObject(msgspec.Struct, frozen=True, kw_only=True):
    """One record for an import connector; ``objects`` are its children.

    Properties are by the connector's names (``Department.Id``); a value ``${Parent.Id}`` is the parent's.
    """

    type: str
    action: ImportAction
    properties: dict[str, str | int | float | bool | None] = {}
    objects: tuple[ImportObject, ...] = ()


class RunImport(Operation, frozen=True, kw_only=True, tag="import"):
    """Run an import connector as it is → ``ImportDone``."""

    kind = "import"
    name: str
    objects: tuple[ImportObject, ...]


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What a meter showed: at a point of an ``equipment`` or of a ``process_function``, one of the two.

    ``at`` is ISO 8601 with an offset. Either ``value`` or ``delta``, the difference to the last one.
    """

    point: str
    at: str
    equipment: str | None = None
    process_function: str | None = None
    value: Decimal | None = None
    delta: Decimal | None = None
    text: str | None = None


class TakeReadings(Operation, frozen=True, kw_only=True, tag="measurements"):
    """Hand over meter readings → ``ReadingsTaken``."""

    kind = "measurements"
    readings: tuple[Reading, ...]


OPERATIONS: tuple[type[Operation], ...] = (
    ListRecords,
    GetRecord,
    CreateRecord,
    ReplaceRecord,
    ChangeRecord,
    DeleteRecord,
    WriteBatch,
    RunAction,
    TakeReadings,
    RunExport,
    RunImport,
)
