"""Batches of any length over adapters in memory: packs, their order, groups and dependencies."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from itertools import pairwise

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.batches import units
from contracts.errors import (
    FailedDependency,
    GatewayError,
    Outcome,
    UpstreamRejected,
)
from contracts.operations import ChangeRecord, Member, WriteBatch
from contracts.paths import print_path, unaddressable
from contracts.results import Deleted, Stored
from tests.unit.gateway.batch_rig import (
    Operations,
    Rig,
    a_call,
    a_write,
    batch_members,
    creates,
    jobs_only,
    sent,
)
from tests.unit.gateway.batch_upstream import Batches, Singles, rejected


async def test_ten_thousand_creates_are_a_hundred_requests_in_order() -> None:
    upstream = Batches(100)
    rig = Rig(batch=upstream)
    packs = await rig.packs(*creates(10_000))
    assert [len(pack) for pack in packs] == [100] * 100
    assert [item.id for pack in packs for item in pack] == [str(number) for number in range(10_000)]
    assert sent(upstream) == [[str(100 * pack + at) for at in range(100)] for pack in range(100)]


async def test_results_are_given_as_packs_finish() -> None:
    upstream = Batches(2)
    async with aclosing(Rig(batch=upstream).runner.run(a_call(*creates(5)))) as packs:
        first = await anext(packs)
        assert [item.id for item in first] == ["0", "1"]
        assert len(upstream.sent) == 1


async def test_groups_stay_whole() -> None:
    upstream = Batches(3)
    groups = {"1": "a", "2": "a", "3": "b", "4": "b", "6": "c", "7": "c", "8": "c"}
    operations = [a_write(str(id), atomicityGroup=groups.get(str(id))) for id in range(9)]
    await Rig(batch=upstream).packs(*operations)
    assert sent(upstream) == [["0", "1", "2"], ["3", "4", "5"], ["6", "7", "8"]]


async def test_a_record_made_in_an_earlier_pack_is_known_by_its_key_in_later_ones() -> None:
    upstream = Batches(2)
    rig = Rig(batch=upstream)
    await rig.packs(
        a_write("a", "POST", "Invoice"),
        a_write("b", "POST", "$a/Lines", dependsOn=["a"]),
        a_write("c", "POST", "$a/Lines", dependsOn=["a", "b"]),
        a_write("d", "PATCH", "$b", dependsOn=["b"]),
        a_write("e", "DELETE", "$c", dependsOn=["c", "d"]),
    )
    written = [
        (member.id, member.origin, member.depends_on, print_path(member.write.place.path))
        for pack in upstream.sent
        for member in pack
    ]
    assert written == [
        ("a", None, (), "Invoice"),
        ("b", "a", ("a",), "Invoice/%24a/Lines"),
        ("c", None, (), "Invoice/2/Lines"),
        ("d", None, (), "InvoiceLine/Invoice=2,LineId=2"),
        ("e", None, (), "InvoiceLine/Invoice=4,LineId=4"),
    ]


async def test_what_depends_on_a_failed_write_is_not_sent() -> None:
    upstream = Batches(2)
    upstream.fails = rejected("a")
    results = await Rig(batch=upstream).results(
        a_write("a"),
        a_write("x"),
        a_write("b", dependsOn=["a"]),
        a_write("c", dependsOn=["b", "x"]),
        a_write("y", dependsOn=["x"]),
        a_write("d", dependsOn=["c"]),
    )
    assert sent(upstream) == [["a", "x"], ["y"]]
    told = {id: item.detail for id, item in results.items() if isinstance(item, FailedDependency)}
    assert told == {
        "b": "the operation a, which this one depends on, failed",
        "c": "the operation b, which this one depends on, failed",
        "d": "the operation c, which this one depends on, failed",
    }
    assert {type(results[id]) for id in "xy"} == {Stored}
    unsent = results["b"]
    assert isinstance(unsent, FailedDependency)
    assert unsent.outcome is Outcome.NOT_SENT


async def test_without_a_batching_adapter_writes_go_one_by_one() -> None:
    upstream = Singles()
    upstream.fails = lambda member: UpstreamRejected("no") if isinstance(member.write, ChangeRecord) else None
    rig = Rig(rest=upstream)
    results = await rig.results(
        a_write("a", "POST", "Invoice"),
        a_write("b", "POST", "$a/Lines", dependsOn=["a"]),
        a_write("c", "PATCH", "Job/1"),
        a_write("d", "DELETE", "Job/1", dependsOn=["c"]),
        a_write("e", "DELETE", "Job/2"),
    )
    assert [type(result) for result in results.values()] == [
        Stored,
        Stored,
        UpstreamRejected,
        FailedDependency,
        Deleted,
    ]
    assert [operation.kind for operation in rig.performed] == ["create", "create", "change", "delete"]
    paths = [print_path(member.write.place.path) for pack in upstream.sent for member in pack]
    assert paths[1] == "Invoice/1/Lines"
    assert rig.completed == []


async def test_two_adapters_share_a_batch_in_its_order() -> None:
    jobs, others = Batches(5), Batches(5)
    jobs.refuses = jobs_only
    rig = Rig(jobs=jobs, others=others)
    await rig.packs(
        a_write("1"),
        a_write("2"),
        a_write("3", path="Site/1"),
        a_write("4"),
        a_write("5", path="Site/1", dependsOn=["4"]),
    )
    assert (sent(jobs), sent(others)) == ([["1", "2"], ["4"]], [["3"], ["5"]])
    assert [len(operation.members) for operation in rig.performed if isinstance(operation, WriteBatch)] == [
        2,
        1,
        1,
        1,
    ]


async def test_a_group_goes_or_stays_whole() -> None:
    """Not even where one of it depends on a write outside, which the upstream would not take."""
    upstream = Batches(2)
    upstream.fails = rejected("a")
    call = a_call(
        a_write("a"), a_write("x"), a_write("b", atomicityGroup="g"), a_write("c", atomicityGroup="g")
    )
    a, x, b, c = batch_members(call)
    operation = WriteBatch(members=(a, x, b, msgspec.structs.replace(c, depends_on=("a",))))
    call = msgspec.structs.replace(call, operation=operation)
    async with aclosing(Rig(batch=upstream).runner.run(call)) as packs:
        done = [item.result for pack in [pack async for pack in packs] for item in pack]
    assert [type(result) for result in done] == [UpstreamRejected, Stored, FailedDependency, FailedDependency]
    assert [str(result) for result in done[2:]] == [
        "the operation c failed, and with it all of the group g",
        "the operation a, which this one depends on, failed",
    ]
    assert sent(upstream) == [["a", "x"]]


async def test_each_pack_is_made_whole_as_it_was_sent() -> None:
    rig = Rig(batch=Batches(2))
    await rig.packs(*creates(3))
    assert [call.operation for call in rig.completed] == rig.performed


async def test_a_record_made_at_a_key_of_another_interface_is_written_there() -> None:
    batch, connector = Batches(1), Batches(5)
    batch.key = lambda number: "01/02"
    batch.refuses = lambda operation: (
        next((no for member in operation.members if (no := unaddressable(member.write.place.path))), None)
        if isinstance(operation, WriteBatch)
        else None
    )
    rig = Rig(batch=batch, connector=connector)
    following = a_write("2", path="$1", dependsOn=["1"]), a_write("3"), a_write("4")
    results = await rig.results(a_write("1", "POST", "Job"), *following)
    assert all(isinstance(result, Stored) for result in results.values())
    assert (sent(batch), sent(connector)) == ([["1"], ["3"], ["4"]], [["2"]])


class OneAtATime(Batches):
    """Cannot make a write wait for another one of its request; ``looked`` is how many writes it was shown."""

    looked = 0

    def pack(self, members: Sequence[Member]) -> int:
        self.looked += len(members)
        taken: set[str] = set()
        for member in members[: self.count]:
            if not taken.isdisjoint(member.depends_on):
                break
            taken.add(member.id)
        return len(taken)


async def test_a_chain_of_writes_is_not_looked_at_from_end_to_end_for_each_of_them() -> None:
    upstream = OneAtATime(1000)
    chain = [a_write("0"), *(a_write(str(n), dependsOn=[str(n - 1)]) for n in range(1, 2000))]
    packs = await Rig(batch=upstream).packs(*chain)
    assert [len(pack) for pack in packs] == [1] * 2000
    # Looked at by itself, when it is planned, and when it is sent.
    assert upstream.looked < 2000 * 40


async def test_a_pack_is_as_large_as_the_adapter_takes() -> None:
    for count in (1, 15, 16, 17, 127, 128, 129, 1000):
        packs = await Rig(batch=OneAtATime(count)).packs(*creates(2 * count + 1))
        assert [len(pack) for pack in packs] == [count, count, 1]


async def test_what_would_be_sent() -> None:
    upstream = Batches(2)
    planned = Rig(batch=upstream, rest=Singles()).runner.plan(
        a_call(
            a_write("a", "POST", "Invoice"),
            a_write("b", "POST", "$a/Lines", dependsOn=["a"]),
            a_write("c", "POST", "$a/Lines", dependsOn=["a"]),
        )
    )
    assert [(pack.adapter, [request.content for request in pack.requests]) for pack in planned] == [
        ("batch", [b"Invoice\nInvoice/%24a/Lines"]),
        ("batch", [b"Invoice/%24a/Lines"]),
    ]
    assert upstream.sent == []


@st.composite
def batches(draw: st.DrawFn) -> Operations:
    """Groups and single writes with dependencies, some on records that are made on the way."""
    operations: Operations = []
    for number in range(draw(st.integers(1, 10))):
        group = f"g{number}" if draw(st.booleans()) else None
        for _ in range(draw(st.integers(1, 3))):
            earlier = [item for item in operations if item.get("atomicityGroup") == group]
            chosen = draw(st.lists(st.sampled_from(earlier), max_size=2)) if earlier else []
            operations.append(_drawn(draw, str(len(operations)), group, chosen))
    return operations


def _drawn(draw: st.DrawFn, id: str, group: str | None, on: Operations) -> dict[str, object]:
    rest: dict[str, object] = {"atomicityGroup": group, "dependsOn": [item["id"] for item in on]}
    made = [item["id"] for item in on if (item["method"], item["path"]) == ("POST", "Invoice")]
    on_from: bool = draw(st.booleans())
    if made and on_from:
        return a_write(id, "POST", f"${made[0]}/Lines", **rest)
    method, path = draw(st.sampled_from([("POST", "Invoice"), ("PATCH", "Job/1"), ("DELETE", "Job/1")]))
    return a_write(id, method, path, **rest)


def outcomes(operations: Operations, failing: set[str]) -> dict[str, type]:
    """What should become of each write, whatever the packs are."""
    after: dict[str, type] = {}
    for item in operations:
        id, depends_on = str(item["id"]), item["dependsOn"]
        assert isinstance(depends_on, list)
        if any(issubclass(after[other], GatewayError) for other in depends_on):
            after[id] = FailedDependency
        elif id in failing:
            after[id] = UpstreamRejected
        else:
            after[id] = Deleted if item["method"] == "DELETE" else Stored
        group = [
            other
            for other in operations
            if item["atomicityGroup"] and other["atomicityGroup"] == item["atomicityGroup"]
        ]
        if group and item is group[-1]:
            ids = [str(other["id"]) for other in group]
            if any(issubclass(after[other], GatewayError) for other in ids):
                after |= {
                    other: FailedDependency for other in ids if not issubclass(after[other], GatewayError)
                }
    return after


@given(batches(), st.integers(3, 6), st.sets(st.integers(0, 29).map(str), max_size=4))
@settings(max_examples=150, deadline=None)
async def test_random_batches(operations: Operations, count: int, failing: set[str]) -> None:
    """The adapter asserts the upstream's rules on every request."""
    upstream = Batches(count)
    upstream.fails = rejected(*failing)
    results = await Rig(batch=upstream).results(*operations)
    assert {id: type(result) for id, result in results.items()} == outcomes(operations, failing)
    order = [int(member.id) for pack in upstream.sent for member in pack]
    assert order == sorted(order)
    for earlier, later in pairwise(upstream.sent):
        assert len(earlier) + len(next(units(later))) > count
