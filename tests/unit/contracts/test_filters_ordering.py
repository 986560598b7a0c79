"""How records are ordered by their values."""

from datetime import UTC
from decimal import Decimal

import pytest

from contracts.filters import (
    ordering_key,
    parse_orderby,
)


@pytest.mark.parametrize("fold", [False, True])
def test_an_order_puts_nulls_first_and_last_when_descending(fold: bool) -> None:
    records = [{"Id": str(at), "X": value} for at, value in enumerate(["b", None, "", "a", "b"])]

    def ordered(orderby: str) -> str:
        terms = parse_orderby(orderby)
        return "".join(
            str(r["Id"]) for r in sorted(records, key=lambda r: ordering_key(r, terms, ignore_case=fold))
        )

    assert ordered("X") == "12304"
    assert ordered("X desc") == "04321"
    assert ordered("X desc,Id desc") == "40321"
    assert ordered("X, Id desc") == "12340"


def test_values_are_ordered_by_what_they_mean() -> None:
    def ordered(*values: object, orderby: str = "X", ignore_case: bool = False) -> list[object]:
        terms = parse_orderby(orderby)
        return sorted(values, key=lambda v: ordering_key({"X": v}, terms, zone=UTC, ignore_case=ignore_case))

    assert ordered(10, 9.5, -1, Decimal("9.6")) == [-1, 9.5, Decimal("9.6"), 10]
    assert ordered("10", "9") == ["10", "9"]
    assert ordered(True, False) == [False, True]
    late, early = "2018-03-09T10:00:00-05:00", "2018-03-09T14:59:59.9999999Z"
    assert ordered(late, early) == [early, late]
    assert ordered("2018-03-10", "2018-03-09") == ["2018-03-09", "2018-03-10"]
    assert ordered("b", "A", "a") == ["A", "a", "b"]
    assert ordered("b", "a", "B", ignore_case=True) == ["a", "b", "B"]
    assert ordered({"Id": "2"}, "1", {"Id": "0"}) == [{"Id": "0"}, "1", {"Id": "2"}]
