"""Exports in CSV and JSON, and the telling of formats apart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters._connectors import records_csv
from adapters._connectors.formats import AT_ONCE, record_reader
from adapters._connectors.formats import read as read_all
from adapters._connectors.records_csv import CsvRecords
from contracts.operations import Format
from contracts.records import MalformedAnswer
from tests.unit.adapters.connectors.rig import cut, fed

SIZES = st.lists(st.integers(0, 9), max_size=30)
FIELD = st.none() | st.text(st.sampled_from('ab";,\t\r\n é'), max_size=6)


def read(pieces: list[str], format: Format | None = "csv") -> list[dict[str, object]]:
    return fed(record_reader(format), pieces)


def quoted(field: str | None) -> str:
    return "" if field is None else '"' + field.replace('"', '""') + '"'


@given(
    st.lists(st.tuples(FIELD, FIELD, FIELD), max_size=5),
    st.sampled_from(";,\t"),
    st.sampled_from(["\r\n", "\n"]),
    st.booleans(),
    SIZES,
)
def test_any_fields_come_out_as_they_are_however_the_text_is_cut(
    rows: list[tuple[str | None, ...]], separator: str, end: str, ended: bool, sizes: list[int]
) -> None:
    lines = [separator.join(("Id", '"Department.Id"', "C"))]
    lines += [separator.join(map(quoted, row)) for row in rows]
    text = end.join(lines) + (end if ended else "")
    wanted = [dict(zip(("Id", "Department.Id", "C"), row, strict=True)) for row in rows]
    assert read(cut(text, sizes)) == wanted


def test_null_and_the_empty_string_differ_and_spaces_count() -> None:
    assert read(['A;B;C\r\n;"";\r\n x ;"a""b";"c;\r\nd"\r\n']) == [
        {"A": None, "B": "", "C": None},
        {"A": " x ", "B": 'a"b', "C": "c;\r\nd"},
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html>",
        " <!DOCTYPE html>",
        "A;B\r\n1\r\n",
        "A;B\r\n1;2;3\r\n",
        'A;B\r\n"1;2',
        'A;B\r\n"1"x;2',
        'A;B\r\n1x"y";2',
        "A;a\r\n1;2",
        "A;;B\r\n",
    ],
)
def test_what_is_no_csv_is_told(text: str) -> None:
    for pieces in ([text], list(text)):
        with pytest.raises(MalformedAnswer) as told:
            read(pieces)
        assert len(str(told.value)) < 80


def test_a_line_that_never_ends_is_refused() -> None:
    reader = CsvRecords()
    with pytest.raises(MalformedAnswer, match="too long"):
        fed(reader, ['"' + "x" * 1_000_000] * (records_csv.LONGEST_LINE // 1_000_000 + 2))


@pytest.mark.parametrize(
    "text", ['[{"A": 1}, {"A": null}]', '{"Rows": [{"A": 1}, {"A": null}]}', '\ufeff [{"A":1},{"A":null}]']
)
@pytest.mark.parametrize("format", ["json", None])
def test_json_is_read_as_an_array_or_an_object_with_one(text: str, format: Format | None) -> None:
    for pieces in ([text], list(text)):
        assert read(pieces, format) == [{"A": 1}, {"A": None}]


@pytest.mark.parametrize("text", ["", "[1]", '[{"A":1}, "x"]', "{}", "<html/>", "[{"])
def test_what_is_no_json_of_records_is_told(text: str) -> None:
    with pytest.raises(MalformedAnswer):
        read([text], "json")


def test_the_answer_tells_its_format() -> None:
    assert read(['\ufeff <Data><Object Type="E"><Property Name="A" Value="1"/></Object></Data>'], None) == [
        {"A": "1"}
    ]
    assert read(["A;B\r\n1;2"], None) == [{"A": "1", "B": "2"}]
    for sentence in ("An error has occurred.\r\n", "Sorry, no\r\n", "Id\r\n1\r\n"):
        with pytest.raises(MalformedAnswer, match="neither"):
            read([sentence], None)
    for nothing in ("", " \r\n"):
        with pytest.raises(MalformedAnswer, match="empty"):
            read([nothing], None)


def test_nested_objects_of_an_export_stand_under_their_parent() -> None:
    child = '<Object Type="B"><Property Name="Id.Id"/></Object>'
    text = f'<Data><Object Type="A"><Property Name="Id" Value="1"/>{child}</Object></Data>'
    assert read([text], "xml") == [{"Id": "1", "objects": [{"type": "B", "properties": {"Id.Id": None}}]}]


async def test_other_calls_have_their_turn_while_a_large_piece_is_read() -> None:
    line = '"{0}";x\r\n'
    rows = [{"Id": str(number), "Name": "x"} for number in range(20_000)]
    text = "Id;Name\r\n" + "".join(map(line.format, range(20_000))).removesuffix("\r\n")
    assert len(text) > 2 * AT_ONCE
    turns = 0
    turns_of: list[int] = []

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def pieces() -> AsyncIterator[str]:
        yield text[:10]
        yield text[10:]

    def make(records: Sequence[dict[str, object]]) -> list[dict[str, object]]:
        turns_of.append(turns)
        return [*records]

    other = asyncio.create_task(others())
    found = [item async for piece in read_all(CsvRecords(), pieces(), make) for item in piece]
    other.cancel()
    assert found == rows
    assert len(set(turns_of)) >= len(text) // AT_ONCE
