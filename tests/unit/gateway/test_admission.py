"""One environment's gate: what leaves at once, what waits, and what is refused, with which words."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from contracts.errors import (
    CircuitOpen,
    DeadlineExceeded,
    GatewayError,
    Outcome,
    Overloaded,
    QuotaExceeded,
    StoreUnavailable,
)
from gateway.settings.traffic import (
    BulkheadSettings,
    BurstSettings,
    CeilingSettings,
    DaySettings,
    QuotaSettings,
    TenantQuotaSettings,
)
from gateway.stores.memory import MemoryStore
from gateway.stores.ports import Claim, Full, Reserved, StoreLost, Throttled
from gateway.wire.gate import Lapsed
from tests.unit.gateway.admission_rig import Rig, Watched, settled


def quota(burst: int = 2, *, day: int = 10_000, bulk: float = 1.0) -> QuotaSettings:
    """A burst in 10 s without a margin, nothing known before."""
    return QuotaSettings(
        burst=BurstSettings(limit=burst, margin=0),
        day=DaySettings(limit=day),
        ceilings=CeilingSettings(bulk=bulk),
        cold_start="trust",
    )


def leave(
    slot: object, *, status: int | None = 200, departed: bool = True, wait: float | None = None
) -> None:
    slot.leave(departed=departed, status=status, retry_after=wait)  # type: ignore[attr-defined]


async def refused(rig: Rig, **call: object) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        await rig.enter(rig.call(**call))  # type: ignore[arg-type]
    assert caught.value.outcome is Outcome.NOT_SENT
    assert caught.value.retryable
    return caught.value


async def test_where_there_is_room_it_costs_one_step_and_no_wait() -> None:
    async with Rig(quota()) as rig:
        call = rig.call()
        slot = await rig.enter(call)
        slot.check()
        leave(slot)
        leave(slot)
        await settled()
        assert (rig.store.reserved, len(rig.store.settled), rig.store.released) == (1, 1, [])
        assert (call.journal.waits, call.journal.queue_seconds) == (0, 0)


async def test_a_full_window_is_waited_for() -> None:
    async with Rig(quota(2)) as rig:
        calls = [rig.call() for _ in range(5)]
        for call in calls:
            rig.start(call)
        await rig.clock.pass_(30)
        start = rig.served[0][1]
        assert [at - start for _, at in rig.served] == pytest.approx([0, 0, 10, 10, 20], abs=0.01)
        assert [call.journal.waits for call in calls] == [0, 0, 1, 1, 1]
        assert calls[4].journal.queue_seconds == pytest.approx(20, abs=0.01)
        assert rig.store.reserved <= 10


async def test_what_opens_too_late_is_refused_at_once_and_says_when() -> None:
    async with Rig(quota(100, day=10_000), shares={"demo": TenantQuotaSettings(day=1)}) as rig:
        leave(await rig.enter(rig.call()))
        error = await refused(rig)
        assert isinstance(error, QuotaExceeded)
        opens = msgspec.json.encode(rig.windows.periods(rig.clock.time)[1].label).decode()
        assert "the day of this tenant (1 requests) is used up; it opens at 2026-11-" in error.detail
        assert "T00:00:00+01:00" in error.detail
        assert opens not in error.detail
        assert error.retry_after == pytest.approx(
            rig.windows.periods(rig.clock.time)[1].ends / 1000 - rig.clock.time, abs=1
        )
        asked = rig.store.reserved
        await refused(rig)
        assert rig.store.reserved == asked
        # Another tenant has room.
        leave(await rig.enter(rig.call(tenant="other")))


async def test_who_comes_too_late_behind_its_own_is_refused_at_once() -> None:
    async with Rig(quota(10)) as rig:
        for _ in range(30):
            rig.start(rig.call(seconds=25))
        await rig.clock.pass_(0.001)
        assert (len(rig.served), rig.admission.waiting) == (10, 20)
        error = await refused(rig, seconds=25)
        assert (
            "the burst of this environment (10 requests in 10 s) does not reach beyond the 20 or more calls"
            in error.detail
        )
        assert error.retry_after == pytest.approx(30, abs=0.1)
        # Another client is not behind them.
        rig.start(rig.call(seconds=25, client="other"))
        await rig.clock.pass_(15)
        assert any(call.client == "other" for call, _ in rig.served)


async def test_who_waits_for_a_day_that_ends_meanwhile_is_refused_then() -> None:
    async with Rig(quota(5, day=8)) as rig:
        for _ in range(12):
            rig.start(rig.call(seconds=60))
        await rig.clock.pass_(10.5)
        assert len(rig.served) == 8
        assert len(rig.failed) == 4
        assert all("the day of this environment (8 requests)" in str(error) for _, _, error in rig.failed)


async def test_who_waits_for_a_slot_that_stays_out_is_refused_when_that_is_known() -> None:
    async with Rig(quota(1)) as rig:
        slot = await rig.enter(rig.call(seconds=300))
        call = rig.call(seconds=12)
        rig.start(call)
        await rig.clock.pass_(12.5)
        ((_, at, error),) = rig.failed
        assert isinstance(error, QuotaExceeded)
        assert "the burst of this environment" in error.detail
        assert at <= call.deadline
        assert call.journal.waits == 1
        assert call.journal.queue_seconds == pytest.approx(5)
        leave(slot)


async def test_a_deadline_holds_while_the_store_is_silent() -> None:
    async def silent() -> None:
        await asyncio.get_running_loop().create_future()

    async with Rig(quota()) as rig:
        leave(await rig.enter(rig.call()))
        leave(await rig.enter(rig.call()))
        rig.start(rig.call(seconds=15))
        rig.start(rig.call(seconds=18))
        await settled()
        rig.store.before = silent
        await rig.clock.pass_(20)
        assert [at for _, at, _ in rig.failed] == pytest.approx(
            [rig.clock.time - 5, rig.clock.time - 2], abs=0.01
        )
        assert all("the burst of this environment" in str(error) for _, _, error in rig.failed)


async def test_a_store_that_is_silent_at_once_is_waited_for_until_the_deadline() -> None:
    async def silent() -> None:
        await asyncio.get_running_loop().create_future()

    async with Rig(quota()) as rig:
        rig.store.before = silent
        assert isinstance(await refused(rig, seconds=0.02), DeadlineExceeded)
        await settled()
        assert len(rig.store.released) == 1


async def test_late_and_left_calls_send_nothing() -> None:
    async with Rig(quota()) as rig:
        assert isinstance(await refused(rig, seconds=0), DeadlineExceeded)
        call = rig.call()
        call.journal.left = True
        with pytest.raises(DeadlineExceeded, match="the caller has gone"):
            await rig.enter(call)
        assert rig.store.reserved == 0


async def test_a_waiter_whose_caller_has_left_takes_no_unit() -> None:
    async with Rig(quota(1)) as rig:
        leave(await rig.enter(rig.call()))
        left, stays = rig.call(), rig.call()
        rig.start(left)
        rig.start(stays)
        await rig.clock.pass_(1)
        left.journal.left = True
        await rig.clock.pass_(10)
        assert [call for call, _ in rig.served] == [stays]
        assert "gone" in str(rig.failed[0][2])


async def test_a_waiter_that_is_barred_meanwhile_takes_no_unit() -> None:
    async with Rig(quota(1)) as rig:
        leave(await rig.enter(rig.call()))
        for _ in range(3):
            rig.start(rig.call(seconds=60))
        await rig.clock.pass_(1)
        rig.barred = CircuitOpen("it keeps failing")
        await rig.clock.pass_(10)
        assert [error for _, _, error in rig.failed] == [rig.barred] * 3
        assert (len(rig.served), rig.store.reserved) == (0, 2)


async def test_a_cancelled_waiter_makes_room_and_leaves_nothing_behind() -> None:
    async with Rig(quota(1)) as rig:
        leave(await rig.enter(rig.call()))
        first, second = rig.start(rig.call()), rig.start(rig.call())
        await rig.clock.pass_(1)
        first.cancel()
        await rig.clock.pass_(10)
        assert rig.admission.waiting == 0
        assert len(rig.served) == 1
        assert second.done()


@pytest.mark.parametrize("queued", [False, True])
async def test_what_was_reserved_for_one_who_is_cancelled_is_released(queued: bool) -> None:
    async with Rig(quota(2)) as rig:
        if queued:
            leave(await rig.enter(rig.call()))
            leave(await rig.enter(rig.call()))
        gate = asyncio.Event()
        rig.store.before = gate.wait  # type: ignore[assignment]
        task = rig.start(rig.call())
        await rig.clock.pass_(10.1 if queued else 0)
        task.cancel()
        await settled()
        gate.set()
        rig.store.before = None
        await settled()
        assert rig.store.released == [rig.store.claims[-1].reservation]
        leave(await rig.enter(rig.call()))
        leave(await rig.enter(rig.call()))


async def test_a_slot_that_is_given_in_the_moment_of_cancelling_is_given_back() -> None:
    async with Rig(quota(1)) as rig:
        slot = await rig.enter(rig.call())
        task = rig.start(rig.call())
        await rig.clock.pass_(1)
        leave(slot, departed=False)
        for _ in range(10):
            if rig.admission.waiting:
                await asyncio.sleep(0)
        task.cancel()
        await settled()
        assert len(rig.store.released) == 2
        leave(await rig.enter(rig.call()))


async def test_a_released_unit_goes_to_who_waits_at_once() -> None:
    async with Rig(quota(1)) as rig:
        slot = await rig.enter(rig.call())
        rig.start(rig.call())
        await rig.clock.pass_(1)
        leave(slot, departed=False, status=None)
        await settled()
        assert [at for _, at in rig.served] == [rig.clock.time]


async def test_no_more_are_under_way_than_may_be() -> None:
    own = {"demo": BulkheadSettings(concurrent=2)}
    async with Rig(quota(100), bulkhead=BulkheadSettings(concurrent=3), bulkheads=own) as rig:
        for _ in range(4):
            rig.start(rig.call(), takes=1)
        for _ in range(2):
            rig.start(rig.call(tenant="other"), takes=1, counts=False)
        await rig.clock.pass_(0.5)
        assert sorted(call.tenant for call, _ in rig.served) == ["demo", "demo", "other"]
        await rig.clock.pass_(2)
        assert len(rig.served) == 6


async def test_who_waits_for_a_place_until_its_deadline_is_told_so() -> None:
    async with Rig(quota(100), bulkhead=BulkheadSettings(concurrent=1)) as rig:
        slot = await rig.enter(rig.call())
        rig.start(rig.call(seconds=2))
        await rig.clock.pass_(3)
        assert isinstance(rig.failed[0][2], Overloaded)
        leave(slot)


async def test_a_full_queue_refuses_and_a_more_urgent_one_takes_the_place_of_the_newest_bulk() -> None:
    async with Rig(quota(1), bulkhead=BulkheadSettings(waiting=3)) as rig:
        await rig.enter(rig.call())
        bulk = [rig.call(band="bulk", client=name, seconds=60) for name in ("a", "b")]
        for call in (*bulk, rig.call(seconds=60)):
            rig.start(call)
        await settled()
        assert isinstance(await refused(rig, seconds=60, band="bulk", client="c"), Overloaded)
        rig.start(rig.call(seconds=60, band="interactive"))
        await settled()
        assert [call.client for call, _, _ in rig.failed] == ["b"]
        error = rig.failed[0][2]
        assert isinstance(error, Overloaded)
        assert error.retry_after
        assert rig.admission.waiting == 3


async def test_a_tenants_own_queue_is_bounded_too() -> None:
    async with Rig(quota(1), bulkheads={"demo": BulkheadSettings(waiting=1)}) as rig:
        await rig.enter(rig.call())
        rig.start(rig.call())
        await settled()
        assert "tenant" in (await refused(rig)).detail
        rig.start(rig.call(tenant="other"))
        await settled()
        assert rig.admission.waiting == 2


async def test_a_lost_store_is_never_open() -> None:
    async def lost() -> None:
        raise StoreLost("gone")

    async with Rig(quota()) as rig:
        rig.store.before = lost
        error = await refused(rig)
        assert isinstance(error, StoreUnavailable)
        assert error.retry_after == 2
        rig.store.before = None
        leave(await rig.enter(rig.call()))


@pytest.mark.parametrize(
    ("told", "kept"), [(7.0, 7_000), (None, None), (0.0, None), (100_000.0, None), (0.5, 500)]
)
async def test_a_429_closes_the_environment_for_everyone(told: float | None, kept: int | None) -> None:
    async with Rig(quota(10)) as rig:
        leave(await rig.enter(rig.call()), status=429, wait=told)
        rig.start(rig.call(tenant="other"))
        opens = (kept or 10_000) / 1000
        await rig.clock.pass_(opens - 0.1)
        assert rig.served == []
        await rig.clock.pass_(0.2)
        assert len(rig.served) == 1
        assert rig.store.throttled == [Throttled(retry_after=kept, window=10_000, limit=10)]
        assert len(rig.heard.lines("throttled")) == 1


async def test_a_closed_upstream_is_named_to_who_cannot_wait() -> None:
    async with Rig(quota(10)) as rig:
        leave(await rig.enter(rig.call()), status=429, wait=60.0)
        error = await refused(rig)
        assert isinstance(error, QuotaExceeded)
        assert "the upstream takes no more requests for now" in error.detail
        assert error.retry_after == pytest.approx(60, abs=0.1)


async def test_a_lease_is_renewed_while_it_is_held_and_lapses_when_time_was_lost() -> None:
    async with Rig(quota()) as rig:
        slot = await rig.enter(rig.call(seconds=300))
        await rig.clock.pass_(60)
        slot.check()
        assert rig.store.renewed == 30
        rig.clock.time += 6
        with pytest.raises(Lapsed):
            slot.check()
        assert len(rig.heard.lines("slot lapsed")) == 1
        leave(slot, departed=False)
        await rig.clock.pass_(10)
        assert rig.store.renewed <= 31


class Faulty(Watched):
    """A store that cannot hold on to anything, for a reason that nobody thought of."""

    async def renew(self, *_: object) -> frozenset[str]:
        raise ValueError("a mistake of ours")


async def test_after_a_fault_leases_are_held_again_from_the_next_on() -> None:
    async with Rig(quota()) as rig:
        sound, rig.store.store = rig.store.store, Faulty(rig.store.store)
        leave(await rig.enter(rig.call()))
        lost = await rig.enter(rig.call())
        await rig.clock.pass_(2.5)
        rig.store.store = sound
        await rig.clock.pass_(8)
        with pytest.raises(Lapsed):
            lost.check()
        slot = await rig.enter(rig.call(seconds=300))
        await rig.clock.pass_(60)
        slot.check()


async def test_what_does_not_count_asks_no_store_and_never_lapses() -> None:
    async with Rig(quota(1)) as rig:
        slots = [await rig.enter(rig.call(), counts=False) for _ in range(5)]
        rig.clock.time += 60
        for slot in slots:
            slot.check()
            leave(slot, status=429)
        leave(await rig.enter(rig.call()))
        assert rig.store.reserved == 1


async def test_shadow_limits_are_told_and_let_through() -> None:
    shares = {"demo": TenantQuotaSettings(burst=1, shadow=("burst",))}
    async with Rig(quota(10), shares=shares) as rig:
        for _ in range(3):
            leave(await rig.enter(rig.call()))
        assert [line["limit"] for line in rig.heard.lines("shadow limit")] == ["tenant/demo/burst"] * 2


async def test_the_last_known_windows_are_kept_with_their_moment() -> None:
    shares = {"demo": TenantQuotaSettings(day=100)}
    async with Rig(quota(10), shares=shares) as rig:
        assert rig.admission.last("demo", "tests") == ()
        leave(await rig.enter(rig.call()))
        heard = rig.admission.last("demo", "tests")
        assert [(limit.key, state.used, at) for limit, state, at in heard] == [
            ("environment/plant/burst", 1, rig.clock.time),
            ("environment/plant/day", 1, rig.clock.time),
            ("tenant/demo/day", 1, rig.clock.time),
        ]
        limits, standing = await rig.admission.standing("demo", "tests")
        assert [(limit.key, state.used) for limit, state in zip(limits, standing.windows, strict=True)] == [
            (limit.key, 1) for limit in limits
        ]


async def test_bulk_leaves_the_last_part_to_others_and_does_not_stand_in_their_way() -> None:
    async with Rig(quota(10, bulk=0.8)) as rig:
        for _ in range(20):
            rig.start(rig.call(band="bulk"))
        await settled()
        assert len(rig.served) == 8
        rig.start(rig.call(band="interactive"))
        await settled()
        assert len(rig.served) == 9


async def test_what_still_waits_when_it_closes_is_refused_and_all_is_told_to_the_store() -> None:
    rig = Rig(quota(1))
    slot = await rig.enter(rig.call())
    task = rig.start(rig.call())
    await settled()
    leave(slot)
    await rig.admission.aclose()
    await task
    assert isinstance(rig.failed[0][2], Overloaded)
    assert len(rig.store.settled) == 1


async def test_who_waits_when_the_upstream_closes_for_longer_is_refused_at_once() -> None:
    async with Rig(quota(10), bulkhead=BulkheadSettings(concurrent=1)) as rig:
        slot = await rig.enter(rig.call())
        short = [rig.call(band=band) for band in ("interactive", "normal", "bulk")]
        patient = rig.call(seconds=200)
        for call in (*short, patient):
            rig.start(call)
        await settled()
        leave(slot, status=429, wait=100.0)
        await settled()
        assert [call for call, _, _ in rig.failed] == short
        assert all("the upstream takes no more requests for now" in str(error) for _, _, error in rig.failed)
        assert rig.admission.waiting == 1


async def test_one_that_closes_anew_for_less_than_before_refuses_at_once_too() -> None:
    async with Rig(quota(10), bulkhead=BulkheadSettings(concurrent=1)) as rig:
        leave(await rig.enter(rig.call()), status=429, wait=100.0)
        rig.start(rig.call(seconds=200), takes=1)
        rig.start(rig.call(seconds=200), takes=1)
        # The store has lost its memory, and with it that the upstream is closed.
        rig.store.store = MemoryStore(rig.clock).quota
        await rig.clock.pass_(8)
        slot = await rig.enter(rig.call(band="interactive"))
        hurried = rig.call()
        rig.start(hurried)
        await settled()
        leave(slot, status=429, wait=60.0)
        asked = rig.store.reserved
        await refused(rig)
        assert rig.store.reserved == asked
        await settled()
        assert [call for call, _, _ in rig.failed] == [hurried]


class Absurd(Watched):
    """A store out of its mind."""

    async def reserve(self, claim: Claim) -> Reserved | Full:
        return Full(limit=claim.limits[0].key, opens_in=10**20, epoch="x")


async def test_a_fault_of_the_gate_leaves_nobody_waiting() -> None:
    async with Rig(quota(1)) as rig:
        leave(await rig.enter(rig.call()))
        rig.start(rig.call())
        rig.start(rig.call(client="other"))
        await settled()
        rig.store.store = Absurd(rig.store.store)
        await rig.clock.pass_(10.1)
        assert [str(error) for _, _, error in rig.failed] == ["the gate of this environment failed"] * 2
        assert all(isinstance(error.__cause__, OSError | ValueError) for _, _, error in rig.failed)
        assert rig.admission.waiting == 0
