"""The gate's laws on simulated time: no window overrun, nobody late, everybody in turn, nobody forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import DeadlineExceeded, Outcome, QuotaExceeded
from gateway.quota.queue import LAST
from gateway.settings.traffic import (
    BulkheadSettings,
    BurstSettings,
    CeilingSettings,
    DaySettings,
    QuotaSettings,
)
from tests.faults.checkers import busiest
from tests.unit.gateway.admission_rig import Rig, TickingClock

BANDS = ("interactive", "normal", "bulk")


def quota(burst: int, *, seconds: float = 10.0, margin: float = 0.25, bulk: float = 0.8) -> QuotaSettings:
    return QuotaSettings(
        burst=BurstSettings(limit=burst, seconds=seconds, margin=margin),
        day=DaySettings(limit=1_000_000),
        ceilings=CeilingSettings(bulk=bulk),
        cold_start="trust",
    )


Arrival = tuple[float, float, float, str, str]
arrivals = st.lists(
    st.tuples(
        st.floats(0, 20),  # when
        st.floats(0, 2),  # how long its request takes
        st.floats(0.1, 25),  # how long it may wait
        st.sampled_from(BANDS),
        st.sampled_from(["a", "b"]),
    ),
    max_size=40,
)


async def played(rig: Rig, calls: Sequence[Arrival]) -> None:
    passed = 0.0
    for when, takes, patience, band, client in sorted(calls):
        await rig.clock.pass_(when - passed)
        passed = when
        rig.start(rig.call(seconds=patience, band=band, client=client), takes=takes)
    await rig.clock.pass_(60)


@settings(max_examples=50, deadline=None)
@given(calls=arrivals, limit=st.integers(1, 8), places=st.integers(1, 6))
def test_the_window_holds_nobody_is_late_and_everybody_is_answered(
    calls: list[Arrival], limit: int, places: int
) -> None:
    async def run() -> None:
        async with Rig(quota(limit), bulkhead=BulkheadSettings(concurrent=places)) as rig:
            await played(rig, calls)
            assert len(rig.served) + len(rig.failed) == len(calls)
            assert rig.admission.waiting == 0
            assert busiest([at for _, at in rig.served], 10.0) <= limit
            assert all(at < call.deadline for call, at in rig.served)
            for call, at, error in rig.failed:
                assert at <= call.deadline + 0.001
                assert getattr(error, "outcome", None) is Outcome.NOT_SENT
                assert isinstance(error, DeadlineExceeded) or getattr(error, "retry_after", None)

    asyncio.run(run())


@settings(max_examples=50, deadline=None)
@given(calls=arrivals, limit=st.integers(1, 8))
def test_nobody_is_refused_who_could_have_been_served(calls: list[Arrival], limit: int) -> None:
    """Alone with its like: when one is refused, the window had no room from then on until the last second of it."""

    async def run() -> None:
        alike = [(when, 0.0, patience, "normal", "a") for when, _, patience, _, _ in calls]
        async with Rig(quota(limit, margin=0)) as rig:
            await played(rig, alike)
            sent = [at for _, at in rig.served]
            for call, at, error in rig.failed:
                assert isinstance(error, QuotaExceeded)
                for moment in [
                    at,
                    *(then + 10.0 for then in sent if at < then + 10.0 < call.deadline - LAST - 0.01),
                ]:
                    others = [then for then in sent if moment - 10.0 < then <= moment + 0.01]
                    assert len(others) >= limit

    asyncio.run(run())


@settings(max_examples=25, deadline=None)
@given(weights=st.tuples(st.integers(1, 4), st.integers(1, 4)), limit=st.integers(1, 12))
def test_clients_that_wait_are_served_by_their_weights(weights: tuple[int, int], limit: int) -> None:
    async def run() -> None:
        a, b = weights
        async with Rig(quota(limit, margin=0), weights={"a": a, "b": b}) as rig:
            for _ in range(limit):
                rig.start(rig.call(client="first"))
            await rig.clock.pass_(0.001)
            for client in ("a", "b"):
                for _ in range(200):
                    rig.start(rig.call(seconds=100_000, client=client))
            for _ in range(100 // limit):
                await rig.clock.pass_(10)
                turns = [call.client for call, _ in rig.served if call.client != "first"]
                if max(turns.count("a"), turns.count("b")) == 200:
                    return
                assert abs(turns.count("a") / a - turns.count("b") / b) <= 2

    asyncio.run(run())


async def test_a_bulk_client_with_5000_calls_does_not_delay_an_interactive_one() -> None:
    async with Rig(quota(100)) as rig:
        for _ in range(5_000):
            rig.start(rig.call(seconds=10_000, band="bulk", client="nightly"))
        asked = []
        for _ in range(100):
            call = rig.call(seconds=30, band="interactive", client="desk")
            asked.append((call, rig.clock.time))
            rig.start(call)
            await rig.clock.pass_(1)
        served = {id(call): at for call, at in rig.served}
        waits = sorted(served[id(call)] - at for call, at in asked)
        assert waits[98] < 2.0
        bulk = sum(call.client == "nightly" for call, _ in rig.served)
        # What interactive calls do not need of the ceiling's rest stays free: at least 70 in each window are bulk.
        assert bulk >= 70 * 9
        assert rig.store.reserved <= 4 * len(rig.served)


async def test_a_client_with_5000_calls_does_not_delay_another_of_the_same_urgency() -> None:
    async with Rig(quota(100)) as rig:
        for _ in range(5_000):
            rig.start(rig.call(seconds=10_000, client="eager"))
        await rig.clock.pass_(3)
        for _ in range(20):
            rig.start(rig.call(seconds=30, client="modest"))
        await rig.clock.pass_(8)
        assert sum(call.client == "modest" for call, _ in rig.served) == 20


async def test_bulk_is_served_too_while_urgent_calls_wait() -> None:
    async with Rig(quota(10, bulk=1.0)) as rig:
        for band in BANDS:
            for _ in range(300):
                rig.start(rig.call(seconds=100_000, band=band, client=band))
        await rig.clock.pass_(200)
        turns = {band: sum(call.client == band for call, _ in rig.served) for band in BANDS}
        assert turns["interactive"] > turns["normal"] > turns["bulk"] >= 5


@settings(max_examples=40, deadline=None)
@given(
    ticks=st.lists(st.floats(2e-5, 2e-4), min_size=1, max_size=7),
    limit=st.integers(1, 5),
    rounds=st.integers(2, 5),
    takes=st.floats(0, 0.2),
)
def test_whoever_waits_for_a_window_is_served_when_it_opens(
    ticks: list[float], limit: int, rounds: int, takes: float
) -> None:
    """Whatever the moment at which the clock is looked at: a window may open between two looks."""

    async def scenario() -> None:
        async with Rig(quota(limit, seconds=1), clock=TickingClock(ticks)) as rig:
            began = rig.clock.time
            for _ in range(limit * rounds):
                rig.start(rig.call(seconds=30), takes=takes)
            await rig.clock.pass_(20)
            assert len(rig.served) == limit * rounds
            assert rig.served[-1][1] - began < (rounds - 1) * (1.25 + takes + 0.1)

    asyncio.run(scenario())
