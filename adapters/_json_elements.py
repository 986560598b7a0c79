"""The elements of a JSON array, one by one, while its text is still coming.

For answers that are too long to be held, and for those that break off: what came whole before the break
is not lost. The array is the whole text, or a member of the one object that the text is.
"""

from __future__ import annotations

import re

import msgspec

from contracts.records import MalformedAnswer

_LONGEST = 16 * 1024 * 1024
"""The most characters of one element, and of what stands around the array."""

_DEEPEST = 64
_UP_TO_BRACKET = re.compile(r'(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
_UP_TO_COMMA = re.compile(r'(?:[^"{}\[\],]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
_IN_STRING = re.compile(r"(?:[^\"\\]++|\\.)*+", re.DOTALL)


class JsonElements:
    """Reads the first array at the top of a text, or one level down in an object at its top."""

    def __init__(self) -> None:
        self._depth = 0
        self._array_depth: int | None = None
        """The depth of what stands directly in the array, while it is open."""
        self._in_string = False
        self._escaped = False
        self._element: list[str] = []
        self._shell: list[str] = []
        """All of the text but the elements: with ``[]`` in their place it must be JSON by itself."""
        self._size = 0
        self._found = False
        self._count = 0
        self._error: MalformedAnswer | None = None

    def feed(self, text: str) -> list[object]:
        """The elements that this piece of the text completes.

        Raises :class:`~contracts.records.MalformedAnswer` (a ValueError) for what is no JSON, once all
        elements before it are given.
        """
        if self._error is not None:
            raise self._error
        done: list[object] = []
        try:
            self._read(text, done)
        except MalformedAnswer as error:
            self._error = error
            if not done:
                raise
        return done

    def finish(self) -> None:
        """The text has ended. Raises :class:`~contracts.records.MalformedAnswer` when it is not complete."""
        if self._error is not None:
            raise self._error
        if self._depth or self._in_string:
            raise MalformedAnswer("JSON that breaks off")
        _decoded("".join(self._shell))
        if not self._found:
            raise MalformedAnswer("JSON, but no list of records")

    def _read(self, text: str, done: list[object]) -> None:
        at = 0
        while at < len(text):
            if self._escaped:
                self._escaped = False
                self._keep(text[at])
                at += 1
                continue
            end = self._stretch(text, at)
            self._keep(text[at:end])
            if end < len(text):
                self._mark(text[end], done)
            at = end + 1

    def _stretch(self, text: str, at: int) -> int:
        """Where what means nothing for the structure ends: at a mark, or with the text."""
        if self._in_string:
            found = _IN_STRING.match(text, at)
        else:
            found = (_UP_TO_COMMA if self._depth == self._array_depth else _UP_TO_BRACKET).match(text, at)
        return at if found is None else found.end()

    def _mark(self, mark: str, done: list[object]) -> None:
        if mark == '"':
            self._in_string = not self._in_string
        elif mark == "\\":
            self._escaped = self._in_string
        elif mark in "[{":
            self._depth += 1
            if self._depth > _DEEPEST:
                raise MalformedAnswer("JSON nested too deeply")
            if mark == "[" and self._opens_the_array():
                self._array_depth = self._depth
                self._shell.append("[")
                return
        elif mark == "," and self._array_depth == self._depth:
            self._complete(done)
            return
        elif mark in "]}":
            if self._depth == self._array_depth:
                self._close(mark, done)
            self._depth -= 1
            if self._depth < 0:
                raise MalformedAnswer("not JSON")
        self._keep(mark)

    def _opens_the_array(self) -> bool:
        if self._found:
            return False
        self._found = self._depth == 1 or (self._depth == 2 and self._outermost() == "{")
        return self._found

    def _outermost(self) -> str:
        return "".join(self._shell).lstrip()[:1]

    def _close(self, mark: str, done: list[object]) -> None:
        if mark == "}":
            raise MalformedAnswer("not JSON")
        if self._count or "".join(self._element).strip():
            self._complete(done)
        self._element.clear()
        self._array_depth = None

    def _complete(self, done: list[object]) -> None:
        text = "".join(self._element)
        self._element.clear()
        self._size = 0
        done.append(_decoded(text))
        self._count += 1

    def _keep(self, text: str) -> None:
        kept = self._shell if self._array_depth is None else self._element
        kept.append(text)
        self._size += len(text)
        if self._size > _LONGEST:
            raise MalformedAnswer("a JSON value that is too long")


def _decoded(text: str) -> object:
    try:
        return msgspec.json.decode(text)
    except ValueError:
        raise MalformedAnswer("not JSON") from None
    except RecursionError:
        raise MalformedAnswer("JSON nested too deeply") from None
