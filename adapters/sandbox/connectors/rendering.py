"""Records as the text of an export, piece by piece: XML, CSV and JSON."""

import re
from collections.abc import Iterable, Iterator

import msgspec

from adapters.sandbox.connectors.columns import Column
from adapters.sandbox.connectors.definitions import ExportConnector
from adapters.sandbox.model import Record

DECLARATION = '<?xml version="1.0" encoding="utf-16"?>'
"""What every answer in XML declares, whatever its bytes are."""
_PIECE = 64 * 1024
_SPECIAL = re.compile(r'[&<>"\x00-\x1f\ufffe\uffff]')
_NAMED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}


def render(connector: ExportConnector, columns: list[Column], records: Iterable[Record]) -> Iterator[str]:
    """The text of an export, in pieces of some ten kilobytes that end between records."""
    match connector.format:
        case "csv":
            return _gathered(_csv(columns, records, connector.separator))
        case "json":
            return _gathered(_json(columns, records, connector.wrapper))
    return _gathered(_xml(connector.entity, columns, records))


def _gathered(lines: Iterator[str]) -> Iterator[str]:
    held: list[str] = []
    size = 0
    for line in lines:
        held.append(line)
        size += len(line)
        if size >= _PIECE:
            yield "".join(held)
            held, size = [], 0
    yield "".join(held)


def escaped(text: str) -> str:
    """``text`` as it stands in an attribute or an element.

    Line ends and tabs are written as references, so that they survive. Characters that XML cannot hold
    are too, as .NET writes them, which makes the document one that parsers refuse.
    """
    return _SPECIAL.sub(_reference, text) if _SPECIAL.search(text) else text


def _reference(match: re.Match[str]) -> str:
    character = match.group()
    return _NAMED.get(character) or f"&#x{ord(character):X};"


def _xml(entity: str, columns: list[Column], records: Iterable[Record]) -> Iterator[str]:
    yield f"{DECLARATION}\r\n<Data>\r\n"
    cells = [(f'<Property Name="{column.name}"', column.text) for column in columns]
    for record in records:
        parts = [f'<Object Type="{entity}">']
        for opening, text in cells:
            value = text(record)
            parts.append(f"{opening} />" if value is None else f'{opening} Value="{escaped(value)}" />')
        parts.append("</Object>\r\n")
        yield "".join(parts)
    yield "</Data>"


def _csv(columns: list[Column], records: Iterable[Record], separator: str) -> Iterator[str]:
    yield separator.join(column.name for column in columns) + "\r\n"
    special = re.compile(f'["\r\n{separator}]')
    for record in records:
        yield separator.join(_field(column.text(record), special) for column in columns) + "\r\n"


def _field(text: str | None, special: re.Pattern[str]) -> str:
    """A field of CSV: null is empty, the empty text is quoted."""
    if text is None:
        return ""
    return '"' + text.replace('"', '""') + '"' if not text or special.search(text) else text


def _json(columns: list[Column], records: Iterable[Record], wrapper: str | None) -> Iterator[str]:
    encoder = msgspec.json.Encoder(decimal_format="number")
    yield "[" if wrapper is None else f"{{{encoder.encode(wrapper).decode()}:["
    first = True
    for record in records:
        text = encoder.encode({column.name: column.get(record) for column in columns}).decode()
        yield text if first else f",\r\n{text}"
        first = False
    yield "]" if wrapper is None else "]}"
