"""The retry budget: a tenth of the calls and a reserve, exactly."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.policies.budget import RetryBudget
from gateway.settings import RetryBudgetSettings


def drained(budget: RetryBudget) -> int:
    taken = 0
    while budget.spend():
        taken += 1
    return taken


def test_it_begins_with_the_reserve() -> None:
    assert drained(RetryBudget(RetryBudgetSettings(ratio=0.1, reserve=7))) == 7


def test_ten_calls_earn_one_repetition_and_nine_do_not() -> None:
    budget = RetryBudget(RetryBudgetSettings(ratio=0.1, reserve=3))
    drained(budget)
    for _ in range(9):
        budget.earn()
    assert not budget.spend()
    budget.earn()
    assert drained(budget) == 1


def test_no_more_is_kept_than_the_reserve() -> None:
    budget = RetryBudget(RetryBudgetSettings(ratio=1.0, reserve=2))
    for _ in range(50):
        budget.earn()
    assert drained(budget) == 2


def test_without_a_ratio_the_reserve_is_all() -> None:
    budget = RetryBudget(RetryBudgetSettings(ratio=0.0, reserve=1))
    assert drained(budget) == 1
    budget.earn()
    assert not budget.spend()


@given(
    steps=st.lists(st.booleans(), max_size=300),
    hundredths=st.integers(0, 100),
    reserve=st.integers(1, 20),
)
def test_repetitions_never_pass_the_ratio_and_the_reserve(
    steps: list[bool], hundredths: int, reserve: int
) -> None:
    budget = RetryBudget(RetryBudgetSettings(ratio=hundredths / 100, reserve=reserve))
    calls = spent = 0
    for earning in steps:
        if earning:
            calls += 1
            budget.earn()
        else:
            spent += budget.spend()
        assert spent * 100 <= reserve * 100 + hundredths * calls
