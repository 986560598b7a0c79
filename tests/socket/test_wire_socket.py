"""The wire on real sockets: the bytes on the line, the pool, and what becomes of connections."""

from __future__ import annotations

import asyncio
import gzip
import logging

import msgspec
import pytest

from contracts.errors import Overloaded, UpstreamUnavailable
from contracts.wire import Slot, WireRequest
from gateway.version import VERSION
from gateway.wire import WireSettings
from tests.faults.server import Connection, FaultServer
from tests.faults.wires import READ, SECRET, WRITE, a_call, a_wire

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


async def forever(connection: Connection) -> None:
    """Answers every request on the connection."""
    while True:
        await connection.request()
        await connection.send(OK)


def settings(server: FaultServer, **more: object) -> WireSettings:
    return WireSettings(base_url=server.url + "/Ultimo/api/v1", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "target",
    [
        "/object/Equipment('00001')",
        "/object/Equipment?filter=Id%20eq%20'01%2F02'&orderby=Description,Id",
        "/object/Equipment('%2E%2E')/x..y",
        "/object/%C3%A9?a=b+c&d=%2B&e=/../",
        "/a//b;c=d,e:@!$*~",
        "/",
    ],
)
async def test_the_line_carries_the_target_byte_for_byte(target: str) -> None:
    async with FaultServer(forever) as server, a_wire(settings(server)) as wire:
        await wire.bound(a_call()).send(WireRequest(method="GET", target=target))
    assert server.heads[0].split(b"\r\n")[0] == f"GET /Ultimo/api/v1{target} HTTP/1.1".encode()


async def test_the_whole_head_of_a_request() -> None:
    request = WireRequest(
        method="POST",
        target="/batch",
        headers=(("ApiKey", Slot.API_KEY), ("Accept", "application/json")),
        content=b"{}",
    )
    async with FaultServer(forever) as server, a_wire(settings(server)) as wire:
        await wire.bound(a_call(traceparent="00-ab-cd-01")).send(request)
    line, *fields = server.heads[0].decode().removesuffix("\r\n\r\n").split("\r\n")
    assert line == "POST /Ultimo/api/v1/batch HTTP/1.1"
    assert sorted(fields) == [
        "Accept-Encoding: gzip, deflate",
        "Accept: application/json",
        f"ApiKey: {SECRET}",
        "Content-Length: 2",
        f"Host: {server.url.removeprefix('http://')}",
        f"User-Agent: ultimo-gateway/{VERSION}",
        "X-Request-Id: req-1",
        "traceparent: 00-ab-cd-01",
    ]


async def test_a_connection_is_kept() -> None:
    async with FaultServer(forever) as server, a_wire(settings(server)) as wire:
        for request in (READ, WRITE, READ):
            await wire.bound(a_call()).send(request)
        assert (server.connections, server.arrivals) == (1, 3)


async def test_no_cookie_is_kept() -> None:
    async def bake(connection: Connection) -> None:
        while True:
            await connection.request()
            await connection.send(OK.replace(b"\r\n", b"\r\nSet-Cookie: a=b; Path=/\r\n", 1))

    async with FaultServer(bake) as server:
        # A jar keeps no cookies of an address, only of a name.
        named = WireSettings(base_url=server.url.replace("127.0.0.1", "localhost"))
        async with a_wire(named) as wire:
            await wire.bound(a_call()).send(READ)
            await wire.bound(a_call()).send(READ)
    assert b"cookie" not in server.heads[1].lower()


async def test_a_proxy_gets_the_whole_address_and_its_own_credential() -> None:
    async with FaultServer(forever) as proxy:
        where = WireSettings(
            base_url="http://upstream.example/api/v1", proxy=proxy.url.replace("//", "//name:hush@")
        )
        async with a_wire(where) as wire:
            answer = await wire.bound(a_call()).send(READ)
    assert answer.status == 200
    assert proxy.heads[0].startswith(b"GET http://upstream.example/api/v1/object/Equipment HTTP/1.1\r\n")
    assert b"\r\nProxy-Authorization: Basic bmFtZTpodXNo\r\n" in proxy.heads[0]


async def test_when_every_connection_is_in_use_the_wait_is_short() -> None:
    begun = asyncio.Event()
    done = asyncio.Event()

    async def busy(connection: Connection) -> None:
        await connection.request()
        begun.set()
        await done.wait()
        await connection.send(OK)
        await forever(connection)

    async with (
        FaultServer(busy) as server,
        a_wire(settings(server, max_connections=1, pool_timeout=0.05)) as wire,
    ):
        first = asyncio.create_task(wire.bound(a_call()).send(READ))
        await begun.wait()
        call = a_call()
        with pytest.raises(Overloaded, match="in use"):
            await wire.bound(call).send(WRITE)
        assert call.journal.units == 0
        done.set()
        assert (await first).status == 200
        assert (await wire.bound(a_call()).send(READ)).status == 200


async def test_as_many_go_at_once_as_there_are_connections() -> None:
    together = asyncio.Barrier(3)

    async def meet(connection: Connection) -> None:
        await connection.request()
        await together.wait()
        await connection.send(OK)

    async with FaultServer(meet) as server, a_wire(settings(server, max_connections=3)) as wire:
        await asyncio.gather(*(wire.bound(a_call()).send(READ) for _ in range(6)))
        assert server.connections == 6


async def test_a_cancelled_call_closes_its_connection_and_gives_its_place_back() -> None:
    begun = asyncio.Event()
    gone = asyncio.Event()

    async def first_silent(connection: Connection) -> None:
        await connection.request()
        if not begun.is_set():
            begun.set()
            await connection.until_gone()
            gone.set()
        await connection.send(OK)

    async with FaultServer(first_silent) as server, a_wire(settings(server, max_connections=1)) as wire:
        task = asyncio.create_task(wire.bound(a_call()).send(READ))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await gone.wait()
        assert (await wire.bound(a_call()).send(READ)).status == 200
        assert server.connections == 2


async def test_an_answer_streams_while_it_is_made() -> None:
    taken = asyncio.Event()

    async def in_two(connection: Connection) -> None:
        await connection.request()
        first, second = gzip.compress(b"first"), gzip.compress(b"second")
        fields = f"Content-Encoding: gzip\r\nContent-Length: {len(first) + len(second)}"
        await connection.send(f"HTTP/1.1 200 OK\r\n{fields}\r\n\r\n".encode() + first)
        await taken.wait()
        await connection.send(second)

    async with (
        FaultServer(in_two) as server,
        a_wire(settings(server)) as wire,
        wire.bound(a_call()).stream(READ) as stream,
    ):
        assert stream.status == 200
        chunks = stream.chunks()
        assert await anext(chunks) == b"first"
        taken.set()
        assert [chunk async for chunk in chunks] == [b"second"]


async def test_a_stream_that_is_left_early_closes_its_connection() -> None:
    gone = asyncio.Event()

    async def endless(connection: Connection) -> None:
        await connection.request()
        await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n" + bytes(1000))
        await connection.until_gone()
        gone.set()

    async with FaultServer(endless) as server, a_wire(settings(server, max_connections=1)) as wire:
        call = a_call()
        for _ in range(2):
            gone.clear()
            async with wire.bound(call).stream(READ) as stream:
                await anext(stream.chunks())
            await gone.wait()
        assert server.connections == 2
        assert [send.outcome for send in call.journal.sends] == ["answered", "answered"]


async def test_an_answer_left_unread_that_had_come_whole_keeps_its_connection() -> None:
    async with FaultServer(forever) as server, a_wire(settings(server)) as wire:
        async with wire.bound(a_call()).stream(READ) as stream:
            assert stream.status == 200
        await wire.bound(a_call()).send(READ)
        assert server.connections == 1


async def test_nothing_is_logged_of_where_it_went(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        async with FaultServer(forever) as server, a_wire(settings(server)) as wire:
            await wire.bound(a_call()).send(READ)
            bad = msgspec.structs.replace(READ, max_response=1)
            with pytest.raises(Exception, match="larger"):
                await wire.bound(a_call()).send(bad)
    assert [record for record in caplog.records if record.levelno >= logging.INFO] == []


async def test_a_closed_wire_sends_nothing() -> None:
    async with FaultServer(forever) as server:
        async with a_wire(settings(server)) as wire:
            await wire.bound(a_call()).send(READ)
        with pytest.raises(UpstreamUnavailable):
            await wire.bound(a_call()).send(READ)
        assert server.arrivals == 1
