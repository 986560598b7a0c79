"""A replica without the store: its share of every window, nothing twice, and all of it told when the store is back."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from gateway.quota.fallback import EVERY, GATHERING
from gateway.stores.ports import Full, StoreLost, Throttled
from tests.stores.claims import ENVIRONMENT, burst, day
from tests.unit.gateway.fallback_rig import BURST, DAY, LEASE, QUIET, SPAN, Replica, replica_of


@pytest.fixture
async def replica() -> AsyncIterator[Replica]:
    async with replica_of() as made:
        yield made


async def test_while_the_store_answers_it_alone_is_asked(replica: Replica) -> None:
    assert await replica.take("r", 100) == 100
    assert isinstance(await replica.reserve("more"), Full)
    assert replica.share.status() is None
    assert await replica.used(BURST, DAY) == [100, 100]


async def test_a_share_of_the_burst_goes_on_and_no_more(replica: Replica) -> None:
    await replica.take("r", 3)
    await replica.lose()
    assert await replica.take("l", 20) == 10
    await replica.clock.pass_by(SPAN)
    assert await replica.take("m", 20) == 10


async def test_what_was_sent_just_before_counts(replica: Replica) -> None:
    """Others may be about to send what they were given in the moment before; only when that is over do these follow."""
    assert await replica.take("r", 100) == 100
    replica.shared.lost = True
    assert await replica.take("l", 1) == 0
    await replica.clock.pass_by(QUIET - 0.001)
    assert await replica.take("l", 1) == 0
    await replica.clock.pass_by(0.001)
    assert await replica.take("l", 20) == 10


async def test_a_second_loss_counts_what_was_sent_before_it_too(replica: Replica) -> None:
    await replica.take("known", 1)
    await replica.lose()
    await replica.take("l", 5)
    await replica.find()
    assert await replica.take("r", 50) == 50
    replica.shared.lost = True
    assert await replica.take("m", 1) == 0
    await replica.clock.pass_by(QUIET)
    assert await replica.take("m", 20) == 10


async def test_what_is_answered_late_may_have_arrived_late(replica: Replica) -> None:
    await replica.reserve("slow")
    replica.shared.lost = True
    await replica.take("l", 1)
    await replica.clock.pass_by(QUIET - 1)
    await replica.settle("slow")
    await replica.clock.pass_by(SPAN - 0.001)
    assert await replica.take("l", 1) == 0
    await replica.clock.pass_by(0.001)
    assert await replica.take("l", 20) == 10


async def test_an_answer_after_the_lease_still_takes_its_slot(replica: Replica) -> None:
    """A process that stood still: the upstream may have counted the request only just before it answered."""
    await replica.reserve("slow", lease=1_000)
    await replica.clock.pass_by(SPAN)
    await replica.settle("slow")
    await replica.clock.pass_by(SPAN - 0.001)
    assert await replica.used(BURST) == [1]
    await replica.clock.pass_by(0.001)
    assert await replica.used(BURST) == [0]


async def test_a_share_of_what_was_left_of_the_day_goes_on(replica: Replica) -> None:
    small = day(100)
    await replica.take("r", 40, small)
    await replica.lose()
    assert await replica.take("l", 50, small) == 6


async def test_a_day_that_is_used_up_stays_so(replica: Replica) -> None:
    small = day(10)
    await replica.take("r", 10, small)
    await replica.lose()
    refused = await replica.reserve("l", small)
    assert isinstance(refused, Full)
    assert refused.limit == small.key
    assert refused.opens_in <= EVERY * 1000, "the store may be back any second"


async def test_each_loss_has_its_share_of_what_was_left_then(replica: Replica) -> None:
    small = day(100)
    await replica.lose()
    assert await replica.take("l", 50, small) == 10
    await replica.find()
    assert await replica.used(small) == [10]
    await replica.lose()
    assert await replica.take("m", 50, small) == 9
    await replica.find()
    assert await replica.used(small) == [19]


async def test_a_rolling_day_counts_what_was_seen_of_it(replica: Replica) -> None:
    rolling = burst(100, key=DAY.key, length=86_400_000)
    await replica.take("r", 90, rolling)
    await replica.lose()
    assert await replica.take("l", 50, rolling) == 1


async def test_a_share_of_less_than_a_unit_lets_nothing_pass() -> None:
    async with replica_of(share=0.005) as replica:
        replica.shared.lost = True
        with pytest.raises(StoreLost):
            await replica.reserve("l")


async def test_a_log_that_is_not_enforced_holds_nothing_back(replica: Replica) -> None:
    shadow = burst(1, key="tenant/north/burst", length=10_000, enforced=False)
    await replica.lose()
    assert await replica.take("l", 20, BURST, shadow) == 10
    shadow = replace(shadow, limit=0, upto=0, adapts=True)
    await replica.clock.pass_by(SPAN)
    assert await replica.take("m", 20, BURST, shadow) == 10


async def test_an_urgent_call_has_more_of_the_share_than_bulk(replica: Replica) -> None:
    await replica.lose()
    assert await replica.take("l", 50, replace(BURST, upto=80)) == 8
    assert await replica.take("m", 50, BURST) == 2


async def test_bulk_has_at_least_a_unit_of_a_small_share(replica: Replica) -> None:
    await replica.take("r", 1)
    await replica.lose()
    assert await replica.take("l", 50, replace(BURST, limit=10, upto=8)) == 1


async def test_everything_is_told_when_the_store_is_back(replica: Replica) -> None:
    await replica.take("r", 4)
    await replica.lose()
    await replica.take("l", 6)
    assert await replica.used(DAY) == [4]
    await replica.find()
    assert await replica.used(BURST, DAY) == [6, 10]
    assert await replica.take("after", 200) == 94


async def test_a_unit_under_way_is_held_like_any_other_from_then_on(replica: Replica) -> None:
    await replica.take("known", 1)
    await replica.lose()
    await replica.reserve("under-way")
    await replica.find()
    for _ in range(3):
        assert await replica.renew("under-way")
        await replica.clock.pass_by(LEASE - 1)
    assert await replica.used(BURST, DAY) == [1, 2]
    await replica.settle("under-way")
    await replica.clock.pass_by(SPAN - 0.001)
    assert await replica.used(BURST, DAY) == [1, 2]
    await replica.clock.pass_by(0.001)
    assert await replica.used(BURST, DAY) == [0, 2]


async def test_a_unit_that_was_told_of_and_not_sent_is_given_back(replica: Replica) -> None:
    await replica.take("known", 1)
    await replica.lose()
    await replica.reserve("l")
    await replica.find()
    assert await replica.used(BURST, DAY) == [1, 2]
    await replica.release("l")
    assert await replica.used(BURST, DAY) == [0, 1]


async def test_what_happens_after_a_restoring_whose_reply_is_lost_is_told_too(replica: Replica) -> None:
    await replica.take("known", 1)
    await replica.lose()
    for name in ("answered", "unsent", "under-way"):
        await replica.reserve(name)
    replica.shared.lost, replica.shared.replies = False, 1
    await replica.clock.pass_by(EVERY)
    assert await replica.used(DAY) == [4]
    await replica.settle("answered")
    await replica.release("unsent")
    await replica.find()
    assert await replica.used(BURST, DAY) == [2, 3]
    await replica.clock.pass_by(LEASE + SPAN)
    assert await replica.used(BURST, DAY) == [0, 3]


async def test_what_was_not_sent_is_told_nowhere(replica: Replica) -> None:
    await replica.lose()
    await replica.reserve("l")
    await replica.release("l")
    await replica.find()
    assert await replica.used(BURST, DAY) == [0, 0]


async def test_a_step_whose_reply_is_lost_counts_once(replica: Replica) -> None:
    await replica.take("r", 1)
    replica.shared.deaf = True
    assert isinstance(await replica.reserve("twice"), Full)
    assert await replica.used(DAY) == [2]
    await replica.find()
    assert await replica.used(BURST, DAY) == [1, 1]


async def test_a_restoring_whose_reply_is_lost_counts_once(replica: Replica) -> None:
    await replica.lose()
    await replica.take("l", 5)
    replica.shared.lost, replica.shared.deaf = False, True
    await replica.clock.pass_by(EVERY)
    assert replica.share.status() is not None
    await replica.find()
    assert await replica.used(DAY) == [5]


async def test_what_became_of_shared_units_is_told_later(replica: Replica) -> None:
    for name in ("answered", "unsent"):
        await replica.reserve(name, lease=60_000)
    replica.shared.lost = True
    await replica.settle("answered")
    await replica.release("unsent")
    await replica.find()
    assert await replica.used(BURST, DAY) == [1, 1]
    await replica.clock.pass_by(SPAN)
    assert await replica.used(BURST, DAY) == [0, 1]


async def test_an_answer_is_not_told_when_its_lease_took_care_of_it(replica: Replica) -> None:
    await replica.reserve("answered", lease=2_000)
    replica.shared.lost = True
    await replica.settle("answered")
    await replica.clock.pass_by(2 + SPAN)
    await replica.find()
    assert await replica.used(BURST, DAY) == [0, 1]


async def test_a_refusal_of_the_upstream_closes_the_local_share_and_then_the_store(replica: Replica) -> None:
    await replica.lose()
    await replica.reserve("l")
    await replica.settle("l", Throttled(retry_after=60_000, window=10_000, limit=100))
    refused = await replica.reserve("m")
    assert isinstance(refused, Full)
    assert refused.limit == "upstream"
    await replica.clock.pass_by(20 - EVERY - GATHERING)
    await replica.find()
    standing = await replica.share.standing(ENVIRONMENT, (), ())
    assert standing.closed_for == 40_000


async def test_leases_are_held_where_they_were_given(replica: Replica) -> None:
    await replica.reserve("shared", lease=60_000)
    assert await replica.share.renew(ENVIRONMENT, ["shared", "nobody"], 90_000) == {"shared"}
    replica.shared.lost = True
    with pytest.raises(StoreLost):
        await replica.share.renew(ENVIRONMENT, ["shared"], 60_000)
    await replica.clock.pass_by(60 + SPAN)
    await replica.settle("shared")
    await replica.clock.pass_by(SPAN)
    await replica.reserve("local")
    assert await replica.share.renew(ENVIRONMENT, ["local", "shared"], 60_000) == {"local"}
    await replica.clock.pass_by(30)
    assert await replica.share.renew(ENVIRONMENT, ["local"], 60_000) == {"local"}


async def test_a_store_that_forgot_everything_is_told_what_was_known(replica: Replica) -> None:
    await replica.take("r", 30, DAY)
    replica.shared.forget_all()
    await replica.take("s", 1, DAY)
    assert await replica.used(DAY) == [31]
    assert replica.share.status() is None


async def test_one_that_forgot_everything_is_trusted_no_more(replica: Replica) -> None:
    """The claims here say that a store which knows nothing may be trusted: for the first time, it may."""
    assert await replica.take("r", 100) == 100
    replica.shared.forget_all()
    assert await replica.take("s", 1) == 0
    await replica.clock.pass_by(SPAN)
    assert await replica.take("s", 200) == 100
    assert await replica.used(DAY) == [200]


async def test_a_store_that_was_lost_and_forgot_everything_begins_closed(replica: Replica) -> None:
    await replica.take("r", 30)
    await replica.lose()
    await replica.take("l", 5)
    replica.shared.forget_all()
    await replica.find()
    assert await replica.used(DAY) == [35]
    assert await replica.take("after", 1) == 0, "others may have sent, of which nobody knows"
    await replica.clock.pass_by(SPAN)
    assert await replica.take("after", 200) == 100


async def test_a_store_that_is_lost_from_the_start(replica: Replica) -> None:
    await replica.lose()
    assert await replica.take("l", 20) == 10
    await replica.find()
    assert await replica.used(DAY) == [10]


async def test_what_is_said_of_it(replica: Replica) -> None:
    replica.shared.lost = True
    await replica.reserve("l")
    await replica.clock.pass_by(12)
    assert replica.share.status() == "lost for 12 s (gone); this replica goes on with 10 % of every window"
    await replica.find()
    assert len(replica.heard.lines("store lost")) == 1
    assert [line["seconds"] for line in replica.heard.lines("store found")] == [16.0]


async def test_the_local_windows_are_told_of_meanwhile(replica: Replica) -> None:
    await replica.take("r", 100)
    await replica.lose()
    await replica.take("l", 3)
    standing = await replica.share.standing(ENVIRONMENT, (BURST, DAY), replica.periods)
    assert [(state.limit, state.used) for state in standing.windows] == [(10, 3), (990, 3)]


async def test_a_clock_that_jumps_changes_nothing(replica: Replica) -> None:
    await replica.take("r", 5)
    await replica.lose()
    await replica.take("l", 5)
    replica.clock.jumped = -1_800.0
    assert await replica.take("m", 20) == 5
    await replica.find()
    assert await replica.used(DAY) == [15]


async def test_one_that_has_nothing_to_send_notices_too(replica: Replica) -> None:
    await replica.take("r", 1)
    replica.shared.lost = True
    await replica.clock.pass_by(EVERY)
    assert replica.share.status() is not None


async def test_one_that_only_looks_notices_a_loss_and_its_end(replica: Replica) -> None:
    replica.shared.lost = True
    await replica.share.standing(ENVIRONMENT, (BURST,), replica.periods)
    assert replica.share.status() is not None
    await replica.find()
    assert len(replica.heard.lines("store found")) == 1


async def test_a_short_loss_is_over_at_once(replica: Replica) -> None:
    """Nobody can have begun with a share."""
    await replica.take("r", 1)
    replica.shared.lost = True
    assert await replica.take("l", 1) == 0
    replica.shared.lost = False
    await replica.clock.pass_by(EVERY)
    assert await replica.take("s", 200) == 99


async def test_looking_at_what_is_not_used_makes_no_loss_longer(replica: Replica) -> None:
    await replica.take("r", 1)
    await replica.share.standing("another", (BURST,), replica.periods)
    replica.shared.lost = True
    assert await replica.take("l", 1) == 0
    replica.shared.lost = False
    await replica.clock.pass_by(EVERY)
    assert await replica.take("s", 1) == 1


async def test_nothing_leaves_while_others_may_come_back(replica: Replica) -> None:
    await replica.take("r", 1)
    await replica.lose()
    replica.shared.lost = False
    await replica.clock.pass_by(EVERY)
    assert await replica.take("l", 1) == 0
    await replica.clock.pass_by(GATHERING - EVERY)
    assert await replica.take("l", 1) == 0
    await replica.clock.pass_by(EVERY)
    assert await replica.take("l", 200) == 100


async def test_a_store_that_is_lost_again_before_all_are_back_leaves_the_share(replica: Replica) -> None:
    await replica.take("r", 1)
    await replica.lose()
    await replica.reserve("l")
    replica.shared.lost = False
    await replica.clock.pass_by(EVERY)
    replica.shared.lost = True
    await replica.settle("l")
    await replica.clock.pass_by(GATHERING)
    assert replica.share.status() is not None
    await replica.clock.pass_by(QUIET)
    assert await replica.take("m", 1) == 1
    await replica.find()
    assert await replica.used(DAY) == [3]


async def test_a_mistake_does_not_leave_the_replica_with_its_share_for_ever(replica: Replica) -> None:
    await replica.lose()
    await replica.take("l", 2)
    replica.shared.mistaken = True
    await replica.clock.pass_by(EVERY)
    assert [line["step"] for line in replica.heard.lines("store error")] == ["watch"]
    replica.shared.mistaken = False
    await replica.find()
    assert await replica.used(DAY) == [2]


async def test_a_store_that_lost_its_last_moments_is_told_the_days_with_the_share(replica: Replica) -> None:
    await replica.take("r", 30)
    await replica.lose()
    await replica.take("l", 5)
    replica.shared.lost = False
    replica.shared.forget_all()
    other = Replica(replica.clock, replica.shared)
    await other.take("first", 3, DAY)
    await other.share.aclose()
    await replica.find()
    assert await replica.used(DAY) == [35]
