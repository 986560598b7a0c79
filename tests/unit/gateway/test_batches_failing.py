"""What a batch ends in when not all of it can be sent, or a pack of it fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import pytest

from contracts.call import Call
from contracts.errors import (
    DeadlineExceeded,
    FailedDependency,
    Fault,
    GatewayError,
    InvalidBody,
    OperationNotSupported,
    Outcome,
    OutcomeUnknown,
    PayloadTooLarge,
    QuotaExceeded,
    UpstreamAuthFailed,
    UpstreamRejected,
    UpstreamUnavailable,
)
from contracts.paths import unaddressable
from contracts.results import MemberDone, Stored
from tests.unit.gateway.batch_rig import Rig, a_write, creates, jobs_only
from tests.unit.gateway.batch_upstream import Batches, Singles, rejected


def own_failure(error: GatewayError) -> Callable[[int], GatewayError | None]:
    """The second pack ends in this."""
    return lambda number: error if number == 1 else None


@pytest.mark.parametrize(
    ("error", "after", "retryable"),
    [
        (QuotaExceeded("full", retry_after=7), QuotaExceeded, True),
        (DeadlineExceeded("late", outcome=Outcome.UNKNOWN), DeadlineExceeded, True),
        (UpstreamAuthFailed("key"), UpstreamAuthFailed, False),
        (OutcomeUnknown("broken"), UpstreamUnavailable, True),
        (UpstreamRejected("not a batch"), UpstreamUnavailable, True),
    ],
)
async def test_a_pack_that_fails_as_a_whole_is_the_last_one(
    error: GatewayError, after: type[GatewayError], retryable: bool
) -> None:
    upstream = Batches(2)
    upstream.breaks = own_failure(error)
    results = await Rig(batch=upstream).results(*creates(6))
    assert [isinstance(results[id], Stored) for id in "01"] == [True, True]
    assert [results[id] for id in "23"] == [error, error]
    for id in "45":
        unsent = results[id]
        assert type(unsent) is after
        assert isinstance(unsent, GatewayError)
        assert (unsent.outcome, unsent.retryable) == (Outcome.NOT_SENT, retryable)
        assert "not sent" in unsent.detail
        assert unsent.retry_after == error.retry_after
    assert len(upstream.sent) == 1


async def test_a_first_pack_that_did_nothing_is_the_error_of_the_call() -> None:
    upstream = Batches(2)
    upstream.breaks = lambda number: QuotaExceeded("full")
    with pytest.raises(QuotaExceeded):
        await Rig(batch=upstream).packs(*creates(3))


async def test_a_first_pack_that_may_have_been_carried_out_is_told_of_each_write() -> None:
    upstream = Batches(2)
    upstream.breaks = lambda number: OutcomeUnknown("broken")
    results = await Rig(batch=upstream).results(*creates(3))
    assert [type(result) for result in results.values()] == [
        OutcomeUnknown,
        OutcomeUnknown,
        UpstreamUnavailable,
    ]


async def test_a_single_write_that_fails_on_the_way_is_the_last_one() -> None:
    upstream = Singles()
    upstream.breaks = lambda number: UpstreamUnavailable("down") if number == 1 else None
    rig = Rig(rest=upstream)
    results = await rig.results(*creates(3))
    assert [type(result) for result in results.values()] == [Stored, UpstreamUnavailable, UpstreamUnavailable]
    assert len(rig.performed) == 2


async def test_nothing_is_sent_when_one_of_them_cannot_be() -> None:
    upstream = Batches(2)
    upstream.refuses = lambda operation: (
        "no deletes"
        if any(member.write.kind == "delete" for member in getattr(operation, "members", ()))
        else None
    )
    upstream.capabilities = msgspec.structs.replace(upstream.capabilities, operations=frozenset({"batch"}))
    with pytest.raises(OperationNotSupported, match="the operation last: batch: no delete"):
        await Rig(batch=upstream).packs(*creates(5), a_write("last", "DELETE"))
    assert upstream.sent == []


async def test_a_group_needs_an_adapter_that_takes_it_whole() -> None:
    group = [a_write(id, atomicityGroup="g") for id in "abc"]
    with pytest.raises(OperationNotSupported, match="the operation a: rest: no batch here"):
        await Rig(rest=Singles()).packs(*creates(1), *group)
    upstream = Batches(2)
    with pytest.raises(PayloadTooLarge):
        await Rig(batch=upstream).packs(*creates(1), *group)
    assert upstream.sent == []
    jobs, sites = Batches(), Batches()
    jobs.refuses = jobs_only
    with pytest.raises(OperationNotSupported, match="the group g cannot be one transaction"):
        await Rig(jobs=jobs, sites=sites).packs(
            a_write("a", atomicityGroup="g"), a_write("b", path="Site/1", atomicityGroup="g")
        )


async def test_what_only_an_adapter_finds_wrong_with_bodies_has_its_pointer() -> None:
    upstream = Batches()
    upstream.unencodable = lambda member: (
        InvalidBody("bad", faults=(Fault("/Text", "no"),)) if member.id in "13" else None
    )
    with pytest.raises(InvalidBody) as caught:
        await Rig(batch=upstream).packs(*creates(5))
    assert [fault.pointer for fault in caught.value.faults] == [
        "/operations/1/body/Text",
        "/operations/3/body/Text",
    ]
    assert upstream.sent == []


async def test_a_key_that_was_made_and_cannot_be_addressed() -> None:
    upstream = Batches(1)
    upstream.key = lambda number: "a/b"
    upstream.refuses = lambda operation: next(
        filter(
            None, (unaddressable(member.write.place.path) for member in getattr(operation, "members", ()))
        ),
        None,
    )
    results = await Rig(batch=upstream).results(
        a_write("a", "POST", "Invoice"), a_write("b", "POST", "$a/Lines", dependsOn=["a"]), a_write("c")
    )
    assert [type(result) for result in results.values()] == [Stored, OperationNotSupported, Stored]


async def test_a_key_that_the_upstream_did_not_tell() -> None:
    upstream = Batches(1)
    upstream.key = lambda number: None
    results = await Rig(batch=upstream).results(
        a_write("a", "POST", "Invoice"), a_write("b", "POST", "$a/Lines", dependsOn=["a"])
    )
    unsent = results["b"]
    assert isinstance(unsent, FailedDependency)
    assert unsent.detail == "the upstream did not tell the key of what the operation a made"


async def test_a_write_that_gets_too_large_by_the_key_that_was_made() -> None:
    upstream = Batches(1)
    upstream.too_large = lambda member: member.id == "b" and member.origin is None
    results = await Rig(batch=upstream).results(
        a_write("a", "POST", "Invoice"), a_write("b", "POST", "$a/Lines", dependsOn=["a"]), a_write("c")
    )
    assert [type(result) for result in results.values()] == [Stored, PayloadTooLarge, Stored]


async def test_what_could_not_be_sent_stays_so_when_a_pack_fails() -> None:
    upstream = Batches(2)
    upstream.fails = rejected("a")
    upstream.breaks = own_failure(QuotaExceeded("full"))
    results = await Rig(batch=upstream).results(
        *(a_write(id) for id in "a1234"), a_write("b", dependsOn=["a"]), a_write("5")
    )
    ends = {"a": UpstreamRejected, "1": Stored, "b": FailedDependency}
    assert {id: type(result) for id, result in results.items()} == dict.fromkeys("2345", QuotaExceeded) | ends


async def test_a_write_that_nothing_is_told_of() -> None:
    class Forgetful(Rig):
        async def complete(self, call: Call, done: Sequence[MemberDone]) -> list[MemberDone]:
            return [*done[1:]]

    results = await Forgetful(batch=Batches(2)).results(*creates(2))
    assert [type(result) for result in results.values()] == [OutcomeUnknown, Stored]
