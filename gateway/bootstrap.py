"""Everything put together: the only place that knows every part."""

from __future__ import annotations

import io
import secrets
import sys
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import BinaryIO

import msgspec
from litestar import Litestar
from structlog.typing import FilteringBoundLogger

from contracts.adapter import Adapter, AdapterContext, AdapterSpec, TenantProfile
from contracts.schema import Schema
from contracts.wire import Slot
from gateway.clock import Clock, SystemClock
from gateway.http.app import Lifespan, build_http, build_operations
from gateway.http.context import Timeouts
from gateway.http.cursors import Cursors
from gateway.http.exchange import Limits, Services
from gateway.http.principals import Principals
from gateway.http.reporting import CallReporter
from gateway.http.tokens import TokenVerifier
from gateway.pipeline import policies
from gateway.registry import RegistryError, discover
from gateway.routing import Routing
from gateway.settings import (
    ConfigurationError,
    Problem,
    ServerSettings,
    Settings,
    TenantSettings,
    data_model,
    decode_strict,
)
from gateway.settings.problems import suggestion
from gateway.telemetry.log import build_logger
from gateway.telemetry.metrics import Metrics
from gateway.tenants import Tenant, Tenants, TenantWire
from gateway.version import VERSION
from gateway.wire import SendReport, UpstreamWire, WireSettings
from gateway.wire.settings import UnusableFile


class Gateway(msgspec.Struct, frozen=True):
    """The applications of one process. ``operations`` is there when its routes have a port of their own."""

    app: Litestar
    operations: Litestar | None
    logger: FilteringBoundLogger


def build(settings: Settings, *, clock: Clock | None = None, log: BinaryIO | None = None) -> Gateway:
    """The gateway that a configuration describes; connections are made when calls need them.

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
    schemas = {name: data_model(entry.entities) for name, entry in settings.environments.items()}
    tenants = _Assembly(settings, specs, schemas, clock, metrics).tenants()
    services = Services(
        tenants=tenants,
        authenticate=Principals(settings.clients, _tokens(settings.server)),
        reporter=CallReporter(logger, metrics, show_keys=settings.server.log.show_keys),
        clock=clock,
        cursors=Cursors(_cursor_secret(settings.server, logger)),
        metrics=metrics.render,
        limits=_limits(settings.server),
        checks={"configuration": _configured},
    )

    apart = settings.server.operations_port is not None
    return Gateway(
        app=build_http(services, operations=not apart, lifespan=_closing(tenants)),
        operations=build_operations(services) if apart else None,
        logger=logger,
    )


def _closing(tenants: Tenants) -> Lifespan:
    """The life of the application, at whose end every connection is given back."""

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await tenants.close()

    return lifespan


def mistakes(settings: Settings) -> Iterable[Problem]:
    """What only building finds wrong, adapters' options for one; nothing is sent.

    Tenants are left out whose environment is not there: that is wrong already.
    """
    whole = {
        n: tenant for n, tenant in settings.tenants.items() if tenant.environment in settings.environments
    }
    rest = msgspec.structs.replace(settings, tenants=whole, server=ServerSettings())
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
        raise _mistake("adapters", str(error)) from error


class _Assembly(msgspec.Struct, frozen=True):
    """What every tenant is put together from."""

    settings: Settings
    specs: Mapping[str, AdapterSpec]
    schemas: Mapping[str, Schema]
    clock: Clock
    metrics: Metrics

    def tenants(self) -> Tenants:
        """Raises :class:`ConfigurationError` with the mistakes of all tenants."""
        built: list[Tenant] = []
        problems: list[Problem] = []
        for name, tenant in self.settings.tenants.items():
            try:
                built.append(self._tenant(name, tenant))
            except ConfigurationError as error:
                problems += error.problems
        if problems:
            # Those of an environment are found by each of its tenants.
            raise ConfigurationError(dict.fromkeys(problems))
        return Tenants(built)

    def _tenant(self, name: str, tenant: TenantSettings) -> Tenant:
        adapters: dict[str, Adapter] = {}
        wires: dict[str, TenantWire] = {}
        problems: list[Problem] = []
        for adapter, options in tenant.adapter_options().items():
            listed = tenant.adapters if isinstance(tenant.adapters, tuple) else ()
            at = f"[{listed.index(adapter)}]" if adapter in listed else f".{adapter}"
            where = f"tenants.{name}.adapters{at}"
            try:
                spec, address = self._found(adapter, tenant, where)
                adapters[adapter] = _opened(spec, self._context(spec, tenant, address, options, where), where)
                wires[adapter] = self._wire(name, adapter, tenant, address, where)
            except ConfigurationError as error:
                problems += error.problems
        if problems:
            raise ConfigurationError(problems)
        return Tenant(
            name,
            tenant,
            schema=self.schemas[tenant.environment],
            routing=Routing(adapters),
            wires=wires,
            policies=policies(self.clock),
        )

    def _found(self, adapter: str, tenant: TenantSettings, where: str) -> tuple[AdapterSpec, str]:
        """The adapter's spec and the address it speaks to."""
        spec = self.specs.get(adapter)
        if spec is None:
            hint = suggestion(adapter, self.specs) or f"; there are: {', '.join(sorted(self.specs))}"
            raise _mistake(where, f"no adapter of this name is installed{hint}")
        address = self.settings.environments[tenant.environment].address(spec.interface)
        if address is None:
            raise _mistake(
                where, f"the environment '{tenant.environment}' has no address for '{spec.interface}'"
            )
        return spec, address

    def _context(
        self,
        spec: AdapterSpec,
        tenant: TenantSettings,
        address: str,
        options: Mapping[str, object],
        where: str,
    ) -> AdapterContext:
        return AdapterContext(
            base_url=address,
            schema=self.schemas[tenant.environment],
            zone=self.settings.environments[tenant.environment].zone,
            profile=TenantProfile(
                company=tenant.company,
                multilingual=tenant.multilingual,
                strip_html=tenant.strip_html,
                language=tenant.language,
            ),
            options=decode_strict(spec.options, options, where),
        )

    def _wire(self, name: str, adapter: str, tenant: TenantSettings, address: str, where: str) -> TenantWire:
        environment = self.settings.environments[tenant.environment]
        certificate = tenant.client_certificate

        def meter(report: SendReport) -> None:
            self.metrics.upstream(
                environment=tenant.environment,
                tenant=name,
                adapter=adapter,
                status=report.send.status,
                units=report.units,
            )

        wire = WireSettings(
            base_url=address,
            connect_timeout=environment.timeouts.connect,
            read_timeout=environment.timeouts.read,
            write_timeout=environment.timeouts.write,
            pool_timeout=environment.timeouts.pool,
            max_connections=environment.max_connections,
            max_response=environment.max_response,
            proxy=environment.proxy,
            ca_file=str(environment.ca_file) if environment.ca_file else None,
            client_cert=str(certificate.cert_file) if certificate else None,
            client_key=str(certificate.key_file) if certificate else None,
        )
        places = {
            "ca_file": f"environments.{tenant.environment}.ca_file",
            "client_cert": f"tenants.{name}.client_certificate",
        }
        credential = {Slot.API_KEY: tenant.credentials.api_key.reveal()}
        try:
            return UpstreamWire(wire, credential=credential, clock=self.clock, meter=meter)
        except UnusableFile as error:
            raise _mistake(places[error.setting], str(error)) from error
        except (ValueError, OSError) as error:
            raise _mistake(where, f"no connection can be set up: {error}") from error


def _opened(spec: AdapterSpec, context: AdapterContext, where: str) -> Adapter:
    try:
        return spec.open(context)
    except ValueError as error:
        raise _mistake(where, str(error)) from error


def _mistake(where: str, message: str) -> ConfigurationError:
    return ConfigurationError([Problem(where, message)])


def _tokens(server: ServerSettings) -> TokenVerifier | None:
    if server.jwt is None:
        return None
    file = server.jwt.keys_file
    try:
        return TokenVerifier(server.jwt, file.read_text() if file else None)
    except (ValueError, TypeError, AttributeError) as error:
        # PyJWT lets what the JSON decoder raises through, and trips over JSON of another shape.
        if file is not None:
            raise _mistake("server.jwt.keys_file", f"holds no JWK Set (RFC 7517): {error}") from error
        raise _mistake("server.jwt", str(error)) from error


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
