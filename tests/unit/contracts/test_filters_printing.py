"""The filter language: any tree is printed so that it is read back, with no parenthesis too many."""

from datetime import UTC, date, time, timedelta, timezone
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from contracts.filters import (
    And,
    Comparison,
    Filter,
    Literal,
    Membership,
    Not,
    Operator,
    Or,
    parse_filter,
    print_filter,
    properties,
)

literal_values = (
    st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=4)
    | st.text(max_size=12)
    | st.dates()
    | st.times()
    | st.datetimes(timezones=st.none() | st.just(UTC) | st.just(timezone(timedelta(hours=-3, minutes=-30))))
)
literals = st.builds(Literal.of, literal_values)
paths = st.lists(
    st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,5}", fullmatch=True).filter(
        lambda name: name.lower() not in {"and", "or", "not", "in", "null", "true", "false", *Operator}
    ),
    min_size=1,
    max_size=3,
).map(tuple)
leaves: st.SearchStrategy[Filter] = (
    st.builds(
        Comparison, paths, st.sampled_from([op for op in Operator if op is not Operator.LIKE]), literals
    )
    | st.builds(Comparison, paths, st.just(Operator.LIKE), st.text(max_size=8).map(Literal.of))
    | st.builds(Comparison, paths, st.sampled_from([Operator.EQ, Operator.NE]), st.just(Literal.of(None)))
    | st.builds(Membership, paths, st.lists(literals, min_size=1, max_size=4).map(tuple))
)
trees = st.recursive(
    leaves,
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(And, st.lists(inner, min_size=2, max_size=3).map(tuple))
        | st.builds(Or, st.lists(inner, min_size=2, max_size=3).map(tuple))
    ),
    max_leaves=12,
)


@given(literal_values)
def test_a_literal_means_the_value_it_was_made_of(
    value: bool | int | Decimal | str | date | time | None,
) -> None:
    assert Literal.of(value).value == value


@given(trees)
def test_what_is_printed_is_read_back(tree: Filter) -> None:
    text = print_filter(tree)
    assert parse_filter(text) == tree
    assert print_filter(parse_filter(text)) == text


@given(trees)
def test_every_position_is_that_of_the_property(tree: Filter) -> None:
    text = print_filter(tree)
    found = list(properties(parse_filter(text)))
    assert [path for path, _ in found] == [path for path, _ in properties(tree)]
    assert all(text.startswith("/".join(path), position) for path, position in found)


@given(trees, st.data())
def test_no_parenthesis_can_be_left_out(tree: Filter, data: st.DataObject) -> None:
    """Deleting a pair of grouping parentheses changes the meaning, unless a ``not`` owns it."""
    text = print_filter(tree)
    pairs = _grouping_pairs(text)
    if not pairs:
        return
    start, end = data.draw(st.sampled_from(pairs))
    shorter = text[:start] + " " + text[start + 1 : end] + " " + text[end + 1 :]
    assert parse_filter(shorter) != tree


def _grouping_pairs(text: str) -> list[tuple[int, int]]:
    pairs, opened, quoted = [], [], False
    for at, character in enumerate(text):
        if character == "'":
            quoted = not quoted
        elif quoted:
            continue
        elif character == "(":
            opened.append(at)
        elif character == ")":
            start = opened.pop()
            if not text[:start].endswith(("not ", " in ")):
                pairs.append((start, at))
    return pairs
