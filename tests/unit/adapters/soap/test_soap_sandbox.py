"""The SOAP adapter against the look-alike's SOAP face: exports, imports, readings, faults."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import msgspec
import pytest

from adapters.sandbox import Sandbox, SandboxOptions
from contracts.errors import ConnectorNotFound, UpstreamAuthFailed, UpstreamRejected
from contracts.operations import (
    ChangeRecord,
    CreateRecord,
    Member,
    Reading,
    RunExport,
    RunImport,
    TakeReadings,
    WriteBatch,
)
from contracts.results import BatchDone, ReadingsTaken, Stored
from tests.unit.adapters.soap.rig import Site, a_site, at

TEXT = 'é & <b> ]]> "quoted"\r\n\tnext'


@asynccontextmanager
async def site(*, cdata: bool = False, password: str = "sandbox-password") -> AsyncIterator[Site]:
    async with (
        Sandbox(SandboxOptions(limits="off", soap_cdata=cdata)) as sandbox,
        a_site(sandbox.url.removesuffix("/api/v1") + "/Ultimo", password=password) as made,
    ):
        yield made


@pytest.fixture
async def served() -> AsyncIterator[Site]:
    async with site() as made:
        yield made


@pytest.mark.parametrize("cdata", [False, True], ids=["escaped", "cdata"])
async def test_what_is_written_is_read_back_to_the_character(cdata: bool) -> None:
    async with site(cdata=cdata) as made:
        stored = await made.perform(
            CreateRecord(place=at("Equipment"), body={"Context": 1, "Status": 2, "Description": TEXT})
        )
        assert isinstance(stored, Stored)
        assert stored.created
        record = msgspec.to_builtins(stored.record)
        (record,) = await made.equipment(f"Id eq '{record['Id']}'")
        assert (record["Description"], record["Status"], record["Context"]) == (TEXT, 2, 1)
        assert len(await made.equipment()) > 1


async def test_a_batch_tells_each_its_own(served: Site) -> None:
    members = (
        Member(id="a", write=ChangeRecord(place=at("Equipment/00001"), body={"Status": 4})),
        Member(id="b", write=ChangeRecord(place=at("Equipment/nobody"), body={"Status": 4})),
    )
    done = await served.perform(WriteBatch(members=members))
    assert isinstance(done, BatchDone)
    assert [type(one.result) for one in done.results] == [Stored, UpstreamRejected]


async def test_readings_become_lines(served: Site) -> None:
    (point, *_) = await served.records(RunExport(name="EXP_EQUIPMENTMEASUREMENTPOINT"))
    reading = Reading(
        equipment=point["Id.Equipment.Id"],
        point=point["Id.Id"],
        at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60)),
        value=Decimal("1000000.5"),
    )
    done = await served.perform(
        TakeReadings(readings=(reading, msgspec.structs.replace(reading, point="none")))
    )
    assert isinstance(done, ReadingsTaken)
    first, second = done.results
    assert first.error is None
    assert first.line_id is not None
    assert isinstance(second.error, UpstreamRejected)


@pytest.mark.parametrize("name", ["EXP_NONE", "EXP_INACTIVE"])
async def test_a_connector_that_is_not_there_is_not_found(served: Site, name: str) -> None:
    with pytest.raises(ConnectorNotFound) as caught:
        await served.records(RunExport(name=name))
    assert "   at " not in caught.value.detail
    with pytest.raises(ConnectorNotFound):
        await served.perform(RunImport(name=name.replace("EXP", "IMP"), objects=()))


async def test_a_wrong_password_is_the_gateways_fault() -> None:
    async with site(password="secret") as made:
        with pytest.raises(UpstreamAuthFailed):
            await made.equipment()


@pytest.mark.parametrize("name", ["EXP_EQUIPMENT", "EXP_EQUIPMENT_CSV", "EXP_EQUIPMENT_JSON"])
async def test_every_format_has_the_same_records(served: Site, name: str) -> None:
    records = await served.records(RunExport(name=name))
    assert [record["Id"] for record in records] == [record["Id"] for record in await served.equipment()]
