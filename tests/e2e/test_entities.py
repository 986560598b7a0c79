"""Entities and properties that only one environment has, or only one tenant of it, named in the configuration."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import httpx2
import pytest
import pytest_asyncio

from adapters.sandbox import Sandbox
from tests.support.servers import KEY, ScriptedUpstream, gateway, scripted_upstream

OWN = {
    "Contract": {
        "properties": {
            "StartDate": "date",
            "Vendor": {"reference": "Vendor"},
            "Lines": {"collection": "ContractLine"},
        }
    },
    "ContractLine": {"key": ["Contract", "LineId"], "automatic_key": True},
    "Equipment": {"properties": {"Weight": "decimal"}},
    "Anything": {"open": True},
}

TENANTS = {
    "demo": {},
    "own": {
        "entities": {
            "Equipment": {"properties": {"Height": "decimal"}},
            "Contract": {"properties": {"Permit": {"reference": "Permit"}}},
            "Permit": {"properties": {"Until": "date", "Contract": {"reference": "Contract"}}},
        },
    },
}


@pytest_asyncio.fixture
async def upstream() -> AsyncIterator[ScriptedUpstream]:
    async with scripted_upstream() as running:
        yield running


@pytest_asyncio.fixture
async def client(upstream: ScriptedUpstream) -> AsyncIterator[httpx2.AsyncClient]:
    async with (
        gateway(upstream.url, TENANTS, environment={"entities": OWN}) as served,
        httpx2.AsyncClient(
            base_url=served.url + "/v1/demo/objects/", headers={"X-API-Key": KEY}, verify=False
        ) as running,
    ):
        yield running


def answering(upstream: ScriptedUpstream, record: object) -> None:
    body = json.dumps(record).encode()
    upstream.answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
        len(body),
        body,
    )


async def test_a_record_of_an_own_entity_has_the_types_that_were_configured(
    upstream: ScriptedUpstream, client: httpx2.AsyncClient
) -> None:
    answering(upstream, {"Id": "1", "StartDate": "2022-03-14T00:00:00", "Vendor": "0007"})
    answer = await client.get("contract/1")
    assert (answer.status_code, answer.json()) == (
        200,
        {"Id": "1", "StartDate": "2022-03-14", "Vendor": "0007"},
    )
    assert upstream.requests[0].startswith(b"GET /api/v1/object/Contract('1') ")


async def test_a_standard_entity_has_the_property_that_was_added(
    upstream: ScriptedUpstream, client: httpx2.AsyncClient
) -> None:
    answering(upstream, {"items": [{"Id": "1", "Weight": 2.5}], "count": None, "nextPageLink": None})
    answer = await client.get("Equipment", params={"select": "weight", "filter": "Weight gt 2"})
    assert answer.json()["items"] == [{"Id": "1", "Weight": 2.5}]
    misspelt = await client.get("Equipment", params={"select": "Wieght"})
    assert misspelt.status_code == 400
    assert "Weight" in misspelt.text


async def test_what_was_not_configured_is_not_there(client: httpx2.AsyncClient) -> None:
    assert (await client.get("Contracts/1")).json()["code"] == "entity_not_found"
    assert (await client.get("Contract", params={"select": "Weight"})).status_code == 400
    assert (await client.get("Anything", params={"select": "Whatever", "dry_run": "true"})).status_code == 200


async def test_a_line_is_made_in_its_owner_and_addressed_by_its_whole_key(
    upstream: ScriptedUpstream, client: httpx2.AsyncClient
) -> None:
    answering(upstream, {"Id": {"Contract": "1", "LineId": "2"}, "Contract": "1"})
    answer = await client.get("Contract/1/Lines/2")
    assert answer.status_code == 200
    made = await client.post(
        "Contract/1/Lines", json={"Description": "x", "Context": 1, "Status": 1}, params={"dry_run": "true"}
    )
    assert made.status_code == 200, made.text
    assert "Contract('1')/Lines" in made.text
    refused = await client.post("Contract", json={"Description": "x", "Context": 1, "Status": 1})
    assert (refused.status_code, refused.json()["code"]) == (501, "operation_not_supported")


async def test_what_a_tenant_adds_is_its_own_beside_what_its_environment_has(
    upstream: ScriptedUpstream, client: httpx2.AsyncClient
) -> None:
    own = client.base_url.copy_with(path="/v1/own/objects")
    record = {"Id": "1", "Until": "2022-03-14T00:00:00", "Contract": "7"}
    answering(upstream, record)
    answer = await client.get(f"{own}/permit/1")
    assert answer.json() == {"Id": "1", "Until": "2022-03-14", "Contract": "7"}
    answering(upstream, {"items": [{"Id": "1", "Weight": 2.5, "Height": 3}]})
    both = await client.get(f"{own}/Equipment", params={"filter": "Height gt 1 and Weight gt 2"})
    assert both.json()["items"] == [{"Id": "1", "Weight": 2.5, "Height": 3}]
    led = await client.get(f"{own}/Contract/7/Permit", params={"dry_run": "true"})
    assert "Contract('7')/Permit" in led.text
    written = await client.patch(f"{own}/Equipment/1", json={"Heigth": 3})
    assert (written.status_code, written.json()["code"]) == (400, "invalid_body")
    assert "Height" in written.text

    assert (await client.get("Permit/1")).json()["code"] == "entity_not_found"
    assert (await client.get("Contract/7/Permit")).json()["code"] == "invalid_path"
    refused = await client.get("Equipment", params={"filter": "Height gt 1"})
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_filter")


@pytest.mark.parametrize("adapter", ["connector", "soap"])
async def test_a_tenants_own_entity_is_typed_over_connectors_too(sandbox: Sandbox, adapter: str) -> None:
    tenant = {
        "entities": {
            "_MyEntity": {"automatic_key": True, "properties": {"Remark": "string", "Amount": "decimal"}}
        },
        "adapters": {
            adapter: {
                "exports": {"_MyEntity": {"connector": "EXP__MYENTITY", "filters": ["Id"]}},
                "imports": {"_MyEntity": {"connector": "IMP__MYENTITY"}},
            }
        },
    }
    async with (
        gateway(sandbox.url + "/api/v1", {"demo": tenant}) as served,
        httpx2.AsyncClient(base_url=served.url, headers={"X-API-Key": KEY}, verify=False) as client,
    ):
        path = "/v1/demo/objects/_MyEntity"
        made = await client.post(path, json={"Context": 1, "Status": 1, "Amount": 12.50, "Remark": "007"})
        assert made.status_code == 201, made.text
        assert (made.json()["Amount"], made.json()["Remark"]) == (12.5, "007")
        listed = await client.get(
            path, params={"filter": f"Id eq '{made.json()['Id']}' and Amount gt 12", "select": "Amount"}
        )
        assert listed.json()["items"] == [{"Amount": 12.5}]
