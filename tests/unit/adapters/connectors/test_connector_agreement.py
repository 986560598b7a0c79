"""Against the sandbox: connectors give the same records as REST, to the byte, in every format."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from adapters._connectors.options import ExportOptions, ImportOptions
from adapters.connector.options import AshxOptions
from adapters.rest import SPEC as REST
from adapters.sandbox import Sandbox, SandboxOptions
from contracts.adapter import AdapterContext, TenantProfile
from contracts.operations import ChangeRecord, CreateRecord
from contracts.results import Page, Stored
from gateway.wire import UpstreamWire
from tests.unit.adapters.connectors.rig import SCHEMA, ZONE, a_wire, an_adapter, at, listing, over, records

NAMES = [entity.name for entity in SCHEMA.entities.values()]


class Rig(msgspec.Struct):
    sandbox: Sandbox
    site: UpstreamWire
    rest: UpstreamWire

    async def by_rest(self, entity: str, condition: str | None = None) -> list[bytes]:
        """The records as the REST adapter gives them, in JSON."""
        context = AdapterContext(
            base_url="https://upstream.example/api/v1",
            schema=SCHEMA,
            zone=ZONE,
            profile=TenantProfile(language="en-US"),
            options=REST.options(),
        )
        page = await over(self.rest, REST.open(context), listing(entity, condition))
        assert isinstance(page, Page)
        return sorted(map(msgspec.json.encode, page.items))


@asynccontextmanager
async def rig() -> AsyncIterator[Rig]:
    async with Sandbox(SandboxOptions(zone=str(ZONE), limits="off")) as sandbox:
        site = sandbox.url.partition("/api/")[0]
        async with a_wire(site) as by_site, a_wire(f"{site}/api/v1") as by_rest:
            yield Rig(sandbox, by_site, by_rest)


def options(suffix: str = "", *, credentials_in_url: bool = False) -> AshxOptions:
    return AshxOptions(
        exports={name: ExportOptions(f"EXP_{name.upper()}{suffix}", ("Id",)) for name in NAMES},
        imports={name: ImportOptions(f"IMP_{name.upper()}") for name in NAMES},
        credentials_in_url=credentials_in_url,
    )


@pytest.mark.parametrize("suffix", ["", "_CSV", "_JSON"])
async def test_every_record_is_the_same_as_from_rest(suffix: str) -> None:
    adapter = an_adapter(options(suffix))
    async with rig() as here:
        for name in NAMES:
            exported = await records(here.site, adapter, listing(name))
            assert sorted(map(msgspec.json.encode, exported)) == await here.by_rest(name)


@pytest.mark.parametrize("credentials_in_url", [False, True])
async def test_writes_and_narrowed_reads_go_either_way(credentials_in_url: bool) -> None:
    adapter = an_adapter(options(credentials_in_url=credentials_in_url))
    text = "a\r\n\tb ]]> & < \" ' é"
    body = {"Context": 1, "Status": 2, "Code": text, "InstallDate": "2024-02-29", "PurchasePrice": 10.25}
    change: dict[str, object] = {
        "Department": {"ExternalId": "01"},
        "BuildingPart": {"Building": "0001", "Id": "001"},
        "Model": None,
    }
    async with rig() as here:
        made = await over(here.site, adapter, CreateRecord(place=at("Equipment"), body=body))
        assert isinstance(made, Stored)
        assert isinstance(made.record, dict)
        id = made.record["Id"]
        await over(here.site, adapter, ChangeRecord(place=at(f"Equipment/{id}"), body=change))
        condition = f"Id eq '{id}'"
        (record,) = await records(here.site, adapter, listing("Equipment", condition))
        assert [msgspec.json.encode(record)] == await here.by_rest("Equipment", condition)
        assert isinstance(record, dict)
        assert (record["Code"], record["Department"], record["PurchasePrice"]) == (text, "01", 10.25)
        narrowed = listing("BuildingPart", "Id/Building eq '0001' and Id/Id eq '001'")
        assert len(await records(here.site, adapter, narrowed)) == 1
        assert not any("sandbox-password" in call.target for call in here.sandbox.ledger.calls)
