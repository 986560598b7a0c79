"""Creates whose outcome is unknown: over the sandbox, which may have carried them out, and over doubles."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from adapters.sandbox import Fault, Sandbox, SandboxOptions
from contracts.call import Call
from contracts.errors import (
    DeadlineExceeded,
    GatewayError,
    Outcome,
    OutcomeUnknown,
    QuotaExceeded,
    RecordNotFound,
    UpstreamInvalidResponse,
    UpstreamRejected,
    UpstreamUnavailable,
)
from contracts.operations import CreateRecord, GetRecord, Operation
from contracts.paths import print_path
from contracts.results import Found, Result, Stored
from gateway.clock import SystemClock
from gateway.completion.creates import Creates
from gateway.pipeline import around_call
from gateway.policies.cache import Cache
from gateway.registry import discover
from gateway.settings import CacheSettings, CredentialSettings, Secret, TenantSettings
from gateway.tenants import Interface, Tenant
from gateway.wire import UpstreamWire, WireSettings
from tests.conformance.rigs import CREDENTIAL, addresses, opened
from tests.unit.gateway.plants import SCHEMA, ZONE, call, place
from tests.unit.gateway.policy_rig import CHANGE, DONE, Upstream

BODY: dict[str, object] = {"Context": 1, "Status": 1, "Description": "Leak"}
LOST = Fault(action="reset", method="POST", after=True)
NEVER_CAME = Fault(action="reset", method="POST")


def creation(path: str = "Job", **more: object) -> CreateRecord:
    return CreateRecord(place=place(path), body=BODY | more)


class Plant:
    """A tenant of one adapter over a sandbox; ``sent`` are the methods of what has arrived there."""

    def __init__(self, sandbox: Sandbox, tenant: Tenant) -> None:
        self.sandbox = sandbox
        self.tenant = tenant

    async def create(
        self, operation: CreateRecord, *faults: Fault, doubtful: bool = False
    ) -> Stored | GatewayError:
        for fault in faults:
            self.sandbox.faults.add(fault)
        made = msgspec.structs.replace(call(operation), doubtful=doubtful)
        try:
            result = await self.tenant.perform(made)
        except GatewayError as error:
            return error
        assert isinstance(result, Stored)
        return result

    @property
    def sent(self) -> list[str]:
        return [entry.method for entry in self.sandbox.ledger.since(0)]

    def made(self, external: str, entity: str = "Job") -> int:
        """How many records have this external id."""
        rows = self.sandbox.store.table(entity).rows.values()
        return sum(record.get("ExternalId") == external for record in rows)


@asynccontextmanager
async def planted(name: str) -> AsyncIterator[Plant]:
    async with Sandbox(SandboxOptions(limits="off", zone=ZONE.key)) as sandbox:
        spec = discover()[name]
        wire = UpstreamWire(
            WireSettings(base_url=addresses(sandbox.url)[spec.interface]),
            credential=CREDENTIAL,
            clock=SystemClock(),
        )
        tenant = Tenant(
            "demo",
            TenantSettings(environment="plant", credentials=CredentialSettings(api_key=Secret("k"))),
            schema=SCHEMA,
            interfaces={name: Interface(opened(spec, sandbox.url), wire)},
            policies=around_call(SystemClock(), Cache(CacheSettings(), SCHEMA, SystemClock())),
            scan_limit=250_000,
            zone=ZONE,
        )
        try:
            yield Plant(sandbox, tenant)
        finally:
            await tenant.close()


@pytest_asyncio.fixture
async def plant() -> AsyncIterator[Plant]:
    async with planted("rest") as running:
        yield running


def own_path(stored: Stored | GatewayError) -> str:
    """Where a record that was made says that it is."""
    assert isinstance(stored, Stored)
    assert stored.created
    assert stored.whole
    return print_path(stored.path)


async def test_a_create_that_was_carried_out_is_found(plant: Plant) -> None:
    stored = await plant.create(creation(ExternalId="x-1"), LOST)
    assert isinstance(stored, Stored)
    assert isinstance(stored.record, dict | msgspec.Struct)
    record = msgspec.to_builtins(stored.record)
    assert (record["ExternalId"], record["Description"]) == ("x-1", "Leak")
    assert own_path(stored) == f"Job/{record['Id']}"
    assert (plant.sent, plant.made("x-1")) == (["POST", "GET"], 1)


async def test_a_create_that_never_arrived_is_sent_again(plant: Plant) -> None:
    own_path(await plant.create(creation(ExternalId="x-1"), NEVER_CAME))
    assert (plant.sent, plant.made("x-1")) == (["POST", "GET", "POST"], 1)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(action="answer", method="POST", status=500, body="boom", after=True),
        Fault(action="answer", method="POST", status=201, body="<html>", after=True),
        Fault(action="truncate", method="POST"),
        Fault(action="wrong_length", method="POST"),
    ],
    ids=lambda fault: fault.title,
)
async def test_whatever_leaves_it_unknown(plant: Plant, fault: Fault) -> None:
    own_path(await plant.create(creation(ExternalId="x-1"), fault))
    assert (plant.sent, plant.made("x-1")) == (["POST", "GET"], 1)


@pytest.mark.parametrize("external", ["it's", "a=b,c", "é ü", "..", "0", "'"])
async def test_an_external_id_is_looked_up_by_its_address(plant: Plant, external: str) -> None:
    own_path(await plant.create(creation(ExternalId=external), LOST))
    assert (plant.sent, plant.made(external)) == (["POST", "GET"], 1)


@pytest.mark.parametrize("external", ["a/b", "50%", "?#&:<>*", "\\"])
async def test_one_that_no_address_can_hold_is_found_by_a_filter_with_its_provider(
    plant: Plant, external: str
) -> None:
    """Another provider may have the same external id: without it there is no telling whose record that is."""
    own_path(await plant.create(creation(ExternalId=external, DataProvider="Rest"), LOST))
    assert (plant.sent, plant.made(external)) == (["POST", "GET"], 1)
    plant.sandbox.ledger.clear()
    error = await plant.create(creation(ExternalId=f"other {external}"), LOST)
    assert isinstance(error, OutcomeUnknown)
    assert "DataProvider" in error.detail
    assert plant.sent == ["POST"]


async def test_the_names_of_properties_match_in_any_case(plant: Plant) -> None:
    own_path(await plant.create(creation(externalid="x-1"), LOST))
    assert plant.sent == ["POST", "GET"]


async def test_the_data_provider_belongs_to_it(plant: Plant) -> None:
    own_path(await plant.create(creation(ExternalId="x-1")))
    stored = await plant.create(creation(ExternalId="x-1", DataProvider="erp"), LOST)
    assert own_path(stored)
    assert isinstance(stored, Stored)
    assert msgspec.to_builtins(stored.record)["DataProvider"] == "erp"
    assert (plant.sent, plant.made("x-1")) == (["POST", "POST", "GET"], 2)


async def test_a_child_is_looked_up_by_itself(plant: Plant) -> None:
    stored = await plant.create(creation("Department/01/Jobs", ExternalId="x-1"), LOST)
    assert own_path(stored).startswith("Job/")
    assert plant.made("x-1") == 1


async def test_over_a_connector_as_well() -> None:
    async with planted("connector") as plant:
        own_path(await plant.create(creation(ExternalId="x-1"), Fault(action="reset", after=True)))
        assert plant.made("x-1") == 1
        own_path(await plant.create(creation(ExternalId="x-2"), Fault(action="reset")))
        assert plant.made("x-2") == 1


async def test_without_an_external_id_it_stays_unknown(plant: Plant) -> None:
    error = await plant.create(creation(), LOST)
    assert isinstance(error, OutcomeUnknown)
    assert "ExternalId" in error.detail
    assert plant.sent == ["POST"]


async def test_what_cannot_be_looked_up_stays_unknown(plant: Plant) -> None:
    broken = Fault(action="answer", method="GET", status=503, headers={"Retry-After": "7"})
    error = await plant.create(creation(ExternalId="x-1"), LOST, broken)
    assert isinstance(error, OutcomeUnknown)
    assert (error.outcome, error.retry_after) == (Outcome.UNKNOWN, 7.0)
    assert "could not be looked up: the upstream failed with the status 503" in error.detail
    assert plant.sent == ["POST", "GET"]


async def test_it_is_sent_again_once(plant: Plant) -> None:
    error = await plant.create(creation(ExternalId="x-1"), Fault(action="reset", method="POST", count=None))
    assert isinstance(error, OutcomeUnknown)
    assert "sending it again failed" in error.detail
    assert plant.sent == ["POST", "GET", "POST"]


async def test_a_doubtful_one_is_looked_up_before_it_is_sent(plant: Plant) -> None:
    first = own_path(await plant.create(creation(ExternalId="x-1"), doubtful=True))
    assert plant.sent == ["GET", "POST"]
    assert own_path(await plant.create(creation(ExternalId="x-1"), doubtful=True)) == first
    assert (plant.sent, plant.made("x-1")) == (["GET", "POST", "GET"], 1)


async def test_a_doubtful_one_that_cannot_be_named_is_not_sent(plant: Plant) -> None:
    for operation in (creation(), creation(ExternalId="")):
        error = await plant.create(operation, doubtful=True)
        assert isinstance(error, OutcomeUnknown)
        assert "an earlier call" in error.detail
    assert plant.sent == []


async def test_a_doubtful_one_that_cannot_be_looked_up_is_not_sent(plant: Plant) -> None:
    error = await plant.create(
        creation(ExternalId="x-1"), Fault(action="answer", method="GET", status=500), doubtful=True
    )
    assert isinstance(error, OutcomeUnknown)
    assert plant.sent == ["GET"]


class Doubles:
    """A create over an upstream and a look-up that say what they are told to."""

    def __init__(self, sends: list[Result | BaseException], looks: list[Result | BaseException]) -> None:
        self.send = Upstream(*sends)
        self.look = Upstream(*looks)

    async def _aside(self, call: Call, operation: Operation) -> Result:
        return await self.look(msgspec.structs.replace(call, operation=operation))

    async def perform(self, operation: Operation) -> Result:
        return await Creates(SCHEMA, self._aside).perform(call(operation), self.send)

    @property
    def asked(self) -> tuple[int, int]:
        return len(self.send.calls), len(self.look.calls)


NAMED = creation(ExternalId="x-1")
ABSENT = RecordNotFound("absent", outcome=Outcome.REFUSED)
THERE = Found(record={"Id": "0000007", "ExternalId": "x-1"}, content_language="NL")
UNIQUE = UpstreamRejected("there is one with this external id")


async def test_one_that_arrives_late_is_found_when_the_second_is_refused() -> None:
    doubles = Doubles([OutcomeUnknown("lost"), UNIQUE], [ABSENT, THERE])
    stored = await doubles.perform(NAMED)
    assert isinstance(stored, Stored)
    assert own_path(stored) == "Job/0000007"
    assert stored.content_language == "NL"
    assert doubles.asked == (2, 2)


async def test_a_refusal_that_nothing_stands_in_the_way_of_is_one() -> None:
    doubles = Doubles([OutcomeUnknown("lost"), UNIQUE], [ABSENT])
    with pytest.raises(UpstreamRejected) as raised:
        await doubles.perform(NAMED)
    assert raised.value is UNIQUE
    assert doubles.asked == (2, 2)


async def test_a_refusal_of_which_the_reason_cannot_be_looked_up_leaves_it_unknown() -> None:
    doubles = Doubles([OutcomeUnknown("lost"), UNIQUE], [ABSENT, UpstreamUnavailable("down")])
    with pytest.raises(OutcomeUnknown):
        await doubles.perform(NAMED)


async def test_what_was_in_doubt_stays_so_when_the_second_is_not_sent() -> None:
    full = QuotaExceeded("the day is used up", outcome=Outcome.NOT_SENT, retry_after=60)
    doubles = Doubles([OutcomeUnknown("lost"), full], [ABSENT])
    with pytest.raises(OutcomeUnknown) as raised:
        await doubles.perform(NAMED)
    assert raised.value.detail.startswith("lost; ")
    assert (raised.value.outcome, raised.value.retry_after) == (Outcome.UNKNOWN, 60)


async def test_after_the_deadline_nothing_more_is_sent() -> None:
    doubles = Doubles([DeadlineExceeded("late", outcome=Outcome.UNKNOWN)], [THERE])
    with pytest.raises(DeadlineExceeded) as raised:
        await doubles.perform(NAMED)
    assert raised.value.outcome is Outcome.UNKNOWN
    assert "no time was left" in raised.value.detail
    assert doubles.asked == (1, 0)


async def test_a_record_whose_id_is_not_granted_is_known_by_its_external_id() -> None:
    stored = await Doubles([OutcomeUnknown("lost")], [Found(record={"ExternalId": "a/b"})]).perform(
        creation(ExternalId="a/b", DataProvider="erp")
    )
    assert (
        own_path(stored if isinstance(stored, Stored) else ABSENT) == "Job/ExternalId=a%2Fb,DataProvider=erp"
    )


@pytest.mark.parametrize(
    "error",
    [
        UpstreamUnavailable("down", outcome=Outcome.NOT_SENT),
        DeadlineExceeded("late"),
        UpstreamRejected("no"),
        QuotaExceeded("full", outcome=Outcome.NOT_SENT),
        asyncio.CancelledError(),
    ],
)
async def test_a_known_outcome_is_left_alone(error: BaseException) -> None:
    doubles = Doubles([error], [THERE])
    with pytest.raises(type(error)) as raised:
        await doubles.perform(NAMED)
    assert raised.value is error
    assert doubles.asked == (1, 0)


async def test_other_operations_are_left_alone() -> None:
    unknown = UpstreamInvalidResponse("what")
    doubles = Doubles([unknown, DONE], [THERE])
    with pytest.raises(UpstreamInvalidResponse):
        await doubles.perform(CHANGE)
    assert await doubles.perform(CHANGE) is DONE
    assert doubles.asked == (2, 0)


class Table:
    """An upstream with one external id; each request comes to what is told next: ``late`` ones with the one after."""

    def __init__(self, told: list[str], *, there: bool) -> None:
        self.records = int(there)
        self.sends = 0
        self._told = iter(told)
        self._late = False

    def _next(self, act: Callable[[], Result]) -> Result:
        if self._late:
            self._late = False
            self.records = self.records or 1
        match next(self._told, "fine"):
            case "lost":
                act()
                raise OutcomeUnknown("lost")
            case "late" if act == self._insert:
                self._late = True
                raise OutcomeUnknown("slow")
            case "fine":
                return act()
        raise UpstreamUnavailable("down", outcome=Outcome.NOT_SENT)

    def _insert(self) -> Result:
        if self.records:
            raise UNIQUE
        self.records += 1
        return Stored(record={"Id": "1"}, created=True, path=place("Job/1").path)

    def _look(self) -> Result:
        if not self.records:
            raise ABSENT
        return THERE

    async def send(self, call: Call) -> Result:
        self.sends += 1
        return self._next(self._insert)

    async def aside(self, call: Call, operation: Operation) -> Result:
        assert isinstance(operation, GetRecord)
        return self._next(self._look)


@given(
    told=st.lists(st.sampled_from(["fine", "lost", "late", "down"]), max_size=6),
    doubtful=st.booleans(),
    there=st.booleans(),
)
async def test_there_is_never_a_second_one_and_what_is_said_is_so(
    told: list[str], doubtful: bool, there: bool
) -> None:
    table = Table(told, there=there and doubtful)
    made = msgspec.structs.replace(call(NAMED), doubtful=doubtful)
    try:
        result = await Creates(SCHEMA, table.aside).perform(made, table.send)
    except GatewayError as error:
        assert table.records <= 1
        if error.outcome is not Outcome.UNKNOWN:
            assert table.records == 0
    else:
        assert isinstance(result, Stored)
        assert table.records == 1
    assert table.sends <= 2 - doubtful
