"""The ``<Data><Object>`` format of connectors, read while it comes and written.

    <Data><Object Type="Equipment" Action="Update"><Property Name="Id" Value="00001"/></Object></Data>

A ``Property`` without ``Value`` is null, ``Value=""`` the empty string. Objects nest. What is read comes
from outside: a document type of any kind, and with it every entity of one's own, is refused where it
begins; elements may be 32 deep; nothing is kept but objects, and of these only the one that is open. What
is written holds no character that XML 1.0 lacks: :func:`not_xml` finds those beforehand.
Sources: vendor pages "HTTP POST"; XML 1.0 §2.2, §2.4, §3.3.3.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from xml.parsers import expat

import msgspec

from contracts.records import MalformedAnswer

DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'

LONGEST_TAG = 16 * 1024 * 1024
"""The most bytes of one tag, which cannot be read before it ends."""

LONGEST_OBJECT = 64 * 1024 * 1024
"""The most bytes of one object of the top level, those nested in it included."""

_DEEPEST = 32
_BEFORE = "\ufeff \t\r\n"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPED = (
    ("&", "&amp;"),
    ("<", "&lt;"),
    (">", "&gt;"),
    ('"', "&quot;"),
    ("\t", "&#x9;"),
    ("\n", "&#xA;"),
    ("\r", "&#xD;"),
)
"""What a reader would take for markup, or for a space (XML 1.0 §2.11, §3.3.3); the ampersand first."""


class DataObject(msgspec.Struct):
    """One object: texts by property, None for null; ``evaluated`` are those whose text refers to the parent."""

    type: str
    action: str | None = None
    properties: dict[str, str | None] = {}
    objects: list[DataObject] = []
    evaluated: frozenset[str] = frozenset()


class DataReader:
    """Reads a document, piece by piece."""

    def __init__(self) -> None:
        # The encoding given here stands above the one that the document declares: it is a text already.
        parser = expat.ParserCreate("utf-8")
        parser.ordered_attributes = True
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        self._parser = parser
        self._depth = 0
        self._open: list[DataObject] = []
        self._opened_at = 0
        self._done: list[DataObject] = []
        self._fed = 0
        self._finished = False
        self._error: MalformedAnswer | None = None

    def feed(self, text: str) -> list[DataObject]:
        """The objects of the top level that this piece completes.

        Raises :class:`~contracts.records.MalformedAnswer` for what is no such document, once all objects
        before it are given.
        """
        if not self._fed:
            text = text.lstrip(_BEFORE)
        return self._parsed(text.encode("utf-8", "surrogatepass"), last=False)

    def finish(self) -> list[DataObject]:
        """The document has ended: what was held back, and nothing when it is called again.

        Raises :class:`~contracts.records.MalformedAnswer` when the document is not complete, once all objects
        before the end are given.
        """
        if self._error is not None:
            raise self._error
        if not self._fed:
            raise MalformedAnswer("empty")
        if self._finished:
            return []
        self._finished = True
        return self._parsed(b"", last=True)

    def _parsed(self, data: bytes, *, last: bool) -> list[DataObject]:
        if self._error is not None:
            raise self._error
        self._fed += len(data)
        try:
            self._parser.Parse(data, last)
            self._check_size()
        except expat.ExpatError:
            reason = "XML that breaks off" if last else "not XML"
            self._error = MalformedAnswer(reason)
        except MalformedAnswer as error:
            self._error = error
        done, self._done = self._done, []
        if self._error is not None and not done:
            raise self._error
        return done

    def _check_size(self) -> None:
        read = max(self._parser.CurrentByteIndex, 0)
        if self._fed - read > LONGEST_TAG:
            raise MalformedAnswer("XML with a tag that is too long")
        if self._open and self._fed - self._opened_at > LONGEST_OBJECT:
            raise MalformedAnswer("XML with an object that is too large")

    def _start(self, name: str, attributes: list[str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise MalformedAnswer("XML nested too deeply")
        if self._depth == 1:
            if name != "Data":
                raise MalformedAnswer("markup, but not the records of a connector")
        elif name == "Property":
            if self._open:
                given = dict(zip(attributes[::2], attributes[1::2], strict=True))
                self._open[-1].properties[given.get("Name", "")] = given.get("Value")
        elif name == "Object":
            given = dict(zip(attributes[::2], attributes[1::2], strict=True))
            item = DataObject(given.get("Type", ""), given.get("Action"))
            if self._open:
                self._open[-1].objects.append(item)
            else:
                self._opened_at = self._parser.CurrentByteIndex
            self._open.append(item)

    def _end(self, name: str) -> None:
        self._depth -= 1
        if name == "Object" and self._open:
            item = self._open.pop()
            if not self._open:
                self._done.append(item)


def data_document(objects: Iterable[DataObject]) -> str:
    """The document that holds these objects."""
    return f"{DECLARATION}<Data>{''.join(map(object_text, objects))}</Data>"


def filter_document(values: Mapping[str, str]) -> str:
    """The document that narrows an export to the records that have these values, by column."""
    properties = "".join(_property(name, value) for name, value in values.items())
    return f"{DECLARATION}<Data><RequestInfo>{properties}</RequestInfo></Data>"


def object_text(item: DataObject) -> str:
    """One object as it stands in a document."""
    action = "" if item.action is None else f' Action="{escaped(item.action)}"'
    properties = (
        _property(name, value, evaluated=name in item.evaluated) for name, value in item.properties.items()
    )
    inner = "".join((*properties, *map(object_text, item.objects)))
    return f'<Object Type="{escaped(item.type)}"{action}>{inner}</Object>'


def escaped(text: str) -> str:
    """A text as it stands in an attribute or an element, so that a reader gets it back to the character.

    Raises ValueError for what XML cannot hold.
    """
    if not_xml(text):
        raise ValueError("a character that XML cannot hold")
    for character, reference in _ESCAPED:
        text = text.replace(character, reference)
    return text


def not_xml(text: str) -> str | None:
    """Which character of a text XML 1.0 cannot hold, in a sentence; None when it can hold all."""
    found = _NOT_XML.search(text)
    return None if found is None else f"the character U+{ord(found[0]):04X} cannot be sent in XML"


def _property(name: str, value: str | None, *, evaluated: bool = False) -> str:
    held = "" if value is None else f' Value="{escaped(value)}"'
    evaluate = ' Evaluate="true"' if evaluated else ""
    return f'<Property Name="{escaped(name)}"{held}{evaluate}/>'


def _refuse_doctype(*_: object) -> None:
    raise MalformedAnswer("XML with a document type, which is not read")
