"""An upstream on a raw socket that does exactly what a script says, however wrong.

A script is a coroutine function over one accepted :class:`Connection`. The server counts the request
heads that arrived, which is what an upstream would count.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Connection:
    """One accepted connection, as a script sees it."""

    def __init__(
        self, server: FaultServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._server = server
        self.reader = reader
        self.writer = writer

    async def head(self) -> bytes:
        """The next request up to the end of its fields; from here on it counts as arrived."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        self._server.heads.append(head)
        return head

    async def request(self) -> bytes:
        """The next request with its whole body, which is returned; chunks are left as they came."""
        return await self.body(await self.head())

    async def body(self, head: bytes) -> bytes:
        """The whole body of the request that ``head`` begins; chunks are left as they came."""
        if b"chunked" in head.lower():
            return await self.reader.readuntil(b"0\r\n\r\n")
        length = _LENGTH.search(head)
        return await self.reader.readexactly(int(length[1])) if length else b""

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        """Break off with RST, as a crashed process or a firewall does."""
        sock: socket.socket = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def until_gone(self) -> None:
        """Say nothing and take what comes until the peer goes away."""
        while await self.reader.read(65536):
            pass


Script = Callable[[Connection], Awaitable[None]]


class FaultServer:
    """Runs ``script`` on every connection, and closes the connection when it ends."""

    def __init__(self, script: Script, *, tls: ssl.SSLContext | None = None) -> None:
        self.heads: list[bytes] = []
        self.connections = 0
        self._script = script
        self._tls = tls
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def arrivals(self) -> int:
        return len(self.heads)

    async def __aenter__(self) -> FaultServer:
        self._place = socket.socket()
        self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._place.bind(("127.0.0.1", 0))
        host, port = self._place.getsockname()
        self.url = f"{'https' if self._tls else 'http'}://{host}:{port}"
        await self.listen(self._tls)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.refuse()
        self._place.close()

    async def listen(self, tls: ssl.SSLContext | None = None) -> None:
        """Take connections, at the same port as ever."""
        host, port = self._place.getsockname()
        self._server = await asyncio.start_server(
            self._serve, host, port, ssl=tls, limit=2**20, reuse_address=True
        )

    async def refuse(self) -> None:
        """Break off every connection, and take no more; the port stays ours, and refuses."""
        if self._server is None:
            return
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, ssl.SSLError):
                await self._script(Connection(self, reader, writer))
        finally:
            self._tasks.discard(task)
            writer.close()
            with suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()


def black_hole() -> socket.socket:
    """A listening socket that nobody serves: connections come about, and nothing ever answers on them."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(8)
    return listening


def closed_port() -> int:
    """A port at which nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
