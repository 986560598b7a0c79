"""The comma lists of orderby, select and expand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import InvalidRequest
from contracts.filters import parse_orderby, parse_properties, print_orderby, print_properties
from contracts.filters.lists import MAX_LENGTH

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,6}", fullmatch=True)
paths = st.lists(names, min_size=1, max_size=3).map(tuple)


def test_an_order_is_read() -> None:
    expected = ((("Description",), True), (("Vendor", "Name"), False), (("Id",), False))
    assert parse_orderby(" Description  DESC ,Vendor/Name asc,Id") == expected
    assert print_orderby(expected) == "Description desc,Vendor/Name,Id"


def test_properties_are_read() -> None:
    assert parse_properties("Description, Vendor/Name", "select") == (("Description",), ("Vendor", "Name"))
    assert parse_properties("A/B/C", "expand") == (("A", "B", "C"),)
    assert parse_properties("A/B/C/D", "select") == (("A", "B", "C", "D"),)


@pytest.mark.parametrize(
    ("text", "position", "hint"),
    [
        ("", 0, "missing"),
        ("  ", 0, "missing"),
        ("Id,", 3, "missing"),
        (",Id", 0, "missing"),
        ("Id,,Code", 3, "missing"),
        ("Id, Vendor/", 4, "'Vendor/' is no property"),
        ("Id,'Code'", 3, "is no property"),
        ("-Id", 0, "is no property"),
        ("Id down", 3, "expected asc, desc"),
        ("Code,Id desc nulls", 13, "'nulls' does not fit"),
        ("A" * (MAX_LENGTH + 1), MAX_LENGTH, "characters"),
    ],
)
def test_a_bad_order_is_refused_with_the_position(text: str, position: int, hint: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_orderby(text)
    assert f"orderby, at position {position}: " in caught.value.detail
    assert hint in caught.value.detail
    assert [fault.pointer for fault in caught.value.faults] == ["orderby"]


@pytest.mark.parametrize("parameter", ["select", "expand"])
@pytest.mark.parametrize(
    ("text", "position"),
    [("Id,*", 3), ("Id Code", 3), ("Id desc", 3), ("", 0), ("A//B", 0), ("Vendor($select=Id)", 0)],
)
def test_a_bad_list_of_properties_is_refused_with_the_position(
    parameter: str, text: str, position: int
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_properties(text, parameter)
    assert f"{parameter}, at position {position}: " in caught.value.detail
    assert [fault.pointer for fault in caught.value.faults] == [parameter]


@given(st.lists(st.tuples(paths, st.booleans()), min_size=1, max_size=5).map(tuple))
def test_a_printed_order_is_read_back(terms: tuple[tuple[tuple[str, ...], bool], ...]) -> None:
    assert parse_orderby(print_orderby(terms)) == terms


@given(st.lists(paths, min_size=1, max_size=5).map(tuple), st.sampled_from(["select", "expand"]))
def test_printed_properties_are_read_back(found: tuple[tuple[str, ...], ...], parameter: str) -> None:
    assert parse_properties(print_properties(found), parameter) == found


@given(st.text(max_size=30) | st.text("AB/, desc", max_size=20))
def test_anything_is_read_or_refused(text: str) -> None:
    try:
        terms = parse_orderby(text)
    except InvalidRequest:
        return
    assert parse_orderby(print_orderby(terms)) == terms
