"""Batches of any length, in packs, against the look-alike of the upstream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from itertools import groupby

import msgspec
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.batch.adapter import BatchAdapter
from adapters.batch.options import BatchOptions
from adapters.sandbox import Fault, Sandbox, SandboxOptions
from contracts.adapter import Adapter
from contracts.call import Call
from contracts.errors import FailedDependency, GatewayError, OutcomeUnknown, RecordNotFound, UpstreamRejected
from contracts.operations import DeleteRecord, Operation, WriteBatch
from contracts.paths import parse_path, print_path
from contracts.records import as_dict
from contracts.results import Deleted, MemberDone, Result, Stored
from contracts.writing import check_write_path
from gateway.completion.batches import BatchRunner
from gateway.wire import UpstreamWire
from tests.unit.adapters.batch.rig import NEW, SCHEMA, a_call, a_wire, a_write, an_adapter, members

pytestmark = pytest.mark.asyncio(loop_scope="module")

Results = dict[str, Stored | Deleted | GatewayError]


class Rig(msgspec.Struct):
    sandbox: Sandbox
    wire: UpstreamWire
    adapter: BatchAdapter

    def choose(self, operation: Operation) -> tuple[str, Adapter]:
        assert self.adapter.refusal(operation) is None
        return "batch", self.adapter

    async def perform(self, call: Call) -> Result:
        return await self.adapter.perform(call, self.wire.bound(call))

    async def as_they_are(self, call: Call, done: Sequence[MemberDone]) -> Sequence[MemberDone]:
        return done

    async def results(self, *operations: Mapping[str, object]) -> Results:
        runner = BatchRunner(SCHEMA, choose=self.choose, perform=self.perform, complete=self.as_they_are)
        call = a_call(WriteBatch(members=members(*operations)), content_language="nl")
        async with aclosing(runner.run(call)) as packs:
            done = [item async for pack in packs for item in pack]
        assert [item.id for item in done] == [operation["id"] for operation in operations]
        return {item.id: item.result for item in done}

    async def deleted(self, path: str) -> Result:
        place = check_write_path(SCHEMA, parse_path(path), "delete")
        return await self.perform(a_call(DeleteRecord(place=place)))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served() -> AsyncIterator[Rig]:
    async with (
        Sandbox(SandboxOptions(limits="off")) as sandbox,
        a_wire(f"{sandbox.url}/api/v1") as wire,
    ):
        yield Rig(sandbox, wire, an_adapter())


@pytest.fixture
def rig(served: Rig) -> Rig:
    served.sandbox.reset()
    served.adapter = an_adapter()
    return served


async def test_every_method(rig: Rig) -> None:
    results = await rig.results(
        a_write("1", "PUT", "Equipment/77777", body={**NEW, "Description": "Pump", "PurchasePrice": 12.5}),
        a_write("2", "POST", "Equipment"),
        a_write("3", "PATCH", "Equipment/77777"),
        a_write("4", "DELETE", "Equipment/77777"),
    )
    made, numbered, changed, gone = results.values()
    assert isinstance(made, Stored)
    assert isinstance(numbered, Stored)
    assert isinstance(changed, Stored)
    assert (made.created, numbered.created, changed.created, gone) == (True, True, False, Deleted())
    assert (as_dict(made.record)["PurchasePrice"], as_dict(changed.record)["Description"]) == (12.5, "x")
    assert print_path(numbered.path).removeprefix("Equipment/").isdigit()


async def test_a_group_with_records_that_are_made_on_the_way(rig: Rig) -> None:
    results = await rig.results(
        a_write("a1", "POST", "Invoice", atomicityGroup="g"),
        a_write("a2", "POST", "$a1/Lines", atomicityGroup="g", dependsOn=["a1"]),
        a_write("a3", "PATCH", "$a2", atomicityGroup="g", dependsOn=["a2"]),
    )
    invoice, line, again = results.values()
    assert isinstance(invoice, Stored)
    assert isinstance(line, Stored)
    assert isinstance(again, Stored)
    number = as_dict(invoice.record)["Id"]
    assert as_dict(line.record)["Id"] == {"Invoice": number, "LineId": "0001"}
    assert again.path == line.path


async def test_a_group_that_fails_is_as_if_it_had_not_been(rig: Rig) -> None:
    before = len(rig.sandbox.store.table("Job").rows)
    results = await rig.results(
        a_write("1", "POST", "Job", atomicityGroup="g"),
        a_write("2", path="Job/none", atomicityGroup="g"),
        a_write("3", "POST", "Job"),
    )
    assert [type(result) for result in results.values()] == [FailedDependency, RecordNotFound, Stored]
    assert len(rig.sandbox.store.table("Job").rows) == before + 1


async def test_one_record_is_deleted(rig: Rig) -> None:
    await rig.results(
        a_write("1", "PUT", "Building/a%20%27b%27"), a_write("2", "PUT", "Building/P/BuildingParts/1")
    )
    assert await rig.deleted("Building/a%20%27b%27") == Deleted()
    with pytest.raises(RecordNotFound):
        await rig.deleted("Building/a%20%27b%27")
    with pytest.raises(UpstreamRejected):
        await rig.deleted("Department/01")


async def test_keys_of_every_kind_that_a_path_can_hold(rig: Rig) -> None:
    keys = [
        "%24a",
        "%2B",
        "a%2Cb",
        "x%3By",
        "%3D1",
        "%40",
        "a%20b",
        "%22",
        "%7Bq%7D",
        "%21",
        "%5E",
        "~",
        "%5B1%5D",
        "%60",
        "é",
    ]
    operations = [a_write(str(at), "PUT", f"Site/{key}") for at, key in enumerate(keys)]
    results = await rig.results(*operations)
    stored = [print_path(result.path) for result in results.values() if isinstance(result, Stored)]
    assert stored == [print_path(parse_path(f"Site/{key}")) for key in keys]


async def test_a_thousand_creates_are_ten_requests_in_order(rig: Rig) -> None:
    since = len(rig.sandbox.ledger.calls)
    results = await rig.results(*(a_write(str(number), "POST", "Job") for number in range(1000)))
    keys = [print_path(result.path) for result in results.values() if isinstance(result, Stored)]
    assert len(keys) == 1000
    assert keys == sorted(keys)
    requests = rig.sandbox.ledger.calls[since:]
    assert [entry.effect for entry in requests] == ["batch: 100 (100 written)"] * 10
    assert [member.id for entry in requests for member in entry.batch or ()] == [
        str(number) for number in range(1000)
    ]


@pytest.mark.parametrize("action", ["truncate", "wrong_length"])
async def test_an_answer_that_breaks_off(rig: Rig, action: str) -> None:
    rig.sandbox.faults.add(msgspec.convert({"action": action, "path": "batch", "after": True}, Fault))
    results = await rig.results(*(a_write(str(number), "POST", "Job") for number in range(100)))
    kinds = [type(result) for result in results.values()]
    known = kinds.count(Stored)
    assert known == (100 if action == "wrong_length" else pytest.approx(50, abs=5))
    assert kinds == [Stored] * known + [OutcomeUnknown] * (100 - known)


@st.composite
def batches(draw: st.DrawFn) -> list[dict[str, object]]:
    """Invoices with lines and jobs, in groups and alone, depending on each other; a few fail."""
    operations: list[dict[str, object]] = []
    for number in range(draw(st.integers(1, 8))):
        group = f"g{number}" if draw(st.integers(0, 1)) else None
        for _ in range(draw(st.integers(1, 3))):
            earlier = [item for item in operations if item["atomicityGroup"] == group]
            on = draw(st.lists(st.sampled_from(earlier), max_size=2)) if earlier else []
            invoices = [f"${item['id']}/Lines" for item in on if item["path"] == "Invoice"]
            path = draw(st.sampled_from(["Invoice", "Job", "Invoice/none/Lines", *invoices]))
            depends_on = [item["id"] for item in on]
            operations.append(
                a_write(str(len(operations)), "POST", path, atomicityGroup=group, dependsOn=depends_on)
            )
    return operations


@given(operations=batches(), count=st.integers(3, 5))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_random_batches_break_no_rule(
    rig: Rig, operations: list[dict[str, object]], count: int
) -> None:
    """The look-alike refuses a request as a whole when a rule of the vendor's page is broken."""
    rig.adapter = an_adapter(BatchOptions(count=count))
    since = rig.sandbox.ledger.received
    results = await rig.results(*operations)
    requests = [entry for entry in rig.sandbox.ledger.calls if entry.number > since]
    assert {entry.status for entry in requests} <= {200}
    assert all(len(entry.batch or ()) <= count for entry in requests)
    sent = [int(member.id) for entry in requests for member in entry.batch or ()]
    assert sent == sorted(sent)
    assert {id: type(result) for id, result in results.items()} == outcomes(operations)


def outcomes(operations: list[dict[str, object]]) -> dict[str, type]:
    """What should become of each write; of a group, the first that fails takes all others along."""
    after: dict[str, type] = {}
    for group, together in groupby(operations, key=lambda item: item["atomicityGroup"] or item["id"]):
        unit = list(together)
        lost = next((item["id"] for item in unit if item["path"] == "Invoice/none/Lines"), None)
        for item in unit:
            depends_on = item["dependsOn"]
            assert isinstance(depends_on, list)
            alone = group == item["id"]
            blocked = alone and any(issubclass(after[id], GatewayError) for id in depends_on)
            if blocked or lost not in (None, item["id"]):
                after[str(item["id"])] = FailedDependency
            else:
                after[str(item["id"])] = Stored if lost is None else RecordNotFound
    return after
