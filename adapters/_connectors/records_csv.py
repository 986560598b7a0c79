"""Exports in CSV (RFC 4180), read while they come.

The first line names the columns and thereby tells the separator: ``;``, ``,`` or a tab. An empty field is
null, a quoted empty field (``""``) the empty string. Lines end with CRLF or LF.
"""

from __future__ import annotations

import re

from contracts.records import MalformedAnswer

LONGEST_LINE = 16 * 1024 * 1024
"""The most characters of one record."""

_UP_TO_END = re.compile(r'(?:[^"\n]++|"[^"]*+")*+')
_NAME = re.compile(r"[^\W\d][\w.]*")
_SEPARATORS = ";,\t"


class CsvRecords:
    """Reads a document, piece by piece."""

    def __init__(self, *, doubtful: bool = False) -> None:
        """``doubtful``: nothing says that this is CSV, and a sentence could be taken for the names of columns."""
        self._doubtful = doubtful
        self._line: list[str] = []
        self._size = 0
        self._quoted = False
        self._names: list[str] = []
        self._separator = ""
        self._field = re.compile("")
        self._error: MalformedAnswer | None = None

    def feed(self, text: str) -> list[dict[str, object]]:
        """The records that this piece completes, texts by column.

        Raises :class:`~contracts.records.MalformedAnswer` for what is no CSV, once all records before it
        are given.
        """
        return self._guarded(text, last=False)

    def finish(self) -> list[dict[str, object]]:
        """The document has ended: the last record, where no line end follows it, and nothing when called again.

        Raises :class:`~contracts.records.MalformedAnswer` when the document is not complete, as far as that
        can be told.
        """
        done = self._guarded("", last=True)
        if not self._names:
            raise MalformedAnswer("empty")
        return done

    def _guarded(self, text: str, *, last: bool) -> list[dict[str, object]]:
        if self._error is not None:
            raise self._error
        done: list[dict[str, object]] = []
        try:
            self._read(text, done)
            if last:
                self._end(done)
        except MalformedAnswer as error:
            self._error = error
            if not done:
                raise
        return done

    def _read(self, text: str, done: list[dict[str, object]]) -> None:
        at = 0
        while at < len(text):
            if self._quoted:
                end = (text.find('"', at) + 1) or len(text)
                self._quoted = text[end - 1] != '"'
                self._keep(text[at:end])
            else:
                found = _UP_TO_END.match(text, at)
                end = at if found is None else found.end()
                mark = text[end : end + 1]
                self._keep(text[at:end] + mark)
                end += 1
                self._quoted = mark == '"'
                if mark == "\n":
                    self._complete(done)
            at = end

    def _keep(self, text: str) -> None:
        self._line.append(text)
        self._size += len(text)
        if self._size > LONGEST_LINE:
            raise MalformedAnswer("CSV with a line that is too long")

    def _end(self, done: list[dict[str, object]]) -> None:
        if self._quoted:
            raise MalformedAnswer("CSV that breaks off")
        if self._line:
            self._complete(done)

    def _complete(self, done: list[dict[str, object]]) -> None:
        line = "".join(self._line).removesuffix("\n").removesuffix("\r")
        self._line.clear()
        self._size = 0
        if not self._names:
            self._head(line)
        elif line or len(self._names) == 1:
            done.append(self._record(line))

    def _head(self, line: str) -> None:
        line = line.lstrip("\ufeff")
        if line.lstrip()[:1] == "<":
            raise MalformedAnswer("markup, but not the records of a connector")
        self._separator = separator = max(_SEPARATORS, key=line.count)
        self._field = re.compile(
            rf'(?:"((?:[^"]|"")*+)"|([^"{re.escape(separator)}]*+))(?:{re.escape(separator)}|(\Z))'
        )
        names = [value or "" for value in self._values(line)]
        if not all(names) or len({name.lower() for name in names}) < len(names):
            raise MalformedAnswer("CSV whose first line names no columns, or one of them twice")
        if self._doubtful and (len(names) < 2 or not all(map(_NAME.fullmatch, names))):
            raise MalformedAnswer(
                "neither XML nor JSON, and no CSV with names of properties in its first line"
            )
        self._names = names

    def _record(self, line: str) -> dict[str, object]:
        values = self._values(line)
        if len(values) != len(self._names):
            raise MalformedAnswer("CSV with a line of more or fewer fields than columns")
        return dict(zip(self._names, values, strict=True))

    def _values(self, line: str) -> list[str | None]:
        if '"' not in line:
            return [value or None for value in line.split(self._separator)]
        values: list[str | None] = []
        at, more = 0, True
        while more:
            found = self._field.match(line, at)
            if found is None:
                raise MalformedAnswer("not CSV")
            quoted, plain, end = found.groups()
            values.append(quoted.replace('""', '"') if quoted is not None else plain or None)
            at, more = found.end(), end is None
        return values
