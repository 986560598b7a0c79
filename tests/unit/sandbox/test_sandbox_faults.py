"""Scripted faults: whom they strike and what the client then meets."""

import asyncio
import gzip
import json
from typing import Any

import aiohttp
import pytest

from adapters.sandbox import Fault
from tests.support.servers import eventually
from tests.unit.sandbox.client import Client, serving

NEW = {"Context": 1, "Status": 2}


async def raw(client: Client, path: str) -> bytes:
    """All bytes that come back on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", client.sandbox.port)
    head = (
        f"GET /api/v1/object/{path} HTTP/1.1\r\nHost: x\r\nApiKey: sandbox-demo\r\nConnection: close\r\n\r\n"
    )
    writer.write(head.encode())
    try:
        return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


async def test_a_fault_answers_in_place_of_the_upstream(client: Client) -> None:
    fault = Fault(
        action="answer", status=502, body="<h1>Bad Gateway</h1>", media="text/html", headers={"X-A": "b"}
    )
    client.sandbox.faults.add(fault)
    reply = await client.put("Equipment('00042')", NEW)
    assert (reply.status, reply.body, reply.headers["X-A"]) == (502, b"<h1>Bad Gateway</h1>", "b")
    assert reply.headers["Content-Type"] == "text/html"
    assert (client.last.fault, client.last.status, client.last.effect) == ("answer", 502, None)
    assert (await client.get("Equipment('00042')")).status == 404


async def test_bytes_can_be_in_any_encoding(client: Client) -> None:
    client.sandbox.faults.add(Fault(action="answer", status=200, body='{"Id":"ü"}', encoding="latin-1"))
    assert (await client.get("Equipment('00001')")).body == b'{"Id":"\xfc"}'


async def test_matchers(client: Client) -> None:
    client.sandbox.faults.add(
        Fault(action="answer", name="third", method="get", path=r"equipment\('0000\d'\)", skip=1, count=2)
    )
    assert (await client.patch("Equipment('00001')", {"Code": "x"})).status == 200
    assert (await client.get("Vendor")).status == 200
    statuses = [(await client.get("Equipment('00001')")).status for _ in range(5)]
    assert statuses == [200, 503, 503, 200, 200]
    overview = (await client.call("GET", "/_sandbox/faults")).json["faults"][0]
    assert (overview["seen"], overview["struck"]) == (3, 2)


async def test_dice_choose_whom_it_strikes_and_fall_the_same_again(client: Client) -> None:
    falls = []
    for _ in range(2):
        client.sandbox.faults.clear()
        client.sandbox.faults.add(Fault(action="answer", chance=0.3, seed=7, count=None))
        falls.append([(await client.get("Equipment('00001')")).status for _ in range(60)])
    assert falls[0] == falls[1]
    assert 8 <= falls[0].count(503) <= 28


async def test_a_delay_of_a_random_length(client: Client) -> None:
    client.sandbox.faults.add(Fault(action="delay", seconds=1, longest=2, count=None))
    thrown = [client.sandbox.faults.strike("GET", "/") for _ in range(200)]
    lengths = sorted(fault.seconds for fault in thrown if fault is not None)
    assert 1 <= lengths[0] < 1.1
    assert 1.9 < lengths[-1] <= 2


async def test_what_is_delayed_takes_place_without_its_caller(client: Client) -> None:
    client.sandbox.faults.add(Fault(action="delay", seconds=0.1))
    body = json.dumps(NEW).encode()
    head = (
        "PUT /api/v1/object/Equipment('00042') HTTP/1.1\r\nHost: x\r\nApiKey: sandbox-demo\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    _, writer = await asyncio.open_connection("127.0.0.1", client.sandbox.port)
    writer.write(head.encode() + body)
    await writer.drain()
    await eventually(lambda: client.sandbox.ledger.received)
    writer.transport.abort()
    await eventually(lambda: client.sandbox.ledger.calls)
    assert (client.last.effect, client.last.size) == ("Insert Equipment 00042", len(body))


async def test_for_ever_and_cleared(client: Client) -> None:
    client.sandbox.faults.add(Fault(action="answer", count=None))
    assert {(await client.get("Vendor")).status for _ in range(5)} == {503}
    client.sandbox.faults.clear()
    assert (await client.get("Vendor")).status == 200


async def test_faults_strike_in_the_order_in_which_they_were_added(client: Client) -> None:
    client.sandbox.faults.add(Fault(action="answer", status=500))
    client.sandbox.faults.add(Fault(action="answer", status=502))
    assert [(await client.get("Vendor")).status for _ in range(3)] == [500, 502, 200]


async def test_a_delay_lets_the_call_go_on(client: Client) -> None:
    client.sandbox.faults.add(Fault(action="delay", seconds=0.01))
    assert (await client.get("Equipment('00001')")).status == 200
    assert client.last.fault == "delay"


@pytest.mark.parametrize(("after", "found"), [(False, 404), (True, 200)])
async def test_a_reset_before_or_after_the_work(client: Client, after: bool, found: int) -> None:
    """With POST: aiohttp repeats other methods by itself when the connection is reset."""
    client.sandbox.faults.add(Fault(action="reset", method="POST", after=after))
    with pytest.raises(aiohttp.ClientError):
        await client.post("Equipment", NEW)
    assert client.last.status == 0
    assert client.last.effect == ("Insert Equipment 00013" if after else None)
    assert (await client.get("Equipment('00013')")).status == found


async def test_an_answer_after_the_work(client: Client) -> None:
    client.sandbox.faults.add(Fault(action="answer", status=504, after=True))
    assert (await client.put("Equipment('00042')", NEW)).status == 504
    assert client.last.effect == "Insert Equipment 00042"
    assert (await client.get("Equipment('00042')")).status == 200


async def test_a_truncated_body(client: Client) -> None:
    client.sandbox.faults.add(Fault(action="truncate"))
    with pytest.raises(aiohttp.ClientPayloadError):
        await client.get("Equipment")


@pytest.mark.parametrize("extra", [50, -50])
async def test_a_wrong_content_length(client: Client, extra: int) -> None:
    whole = (await client.get("Equipment('00001')")).body
    client.sandbox.faults.add(Fault(action="wrong_length", extra=extra))
    head, _, body = (await raw(client, "Equipment('00001')")).partition(b"\r\n\r\n")
    assert body == whole
    assert f"Content-Length: {len(whole) + extra}".encode() in head


async def test_slow_bytes_arrive_whole(client: Client) -> None:
    whole = (await client.get("Equipment")).body
    client.sandbox.faults.add(Fault(action="slow", seconds=0.02))
    assert (await client.get("Equipment")).body == whole


@pytest.mark.parametrize(
    ("as_date", "after", "header"),
    [(False, 5, "5"), (True, 60, "Mon, 14 Mar 2022 12:01:00 GMT"), (False, None, None)],
)
async def test_too_many_requests(
    client: Client, as_date: bool, after: int | None, header: str | None
) -> None:
    client.sandbox.faults.add(Fault(action="too_many", retry_after=after, as_date=as_date))
    reply = await client.get("Equipment")
    assert reply.error == (429, "TooManyRequests")
    assert reply.headers.get("Retry-After") == header


async def test_a_redirect(client: Client) -> None:
    client.sandbox.faults.add(Fault(action="redirect", status=307, to="https://elsewhere.invalid/"))
    reply = await client.get("Equipment")
    assert (reply.status, reply.headers["Location"]) == (307, "https://elsewhere.invalid/")


async def test_a_gzip_bomb_is_small_on_the_wire(client: Client) -> None:
    client.sandbox.faults.add(Fault(action="gzip_bomb", size=1024 * 1024))
    head, _, body = (await raw(client, "Equipment")).partition(b"\r\n\r\n")
    assert b"Content-Encoding: gzip" in head
    assert len(body) < 5000
    inflated = gzip.decompress(body)
    assert len(inflated) > 1024 * 1024
    assert json.loads(inflated)["items"] == []


async def test_links_that_lead_astray() -> None:
    async with serving(page_size=2) as client:
        client.sandbox.faults.add(Fault(action="foreign_link", to="https://evil.invalid/x"))
        reply = await client.get("Equipment?select=Id")
        assert (reply.json["nextPageLink"], reply.ids) == ("https://evil.invalid/x", ["00001", "00002"])
        client.sandbox.faults.add(Fault(action="looping_link"))
        looping = await client.get("Equipment?select=Id")
        assert looping.json["nextPageLink"] == f"{client.sandbox.url}/api/v1/object/Equipment?select=Id"


@pytest.mark.parametrize(
    "fault",
    [{"action": "explode"}, {"action": "answer", "path": "("}, {"action": "answer", "nope": 1}, {}, [],
     {"action": "answer", "body": "ü", "encoding": "ascii"}],
)  # fmt: skip
async def test_faults_that_cannot_be_used(client: Client, fault: Any) -> None:
    reply = await client.call("POST", "/_sandbox/faults", json=fault)
    assert reply.error == (400, "InvalidControl")
