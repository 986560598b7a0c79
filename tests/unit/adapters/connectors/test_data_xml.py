"""The Data format: what is written is read again, however it is cut; what is hostile is refused where it begins."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters._connectors import records_xml
from adapters._connectors.records_xml import (
    DataObject,
    DataReader,
    data_document,
    escaped,
    filter_document,
    not_xml,
)
from contracts.records import MalformedAnswer
from tests.unit.adapters.connectors.rig import cut, fed

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20).filter(
    lambda text: not_xml(text) is None
)
NAME = TEXT.filter(bool)
OBJECTS = st.recursive(
    st.builds(DataObject, NAME, st.none() | NAME, st.dictionaries(NAME, st.none() | TEXT, max_size=4)),
    lambda inner: st.builds(
        DataObject,
        NAME,
        st.none() | NAME,
        st.dictionaries(NAME, st.none() | TEXT, max_size=3),
        st.lists(inner, max_size=2),
    ),
    max_leaves=4,
)


def read(pieces: Iterable[str]) -> list[DataObject]:
    return fed(DataReader(), pieces)


@given(st.lists(OBJECTS, max_size=4), st.lists(st.integers(0, 40), max_size=10))
def test_any_objects_are_read_as_they_were_written(objects: list[DataObject], sizes: list[int]) -> None:
    assert read(cut(data_document(objects), sizes)) == objects


PLAIN = '<Object Type="P"><Property Name="N" /><Property Name="E" Value="" /></Object>'
PARTS: dict[str, list[DataObject]] = {
    PLAIN: [DataObject("P", None, {"N": None, "E": ""})],
    ' <Object Type="" Action="Skip">\r\n<Property Name="A" Value="Name=" />\t<Property Name=" Value="/></Object>': [
        DataObject("", "Skip", {"A": "Name=", " Value=": None})
    ],
    '<Object Type="O"></Object>': [DataObject("O")],
    '<Object Type="D"><Property Name="A" Value="1"/><Property Name="A" Value=">2"/></Object>': [
        DataObject("D", None, {"A": ">2"})
    ],
    '<Object Type="R"><Property Name="A" Value="&lt;&#10;"/></Object>': [DataObject("R", None, {"A": "<\n"})],
    '<Object Type="L"><Property Name="A" Value="1\n2"/></Object>': [DataObject("L", None, {"A": "1 2"})],
    "<Object Type='Q'><Property Value='1' Name='A'/></Object>": [DataObject("Q", None, {"A": "1"})],
    f'<Object Type="N">{PLAIN}</Object>': [
        DataObject("N", None, {}, [DataObject("P", None, {"N": None, "E": ""})])
    ],
    f"<!-- {PLAIN}{PLAIN} -->": [],
    f"<![CDATA[ {PLAIN}{PLAIN} ]]>": [],
    f"<?told {PLAIN}{PLAIN} ?>": [],
    f"<Other>{PLAIN}</Other>": [DataObject("P", None, {"N": None, "E": ""})],
    '<Property Name="X" Value="nobody\'s"/>': [],
    "a text ]": [],
}


@given(st.lists(st.sampled_from(sorted(PARTS)), max_size=8), st.lists(st.integers(0, 60), max_size=12))
def test_what_is_plain_is_told_from_what_only_looks_like_it(parts: list[str], sizes: list[int]) -> None:
    document = f"<?xml version='1.0'?><!-- {PLAIN} --><Data>{''.join(parts)}</Data>"
    assert read(cut(document, sizes)) == [item for part in parts for item in PARTS[part]]


@pytest.mark.parametrize("wrong", ["\x01", "\ufffe", "\ud800", "&", "<", "&nbsp;"])
@pytest.mark.parametrize("place", ['Type="P', 'Name="N', 'Value="'])
def test_a_plain_object_is_no_way_around_the_rules_of_xml(place: str, wrong: str) -> None:
    text = PLAIN.replace(place, place + wrong)
    reader = DataReader()
    assert len(reader.feed(f"<Data>{PLAIN}{PLAIN}")) == 2
    with pytest.raises(MalformedAnswer):
        reader.feed(text)


@pytest.mark.parametrize(
    "value",
    ["a\r\nb\tc\n", "]]>", "<![CDATA[x]]>", "&amp;", "&#x0;", "\"'", " x ", "\ufffd\U0001f600\x85\u2028"],
)
def test_values_come_back_to_the_character(value: str) -> None:
    (item,) = read([data_document([DataObject("A", None, {"B": value})])])
    assert item.properties == {"B": value}


def test_null_and_empty_differ() -> None:
    (item,) = read(
        ['<Data><Object Type="A"><Property Name="N"/><Property Name="E" Value=""/></Object></Data>']
    )
    assert item.properties == {"N": None, "E": ""}


@pytest.mark.parametrize("character", ["\0", "\x01", "\x0b", "\x1f", "\ufffe", "\uffff", "\ud800"])
def test_what_xml_cannot_hold_is_found_before_it_is_written(character: str) -> None:
    assert not_xml(f"a{character}b") == f"the character U+{ord(character):04X} cannot be sent in XML"
    with pytest.raises(ValueError, match="cannot hold"):
        escaped(character)


LAUGHS = '<!DOCTYPE Data [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        (" \r\n", "empty"),
        ("no XML at all", "not XML"),
        ("<html><body>oops secret</body></html>", "markup, but not the records of a connector"),
        ("<!DOCTYPE html><html>", "XML with a document type, which is not read"),
        (LAUGHS + "<Data>&b;</Data>", "XML with a document type, which is not read"),
        (
            '<!DOCTYPE Data SYSTEM "http://evil.example/x.dtd"><Data/>',
            "XML with a document type, which is not read",
        ),
        (
            '<!DOCTYPE Data [<!ENTITY x SYSTEM "file:///etc/passwd">]><Data>&x;</Data>',
            "XML with a document type, which is not read",
        ),
        ("<Data>&undeclared;</Data>", "not XML"),
        ("<Data><Object Type='A'>", "XML that breaks off"),
        ("<Data></Data><Data/>", "not XML"),
        ("<Data></Dat>", "not XML"),
        ("<Data>" + "<Object Type='A'>" * 200, "XML nested too deeply"),
        ("<Data>" + "<Property>" * 200, "XML nested too deeply"),
        ("<Data a='1' a='2'/>", "not XML"),
        ("<Data>\x01</Data>", "not XML"),
        ("<Data>&#0;</Data>", "not XML"),
        ("<Date/>", "markup, but not the records of a connector"),
    ],
)
def test_what_is_no_such_document_is_refused_in_words_that_quote_nothing(text: str, reason: str) -> None:
    for pieces in ([text], list(text)):
        with pytest.raises(MalformedAnswer) as told:
            read(pieces)
        assert str(told.value) == reason


def test_objects_before_a_fault_are_given_first() -> None:
    reader = DataReader()
    assert [item.type for item in reader.feed('<Data><Object Type="A"/><Object Type="B"></Oops>')] == ["A"]
    with pytest.raises(MalformedAnswer):
        reader.feed("</Data>")
    with pytest.raises(MalformedAnswer):
        reader.finish()


def test_objects_that_the_parser_held_back_are_given_before_the_end_is_missed() -> None:
    text = '<Data><Object Type="A"/><Object Type="' + "B" * 5_000 + '"/><Object Type="C"/><Obj'
    reader = DataReader()
    found = [item for piece in text for item in reader.feed(piece)]

    def rest_of_it() -> None:
        while rest := reader.finish():
            found.extend(rest)

    with pytest.raises(MalformedAnswer, match="breaks off"):
        rest_of_it()
    assert [item.type[0] for item in found] == ["A", "B", "C"]


def test_a_tag_that_never_ends_is_refused() -> None:
    with pytest.raises(MalformedAnswer, match="tag that is too long"):
        read(['<Data><Object Type="', *["x" * 1_000_000] * 18])


def test_an_object_that_never_ends_is_refused() -> None:
    part = "<Property Name='a' Value='" + "x" * 1_000_000 + "'/>"
    with pytest.raises(MalformedAnswer, match="object that is too large"):
        read(["<Data><Object Type='A'>", *[part] * (records_xml.LONGEST_OBJECT // 1_000_000 + 2)])


def test_a_filter_is_written_as_the_vendor_shows_it() -> None:
    assert filter_document({"Code": 'a"b'}) == (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<Data><RequestInfo><Property Name="Code" Value="a&quot;b"/></RequestInfo></Data>'
    )
