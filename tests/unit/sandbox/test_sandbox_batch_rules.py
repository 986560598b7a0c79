"""What a batch may say. Every rule is one of the vendor page "Inserting data in batch"."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.unit.sandbox.batches import NEW, send, statuses, write
from tests.unit.sandbox.client import Client, serving

JSON = {"Content-Type": "application/json"}
OK = write("a", "PATCH", "Object/Equipment('00001')", {"Code": "x"})
B = write("b", "PATCH", "Object/Equipment('00002')", {"Code": "x"})
C = {**B, "id": "c"}


@pytest.mark.parametrize(
    ("requests", "message"),
    [
        ([{**OK, "id": "a b"}], "requests[0].id"),
        ([{**OK, "id": "ä"}], "requests[0].id"),
        ([{**OK, "id": "a\n"}], "requests[0].id"),
        ([{**OK, "id": ""}], "requests[0].id"),
        ([{**OK, "id": 1}], "requests[0].id"),
        ([OK, B, {**B, "id": "a"}], "The id 'a' is used more than once"),
        ([OK, {**B, "atomicityGroup": "a"}], "'a' is both an id and an atomicityGroup"),
        ([{**OK, "atomicityGroup": "b"}, B], "'b' is both an id and an atomicityGroup"),
        ([{**OK, "atomicityGroup": "g g"}], "requests[0].atomicityGroup"),
        ([{**OK, "atomicityGroup": 1}], "requests[0].atomicityGroup"),
        ([{**OK, "atomicityGroup": "g"}, B, {**C, "atomicityGroup": "g"}], "'g' are not adjacent"),
        (
            [{**OK, "atomicityGroup": "g"}, {**B, "atomicityGroup": "h"}, {**C, "atomicityGroup": "g"}],
            "'g' are not adjacent",
        ),
        ([{**OK, "method": "GET"}], "The method 'GET' of 'a' is none of DELETE, PATCH, POST, PUT"),
        ([{**OK, "method": None}], "requests[0].method"),
        ([{**OK, "url": "/Object/Equipment('00001')"}], "begins with a slash"),
        ([{**OK, "url": "Equipment('00001')"}], "does not begin with 'Object'"),
        ([{**OK, "url": "https://customer.ultimo.net/api/v1/Object/Equipment"}], "does not begin with"),
        ([{**OK, "url": "Action/REST_ReportJob"}], "does not begin with 'Object'"),
        ([{**OK, "url": "Batch"}], "is itself a batch request"),
        ([{**OK, "dependsOn": ["b"]}, B], "depends on 'b', which is no id of a preceding request"),
        ([{**OK, "dependsOn": ["a"]}], "depends on 'a', which is no id of a preceding request"),
        ([OK, {**B, "dependsOn": ["x"]}], "depends on 'x'"),
        ([{**OK, "atomicityGroup": "g"}, {**B, "dependsOn": ["g"]}], "depends on 'g'"),
        ([{**OK, "atomicityGroup": "g"}, {**B, "dependsOn": ["a"]}], "not in the same atomicityGroup"),
        ([OK, {**B, "atomicityGroup": "g", "dependsOn": ["a"]}], "not in the same atomicityGroup"),
        ([OK, {**B, "dependsOn": "a"}], "requests[1].dependsOn"),
        ([OK, {**B, "dependsOn": [1]}], "requests[1].dependsOn[0]"),
        ([OK, {**B, "url": "Object/$a"}], "'$a', which dependsOn does not name"),
        ([OK, B, {**C, "url": "Object/$a/Lines", "dependsOn": ["b"]}], "'$a', which dependsOn does not"),
        ([{**OK, "headers": {"Content-Language": "NL"}}], "unknown field `headers`"),
        ([{"id": "a", "method": "PATCH"}], "required field `url`"),
        ([{"id": "a", "url": "Object/Equipment"}], "required field `method`"),
        ([{"method": "PATCH", "url": "Object/Equipment"}], "required field `id`"),
        (["a"], "requests[0]"),
        ({}, "requests"),
        (None, "requests"),
    ],
)
async def test_a_broken_rule_refuses_the_whole_batch(client: Client, requests: Any, message: str) -> None:
    sound = write("z", "PATCH", "Object/Equipment('00003')", {"Code": "changed"})
    if isinstance(requests, list):
        requests = [*requests, sound]
    reply = await client.call("POST", "batch", json={"requests": requests})
    assert reply.error == (400, "InvalidBatch")
    assert message in reply.json["message"]
    assert (client.last.effect, client.last.batch) == (None, None)
    assert (await client.get("Equipment('00003')")).json["Code"] is None


@pytest.mark.parametrize("body", ["[]", "{}", '{"Requests": []}', '{"requests": [], "more": 1}', "1", "null"])
async def test_the_body_is_an_object_of_requests(client: Client, body: str) -> None:
    reply = await client.call("POST", "batch", data=body.encode(), headers=JSON)
    assert reply.error == (400, "InvalidBatch")


async def test_the_body_is_json(client: Client) -> None:
    reply = await client.call("POST", "batch", data=b'{"requests": [', headers=JSON)
    assert reply.error == (400, "InvalidBody")


async def test_the_face_knows_post_of_json_alone(client: Client) -> None:
    for method in ("GET", "PUT", "DELETE"):
        reply = await client.call(method, "batch")
        assert (*reply.error, reply.headers["Allow"]) == (405, "MethodNotAllowed", "POST")
    assert (await client.call("POST", "batch/x", json={"requests": []})).status == 404
    assert (await client.call("POST", "/API/V1/Batch/", json={"requests": []})).json == {"responses": []}
    headers = {"Content-Type": "text/plain"}
    reply = await client.call("POST", "batch", data=b'{"requests": []}', headers=headers)
    assert reply.status == 415


async def test_a_batch_holds_a_hundred_requests_and_counts_as_one_call() -> None:
    async with serving(limits="fixed") as client:
        requests = [write(f"r.{number}", "POST", "Object/Equipment", NEW) for number in range(101)]
        assert (await send(client, *requests)).error == (400, "InvalidBatch")
        assert await statuses(client, *requests[:100]) == [201] * 100
        assert client.last.effect == "batch: 100 (100 written)"
        assert client.sandbox.limiter.usages()[0].used == 2
        assert await statuses(client) == []


async def test_a_batch_is_no_larger_than_a_megabyte() -> None:
    async with serving(single_bytes=1000) as client:
        request = write("a", "PATCH", "Object/Equipment('00001')", {"Code": "x" * 950})
        assert (await send(client, request)).error == (413, "PayloadTooLarge")

        async def pieces() -> AsyncIterator[bytes]:
            yield json.dumps({"requests": [request]}).encode()

        unannounced = await client.call("POST", "batch", data=pieces(), headers=JSON)
        assert unannounced.error == (413, "PayloadTooLarge")
        assert (await client.get("Equipment('00001')")).json["Code"] is None


async def test_a_read_only_key_writes_no_batch(client: Client) -> None:
    assert (await send(client, OK, key="sandbox-readonly")).error == (403, "WriteNotAllowed")
    assert (await send(client, OK, key=None)).error == (401, "MissingApiKey")


@pytest.mark.parametrize("method", ["put", "Put", "PUT"])
@pytest.mark.parametrize(
    "url",
    [
        "Object/Building('a b')",
        "object/building('a b')",
        "OBJECT/Building('a%20b')",
        "Object/Building(%27a%20b%27)",
        "Object/Building(Id='a b')",
        "Object/Building('a b')/",
    ],
)
async def test_methods_and_urls_in_every_form(client: Client, method: str, url: str) -> None:
    assert await statuses(client, write("a", method, url, {**NEW, "Description": "x"})) == [200]
    assert (await client.get("Building('a%20b')")).json["Description"] == "x"
    noted = client.sandbox.ledger.calls[-2].batch
    assert noted is not None
    assert (noted[0].method, noted[0].url, noted[0].effect) == ("PUT", url, "Update Building a b")


@pytest.mark.parametrize(
    ("url", "identity"),
    [
        ("Object/Building('ünï-π')", "ünï-π"),
        ("Object/Building('O''Brien')", "O'Brien"),
        ("Object/Building('$1+2,3;4')", "$1+2,3;4"),
        ("Object/Building('%241%2B2%2C3%3B4')", "$1+2,3;4"),
        ("Object/Building('#1')", "#1"),
        ("Object/EquipmentSparePart(Equipment='00001',Article='0191')", {"Equipment": "00001", "Article": "0191"}),
        ("Object/Equipment(ExternalId='4711')", "00002"),
        ("Object/Department('01')/Jobs('0000002')", "0000002"),
    ],
)  # fmt: skip
async def test_paths_mean_what_they_mean_elsewhere(client: Client, url: str, identity: object) -> None:
    reply = await send(client, write("a", "PATCH", url, {"Description": "x"}))
    response = reply.json["responses"][0]
    assert (response["status"], response["body"]["Id"], response["body"]["Description"]) == (
        200,
        identity,
        "x",
    )


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "Equipment('00001')", {"Status": 2}),
        ("PUT", "Equipment('00001')", None),
        ("PUT", "Equipment('00001')", {}),
        ("PUT", "Equipment('00001')", []),
        ("PATCH", "Equipment('00001')", {"Nope": 1}),
        ("PATCH", "Equipment('00001')", {"Department": "99"}),
        ("PATCH", "Equipment('09999')", {"Code": "x"}),
        ("PATCH", "Nothing('1')", {"Code": "x"}),
        ("PATCH", "Equipment", {"Code": "x"}),
        ("POST", "Equipment('00001')", NEW),
        ("POST", "Vendor", NEW),
        ("PUT", "Building('a:b')", NEW),
        ("PUT", "Building('a%2Fb')", NEW),
        ("PUT", "Building('50%')", NEW),
        ("PUT", "Equipment(", NEW),
        ("PUT", "%24x", NEW),
        ("PATCH", "Building(ExternalId='B1')/BuildingParts('001')", {"Status": 1}),
        ("PATCH", "EquipmentType('0025')", {"Description": "x"}),
    ],
)
async def test_a_failed_request_has_the_error_of_a_single_one(
    client: Client, method: str, path: str, body: object
) -> None:
    single = await client.call(method, f"object/{path}", data=json.dumps(body), headers=JSON)
    reply = await send(client, write("bad", method, f"Object/{path}", body), OK)
    bad, good = reply.json["responses"]
    assert single.status >= 400
    assert bad == {"id": "bad", "status": single.status, "body": single.json}
    assert good["status"] == 200
    assert client.last.effect == "batch: 2 (1 written)"


async def test_an_object_without_entity_is_not_found(client: Client) -> None:
    for url in ("Object", "Object/", "object"):
        reply = await send(client, write("a", "POST", url, NEW))
        response = reply.json["responses"][0]
        assert (response["status"], response["body"]["code"]) == (404, "ResourceNotFound")
