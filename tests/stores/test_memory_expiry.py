"""Rows in memory are forgotten when their time is over, a few at a time."""

from __future__ import annotations

from gateway.stores.memory.expiry import Expiring


def test_a_row_is_forgotten_at_its_last_moment() -> None:
    rows: Expiring[str] = Expiring()
    rows.keep("sooner", "row", 50)
    rows.keep("sooner", "row", 20)
    rows.keep("later", "row", 20)
    rows.keep("later", "row", 50)
    rows.keep("dropped", "row", 20)
    rows.drop("dropped")
    rows.sweep(19, 10)
    assert len(rows) == 2
    rows.sweep(20, 10)
    assert (rows.get("sooner"), rows.get("later")) == (None, "row")
    rows.sweep(50, 10)
    assert len(rows) == 0


def test_a_sweep_is_bounded() -> None:
    rows: Expiring[int] = Expiring()
    for number in range(10):
        rows.keep(f"row {number}", number, number)
    rows.sweep(100, 4)
    assert len(rows) == 6
