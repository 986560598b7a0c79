"""Everything put together: the only place that knows every part."""

from __future__ import annotations

import io
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import BinaryIO

import msgspec
from litestar import Litestar
from structlog.typing import FilteringBoundLogger

from contracts.adapter import AdapterSpec
from gateway.assembly import mistake
from gateway.clock import Clock, SystemClock
from gateway.http.app import Lifespan, build_http, build_operations
from gateway.lifecycle import Lifecycle
from gateway.process import End, Memory, Prepared, Process, in_order, shares, tokens
from gateway.quota.fallback import LocalShare
from gateway.registry import RegistryError, discover
from gateway.settings import (
    ConfigurationError,
    Problem,
    ServerSettings,
    Settings,
    StoreSettings,
    TracingSettings,
)
from gateway.stores.memory import MemoryStore
from gateway.stores.ports import Store
from gateway.stores.sqlite import SqliteStore
from gateway.stores.valkey import ValkeyStore
from gateway.telemetry.events import Events
from gateway.telemetry.tracing import Tracer


class Gateway(msgspec.Struct, frozen=True):
    """The applications of one process. ``operations`` is there when its routes have a port of their own.

    ``prepare`` puts another configuration together, beside the one that runs: it changes nothing but what the log
    hides, takes its time, and can be called in any thread; it raises
    :class:`~gateway.settings.ConfigurationError`. ``take`` has it serve from here on.
    """

    app: Litestar
    operations: Litestar | None
    logger: FilteringBoundLogger
    lifecycle: Lifecycle
    events: Events
    prepare: Callable[[Settings], Prepared]
    take: Callable[[Prepared], None]


def build(
    settings: Settings,
    *,
    clock: Clock | None = None,
    log: BinaryIO | None = None,
    tracer: Tracer | None = None,
) -> Gateway:
    """The gateway that a configuration describes; connections are made, and files opened, when calls need them.

    ``log`` is where lines go, standard output when None; ``tracer`` stands in for what ``server.tracing`` says. Raises
    :class:`~gateway.settings.ConfigurationError` with everything that only the adapters could find wrong.
    """
    clock = clock or SystemClock()
    memory = partial(_memory, settings, clock)
    tracer = tracer or _tracer(settings.server, clock)
    process = Process(settings, _adapters(), memory, clock, log or sys.stdout.buffer, tracer)
    traces = () if tracer is None else (tracer.aclose,)
    lifespan = _ending((process.live.aclose, process.recorder.aclose, process.memory.close, *traces))
    apart = settings.server.operations_port is not None
    return Gateway(
        app=build_http(process.live, operations=not apart, lifespan=lifespan),
        operations=build_operations(process.live) if apart else None,
        logger=process.logger,
        lifecycle=process.lifecycle,
        events=process.events,
        prepare=process.prepare,
        take=process.take,
    )


def open_store(settings: StoreSettings, clock: Clock) -> Store:
    """The store that a configuration names; it is reached when it is first asked."""
    if settings.kind == "memory":
        return MemoryStore(clock)
    if settings.kind == "valkey" and settings.valkey is not None:
        return ValkeyStore(settings.valkey)
    return SqliteStore(settings.path, clock)


def _tracer(server: ServerSettings, clock: Clock) -> Tracer | None:
    """What traces go through, if there are to be any. Raises :class:`~gateway.settings.ConfigurationError`."""
    start = _tracing(server)
    return None if start is None or server.tracing is None else start(server.tracing, clock.now)


def _tracing(
    server: ServerSettings,
) -> Callable[[TracingSettings, Callable[[], float]], Tracer | None] | None:
    """What makes tracers, where one is asked for: it takes a third of a second to load, and may not be installed."""
    if server.tracing is None:
        return None
    try:
        from gateway.telemetry.otlp import otlp_tracer
    except ImportError as error:
        how = "pip install 'ultimo-gateway[tracing]'"
        raise mistake("server.tracing", f"needs OpenTelemetry, which is not installed: {how}") from error
    return otlp_tracer


def _memory(settings: Settings, clock: Clock, events: Events) -> Memory:
    store = open_store(settings.store, clock)
    if settings.store.kind == "memory":
        return Memory(store, store.quota, lambda: None, lambda shares: None, store.close)
    share = LocalShare(store.quota, store.ping, MemoryStore(clock).quota, shares(settings), clock, events)

    async def close() -> None:
        await share.aclose()
        await store.close()

    return Memory(store, share, share.status, share.allow, close)


def _ending(ends: Sequence[End]) -> Lifespan:
    """The life of the application, at whose end everything is given back, in this order."""

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await in_order(ends)()

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
    server = settings.server
    for part in (partial(tokens, server), partial(_tracing, server), partial(build, rest, log=io.BytesIO())):
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
