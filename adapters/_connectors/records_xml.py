"""The ``<Data><Object>`` format of connectors, read while it comes and written.

    <Data><Object Type="Equipment" Action="Update"><Property Name="Id" Value="00001"/></Object></Data>

A ``Property`` without ``Value`` is null, ``Value=""`` the empty string. Objects nest. What is read comes
from outside: a document type of any kind, and with it every entity of one's own, is refused where it
begins; elements may be 32 deep; nothing is kept but objects, and of these only the one that is open. What
is written holds no character that XML 1.0 lacks: :func:`not_xml` finds those beforehand.

There are two ways through a document, and they find the same. Objects of the top level that are written
plainly, as nearly all of an export are, are taken by a pattern that admits nothing else: no reference, no
object in an object, no character that XML lacks or a reader would change. All the rest is expat's, at three
times the cost; it never sees what was taken out between two of the things that it does see.
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

_MOST_NESTED = 100_000
"""The most objects within one of the top level: each takes some two hundred times the memory of its text."""

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

_PLAIN = r'[^"&<\x00-\x1f\ud800-\udfff\ufffe\uffff]*+'
_PLAIN_OBJECT = re.compile(
    rf'[ \t\r\n]*+<Object Type="({_PLAIN})"(?: Action="({_PLAIN})")?+>'
    rf'((?:[ \t\r\n]*+<Property Name="{_PLAIN}"(?: Value="{_PLAIN}")?+ ?+/>)*+)[ \t\r\n]*+</Object>'
)
_PLAIN_PROPERTY = re.compile(r'Name="([^"]*+)"(?: Value="([^"]*+)"| ?+(/))')
_END = "</Object>"


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
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.StartCdataSectionHandler = self._enter
        parser.EndCdataSectionHandler = self._leave
        self._parser = parser
        self._depth = 0
        self._open: list[DataObject] = []
        self._opened_at = 0
        self._nested = 0
        self._done: list[DataObject] = []
        self._fed = 0
        self._finished = False
        self._error: MalformedAnswer | None = None

    def feed(self, text: str) -> list[DataObject]:
        """The objects of the top level that this piece completes.

        Raises :class:`~contracts.records.MalformedAnswer` for what is no such document, once all objects
        before it are given.
        """
        return self._found(text if self._fed else text.lstrip(_BEFORE), last=False)

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
        return self._found("", last=True)

    def _found(self, text: str, *, last: bool) -> list[DataObject]:
        if self._error is not None:
            raise self._error
        try:
            self._read(text)
            if last:
                self._parse("", last=True)
        except expat.ExpatError:
            self._error = MalformedAnswer("XML that breaks off" if last else "not XML")
        except MalformedAnswer as error:
            self._error = error
        done, self._done = self._done, []
        if self._error is not None and not done:
            raise self._error
        return done

    def _read(self, text: str) -> None:
        at = 0
        while at < len(text):
            if self._between_objects():
                at = self._take_plain(text, at)
            # To the end of the next object, behind which plain ones may follow; or all that there is.
            end = text.find(_END, at) + len(_END)
            end = len(text) if end < len(_END) else end
            self._parse(text[at:end], last=False)
            at = end

    def _between_objects(self) -> bool:
        """Whether the parser has nothing open but the document's element: no tag, no comment, no section."""
        return self._depth == 1 and self._parser.CurrentByteIndex == self._fed

    def _take_plain(self, text: str, at: int) -> int:
        """Take the objects from ``at`` on that are written plainly; where they end."""
        while (found := _PLAIN_OBJECT.match(text, at)) is not None:
            type, action, properties = found.groups()
            values = {
                name: None if null else value for name, value, null in _PLAIN_PROPERTY.findall(properties)
            }
            self._done.append(DataObject(type, action, values))
            at = found.end()
        return at

    def _parse(self, text: str, *, last: bool) -> None:
        content = text.encode("utf-8", "surrogatepass")
        self._fed += len(content)
        self._parser.Parse(content, last)
        self._check_size()

    def _check_size(self) -> None:
        read = max(self._parser.CurrentByteIndex, 0)
        if self._fed - read > LONGEST_TAG:
            raise MalformedAnswer("XML with a tag that is too long")
        if self._open and self._fed - self._opened_at > LONGEST_OBJECT:
            raise MalformedAnswer("XML with an object that is too large")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise MalformedAnswer("XML nested too deeply")
        if self._depth == 1:
            if name != "Data":
                raise MalformedAnswer("markup, but not the records of a connector")
        elif name == "Property":
            if self._open:
                self._open[-1].properties[attributes.get("Name", "")] = attributes.get("Value")
        elif name == "Object":
            item = DataObject(attributes.get("Type", ""), attributes.get("Action"))
            if self._open:
                self._open[-1].objects.append(item)
                self._nested += 1
                if self._nested > _MOST_NESTED:
                    raise MalformedAnswer("XML with too many objects within one")
            else:
                self._nested = 0
                self._opened_at = self._parser.CurrentByteIndex
            self._open.append(item)

    def _enter(self) -> None:
        self._depth += 1

    def _leave(self) -> None:
        self._depth -= 1

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
