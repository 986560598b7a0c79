"""The filter language: what is read, what it means as a tree, and its canonical text."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

import pytest

from contracts.filters import (
    And,
    Comparison,
    Filter,
    Literal,
    LiteralKind,
    Membership,
    Not,
    Operator,
    Or,
    parse_filter,
    print_filter,
    properties,
)


def eq(name: str, value: int) -> Comparison:
    return Comparison((name,), Operator.EQ, Literal.of(value))


A, B, C, D = (eq(name, 1) for name in "ABCD")


@pytest.mark.parametrize("operator", list(Operator))
def test_every_operator_is_read_in_any_case(operator: Operator) -> None:
    expected = Comparison(("Vendor", "Name"), operator, Literal.of("x%"))
    assert parse_filter(f"Vendor/Name {operator} 'x%'") == expected
    assert parse_filter(f"\tVendor/Name\n{operator.upper()}  'x%' ") == expected
    assert print_filter(expected) == f"Vendor/Name {operator} 'x%'"


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("null", LiteralKind.NULL, None),
        ("true", LiteralKind.BOOLEAN, True),
        ("false", LiteralKind.BOOLEAN, False),
        ("-17", LiteralKind.NUMBER, -17),
        ("007", LiteralKind.NUMBER, 7),
        ("1.2340", LiteralKind.NUMBER, Decimal("1.2340")),
        ("9" * 38, LiteralKind.NUMBER, int("9" * 38)),
        ("'text'", LiteralKind.TEXT, "text"),
        ("''", LiteralKind.TEXT, ""),
        ("'O''Brien'", LiteralKind.TEXT, "O'Brien"),
        ("''''", LiteralKind.TEXT, "'"),
        ("'a (b), \"c\" = null\n'", LiteralKind.TEXT, 'a (b), "c" = null\n'),
        ("2018-03-09", LiteralKind.DATE, date(2018, 3, 9)),
        ("2018-03-09T15:33", LiteralKind.DATE_TIME, datetime(2018, 3, 9, 15, 33)),  # noqa: DTZ001
        ("2018-03-09T15:33:51Z", LiteralKind.DATE_TIME, datetime(2018, 3, 9, 15, 33, 51, tzinfo=UTC)),
        (
            "2018-03-09T15:33:51.1355081+01:00",
            LiteralKind.DATE_TIME,
            datetime(2018, 3, 9, 15, 33, 51, 135508, timezone(timedelta(hours=1))),
        ),
        ("2018-03-09T15:33:51.1-09:30", LiteralKind.DATE_TIME, datetime(2018, 3, 10, 1, 3, 51, 100000, UTC)),
        ("16:33", LiteralKind.TIME, time(16, 33)),
        ("16:33:51.1355081", LiteralKind.TIME, time(16, 33, 51, 135508)),
    ],
)
def test_every_literal_is_read_and_kept_as_written(text: str, kind: LiteralKind, value: object) -> None:
    tree = parse_filter(f"X eq {text}")
    assert isinstance(tree, Comparison)
    assert tree.value == Literal(kind, text)
    assert tree.value.value == value
    assert print_filter(tree) == f"X eq {text}"


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("X eq NULL", "X eq null"),
        ("X eq True", "X eq true"),
        ("X eq 2018-03-09t15:33z", "X eq 2018-03-09T15:33Z"),
        ("((X eq 1))", "X eq 1"),
        ("X IN(1,'b')", "X in (1, 'b')"),
        ("NOT X eq 1", "not (X eq 1)"),
        ("X eq 'a'and(Y eq 'b')", "X eq 'a' and Y eq 'b'"),
    ],
)
def test_other_spellings_are_printed_in_one(text: str, printed: str) -> None:
    assert print_filter(parse_filter(text)) == printed


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("A eq 1 and B eq 1 and C eq 1", And((A, B, C))),
        ("A eq 1 or B eq 1 or C eq 1", Or((A, B, C))),
        ("A eq 1 and B eq 1 or C eq 1 and D eq 1", Or((And((A, B)), And((C, D))))),
        ("A eq 1 or B eq 1 and C eq 1 or D eq 1", Or((A, And((B, C)), D))),
        ("(A eq 1 or B eq 1) and (C eq 1 or D eq 1)", And((Or((A, B)), Or((C, D))))),
        ("A eq 1 and (B eq 1 and C eq 1)", And((A, And((B, C))))),
        ("(A eq 1 or B eq 1) or C eq 1", Or((Or((A, B)), C))),
        ("not (A eq 1) and B eq 1", And((Not(A), B))),
        ("not (A eq 1 and B eq 1)", Not(And((A, B)))),
        ("not (not (A eq 1))", Not(Not(A))),
        ("A in (1, 2) or not (B eq 1)", Or((Membership(("A",), (Literal.of(1), Literal.of(2))), Not(B)))),
    ],
)
def test_precedence_and_canonical_text(text: str, tree: Filter) -> None:
    assert parse_filter(text) == tree
    assert print_filter(tree) == text


def test_a_not_takes_the_comparison_alone() -> None:
    assert parse_filter("not A eq 1 and B eq 1") == And((Not(A), B))
    assert parse_filter("not not A eq 1") == Not(Not(A))


def test_properties_come_with_their_positions() -> None:
    tree = parse_filter("not (A eq 1 or B/Id in (2)) and C eq 3")
    assert list(properties(tree)) == [(("A",), 5), (("B", "Id"), 15), (("C",), 32)]


def test_the_position_is_no_part_of_equality() -> None:
    assert parse_filter("  A eq 1") == parse_filter("A eq 1")
    assert hash(parse_filter("  A in (1)")) == hash(parse_filter("A in (1)"))
    assert parse_filter("A eq 1") != parse_filter("A eq 2")
    assert parse_filter("A in (1)") != parse_filter("A eq 1")


def test_what_could_not_be_printed_cannot_be_made() -> None:
    for kind in (And, Or):
        with pytest.raises(ValueError, match="two operands"):
            kind((A,))
    with pytest.raises(ValueError, match="a value"):
        Membership(("A",), ())


@pytest.mark.parametrize("value", [Decimal("NaN"), time(1, tzinfo=UTC), 10**38])
def test_a_value_without_a_literal_is_refused(value: Decimal | time | int) -> None:
    with pytest.raises(ValueError, match=r"cannot be written|digits"):
        Literal.of(value)
