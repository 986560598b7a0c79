"""Real servers for tests: the gateway over uvicorn, and an upstream that says what it is told to."""

from __future__ import annotations

import asyncio
import io
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import uvicorn
from litestar.types import ASGIApp

from gateway.bootstrap import Gateway, build
from gateway.clock import Clock
from gateway.keys import hash_key
from gateway.settings import Settings, parse
from gateway.telemetry.tracing import Tracer
from tests.support.quota import ENVIRONMENT, STORE, TENANT

UPSTREAM_KEY = "sandbox-demo"
UPSTREAM_USER = "sandbox-user"
UPSTREAM_PASSWORD = "sandbox-password"
KEY = "test-key"
READ_KEY = "test-read-key"
NARROW_KEY = "test-narrow-key"


class _Server(uvicorn.Server):
    """uvicorn's, which looks ten times a second whether to end, and then waits as long; this one ends when told to."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.told = asyncio.Event()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self.told.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110 - sockets and tasks
            await asyncio.sleep(0.001)
        await self.lifespan.shutdown()


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """The address of an application on a free port, until the context ends."""
    config = uvicorn.Config(
        app, port=0, http="httptools", ws="none", lifespan="on", log_config=None, access_log=False
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        if task.done():
            task.result()
        await asyncio.sleep(0)
    try:
        yield f"http://127.0.0.1:{_port(server.servers[0].sockets[0])}"
    finally:
        server.told.set()
        await task


async def eventually(happened: Callable[[], object], seconds: float = 5) -> None:
    """Returns when ``happened`` is true; raises TimeoutError when that takes longer."""
    async with asyncio.timeout(seconds):
        while not happened():  # noqa: ASYNC110 - what is waited for lies behind a socket
            await asyncio.sleep(0.005)


def _port(listening: socket.socket) -> int:
    return int(listening.getsockname()[1])


class Served(msgspec.Struct):
    """A gateway that serves; ``log`` collects its lines, ``settings`` is what it began with."""

    url: str
    log: io.BytesIO
    gateway: Gateway
    settings: Settings

    def lines(self, event: str = "call") -> list[dict[str, object]]:
        """The log lines of one kind, oldest first."""
        lines = [
            msgspec.json.decode(line, type=dict[str, object]) for line in self.log.getvalue().splitlines()
        ]
        return [line for line in lines if line["event"] == event]


@asynccontextmanager
async def gateway(
    upstream: str,
    tenants: Mapping[str, Mapping[str, object]] | None = None,
    *,
    environment: Mapping[str, object] | None = None,
    server: Mapping[str, object] | None = None,
    secrets: Mapping[str, str] | None = None,
    store: Mapping[str, object] = STORE,
    idempotency: Mapping[str, object] | None = None,
    clock: Clock | None = None,
    tracer: Tracer | None = None,
) -> AsyncIterator[Served]:
    """A gateway in front of ``upstream`` (a REST base address), with a tenant ``demo`` when none is given.

    The environment's site is what stands before ``/api/v1``, and each tenant has the credentials for both.
    Unless the arguments say otherwise nothing is limited, nothing repeated and nothing left alone.
    ``test-key`` may do everything, ``test-read-key`` may read, ``test-narrow-key`` sees no tenant ``demo``.
    """
    tenants = tenants or {"demo": {}}
    plant = {"rest": upstream, "site": upstream.removesuffix("/api/v1"), "zone": "Europe/Amsterdam"}
    credentials = {
        "api_key": {"env": "UPSTREAM_KEY"},
        "username": UPSTREAM_USER,
        "password": {"env": "UPSTREAM_PASSWORD"},
    }
    document = {
        "server": {"log": {"format": "json"}, **(server or {})},
        "store": {**store},
        "idempotency": {**(idempotency or {})},
        "environments": {"plant": {**plant, **ENVIRONMENT, **(environment or {})}},
        "tenants": {
            name: {"environment": "plant", "credentials": credentials, **TENANT, **tenant}
            for name, tenant in {**tenants, "other": {}}.items()
        },
        "clients": {
            "tests": {"keys": [hash_key(KEY)], "scopes": ["read", "write"], "tenants": ["*"]},
            "reader": {"keys": [hash_key(READ_KEY)], "scopes": ["read"], "tenants": ["*"]},
            "narrow": {"keys": [hash_key(NARROW_KEY)], "scopes": ["read", "write"], "tenants": ["other"]},
        },
    }
    environ = {"UPSTREAM_KEY": UPSTREAM_KEY, "UPSTREAM_PASSWORD": UPSTREAM_PASSWORD, **(secrets or {})}
    settings = parse(msgspec.json.encode(document).decode(), environ, Path())
    log = io.BytesIO()
    built = build(settings, clock=clock, log=log, tracer=tracer)
    async with serving(built.app) as url:
        yield Served(url, log, built, settings)


class ScriptedUpstream:
    """Answers requests with ``answer`` (whole bytes), or with ``answers`` in turn, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answer = b""
        self.answers: list[bytes] = []
        self.requests: list[bytes] = []
        self.url = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (
                        int(line[15:])
                        for line in head.split(b"\r\n")
                        if line.lower().startswith(b"content-length:")
                    ),
                    0,
                )
                self.requests.append(head + await reader.readexactly(length))
                turn = (len(self.requests) - 1) % max(1, len(self.answers))
                writer.write(self.answers[turn] if self.answers else self.answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


@asynccontextmanager
async def scripted_upstream() -> AsyncIterator[ScriptedUpstream]:
    """An upstream on a free port; ``url`` is its REST base address."""
    upstream = ScriptedUpstream()
    server = await asyncio.start_server(upstream.handle, "127.0.0.1", 0)
    upstream.url = f"http://127.0.0.1:{_port(server.sockets[0])}/api/v1"
    try:
        yield upstream
    finally:
        server.close()
