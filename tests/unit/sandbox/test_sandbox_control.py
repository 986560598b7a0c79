"""The ledger and the control endpoint."""

import hashlib
import ssl

import trustme

from adapters.sandbox import Fault
from tests.unit.sandbox.client import NOON, Client, serving


async def test_the_ledger_notes_every_call(client: Client) -> None:
    headers = {
        "Accept-Language": "NL",
        "Content-Type": "application/json",
        "X-Request-Id": "r1",
        "traceparent": "00-a-b-01",
        "Cookie": "secret",
    }
    body = b'{"Code":"x"}'
    await client.call("PATCH", "object/Equipment('00001')?a=%20b", data=body, headers=headers)
    entry = client.last
    assert entry.number == 1
    assert entry.at == NOON
    assert entry.method == "PATCH"
    assert entry.target == "/api/v1/object/Equipment('00001')?a=%20b"
    assert entry.key == "sandbox-demo"
    assert entry.headers == {name: value for name, value in headers.items() if name != "Cookie"}
    assert entry.size == len(body)
    assert entry.sha256 == hashlib.sha256(body).hexdigest()
    assert (entry.status, entry.effect, entry.fault) == (200, "Update Equipment 00001", None)


async def test_the_ledger_is_a_ring_with_totals() -> None:
    async with serving(ledger_size=3) as client:
        for _ in range(5):
            await client.get("Vendor")
        await client.get("Nothing")
        ledger = client.sandbox.ledger
        assert [entry.number for entry in ledger.calls] == [4, 5, 6]
        assert (ledger.received, ledger.statuses) == (6, {200: 5, 404: 1})


async def test_the_ledger_over_http(client: Client) -> None:
    for _ in range(3):
        await client.get("Vendor")
    seen = (await client.call("GET", "/_sandbox/ledger?since=1")).json
    assert [call["number"] for call in seen["calls"]] == [2, 3]
    assert seen["received"] == 3
    assert (await client.call("DELETE", "/_sandbox/ledger")).status == 204
    assert (await client.call("GET", "/_sandbox/ledger")).json["calls"] == []
    assert (await client.call("GET", "/_sandbox/ledger?since=x")).error == (400, "InvalidControl")


async def test_the_overview_shows_no_secret(client: Client) -> None:
    body = (await client.call("GET", "/_sandbox/")).json
    assert body["records"]["Equipment"] == 12
    assert "JobEquipment" not in body["records"]
    assert "sandbox-demo" in body["keys"]
    assert body["rest"] == f"{client.sandbox.url}/api/v1"
    assert (await client.call("GET", "/_sandbox")).status == 200


async def test_faults_are_scripted_over_http(client: Client) -> None:
    reply = await client.call("POST", "/_sandbox/faults", json={"action": "answer", "status": 500})
    assert reply.status == 201
    assert (await client.get("Vendor")).status == 500
    await client.call("POST", "/_sandbox/faults", json={"action": "answer"})
    assert (await client.call("DELETE", "/_sandbox/faults")).status == 204
    assert (await client.get("Vendor")).status == 200


async def test_reset_brings_the_seed_back(client: Client) -> None:
    await client.put("Equipment('00001')", {"Context": 1, "Status": 2})
    await client.post("Equipment", {"Context": 1, "Status": 2})
    client.sandbox.faults.add(Fault(action="answer"))
    assert (await client.call("POST", "/_sandbox/reset")).status == 204
    assert (await client.get("Equipment('00001')")).json["SerialNumber"] == "2344-323AA"
    assert (await client.post("Equipment", {"Context": 1, "Status": 2})).json["Id"] == "00013"


async def test_unknown_control_calls(client: Client) -> None:
    assert (await client.call("GET", "/_sandbox/nothing")).error == (404, "ResourceNotFound")
    assert (await client.call("PUT", "/_sandbox/reset")).error == (405, "MethodNotAllowed")
    assert client.sandbox.ledger.calls == []


async def test_it_can_speak_tls() -> None:
    authority = trustme.CA()
    served, trusted = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(served)
    authority.configure_trust(trusted)
    async with serving(ssl_context=served, page_size=1) as client:
        reply = await client.get("Equipment", ssl=trusted)
        assert reply.json["nextPageLink"].startswith(f"https://127.0.0.1:{client.sandbox.port}/api/v1/")


async def test_paths_outside_the_api_are_unknown(client: Client) -> None:
    for path in (
        "/",
        "/api/v2/object/Equipment",
        "/api/v1",
        "/api/v1/nothing/x",
        "/api/v1/object",
        "/api/v1/object/",
    ):
        assert (await client.call("GET", path)).error == (404, "ResourceNotFound")
