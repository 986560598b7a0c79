"""The API on a real socket, over the adapter in memory; and a client that sends bytes as they are told."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import cast
from zoneinfo import ZoneInfo

from litestar import Litestar
from typing_extensions import Buffer

from contracts.call import Call
from contracts.entities import standard_schema
from contracts.wire import Wire
from gateway.clock import SystemClock
from gateway.http.app import build_http
from gateway.http.cursors import Cursors
from gateway.http.exchange import Limits, Services
from gateway.http.idempotency import IdempotencyKeys
from gateway.http.live import Generation, Live
from gateway.http.principals import Principals
from gateway.http.reporting import CallReporter
from gateway.keys import hash_key
from gateway.lifecycle import Lifecycle
from gateway.pipeline import around_call
from gateway.policies.cache import Cache
from gateway.settings import (
    CacheSettings,
    ClientSettings,
    CredentialSettings,
    IdempotencySettings,
    LogSettings,
    Secret,
    TenantSettings,
)
from gateway.stores.memory import MemoryStore
from gateway.stores.ports import IdempotencyStore
from gateway.telemetry.events import Events
from gateway.telemetry.log import build_logger
from gateway.telemetry.metrics import Metrics
from gateway.tenants import Interface, Tenant, Tenants
from tests.support import servers
from tests.unit.http.memory_adapter import MemoryAdapter

KEY = "all-key"
READ_KEY = "read-key"


class NoWire:
    """The adapter in memory sends nothing."""

    def bound(self, call: Call) -> Wire:
        return cast(Wire, self)

    async def close(self) -> None:
        pass


class Log(io.BytesIO):
    """What the gateway logs, and when something is there."""

    def __init__(self) -> None:
        super().__init__()
        self.written = asyncio.Event()

    def write(self, line: Buffer, /) -> int:
        self.written.set()
        return super().write(line)


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> dict[str, object]:
        document = json.loads(self.content)
        assert isinstance(document, dict)
        return document

    @property
    def code(self) -> object:
        assert self.headers["content-type"] == "application/problem+json"
        document = self.json
        assert document["status"] == self.status
        assert document["instance"] == self.headers["x-request-id"]
        return document["code"]


@dataclass
class Served:
    """One running API."""

    port: int
    adapter: MemoryAdapter
    metrics: Metrics
    log: Log

    @property
    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.log.getvalue().splitlines()]

    async def line(self) -> dict[str, object]:
        """The only line of the log, as soon as it is there."""
        await self.log.written.wait()
        (line,) = self.lines
        return line

    async def get(self, target: str, headers: Mapping[str, str] | None = None, **options: str) -> Reply:
        return await self.send("GET", target, headers, **options)

    async def send(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | object | None = None,
        *,
        key: str = KEY,
    ) -> Reply:
        """One request on a connection of its own, the target byte for byte."""
        reader, writer = await self.open(method, target, headers, body, key=key)
        try:
            return await _reply(reader, method)
        finally:
            writer.close()

    async def open(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | object | None = None,
        *,
        key: str = KEY,
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The connection, with the request sent and nothing read."""
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        sent = {"Host": "gateway", "Connection": "close", "X-API-Key": key, **(headers or {})}
        if content and "Transfer-Encoding" not in sent:
            sent.setdefault("Content-Length", str(len(content)))
        head = f"{method} {target} HTTP/1.1\r\n" + "".join(
            f"{name}: {value}\r\n" for name, value in sent.items() if value
        )
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(head.encode("latin-1") + b"\r\n" + content)
        await writer.drain()
        return reader, writer


async def _reply(reader: asyncio.StreamReader, method: str) -> Reply:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    status = int(head[0].split(" ")[1])
    headers: dict[str, str] = {}
    for line in filter(None, head[1:]):
        name, _, value = line.partition(":")
        assert name.lower() not in headers, f"{name} is answered twice"
        headers[name.lower()] = value.strip()
    rest = await reader.read()
    if headers.get("transfer-encoding") == "chunked":
        rest = _unchunked(rest)
    if method != "HEAD" and "content-length" in headers:
        assert len(rest) == int(headers["content-length"])
    return Reply(status, headers, rest)


def _unchunked(raw: bytes) -> bytes:
    content = b""
    while raw:
        size, _, raw = raw.partition(b"\r\n")
        length = int(size, 16)
        content += raw[:length]
        raw = raw[length + 2 :]
    return content


def services(
    adapter: MemoryAdapter,
    log: io.BytesIO,
    limits: Limits,
    checks: Mapping[str, Callable[[], Awaitable[str | None]]] | None = None,
    store: IdempotencyStore | None = None,
) -> tuple[Services, Metrics]:
    """Everything that the routes need, for two tenants; ``hidden`` is nobody's."""
    clock = SystemClock()
    settings = TenantSettings(
        environment="plant", credentials=CredentialSettings(api_key=Secret("upstream-secret")), scan_limit=8
    )
    tenants = [
        Tenant(
            name,
            settings,
            schema=standard_schema(),
            interfaces={"memory": Interface(adapter, NoWire())},
            policies=around_call(clock, Cache(CacheSettings(), standard_schema(), clock)),
            scan_limit=settings.scan_limit,
            zone=ZoneInfo("Europe/Amsterdam"),
        )
        for name in ("demo", "other", "hidden")
    ]
    clients = {
        "all": ClientSettings(
            scopes=frozenset({"read", "write"}), tenants=("demo", "other"), keys=(hash_key(KEY),)
        ),
        "reader": ClientSettings(scopes=frozenset({"read"}), tenants=("demo",), keys=(hash_key(READ_KEY),)),
    }
    metrics = Metrics(
        version="0", config_hash="0", tenants=["demo", "other"], environments=["plant"], adapters=["memory"]
    )
    logger = build_logger(LogSettings(format="json"), log)
    store = store or MemoryStore(clock).idempotency
    return (
        Services(
            tenants=Tenants(tenants),
            authenticate=Principals(clients),
            keys=IdempotencyKeys(store, IdempotencySettings(), clock, Events(logger, metrics)),
            reporter=CallReporter(logger, metrics),
            clock=clock,
            cursors=Cursors(b"a secret of the test"),
            metrics=partial(asyncio.to_thread, metrics.render),
            lifecycle=Lifecycle("0"),
            limits=limits,
            checks=checks or {},
        ),
        metrics,
    )


@asynccontextmanager
async def listening(app: Litestar) -> AsyncIterator[int]:
    """The application under uvicorn; gives the port."""
    async with servers.serving(app) as url:
        yield int(url.rpartition(":")[2])


@asynccontextmanager
async def serving(
    limits: Limits | None = None, store: IdempotencyStore | None = None
) -> AsyncIterator[Served]:
    adapter, log = MemoryAdapter(), Log()
    built, metrics = services(adapter, log, limits or Limits(), store=store)
    async with listening(build_http(Live(Generation(built)))) as port:
        yield Served(port, adapter, metrics, log)
