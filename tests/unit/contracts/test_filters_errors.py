"""The filter language: what is refused, at which position, and what is said of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import InvalidFilter
from contracts.filters import (
    parse_filter,
    print_filter,
)
from contracts.filters.parser import MAX_DEPTH, MAX_LENGTH, OPERAND, OPERATOR, VALUE

ERRORS = [
    ("", 0, OPERAND, "empty"),
    ("   ", 3, OPERAND, "empty"),
    ("Status", 6, OPERATOR, "too early"),
    ("Status eq", 9, VALUE, "too early"),
    ("Status eq 1 and", 15, OPERAND, "too early"),
    ("not", 3, OPERAND, "too early"),
    ("Status = 1", 7, OPERATOR, "write 'eq'"),
    ("Status == 1", 7, OPERATOR, "write 'eq'"),
    ("Status!=1", 6, OPERATOR, "write 'ne'"),
    ("Status <> 1", 7, OPERATOR, "write 'ne'"),
    ("Status >= 1", 7, OPERATOR, "write 'ge'"),
    ("Status<1", 6, OPERATOR, "write 'lt'"),
    ("!(A eq 1)", 0, OPERAND, "write 'not'"),
    ("A eq 1 && B eq 1", 7, "'and', 'or' or the end of the filter", "write 'and'"),
    ("A eq 1 || B eq 1", 7, "'and', 'or' or the end of the filter", "write 'or'"),
    ("A eq 1 B eq 1", 7, "'and', 'or' or the end of the filter", "connects 'B'"),
    ("(A eq 1) B eq 1", 9, "'and', 'or' or the end of the filter", "connects 'B'"),
    ('Description eq "x"', 15, VALUE, "single quotes"),
    ("Description eq Heavy lift", 15, VALUE, "'Heavy' is no value; a text stands in single quotes"),
    ("Description eq 12abc", 15, VALUE, "single quotes"),
    ("Description eq 'x", 15, "a closing quote", "never closed"),
    ("Description eq 'x''", 15, "a closing quote", "never closed"),
    ("Description eq 'a''b", 15, "a closing quote", "never closed"),
    ("Name eq 'O'Brien'", 11, "'and', 'or' or the end of the filter", "'O''Brien'"),
    ("(A eq 1", 7, "'and', 'or' or a ')' for the '(' at position 0", "too early"),
    ("A eq 1 or (B eq 1 or (C eq 1)", 29, "'and', 'or' or a ')' for the '(' at position 10", "too early"),
    ("A eq 1)", 6, "'and', 'or' or the end of the filter", "closes nothing"),
    ("()", 1, OPERAND, "')' does not fit here"),
    ("$filter=A eq 1", 0, OPERAND, "without '$filter='"),
    ("filter=A eq 1", 6, OPERATOR, "without '$filter='"),
    ("contains(Name,'x')", 8, OPERATOR, "functions are not known"),
    ("A not in (1)", 2, OPERATOR, "before the whole comparison"),
    ("A is null", 2, OPERATOR, "'is' does not fit here"),
    ("1 eq A", 0, OPERAND, "begins with its property"),
    ("and A eq 1", 0, OPERAND, "'and' does not fit here"),
    ("A eq and", 5, VALUE, "'and' does not fit here"),
    ("A/ eq 1", 0, OPERAND, "'A/' does not fit here"),
    ("A gt null", 2, "eq or ne before null", "no order"),
    ("A like null", 2, "eq or ne before null", "no likeness"),
    ("A like 5", 7, "a text in single quotes, with % for any characters and _ for one", "only texts"),
    ("A in 1", 5, "a list of values in parentheses: in ('a', 'b')", "'1' does not fit"),
    ("A in ()", 6, VALUE, "')' does not fit"),
    ("A in (1", 7, "',' or ')'", "too early"),
    ("A in (1,", 8, VALUE, "too early"),
    ("A in (1 2)", 8, "',' or ')'", "'2' does not fit"),
    ("A in (x)", 6, VALUE, "single quotes"),
    ("A in (1,null)", 8, "a value", "eq null"),
    ("D gt 2018-02-30", 5, VALUE, "there is no such date: 2018-02-30"),
    ("D gt 2018-03-09T25:00", 5, VALUE, "there is no such date-time"),
    ("D gt 2018-03-09T15:33+99:00", 5, VALUE, "there is no such date-time"),
    ("D gt 24:61", 5, VALUE, "there is no such time"),
    ("D gt 2018-3-9", 5, VALUE, "is no value"),
    ("D gt 2018-03-09 15:33", 16, "'and', 'or' or the end of the filter", "a 'T' stands between"),
    ("D gt 2018-03-09T15:33 01:00", 22, "'and', 'or' or the end of the filter", "%2B"),
    ("N eq " + "9" * 39, 5, VALUE, "at most 38 digits"),
    ("N eq +1", 5, VALUE, "is no value"),
    ("N eq 1e5", 5, VALUE, "is no value"),
    ("N eq .5", 5, VALUE, "is no value"),
    ("N eq ٣", 5, VALUE, "is no value"),
    ("A eq 1" + " " * MAX_LENGTH, MAX_LENGTH, f"at most {MAX_LENGTH}", "characters"),
]


@pytest.mark.parametrize(("text", "position", "expected", "hint"), ERRORS)
def test_an_error_says_where_and_what(text: str, position: int, expected: str, hint: str) -> None:
    with pytest.raises(InvalidFilter) as caught:
        parse_filter(text)
    assert (caught.value.position, caught.value.expected) == (position, expected)
    assert hint in caught.value.detail


def test_a_long_word_is_shown_in_part() -> None:
    with pytest.raises(InvalidFilter) as caught:
        parse_filter("A eq " + "x" * 5000)
    assert len(caught.value.detail) < 300


@pytest.mark.parametrize(
    ("opening", "position"), [("(", 64), ("not ", 256), ("not(", 256), ("A eq 1 or (", 714)]
)
def test_nesting_has_a_limit(opening: str, position: int) -> None:
    closing = ")" if "(" in opening else ""
    deepest = opening * MAX_DEPTH + "A eq 1" + closing * MAX_DEPTH
    assert parse_filter(print_filter(parse_filter(deepest))) == parse_filter(deepest)
    with pytest.raises(InvalidFilter) as caught:
        parse_filter(opening + deepest + closing)
    assert f"at most {MAX_DEPTH} levels" in caught.value.expected
    assert caught.value.position == position


@pytest.mark.parametrize("piece", ["(", "not ", "'", "''", "A eq 1 and ", ")", "A in (", "/", '"', "="])
def test_long_nonsense_is_refused_quickly(piece: str) -> None:
    with pytest.raises(InvalidFilter):
        parse_filter((piece * MAX_LENGTH)[:MAX_LENGTH])


words = [
    "and",
    "or",
    "not",
    "in",
    "eq",
    "like",
    "(",
    ")",
    ",",
    "'",
    "'a'",
    "A",
    "B/C",
    "1",
    "null",
    "2018-03-09",
    "=",
    '"',
]


@given(st.text(max_size=60) | st.lists(st.sampled_from(words), max_size=12).map(" ".join))
def test_anything_is_read_or_refused_with_a_position(text: str) -> None:
    try:
        tree = parse_filter(text)
    except InvalidFilter as error:
        position, expected = error.position, error.expected
    else:
        assert parse_filter(print_filter(tree)) == tree
        return
    assert 0 <= position <= len(text)
    assert expected
