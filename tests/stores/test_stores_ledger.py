"""Every store alike: who burns the quota."""

from __future__ import annotations

import msgspec

from tests.stores.claims import ENVIRONMENT, burst, entry
from tests.stores.conftest import Subject


async def test_figures_are_summed_per_day_and_dimension(subject: Subject) -> None:
    figures = entry(calls=1, records=20, saved=3, refusals=4, waits=5)
    await subject.ledger.add("e1", [figures, entry(client="erp", calls=7)])
    await subject.ledger.add("e2", [figures, entry(day="2025-03-11", calls=1)])
    assert await subject.ledger.usage(ENVIRONMENT, "2025-03-10", "2025-03-11") == (
        entry(client="erp", calls=7),
        entry(calls=2, records=40, saved=6, refusals=8, waits=10),
        entry(day="2025-03-11", calls=1),
    )


async def test_an_entry_is_added_once(subject: Subject) -> None:
    for _ in range(3):
        await subject.ledger.add("e1", [entry(calls=1), entry(client="erp", calls=1)])
    assert await subject.ledger.usage(ENVIRONMENT, "2025-03-10", "2025-03-10") == (
        entry(client="erp", calls=1),
        entry(calls=1),
    )


async def test_units_are_those_that_were_reserved(subject: Subject) -> None:
    label = subject.periods[1].label
    await subject.reserve("r1", burst(5))
    await subject.ledger.add("e1", [entry(day=label, calls=1, units=50)])
    assert await subject.ledger.usage(ENVIRONMENT, label, label) == (entry(day=label, calls=1, units=1),)


async def test_nothing_is_said_about_nothing(subject: Subject) -> None:
    await subject.reserve("r1", burst(5))
    await subject.release("r1")
    await subject.ledger.add("e1", [entry(units=7)])
    await subject.ledger.add("e2", [])
    assert await subject.ledger.usage(ENVIRONMENT, "0000-01-01", "9999-12-31") == ()


async def test_a_stretch_of_days_includes_both_ends(subject: Subject) -> None:
    labels = ["2025-02-28", "2025-03-01", "2025-03-02", "2025-03-03"]
    await subject.ledger.add("e1", [entry(day=label, calls=1) for label in labels])
    found = await subject.ledger.usage(ENVIRONMENT, "2025-03-01", "2025-03-02")
    assert [one.day for one in found] == labels[1:3]


async def test_names_are_kept_as_they_are(subject: Subject) -> None:
    odd = msgspec.structs.replace(entry(calls=1), client="a:b|c d\x1fé", operation="run_action", adapter="")
    await subject.ledger.add("e1", [odd])
    assert await subject.ledger.usage(ENVIRONMENT, "2025-03-10", "2025-03-10") == (odd,)


async def test_environments_are_told_apart(subject: Subject) -> None:
    await subject.ledger.add("e1", [entry(calls=1)])
    assert await subject.ledger.usage("other", "0000-01-01", "9999-12-31") == ()
