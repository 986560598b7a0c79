"""Tenants put together: of each, its adapters opened, its connections, its routing and its policies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar

import msgspec

from contracts.adapter import Adapter, AdapterContext, AdapterSpec, TenantProfile, UnusableOptions
from contracts.errors import Outcome
from contracts.schema import Schema
from gateway.carried import Carried
from gateway.clock import Clock
from gateway.environments import Environment
from gateway.expiry import Shown
from gateway.pipeline import around_call
from gateway.policies.cache import Cache
from gateway.policies.spans import PackSpans, traced
from gateway.settings import (
    ConfigurationError,
    EnvironmentSettings,
    Problem,
    Settings,
    TenantSettings,
    data_model,
    decode_options,
)
from gateway.settings.problems import suggestion
from gateway.telemetry.metrics import Metrics
from gateway.telemetry.tracing import Tracer
from gateway.tenants import Interface, Tenant, Tenants
from gateway.wire import AiohttpTransport, Meter, SendReport, UpstreamWire, WireSettings
from gateway.wire.handshakes import Contexts
from gateway.wire.settings import UnusableFile

T = TypeVar("T")

_NOWHERE = "https://upstream.invalid"
"""For an adapter without an address, whose options are checked all the same (RFC 2606 §2)."""


class Assembly(msgspec.Struct, frozen=True):
    """What every tenant is put together from; ``schemas`` and ``environments`` are by environment.

    ``caches`` are carried from one configuration to the next. Without ``tracer`` nothing stands between policies.
    """

    settings: Settings
    specs: Mapping[str, AdapterSpec]
    schemas: Mapping[str, Schema]
    environments: Mapping[str, Environment]
    clock: Clock
    metrics: Metrics
    caches: Carried[Cache]
    certificates: Shown
    tracer: Tracer | None = None
    contexts: Contexts = msgspec.field(default_factory=Contexts)

    def tenants(self) -> Tenants:
        """Raises :class:`ConfigurationError` with the mistakes of all tenants."""
        found = Findings()
        built = [self._tenant(name, tenant, found) for name, tenant in self.settings.tenants.items()]
        found.raised()
        return Tenants(tenant for tenant in built if tenant is not None)

    def _tenant(self, name: str, tenant: TenantSettings, found: Findings) -> Tenant | None:
        schema = self.schema(tenant)
        opened = self.interfaces(name, tenant, schema, found)
        if len(opened) < len(tenant.adapter_options()):
            return None
        environment = self.settings.environments[tenant.environment]
        # Another credential may see other records, and another address has others.
        cache = self.caches.of(name, (tenant, environment), lambda: Cache(tenant.cache, schema, self.clock))
        return Tenant(
            name,
            tenant,
            schema=schema,
            interfaces=opened,
            policies=traced(self.tracer, around_call(self.clock, cache)),
            around_packs=() if self.tracer is None else (PackSpans(self.tracer),),
            scan_limit=tenant.scan_limit,
            zone=environment.zone,
        )

    def interfaces(
        self, name: str, tenant: TenantSettings, schema: Schema, found: Findings
    ) -> dict[str, Interface]:
        """The tenant's adapters that can be opened, by name, in the order of preference."""
        opened: dict[str, Interface] = {}
        # Adapters that speak to the same address share its connections.
        pools: dict[str, UpstreamWire] = {}
        for adapter, options in tenant.adapter_options().items():
            item = self._opened(Place(name, tenant, adapter), schema, options, pools, found)
            if item is not None:
                opened[adapter] = item
        return opened

    def schema(self, tenant: TenantSettings) -> Schema:
        """The data model of the environment, shared by its tenants; one with entities of its own has another."""
        shared = self.schemas[tenant.environment]
        return data_model(tenant.entities, shared) if tenant.entities else shared

    def _opened(
        self,
        place: Place,
        schema: Schema,
        options: Mapping[str, object],
        pools: dict[str, UpstreamWire],
        found: Findings,
    ) -> Interface | None:
        """One adapter; each thing about it is tried, whatever is wrong with the others."""
        spec = found.attempt(partial(self._spec, place))
        if spec is None:
            return None
        environment = self.settings.environments[place.tenant.environment]
        address = found.attempt(partial(_address, spec, place, environment))
        found.attempt(partial(_require_credentials, spec, place))
        decoded, mistakes = decode_options(spec.options, options, place.path)
        found.problems += mistakes
        adapter = None
        if decoded is not None:
            context = self._context(place.tenant, address or _NOWHERE, schema, decoded)
            adapter = found.attempt(partial(_open, spec, context, place))
        wire = None if address is None else found.attempt(partial(self._wire, spec, place, address, pools))
        if adapter is None or wire is None:
            return None
        shared = self.environments[place.tenant.environment]
        policies = shared.policies(place.name, place.adapter)
        return Interface(adapter, wire, traced(self.tracer, policies, f"adapter {place.adapter}"))

    def _spec(self, place: Place) -> AdapterSpec:
        spec = self.specs.get(place.adapter)
        if spec is None:
            hint = suggestion(place.adapter, self.specs) or f"; there are: {', '.join(sorted(self.specs))}"
            raise mistake(place.path, f"no adapter of this name is installed{hint}")
        return spec

    def _context(
        self, tenant: TenantSettings, address: str, schema: Schema, options: msgspec.Struct
    ) -> AdapterContext:
        return AdapterContext(
            base_url=address,
            schema=schema,
            zone=self.settings.environments[tenant.environment].zone,
            profile=TenantProfile(
                company=tenant.company,
                multilingual=tenant.multilingual,
                strip_html=tenant.strip_html,
                language=tenant.language,
            ),
            options=options,
        )

    def _meter(self, environment: str, tenant: str, adapter: str) -> Meter:
        def meter(report: SendReport) -> None:
            self.metrics.upstream(
                environment=environment,
                tenant=tenant,
                adapter=adapter,
                status=report.send.status,
                seconds=None if report.send.outcome == Outcome.NOT_SENT else report.send.seconds,
                units=report.units,
            )

        return meter

    def _wire(
        self, spec: AdapterSpec, place: Place, address: str, pools: dict[str, UpstreamWire]
    ) -> UpstreamWire:
        """The way to an address; over the connections of the wire that ``pools`` has for it, where there is one."""
        tenant = place.tenant
        settings = wire_settings(address, self.settings.environments[tenant.environment], tenant)
        beside = pools.get(address)
        try:
            wire = UpstreamWire(
                settings,
                credential=tenant.credentials.slots(),
                clock=self.clock,
                meter=self._meter(tenant.environment, place.name, place.adapter),
                gate=self.environments[tenant.environment].gate(place.name, place.adapter, spec.interface),
                transport=self._transport(settings, tenant, spec) if beside is None else beside.transport,
                tracer=self.tracer,
            )
        except UnusableFile as error:
            files = {
                "ca_file": f"environments.{tenant.environment}.ca_file",
                "client_cert": f"tenants.{place.name}.client_certificate",
            }
            raise mistake(files[error.setting], str(error)) from error
        except (ValueError, OSError) as error:
            raise mistake(place.path, f"no connection can be set up: {error}") from error
        return pools.setdefault(address, wire) if beside is None else wire

    def _transport(
        self, settings: WireSettings, tenant: TenantSettings, spec: AdapterSpec
    ) -> AiohttpTransport:
        whom = tenant.environment, spec.interface
        return AiohttpTransport(
            settings, self.contexts.leading_to(whom, settings, self.certificates.noting(*whom))
        )


class Place(msgspec.Struct, frozen=True):
    """Where an adapter stands in the configuration: in which tenant, under which name."""

    name: str
    tenant: TenantSettings
    adapter: str

    @property
    def path(self) -> str:
        """As problems name it."""
        return f"tenants.{self.name}.{self.tenant.adapter_path(self.adapter)}"


class Findings:
    """The mistakes of many steps, of which none keeps the others from being tried."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def attempt(self, step: Callable[[], T]) -> T | None:
        """What the step gives; None where it found a mistake."""
        try:
            return step()
        except ConfigurationError as error:
            self.problems += error.problems
            return None

    def raised(self) -> None:
        """Raises :class:`ConfigurationError` for what was found, once: tenants share environments."""
        if self.problems:
            raise ConfigurationError(dict.fromkeys(self.problems))


def mistake(where: str, message: str) -> ConfigurationError:
    """The error for one mistake."""
    return ConfigurationError([Problem(where, message)])


def _require_credentials(spec: AdapterSpec, place: Place) -> None:
    """Raises :class:`ConfigurationError` where the tenant lacks what an adapter must have."""
    given = place.tenant.credentials.slots()
    missing = [
        Problem(
            f"tenants.{place.name}.credentials.{slot.value}",
            f"is missing; the adapter '{spec.name}' needs it",
        )
        for slot in spec.credentials
        if slot not in given
    ]
    if missing:
        raise ConfigurationError(missing)


def _address(spec: AdapterSpec, place: Place, environment: EnvironmentSettings) -> str:
    """The address that the adapter speaks to."""
    interface, name = spec.interface, place.tenant.environment
    address = environment.address(interface)
    if address is None:
        setting = interface if interface in ("rest", "site") else f"addresses.{interface}"
        raise mistake(
            place.path,
            f"the environment '{name}' has no address for '{interface}'; set environments.{name}.{setting}",
        )
    return address


def _open(spec: AdapterSpec, context: AdapterContext, place: Place) -> Adapter:
    try:
        return spec.open(context)
    except UnusableOptions as error:
        raise ConfigurationError(
            Problem(f"{place.path}.{option}", reason) for option, reason in error.mistakes.items()
        ) from error
    except ValueError as error:
        raise mistake(place.path, str(error)) from error


def wire_settings(address: str, environment: EnvironmentSettings, tenant: TenantSettings) -> WireSettings:
    """How a tenant reaches an address of its environment."""
    certificate = tenant.client_certificate
    return WireSettings(
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
