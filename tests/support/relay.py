"""A relay of TCP connections that can swallow what the server answers, or break off when it does."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Relay:
    """Passes everything on to a port of this machine; ``swallowing`` answers get lost, with their connections."""

    def __init__(self, target: int) -> None:
        self._target = target
        self.port = 0
        self.swallowing = 0
        self.swallowed = 0
        self._writers: set[asyncio.StreamWriter] = set()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One accepted connection."""
        back, forth = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers |= {writer, forth}
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._answers(back, writer, forth))
                group.create_task(_pass(reader, forth))
        finally:
            for end in (writer, forth):
                end.close()
                with suppress(OSError):
                    await end.wait_closed()
            self._writers -= {writer, forth}

    async def _answers(
        self, back: asyncio.StreamReader, writer: asyncio.StreamWriter, forth: asyncio.StreamWriter
    ) -> None:
        with suppress(OSError):
            while data := await back.read(65536):
                if self.swallowing > 0:
                    self.swallowing -= 1
                    self.swallowed += 1
                    break
                writer.write(data)
                await writer.drain()
        writer.transport.abort()
        forth.transport.abort()

    def close(self) -> None:
        """Break off every connection."""
        for writer in self._writers:
            writer.transport.abort()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()


@asynccontextmanager
async def relay(target: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[Relay]:
    """A relay in front of a port; with ``tls`` it speaks that to its clients."""
    passing = Relay(target)
    server = await asyncio.start_server(passing.handle, "127.0.0.1", 0, ssl=tls)
    passing.port = server.sockets[0].getsockname()[1]
    try:
        yield passing
    finally:
        passing.close()
        server.close()
        await server.wait_closed()
        for _ in range(5):
            await asyncio.sleep(0)
