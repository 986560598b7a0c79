"""What a write answers with: the record as stored, or its key alone where the caller wants no more."""

from __future__ import annotations

from msgspec import UNSET

from contracts.results import Stored
from contracts.schema import Record
from gateway.http.answers import Header

MINIMAL: Header = (b"preference-applied", b"return=minimal")


def shown(stored: Stored, *, minimal: bool) -> Record | dict[str, object]:
    """The record, or nothing of it but its ``Id`` (``Prefer: return=minimal``)."""
    return {"Id": _own_key(stored)} if minimal else stored.record


def _own_key(stored: Stored) -> object:
    """The record's ``Id``, or the key of its path when the upstream does not show it."""
    record = stored.record
    own = record.get("Id") if isinstance(record, dict) else getattr(record, "Id", None)
    if own is not None and own is not UNSET:
        return own
    parts = stored.path.last.key.parts if stored.path.last.key is not None else ()
    if len(parts) == 1 and parts[0].name is None:
        return parts[0].value
    return {part.name: part.value for part in parts}
