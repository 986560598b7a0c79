"""Servers on this machine whose connections go as a test wants them to, with TLS and without."""

from __future__ import annotations

import asyncio
import socketserver
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from threading import Thread

import msgspec
import trustme

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{"items":[]}'


class Authority(msgspec.Struct, frozen=True):
    """An authority and the file that it is trusted by."""

    ca: trustme.CA
    file: Path

    def serving(self, leaf: trustme.LeafCert | None = None) -> ssl.SSLContext:
        """What a server shows; a good certificate unless another is given."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        (leaf or self.ca.issue_cert("127.0.0.1", common_name="plant-a")).configure_cert(context)
        return context


class Upstream:
    """Answers each connection with ``answer``, when a request has come; says nothing where that is empty."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self.port = 0
        self.asked = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                self.asked += 1
                writer.write(self._answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()


Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[None, None, None]]


@asynccontextmanager
async def listening(handle: Handle, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """The free port of this machine on which connections are handled."""
    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@asynccontextmanager
async def upstream(tls: ssl.SSLContext | None = None, answer: bytes = ANSWER) -> AsyncIterator[Upstream]:
    """One on a free port of this machine."""
    running = Upstream(answer)
    async with listening(running.handle, tls) as running.port:
        yield running


@contextmanager
def strict(authority: Authority) -> Iterator[tuple[int, list[bytes]]]:
    """A server that wants a client certificate of this authority: its port, and the requests that it got.

    It is OpenSSL's own, in a thread: asyncio's does not tell the other side why it ends a handshake.
    """
    context = authority.serving()
    context.verify_mode = ssl.CERT_REQUIRED
    authority.ca.configure_trust(context)
    asked: list[bytes] = []

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            try:
                with context.wrap_socket(self.request, server_side=True) as secured:
                    request = secured.recv(65_536)
                    if request:
                        asked.append(request)
                        secured.sendall(ANSWER)
                        secured.recv(1)
            except OSError:
                pass

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_address[1], asked
        finally:
            server.shutdown()
            thread.join()
