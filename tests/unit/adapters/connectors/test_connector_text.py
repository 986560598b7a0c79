"""Bytes to text: no declaration corrupts, no guess is made."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters._connectors.text import TextDecoder
from contracts.records import MalformedAnswer

DECLARED = '<?xml version="1.0" encoding="{}"?><Data>é€😀</Data>'


def decoded(content: bytes, kind: str = "", sizes: int = 0) -> str:
    decoder = TextDecoder(kind)
    step = sizes or len(content) or 1
    pieces = [decoder.feed(content[begin : begin + step]) for begin in range(0, len(content), step)]
    return "".join([*pieces, decoder.finish()])


@pytest.mark.parametrize("sizes", [0, 1, 2, 3, 5])
@pytest.mark.parametrize(
    "declared", ["utf-16", "utf-8", "utf-7", "windows-1252", "iso-8859-1", "utf-32", "klingon"]
)
@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (b"", "utf-16-le"),
        (b"", "utf-16-be"),
    ],
)
def test_the_bytes_tell_whatever_is_declared(mark: bytes, encoding: str, declared: str, sizes: int) -> None:
    text = DECLARED.format(declared)
    for kind in ("", "text/xml; charset=utf-16", f'text/xml; charset="{declared}"'):
        assert decoded(mark + text.encode(encoding), kind, sizes) == text


@pytest.mark.parametrize("sizes", [0, 1, 7])
def test_a_declared_encoding_of_one_byte_a_character_is_followed(sizes: int) -> None:
    text = '<?xml version="1.0" encoding="windows-1252"?><Data>café €5</Data>'
    assert decoded(text.encode("cp1252"), "", sizes) == text
    assert (
        decoded("Name\r\ncafé".encode("latin-1") + b"s", "text/csv; charset=ISO-8859-1", sizes)
        == "Name\r\ncafés"
    )


@pytest.mark.parametrize(
    "content",
    [
        b"<Data>caf\xe9 undeclared</Data>",
        "<Data>é</Data>".encode() + b"\xff",
        b"<Data>\xc3",
        b"<Data>a\0b</Data>",
        codecs.BOM_UTF16_LE + b"<",
        codecs.BOM_UTF32_LE + "<Data/>".encode("utf-32-le"),
        b"\0\0\0<\0\0\0D",
    ],
)
@pytest.mark.parametrize("sizes", [0, 1])
def test_what_cannot_be_read_is_an_error(content: bytes, sizes: int) -> None:
    with pytest.raises(MalformedAnswer):
        decoded(content, "", sizes)


@given(st.text().filter(lambda text: "\0" not in text), st.integers(1, 9))
def test_utf_8_comes_out_as_it_is_however_it_is_cut(text: str, sizes: int) -> None:
    # A text of these protocols begins in ASCII.
    assert decoded(("<abc>" + text).encode(), "text/xml; charset=utf-16", sizes) == "<abc>" + text


def test_nothing_is_the_empty_text() -> None:
    assert decoded(b"") == ""
