"""The formats that an export can answer in, as readers of records, and how a text is read with one."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from adapters._beside import turn
from adapters._connectors.records_csv import CsvRecords
from adapters._connectors.records_json import JsonRecords
from adapters._connectors.records_xml import DataObject, DataReader
from contracts.operations import Format
from contracts.records import MalformedAnswer

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
R = TypeVar("R")

AT_ONCE = 64 * 1024
"""The most characters that are read in one go, while the event loop stands still: 2 to 15 ms."""


class Reader(Protocol[T_co]):
    """Reads a document piece by piece.

    ``finish`` is called until it gives nothing more. Both raise
    :class:`~contracts.records.MalformedAnswer`, once all that came before the fault is given.
    """

    def feed(self, text: str) -> Sequence[T_co]: ...

    def finish(self) -> Sequence[T_co]: ...


class XmlRecords:
    """Objects as flat records; those nested in one are under ``objects``, as an import would take them."""

    def __init__(self) -> None:
        self._reader = DataReader()

    def feed(self, text: str) -> list[dict[str, object]]:
        return [_flat(item) for item in self._reader.feed(text)]

    def finish(self) -> list[dict[str, object]]:
        return [_flat(item) for item in self._reader.finish()]


class AnyRecords:
    """Tells the format by how the text begins: markup, a JSON array or object, else CSV."""

    def __init__(self) -> None:
        self._reader: Reader[dict[str, object]] | None = None

    def feed(self, text: str) -> Sequence[dict[str, object]]:
        if self._reader is None:
            text = text.lstrip("\ufeff \t\r\n")
            if not text:
                return []
            self._reader = _by_first(text[0])
        return self._reader.feed(text)

    def finish(self) -> Sequence[dict[str, object]]:
        if self._reader is None:
            raise MalformedAnswer("empty")
        return self._reader.finish()


def _by_first(character: str) -> Reader[dict[str, object]]:
    if character == "<":
        return XmlRecords()
    return JsonRecords() if character in "[{" else CsvRecords(doubtful=True)


_READERS: Mapping[Format | None, Callable[[], Reader[dict[str, object]]]] = {
    "xml": XmlRecords,
    "csv": CsvRecords,
    "json": JsonRecords,
    None: AnyRecords,
}


def record_reader(format: Format | None) -> Reader[dict[str, object]]:
    """What reads an export's records, values by column."""
    return _READERS[format]()


async def read(
    reader: Reader[T], pieces: AsyncIterable[str], make: Callable[[Sequence[T]], list[R]]
) -> AsyncGenerator[list[R], None]:
    """What ``make`` makes of what a reader finds in a text, as it comes; other calls have their turn in between.

    Raises :class:`~contracts.records.MalformedAnswer`, after all that came before the fault.
    """
    async for text in pieces:
        for begin in range(0, len(text), AT_ONCE):
            if done := make(reader.feed(text[begin : begin + AT_ONCE])):
                yield done
            await turn()
    while rest := make(reader.finish()):
        yield rest


def _flat(item: DataObject) -> dict[str, object]:
    flat: dict[str, object] = dict(item.properties)
    if item.objects:
        flat["objects"] = [_nested(inner) for inner in item.objects]
    return flat


def _nested(item: DataObject) -> dict[str, object]:
    nested: dict[str, object] = {"type": item.type, "properties": item.properties}
    if item.objects:
        nested["objects"] = [_nested(inner) for inner in item.objects]
    return nested
