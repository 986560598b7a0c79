"""Exports in JSON: an array of flat objects, or one object with such an array in it, read while it comes."""

from __future__ import annotations

from adapters._json_elements import JsonElements
from contracts.records import MalformedAnswer


class JsonRecords:
    """Reads a document, piece by piece."""

    def __init__(self) -> None:
        self._elements = JsonElements()
        self._began = False
        self._error: MalformedAnswer | None = None

    def feed(self, text: str) -> list[dict[str, object]]:
        """The records that this piece completes, values by column.

        Raises :class:`~contracts.records.MalformedAnswer` for what is no JSON, once all records before it
        are given.
        """
        if self._error is not None:
            raise self._error
        if not self._began:
            text = text.lstrip("\ufeff \t\r\n")
            self._began = bool(text)
        records: list[dict[str, object]] = []
        for element in self._elements.feed(text):
            if not isinstance(element, dict):
                self._error = MalformedAnswer("JSON, but not of the shape of records")
                break
            records.append(element)
        if self._error is not None and not records:
            raise self._error
        return records

    def finish(self) -> list[dict[str, object]]:
        """The document has ended. Raises :class:`~contracts.records.MalformedAnswer` when it is not complete."""
        if self._error is not None:
            raise self._error
        if not self._began:
            raise MalformedAnswer("empty")
        self._elements.finish()
        return []
