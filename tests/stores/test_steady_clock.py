"""The stores' time goes on at the pace of time, whatever is done to the machine's clock."""

from __future__ import annotations

from gateway.stores.steady import SteadyClock
from tests.stores.claims import StoreClock


def test_it_begins_with_the_wall_and_goes_on_by_itself() -> None:
    clock = StoreClock(1_700_000_000.0005)
    steady = SteadyClock(clock)
    assert steady.now() == 1_700_000_000_000
    clock.move(1.5)
    assert steady.now() == 1_700_000_001_500


def test_it_does_not_jump_with_the_wall() -> None:
    clock = StoreClock(1_700_000_000.0005)
    steady = SteadyClock(clock)
    for jump in (3600.0, -7200.0):
        clock.wall += jump
        assert steady.now() == 1_700_000_000_000


def test_it_goes_on_from_a_later_moment_and_never_back() -> None:
    clock = StoreClock(1_700_000_000.0005)
    steady = SteadyClock(clock)
    steady.catch_up(1_700_000_005_000)
    steady.catch_up(1_700_000_001_000)
    assert steady.now() == 1_700_000_005_000
    clock.move(2)
    assert steady.now() == 1_700_000_007_000
