"""One process: what all of its configurations share, and what is made of each.

A configuration becomes a *generation*: tenants, environments, clients, limits. Whatever is in the store, counted or
logged is the process's, and what is still good (answers that are kept, circuits that are open) is carried on.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import BinaryIO

import msgspec

from contracts.adapter import AdapterSpec
from gateway.assembly import Assembly, mistake
from gateway.carried import Carried
from gateway.clock import Clock
from gateway.environments import Environment, Shared, environments
from gateway.expiry import Expiry, Shown
from gateway.http.context import Timeouts
from gateway.http.cursors import Cursors
from gateway.http.exchange import Check, Degraded, Limits, Services
from gateway.http.idempotency import IdempotencyKeys
from gateway.http.live import Generation, Live
from gateway.http.principals import Principals
from gateway.http.reporting import CallReporter
from gateway.http.tokens import TokenVerifier
from gateway.lifecycle import Lifecycle
from gateway.policies.cache import Cache
from gateway.policies.circuit import Circuit
from gateway.quota.recorder import Recorder
from gateway.scrape import Scrape
from gateway.settings import ConfigurationError, ServerSettings, Settings, data_model, restart_needed
from gateway.stores.ports import QuotaStore, Store
from gateway.telemetry.events import Events
from gateway.telemetry.log import build_logger
from gateway.telemetry.metrics import Metrics
from gateway.telemetry.redaction import Redactor
from gateway.telemetry.tracing import Tracer
from gateway.version import VERSION

End = Callable[[], Awaitable[None]]
"""Gives something back."""


class Prepared(msgspec.Struct, frozen=True):
    """A configuration and all that is made of it alone."""

    settings: Settings
    generation: Generation
    circuits: Carried[Circuit]
    caches: Carried[Cache]


class Memory(msgspec.Struct, frozen=True):
    """What outlives a call: the store, and the quota's account, which goes on by itself when the store is lost.

    ``allow`` says how much of an environment's windows it may use then.
    """

    store: Store
    quota: QuotaStore
    trouble: Callable[[], str | None]
    allow: Callable[[Mapping[str, float]], None]
    close: Callable[[], Awaitable[None]]

    async def check(self) -> Degraded | None:
        """For /readyz: a gateway without its store serves with less."""
        text = self.trouble()
        return None if text is None else Degraded(text)


class Process:
    """What all configurations of one process share, and what is made of each."""

    def __init__(
        self,
        settings: Settings,
        specs: Mapping[str, AdapterSpec],
        open_memory: Callable[[Events], Memory],
        clock: Clock,
        log: BinaryIO,
        tracer: Tracer | None = None,
    ) -> None:
        """``specs`` are the adapters that are installed. Raises :class:`ConfigurationError`."""
        self.clock = clock
        self.redactor = Redactor(secret.reveal() for secret in settings.secrets())
        self.logger = build_logger(settings.server.log, log, self.redactor, clock.now)
        self.specs = specs
        self.tracer = tracer
        self.metrics = Metrics(
            version=VERSION,
            config_hash=settings.fingerprint(),
            tenants=settings.tenants,
            environments=settings.environments,
            adapters=self.specs,
            now=clock.now(),
        )
        self.events = Events(self.logger, self.metrics)
        self.memory = open_memory(self.events)
        self.recorder = Recorder(self.memory.store.ledger, clock, self.events)
        self.lifecycle = Lifecycle(settings.fingerprint())
        self._cursor_secret = secrets.token_bytes(32)
        if settings.server.cursor_secret is None:
            self.logger.info(
                "cursors are signed with a secret of this process alone; set server.cursor_secret for replicas"
            )
        self._began_with = settings
        self._certificates = Shown()
        self._circuits: Carried[Circuit] = Carried()
        self._caches: Carried[Cache] = Carried()
        first = self.prepare(settings)
        self._circuits, self._caches = first.circuits, first.caches
        self.live = Live(first.generation)

    def prepare(self, settings: Settings) -> Prepared:
        """Raises :class:`ConfigurationError`, also for what only a restart can change."""
        # Early, and not in the event loop: hundreds of new secrets take a while, and problems may repeat one.
        self.redactor.learn(secret.reveal() for secret in settings.secrets())
        if lasting := list(restart_needed(self._began_with, settings)):
            raise ConfigurationError(lasting)
        circuits, caches = Carried(self._circuits), Carried(self._caches)
        return Prepared(settings, self._generation(settings, circuits, caches), circuits, caches)

    def take(self, prepared: Prepared) -> None:
        settings = prepared.settings
        self.memory.allow(shares(settings))
        self._circuits, self._caches = prepared.circuits, prepared.caches
        self.lifecycle.config = settings.fingerprint()
        self.metrics.configured(
            self.lifecycle.config,
            tenants=settings.tenants,
            environments=settings.environments,
            now=self.clock.now(),
        )
        self.live.follow(prepared.generation)

    def _generation(
        self, settings: Settings, circuits: Carried[Circuit], caches: Carried[Cache]
    ) -> Generation:
        clock, events, metrics, memory = self.clock, self.events, self.metrics, self.memory
        shared = environments(settings, Shared(memory.quota, memory.store.breakers, clock, events, circuits))
        schemas = {name: data_model(entry.entities) for name, entry in settings.environments.items()}
        assembly = Assembly(
            settings, self.specs, schemas, shared, clock, metrics, caches, self._certificates, self.tracer
        )
        tenants = assembly.tenants()
        expiry = Expiry(settings, self._certificates, clock)
        scrape = Scrape(metrics, shared, expiry, memory.trouble, clock)
        keys = IdempotencyKeys(memory.store.idempotency, settings.idempotency, clock, events)
        show_keys = settings.server.log.show_keys
        services = Services(
            tenants=tenants,
            authenticate=Principals(settings.clients, tokens(settings.server)),
            reporter=CallReporter(self.logger, metrics, recorder=self.recorder, show_keys=show_keys),
            clock=clock,
            cursors=Cursors(self._signing(settings.server)),
            keys=keys,
            metrics=scrape.text,
            lifecycle=self.lifecycle,
            redact=self.redactor.text,
            limits=_limits(settings.server),
            tracer=self.tracer,
            quotas={name: it.view(self.recorder, memory.trouble) for name, it in shared.items()},
            checks={"configuration": self._configured, "store": memory.check, **_upstreams(shared)},
        )
        closing = (it.close for it in shared.values())
        return Generation(services, in_order((scrape.aclose, keys.aclose, tenants.close, *closing)))

    def _signing(self, server: ServerSettings) -> bytes:
        return self._cursor_secret if server.cursor_secret is None else server.cursor_secret.reveal().encode()

    async def _configured(self) -> Degraded | None:
        """Nothing is served before a configuration has been read; what runs may be older than what was written."""
        refused = self.lifecycle.refused
        if refused is None:
            return None
        return Degraded(self.redactor.text(f"the file was changed and refused: {refused}"))


def shares(settings: Settings) -> Mapping[str, float]:
    """The parts of every window that one replica may use by itself, by environment."""
    return {name: entry.quota.local_share for name, entry in settings.environments.items()}


def in_order(ends: Sequence[End]) -> End:
    """One after the other, whatever one of them raises."""

    async def end() -> None:
        async with AsyncExitStack() as stack:
            for each in reversed(ends):
                stack.push_async_callback(each)

    return end


def tokens(server: ServerSettings) -> TokenVerifier | None:
    """What verifies bearer tokens, if they are taken. Raises :class:`ConfigurationError`."""
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


def _upstreams(shared: Mapping[str, Environment]) -> Mapping[str, Check]:
    """For /readyz: what is said of each environment. A gateway without its upstream still answers, and says why."""

    def check(environment: Environment) -> Check:
        async def checked() -> Degraded | None:
            text = environment.trouble()
            return None if text is None else Degraded(text)

        return checked

    return {f"upstream {name}": check(environment) for name, environment in shared.items()}


def _limits(server: ServerSettings) -> Limits:
    timeouts = Timeouts(server.default_timeout, server.max_timeout)
    return Limits(timeouts=timeouts, **msgspec.structs.asdict(server.limits))
