"""Laws that evaluation and ordering keep on any record: total, and in agreement with themselves."""

import re
from datetime import datetime, timedelta, timezone
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from contracts.filters import (
    Comparison,
    Literal,
    Membership,
    Not,
    Operator,
    matches,
    ordering_key,
    parse_filter,
)


def holds(text: str, record: dict[str, object]) -> bool:
    return matches(parse_filter(text), record)


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(
        [
            "2018-03-09",
            "2018-03-09T15:33:51Z",
            "16:33",
            "12",
            "-1.5",
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59Z",
        ]
    )
)
json_values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["Id", "A", "b"]), inner, max_size=2)
    ),
    max_leaves=5,
)
records = st.dictionaries(st.sampled_from(["Id", "A", "a", "B"]), json_values, max_size=3)
literals = st.builds(
    Literal.of,
    st.booleans() | st.integers(-99, 99) | st.text(max_size=4) | st.dates() | st.times() | st.datetimes(),
)
operators = st.sampled_from([operator for operator in Operator if operator is not Operator.LIKE])
paths = st.lists(st.sampled_from(["Id", "A", "B"]), min_size=1, max_size=3).map(tuple)


@given(paths, operators, literals, records)
def test_no_record_makes_it_fail(
    path: tuple[str, ...], operator: Operator, literal: Literal, record: dict[str, object]
) -> None:
    tree = Comparison(path, operator, literal)
    assert matches(Not(tree), record) is not matches(tree, record)


@given(st.lists(records, max_size=5), st.booleans())
def test_any_records_have_an_order(found: list[dict[str, object]], descending: bool) -> None:
    terms = ((("A",), descending), (("B", "Id"), not descending))
    ordered = sorted(found, key=lambda record: ordering_key(record, terms))
    keys = [ordering_key(record, terms) for record in ordered]
    assert all(not after < before for before, after in pairwise(keys))


@given(literals, records)
def test_the_operators_agree_with_each_other(literal: Literal, record: dict[str, object]) -> None:
    eq, ne, lt, le, gt, ge = (
        matches(Comparison(("A",), Operator(name), literal), record)
        for name in ("eq", "ne", "lt", "le", "gt", "ge")
    )
    assert [lt, eq, gt].count(True) <= 1
    assert le is (lt or eq)
    assert ge is (gt or eq)
    assert ne is not eq


@given(st.lists(literals, min_size=1, max_size=4), records)
def test_a_membership_is_any_of_its_equalities(values: list[Literal], record: dict[str, object]) -> None:
    equal = any(matches(Comparison(("A",), Operator.EQ, value), record) for value in values)
    assert matches(Membership(("A",), tuple(values)), record) is equal


@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False), st.integers(-(10**9), 10**9))
def test_numbers_are_compared_by_value(left: float, right: int) -> None:
    for operator, expected in (("eq", left == right), ("lt", left < right), ("gt", left > right)):
        assert holds(f"X {operator} {right}", {"X": left}) is expected
        assert holds(f"X {operator} {right}.00", {"X": left}) is expected


offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(1900, 1, 2), datetime(2100, 1, 1), timezones=offsets)  # noqa: DTZ001


@given(moments, moments)
def test_times_are_compared_by_instant(left: datetime, right: datetime) -> None:
    for operator, expected in (("eq", left == right), ("lt", left < right), ("ge", left >= right)):
        tree = Comparison(("X",), Operator(operator), Literal.of(right))
        assert matches(tree, {"X": left.isoformat()}) is expected


ascii_text = st.text(st.characters(codec="ascii"), max_size=8)


@given(st.text("ab%_", max_size=8), st.text("abAB", max_size=10))
def test_like_is_what_the_plain_expression_says(pattern: str, text: str) -> None:
    plain = "".join({"%": ".*", "_": "."}.get(character) or re.escape(character) for character in pattern)
    expected = re.fullmatch(plain, text, re.IGNORECASE | re.DOTALL) is not None
    assert matches(Comparison(("X",), Operator.LIKE, Literal.of(pattern)), {"X": text}) is expected


@given(ascii_text.filter(lambda text: not {"%", "_"} & set(text)), ascii_text)
def test_like_without_wildcards_is_equality_in_any_case(pattern: str, text: str) -> None:
    like = matches(Comparison(("X",), Operator.LIKE, Literal.of(pattern)), {"X": text})
    assert like is matches(
        Comparison(("X",), Operator.EQ, Literal.of(pattern)), {"X": text}, ignore_case=True
    )
