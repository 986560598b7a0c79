"""Everything put together: the only place that knows every part."""

from __future__ import annotations

import io
import secrets
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import BinaryIO

import msgspec
from litestar import Litestar
from structlog.typing import FilteringBoundLogger

from contracts.adapter import AdapterSpec
from gateway.assembly import Assembly, mistake
from gateway.clock import Clock, SystemClock
from gateway.environments import Shared, environments
from gateway.http.app import Lifespan, build_http, build_operations
from gateway.http.context import Timeouts
from gateway.http.cursors import Cursors
from gateway.http.exchange import Degraded, Limits, Services
from gateway.http.idempotency import IdempotencyKeys
from gateway.http.principals import Principals
from gateway.http.reporting import CallReporter
from gateway.http.tokens import TokenVerifier
from gateway.quota.fallback import LocalShare
from gateway.quota.recorder import Recorder
from gateway.registry import RegistryError, discover
from gateway.settings import (
    ConfigurationError,
    Problem,
    ServerSettings,
    Settings,
    StoreSettings,
    data_model,
)
from gateway.stores.memory import MemoryStore
from gateway.stores.ports import QuotaStore, Store
from gateway.stores.sqlite import SqliteStore
from gateway.stores.valkey import ValkeyStore
from gateway.telemetry.events import Events
from gateway.telemetry.log import build_logger
from gateway.telemetry.metrics import Metrics
from gateway.telemetry.redaction import Redactor
from gateway.version import VERSION


class Gateway(msgspec.Struct, frozen=True):
    """The applications of one process. ``operations`` is there when its routes have a port of their own."""

    app: Litestar
    operations: Litestar | None
    logger: FilteringBoundLogger


class Memory(msgspec.Struct, frozen=True):
    """What outlives a call: the store, and the quota's account, which goes on by itself when the store is lost."""

    store: Store
    quota: QuotaStore
    trouble: Callable[[], str | None]
    close: Callable[[], Awaitable[None]]

    async def check(self) -> Degraded | None:
        """For /readyz: a gateway without its store serves with less."""
        text = self.trouble()
        return None if text is None else Degraded(text)


def build(settings: Settings, *, clock: Clock | None = None, log: BinaryIO | None = None) -> Gateway:
    """The gateway that a configuration describes; connections are made, and files opened, when calls need them.

    ``log`` is where lines go, standard output when None. Raises
    :class:`~gateway.settings.ConfigurationError` with everything that only the adapters could find wrong.
    """
    clock = clock or SystemClock()
    logger = build_logger(settings.server.log, log or sys.stdout.buffer, settings.secrets(), clock.now)
    specs = _adapters()
    metrics = Metrics(
        version=VERSION,
        config_hash=settings.fingerprint(),
        tenants=settings.tenants.keys(),
        environments=settings.environments.keys(),
        adapters=specs.keys(),
    )
    events = Events(logger, metrics)
    memory = _memory(settings, clock, events)
    shared = environments(settings, Shared(memory.quota, memory.store.breakers, clock, events))
    schemas = {name: data_model(entry.entities) for name, entry in settings.environments.items()}
    tenants = Assembly(settings, specs, schemas, shared, clock, metrics).tenants()
    recorder = Recorder(memory.store.ledger, clock, events, {key: it.windows for key, it in shared.items()})
    keys = IdempotencyKeys(memory.store.idempotency, settings.idempotency, clock, events)
    services = Services(
        tenants=tenants,
        authenticate=Principals(settings.clients, _tokens(settings.server)),
        reporter=CallReporter(logger, metrics, recorder=recorder, show_keys=settings.server.log.show_keys),
        clock=clock,
        cursors=Cursors(_cursor_secret(settings.server, logger)),
        keys=keys,
        metrics=metrics.render,
        redact=Redactor(secret.reveal() for secret in settings.secrets()).text,
        limits=_limits(settings.server),
        quotas={name: it.view(recorder, memory.trouble) for name, it in shared.items()},
        checks={"configuration": _configured, "store": memory.check},
    )
    ends = (keys.aclose, tenants.close, *(it.close for it in shared.values()), recorder.aclose, memory.close)
    return _applications(services, settings, logger, _ending(ends))


def _applications(
    services: Services, settings: Settings, logger: FilteringBoundLogger, lifespan: Lifespan
) -> Gateway:
    apart = settings.server.operations_port is not None
    return Gateway(
        app=build_http(services, operations=not apart, lifespan=lifespan),
        operations=build_operations(services) if apart else None,
        logger=logger,
    )


def open_store(settings: StoreSettings, clock: Clock) -> Store:
    """The store that a configuration names; it is reached when it is first asked."""
    if settings.kind == "memory":
        return MemoryStore(clock)
    if settings.kind == "valkey" and settings.valkey is not None:
        return ValkeyStore(settings.valkey)
    return SqliteStore(settings.path, clock)


def _memory(settings: Settings, clock: Clock, events: Events) -> Memory:
    store = open_store(settings.store, clock)
    if settings.store.kind == "memory":
        return Memory(store, store.quota, lambda: None, store.close)
    shares = {name: entry.quota.local_share for name, entry in settings.environments.items()}
    share = LocalShare(store.quota, store.ping, MemoryStore(clock).quota, shares, clock, events)

    async def close() -> None:
        await share.aclose()
        await store.close()

    return Memory(store, share, share.status, close)


def _ending(ends: Sequence[Callable[[], Awaitable[None]]]) -> Lifespan:
    """The life of the application, at whose end everything is given back, in this order."""

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for end in reversed(ends):
                stack.push_async_callback(end)
            yield

    return lifespan


def mistakes(settings: Settings) -> Iterable[Problem]:
    """What only building finds wrong, adapters' options for one; nothing is sent.

    Tenants are left out whose environment is not there: that is wrong already.
    """
    whole = {
        n: tenant for n, tenant in settings.tenants.items() if tenant.environment in settings.environments
    }
    # Nothing is kept while a configuration is looked at.
    nowhere = StoreSettings(kind="memory")
    rest = msgspec.structs.replace(settings, tenants=whole, server=ServerSettings(), store=nowhere)
    problems: list[Problem] = []
    for part in (partial(_tokens, settings.server), partial(build, rest, log=io.BytesIO())):
        try:
            part()
        except ConfigurationError as error:
            problems += error.problems
    return problems


def _adapters() -> Mapping[str, AdapterSpec]:
    try:
        return discover()
    except RegistryError as error:
        raise mistake("adapters", str(error)) from error


def _tokens(server: ServerSettings) -> TokenVerifier | None:
    if server.jwt is None:
        return None
    file = server.jwt.keys_file
    try:
        return TokenVerifier(server.jwt, file.read_text() if file else None)
    except (ValueError, TypeError, AttributeError) as error:
        # PyJWT lets what the JSON decoder raises through, and trips over JSON of another shape.
        if file is not None:
            raise mistake("server.jwt.keys_file", f"holds no JWK Set (RFC 7517): {error}") from error
        raise mistake("server.jwt", str(error)) from error


async def _configured() -> str | None:
    """Nothing is served before the configuration has been read and every tenant built."""
    return None


def _cursor_secret(server: ServerSettings, logger: FilteringBoundLogger) -> bytes:
    if server.cursor_secret is not None:
        return server.cursor_secret.reveal().encode()
    logger.info(
        "cursors are signed with a secret of this process alone; set server.cursor_secret for replicas"
    )
    return secrets.token_bytes(32)


def _limits(server: ServerSettings) -> Limits:
    timeouts = Timeouts(server.default_timeout, server.max_timeout)
    return Limits(timeouts=timeouts, **msgspec.structs.asdict(server.limits))
