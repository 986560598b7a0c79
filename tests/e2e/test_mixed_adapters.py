"""Tenants of one adapter and of several: which of them a write takes, alone and among others, and in which order."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import httpx2
import pytest_asyncio

from adapters.sandbox import Fault, Sandbox
from tests.support.servers import KEY, gateway

IMPORTS = {
    "imports": {"Building": {"connector": "IMP_BUILDING"}, "Vendor": {"connector": "IMP_VENDOR"}},
}
EXPORTS = {"exports": {"Building": {"connector": "EXP_BUILDING", "filters": ["Id"]}}}
TENANTS: dict[str, Mapping[str, object]] = {
    "all": {"adapters": {"rest": {}, "batch": {}, "connector": IMPORTS}},
    "routed": {
        "adapters": {"rest": {}, "batch": {}, "connector": IMPORTS},
        "routes": {"Vendor": ["connector", "rest"]},
    },
    "rest": {"adapters": {"rest": {}}},
    "connector": {"adapters": {"connector": {**IMPORTS, **EXPORTS}}},
}
NEW = {"Context": 1, "Status": 1}
SLASH, PLAIN = "Building/01%2F02", "Building/0001"


@pytest_asyncio.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[httpx2.AsyncClient]:
    async with (
        gateway(sandbox.url + "/api/v1", TENANTS) as served,
        httpx2.AsyncClient(base_url=served.url + "/v1/", headers={"X-API-Key": KEY}, verify=False) as running,
    ):
        yield running


def change(id: str, path: str, **rest: object) -> dict[str, object]:
    return {"id": id, "method": "PATCH", "path": path, "body": {"Description": f"by {id}"}, **rest}


async def batch(
    client: httpx2.AsyncClient, tenant: str, *operations: Mapping[str, object]
) -> httpx2.Response:
    return await client.post(f"{tenant}/batch", json={"operations": operations})


def ways(sandbox: Sandbox) -> list[str]:
    """Which way each request of the sandbox's ledger came."""
    marks = {"connector.ashx": "connector", "/batch": "batch", "/object/": "rest"}
    targets = [call.target.lower() for call in sandbox.ledger.calls]
    return [way for target in targets for mark, way in marks.items() if mark in target]


async def test_a_key_that_rest_cannot_address_goes_another_way_and_in_its_turn(
    client: httpx2.AsyncClient, sandbox: Sandbox
) -> None:
    operations = [
        change("a", PLAIN),
        change("b", SLASH),
        change("c", SLASH),
        change("d", PLAIN),
        change("e", PLAIN, dependsOn=["d"]),
    ]
    answer = await batch(client, "all", *operations)
    results = answer.json()["results"]
    assert [(item["id"], item["status"]) for item in results] == [(id, 200) for id in "abcde"]
    # Two writes of one request are one record after them; REST tells of each.
    assert [item["body"]["Description"] for item in results] == ["by a", "by c", "by c", "by d", "by e"]
    assert ways(sandbox) == ["batch", "connector", "rest", "batch"]


async def test_what_waits_for_another_interface_waits(client: httpx2.AsyncClient, sandbox: Sandbox) -> None:
    answer = await batch(
        client,
        "all",
        change("a", "Building/no%2Fne"),
        change("b", PLAIN, dependsOn=["a"]),
        change("c", PLAIN),
    )
    statuses = [item["status"] for item in answer.json()["results"]]
    assert statuses == [404, 424, 200]
    assert answer.json()["results"][1]["error"]["outcome"] == "not_sent"


async def test_a_failure_of_one_interface_ends_the_batch(
    client: httpx2.AsyncClient, sandbox: Sandbox
) -> None:
    sandbox.faults.add(Fault(action="reset", path="Connector.ashx", after=True))
    answer = await batch(client, "all", change("a", PLAIN), change("b", SLASH), change("c", PLAIN))
    first, second, third = answer.json()["results"]
    assert first["status"] == 200
    assert (second["error"]["outcome"], third["error"]["outcome"]) == ("unknown", "not_sent")
    assert ways(sandbox) == ["batch", "connector"]


async def test_an_entity_with_a_way_of_its_own(client: httpx2.AsyncClient, sandbox: Sandbox) -> None:
    answer = await batch(client, "routed", change("a", PLAIN), change("b", "Vendor/2513"), change("c", PLAIN))
    assert [item["status"] for item in answer.json()["results"]] == [200] * 3
    assert ways(sandbox) == ["batch", "connector", "rest", "batch"]
    refused = await client.delete("routed/objects/Vendor/nope")
    assert refused.status_code == 404


async def test_a_tenant_with_rest_alone_sends_one_by_one(
    client: httpx2.AsyncClient, sandbox: Sandbox
) -> None:
    operations = [change("a", PLAIN), change("b", "Building/nope"), change("c", PLAIN, dependsOn=["b"])]
    answer = await batch(client, "rest", *operations, change("d", PLAIN))
    assert [item["status"] for item in answer.json()["results"]] == [200, 404, 424, 200]
    assert ways(sandbox) == ["rest"] * 3
    for operation in (change("a", SLASH), {"id": "a", "method": "DELETE", "path": PLAIN}):
        refused = await batch(client, "rest", change("z", PLAIN), operation)
        assert refused.json()["code"] == "operation_not_supported"
    assert ways(sandbox) == ["rest"] * 3


async def test_a_tenant_with_a_connector_alone(client: httpx2.AsyncClient, sandbox: Sandbox) -> None:
    answer = await batch(
        client, "connector", change("a", SLASH), change("b", PLAIN), change("c", "Building/nope")
    )
    assert [item["status"] for item in answer.json()["results"]] == [200, 200, 404]
    assert ways(sandbox) == ["connector"] * 2
    refused = await client.patch("connector/objects/Site/01", json={"Description": "x"})
    assert refused.json()["detail"] == (
        "connector: no import connector of this tenant writes Site; one is named in its adapter's imports"
    )


async def test_refusals_tell_of_the_adapters_that_could_have_served(client: httpx2.AsyncClient) -> None:
    patched = await client.patch("rest/objects/Building/a%3Fb", json={"Description": "x"})
    assert patched.json()["detail"] == (
        "rest: the key 'a?b' of Building holds '?', which the upstream does not take in a path. "
        "A write has no other way over REST; an import connector would serve it"
    )
    exported = await client.post("rest/exports/EXP_VENDOR", json={})
    assert exported.json()["detail"] == (
        "rest: connectors are run over Connector.ashx or SOAP; one of these adapters would serve it"
    )
    replaced = await client.put("all/objects/Building/a%3Fb", json=NEW)
    assert replaced.json()["detail"].startswith("rest: the key 'a?b' of Building")
    assert (
        "connector:"
        in (await batch(client, "connector", change("a", PLAIN, atomicityGroup="g"))).json()["detail"]
    )
