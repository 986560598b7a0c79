"""Bodies on their way out: framed, streamed in constant memory, and broken off in either direction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from typing import cast

import msgspec
import psutil
import pytest

from contracts.errors import DeadlineExceeded, InvalidRequest, OutcomeUnknown
from contracts.wire import WireRequest
from gateway.wire import WireSettings
from tests.faults.server import Connection, FaultServer
from tests.faults.wires import a_call, a_wire

MIB = 1024 * 1024
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def upload(content: bytes | AsyncIterator[bytes], *headers: tuple[str, str]) -> WireRequest:
    return WireRequest(method="POST", target="/action/REST_ReportJob", headers=headers, content=content)


async def pieces(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


class Keeper:
    """A script that keeps the body it was sent."""

    body = b""

    async def __call__(self, connection: Connection) -> None:
        self.body = await connection.request()
        await connection.send(OK)


async def test_a_source_without_a_length_goes_out_in_chunks() -> None:
    keeper = Keeper()
    async with FaultServer(keeper) as server, a_wire(WireSettings(base_url=server.url)) as wire:
        await wire.bound(a_call()).send(upload(pieces(b"hello ", b"", b"world")))
    assert b"\r\nTransfer-Encoding: chunked\r\n" in server.heads[0]
    assert b"content-length" not in server.heads[0].lower()
    assert b"content-type" not in server.heads[0].lower()
    assert keeper.body == b"6\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n"


async def test_a_source_with_a_length_goes_out_as_it_is() -> None:
    keeper = Keeper()
    async with FaultServer(keeper) as server, a_wire(WireSettings(base_url=server.url)) as wire:
        await wire.bound(a_call()).send(upload(pieces(b"hello ", b"world"), ("Content-Length", "11")))
    assert b"transfer-encoding" not in server.heads[0].lower()
    assert keeper.body == b"hello world"


@pytest.mark.parametrize("size", [1, 64 * 1024, 64 * 1024 + 1, 3 * MIB])
async def test_bytes_of_any_size_go_out_whole(size: int) -> None:
    content = bytes(number % 251 for number in range(1000)) * (size // 1000 + 1)
    keeper = Keeper()
    async with FaultServer(keeper) as server, a_wire(WireSettings(base_url=server.url)) as wire:
        await wire.bound(a_call()).send(upload(content[:size]))
    assert keeper.body == content[:size]


class Sink(asyncio.Protocol):
    """Counts what comes, and answers when the last chunk has."""

    def __init__(self, counted: list[int]) -> None:
        self._counted = counted
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._counted[0] += len(data)
        self._tail = (self._tail + data[-16:])[-16:]
        if self._tail.endswith(b"\r\n0\r\n\r\n"):
            self._transport.write(OK)


async def test_500_mb_pass_in_constant_memory() -> None:
    counted = [0]
    process = psutil.Process()
    before = process.memory_info().rss
    most = before

    async def source() -> AsyncIterator[bytes]:
        nonlocal most
        chunk = bytes(256 * 1024)
        for number in range(2000):
            if number % 100 == 0:
                most = max(most, process.memory_info().rss)
            yield chunk

    sink = await asyncio.get_running_loop().create_server(lambda: Sink(counted), "127.0.0.1", 0)
    async with sink:
        port = sink.sockets[0].getsockname()[1]
        async with a_wire(WireSettings(base_url=f"http://127.0.0.1:{port}")) as wire:
            answer = await wire.bound(a_call(seconds=100)).send(upload(source()))
    assert answer.status == 200
    assert counted[0] > 500 * MIB
    assert most - before < 32 * MIB


async def test_an_answer_that_comes_early_is_the_answer() -> None:
    stopped = asyncio.Event()

    async def source() -> AsyncGenerator[bytes, None]:
        try:
            while True:
                yield bytes(MIB)
        finally:
            stopped.set()

    async def too_large(connection: Connection) -> None:
        await connection.head()
        await connection.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig")
        await connection.until_gone()

    content = source()
    async with FaultServer(too_large) as server, a_wire(WireSettings(base_url=server.url)) as wire:
        answer = await wire.bound(a_call()).send(upload(content))
        assert (answer.status, answer.content) == (413, b"big")
        await content.aclose()
    assert stopped.is_set()


async def test_an_early_answer_stops_a_source_that_is_at_work() -> None:
    closed = asyncio.Event()

    async def source() -> AsyncIterator[bytes]:
        try:
            yield b"first"
            await asyncio.get_running_loop().create_future()
        finally:
            closed.set()

    async def too_large(connection: Connection) -> None:
        await connection.head()
        await connection.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
        await connection.until_gone()

    async with FaultServer(too_large) as server, a_wire(WireSettings(base_url=server.url)) as wire:
        assert (await wire.bound(a_call()).send(upload(source()))).status == 413
        assert closed.is_set(), "nobody reads the source once the send is over"


async def test_an_upstream_that_stops_reading_is_given_up() -> None:
    async def source() -> AsyncIterator[bytes]:
        while True:
            yield bytes(MIB)

    release = asyncio.Event()

    async def deaf(connection: Connection) -> None:
        await connection.head()
        await release.wait()

    async with FaultServer(deaf) as server:
        async with a_wire(WireSettings(base_url=server.url, write_timeout=0.2)) as wire:
            with pytest.raises(OutcomeUnknown, match="did not take"):
                await wire.bound(a_call()).send(upload(source()))
        release.set()


async def test_a_slow_source_is_not_the_upstreams_fault() -> None:
    keeper = Keeper()

    async def source() -> AsyncIterator[bytes]:
        yield b"first"
        with suppress(TimeoutError):
            async with asyncio.timeout(0.15):
                await asyncio.get_running_loop().create_future()
        yield b"second"

    async with FaultServer(keeper) as server:
        where = WireSettings(base_url=server.url, write_timeout=0.05, read_timeout=0.1)
        async with a_wire(where) as wire:
            assert (await wire.bound(a_call()).send(upload(source()))).status == 200
    assert keeper.body.endswith(b"second\r\n0\r\n\r\n")


class SourceBroke(Exception):
    """What the source of a body raises."""


@pytest.mark.parametrize("error", [SourceBroke(), ConnectionResetError(), TimeoutError()], ids=repr)
async def test_a_source_that_breaks_is_no_failure_of_the_upstream(error: Exception) -> None:
    async def source() -> AsyncIterator[bytes]:
        yield b"first"
        raise error

    rest: list[bytes] = []

    async def script(connection: Connection) -> None:
        await connection.head()
        rest.append(await connection.reader.read())

    call = a_call()
    async with FaultServer(script) as server, a_wire(WireSettings(base_url=server.url)) as wire:
        with pytest.raises(type(error)) as caught:
            await wire.bound(call).send(upload(source()))
        assert caught.value is error
    assert not any(body.endswith(b"0\r\n\r\n") for body in rest), "half a body must not look like a whole one"
    assert call.journal.sends[0].outcome == "unknown"


async def test_a_source_shorter_than_announced_does_not_hang() -> None:
    async def script(connection: Connection) -> None:
        await connection.head()
        await connection.until_gone()

    async with FaultServer(script) as server, a_wire(WireSettings(base_url=server.url)) as wire:
        with pytest.raises(InvalidRequest):
            await wire.bound(a_call()).send(upload(pieces(b"abc"), ("Content-Length", "10")))


async def test_a_deadline_stops_the_source_too() -> None:
    closed = asyncio.Event()

    async def source() -> AsyncIterator[bytes]:
        try:
            yield b"first"
            await asyncio.get_running_loop().create_future()
        finally:
            closed.set()

    async def script(connection: Connection) -> None:
        await connection.head()
        await connection.until_gone()

    content = source()
    async with FaultServer(script) as server, a_wire(WireSettings(base_url=server.url)) as wire:
        with pytest.raises(DeadlineExceeded):
            await wire.bound(a_call(seconds=0.1)).send(upload(content))
        assert closed.is_set(), "nobody reads the source once the send is over"


async def test_the_answer_streams_while_the_body_still_leaves() -> None:
    more = asyncio.Event()

    async def source() -> AsyncIterator[bytes]:
        yield b"first"
        await more.wait()
        yield b"second"

    async def echo(connection: Connection) -> None:
        await connection.head()
        await connection.reader.readuntil(b"first\r\n")
        await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf")
        await connection.reader.readuntil(b"0\r\n\r\n")
        await connection.send(b"full")

    async with FaultServer(echo) as server, a_wire(WireSettings(base_url=server.url)) as wire:
        request = msgspec.structs.replace(upload(source()), repeatable=True)
        async with wire.bound(a_call()).stream(request) as stream:
            chunks = stream.chunks()
            assert await anext(chunks) == b"half"
            more.set()
            assert await anext(chunks) == b"full"
