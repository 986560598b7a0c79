"""An export of 100,000 records takes no more memory than one of a few."""

from __future__ import annotations

from collections.abc import Iterator

import psutil
import pytest

from adapters._connectors.columns import Tables
from adapters._connectors.formats import record_reader
from contracts.operations import Format
from tests.unit.adapters.connectors.rig import SCHEMA, ZONE

RECORDS = 100_000
PER_PIECE = 500
LINES: dict[Format, tuple[str, str, str]] = {
    "xml": (
        '<?xml version="1.0" encoding="utf-16"?><Data>',
        '<Object Type="Equipment"><Property Name="Id" Value="{0:06}"/><Property Name="Status" Value="2"/>'
        '<Property Name="Department.Id" Value="01"/></Object>\r\n',
        "</Data>",
    ),
    "csv": ("Id;Status;Department.Id\r\n", "{0:06};2;01\r\n", ""),
    "json": ("[", '{{"Id": "{0:06}", "Status": 2, "Department.Id": "01"}},\n', '{"Id": "last"}]'),
}


def pieces(format: Format) -> Iterator[str]:
    head, line, foot = LINES[format]
    yield head
    for begin in range(0, RECORDS, PER_PIECE):
        yield "".join(line.format(number) for number in range(begin, begin + PER_PIECE))
    yield foot


@pytest.mark.parametrize("format", ["xml", "csv", "json"])
def test_memory_stays_flat(format: Format) -> None:
    tables, entity = Tables(SCHEMA, ZONE), SCHEMA.entity("Equipment")
    reader = record_reader(format)
    process, count, least, most = psutil.Process(), 0, 0, 0
    for number, piece in enumerate(pieces(format)):
        count += len([tables.record(entity, flat) for flat in reader.feed(piece)])
        if number % 20 == 10:
            held = process.memory_info().rss
            least, most = least or held, max(most, held)
    count += len(reader.finish())
    assert count == RECORDS + (format == "json")
    assert most - least < 10_000_000
