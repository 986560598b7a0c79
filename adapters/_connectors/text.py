"""Bytes → text, whatever was declared: connectors declare utf-16 and send utf-8.

What the bytes themselves show goes before what is said of them, and nothing is guessed:

1. a byte order mark (UTF-8, UTF-16);
2. zero bytes among the first: UTF-16 without a mark. A text of these protocols begins in ASCII;
3. else bytes that are ASCII mean the same in every encoding that is taken here. The first that is not
   decides: where it and what follows are UTF-8 the text is UTF-8, to its end;
4. else a declared encoding of one byte a character, by the header before the document.

What none of these reads is an error, and so is the character U+0000, which no text of these protocols
has. Any other declaration (utf-7, utf-32) is not followed.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping

from contracts.records import MalformedAnswer

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SINGLE_BYTE: Mapping[str, str] = {
    "windows-1252": "cp1252",
    "cp1252": "cp1252",
    "iso-8859-1": "iso-8859-1",
    "latin1": "iso-8859-1",
    "iso-8859-15": "iso-8859-15",
}
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}?\sencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_CHARSET = re.compile(r"""charset\s*=\s*["']?([A-Za-z0-9._-]{1,40})""", re.IGNORECASE)
_HEAD = 4
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_LONGEST_CHARACTER = 4
_DECLARATION = 256


class TextDecoder:
    """Decodes one text, piece by piece."""

    def __init__(self, content_type: str = "") -> None:
        """``content_type`` is the value of the header, for the encoding that it may declare."""
        found = _CHARSET.search(content_type)
        self._declared = [found[1].lower()] if found else []
        self._head = b""
        self._seen = b""
        self._started = False
        self._decoder: codecs.IncrementalDecoder | None = None

    def feed(self, data: bytes) -> str:
        """The characters that these bytes complete. Raises :class:`~contracts.records.MalformedAnswer`."""
        return self._text(data, last=False)

    def finish(self) -> str:
        """What was held back. Raises :class:`~contracts.records.MalformedAnswer` for half a character."""
        return self._text(b"", last=True)

    def _text(self, data: bytes, *, last: bool) -> str:
        if self._decoder is None:
            data = self._head + data
            self._head = b""
            read = self._undecided(data, last=last)
            if self._decoder is None:
                return read
            data = self._head
            self._head = b""
        else:
            read = ""
        try:
            text = read + self._decoder.decode(data, last)
        except UnicodeDecodeError:
            raise MalformedAnswer("bytes that are no text in any encoding they could have") from None
        if "\0" in text:
            raise MalformedAnswer("a text with characters that no text has")
        return text

    def _undecided(self, data: bytes, *, last: bool) -> str:
        """ASCII that came before the encoding is known; what is left stays in ``_head``."""
        if not self._started:
            if len(data) < _HEAD and not last:
                self._head = data
                return ""
            self._started = True
            if self._by_mark(data):
                return ""
        found = _NOT_ASCII.search(data)
        plain, rest = (data, b"") if found is None else (data[: found.start()], data[found.start() :])
        if len(self._seen) < _DECLARATION:
            self._seen += plain[:_DECLARATION]
        if rest and len(rest) < _LONGEST_CHARACTER and not last:
            self._head = rest
        elif rest:
            self._decide(rest)
        if b"\0" in plain:
            raise MalformedAnswer("a text with characters that no text has")
        return plain.decode("ascii")

    def _by_mark(self, data: bytes) -> bool:
        for mark, encoding in _MARKS:
            if data.startswith(mark):
                self._decoder = codecs.getincrementaldecoder(encoding)()
                self._head = data[len(mark) :]
                return True
        if 0 in data[:_HEAD]:
            self._decoder = codecs.getincrementaldecoder("utf-16-be" if data[0] == 0 else "utf-16-le")()
            self._head = data
        return self._decoder is not None

    def _decide(self, rest: bytes) -> None:
        """The encoding, by the first character that is not ASCII and the declarations."""
        self._head = rest
        in_document = _DECLARED.match(self._seen)
        if in_document is not None:
            self._declared.append(in_document[1].decode("ascii").lower())
        encoding = "utf-8"
        single = (_SINGLE_BYTE[name] for name in self._declared if name in _SINGLE_BYTE)
        if not _is_utf8(rest):
            encoding = next(single, encoding)
        self._decoder = codecs.getincrementaldecoder(encoding)()


def _is_utf8(rest: bytes) -> bool:
    """Whether the first character is one of UTF-8."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(rest[:_LONGEST_CHARACTER])
    except UnicodeDecodeError as error:
        return error.start > 0
    return True
