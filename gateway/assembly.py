"""Tenants put together: of each, its adapters opened, its connections, its routing and its policies."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from contracts.adapter import Adapter, AdapterContext, AdapterSpec, TenantProfile
from contracts.schema import Schema
from gateway.clock import Clock
from gateway.pipeline import policies
from gateway.routing import Routing
from gateway.settings import (
    ConfigurationError,
    EnvironmentSettings,
    Problem,
    Settings,
    TenantSettings,
    decode_strict,
)
from gateway.settings.problems import suggestion
from gateway.telemetry.metrics import Metrics
from gateway.tenants import Tenant, Tenants
from gateway.wire import Meter, SendReport, UpstreamWire, WireSettings
from gateway.wire.settings import UnusableFile


class Assembly(msgspec.Struct, frozen=True):
    """What every tenant is put together from; ``schemas`` is by environment."""

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
        environment = self.settings.environments[tenant.environment]
        adapters: dict[str, Adapter] = {}
        # Adapters that speak to the same address share its connections.
        wires: dict[str, UpstreamWire] = {}
        pools: dict[str, UpstreamWire] = {}
        problems: list[Problem] = []
        for adapter, options in tenant.adapter_options().items():
            listed = tenant.adapters if isinstance(tenant.adapters, tuple) else ()
            at = f"[{listed.index(adapter)}]" if adapter in listed else f".{adapter}"
            where = f"tenants.{name}.adapters{at}"
            try:
                spec = self._found(adapter, where)
                address = _address(spec, tenant.environment, environment, where)
                _require_credentials(spec, name, tenant)
                context = self._context(spec, tenant, address, options, where)
                adapters[adapter] = _opened(spec, context, where)
                meter = self._meter(tenant.environment, name, adapter)
                wires[adapter] = self._wire(name, tenant, address, where, meter, pools.get(address))
                pools.setdefault(address, wires[adapter])
            except ConfigurationError as error:
                problems += error.problems
        if problems:
            raise ConfigurationError(problems)
        return Tenant(
            name,
            tenant,
            schema=self.schemas[tenant.environment],
            routing=Routing(adapters, tenant.routes),
            wires={**wires},
            policies=policies(self.clock),
            scan_limit=tenant.scan_limit,
            zone=environment.zone,
        )

    def _found(self, adapter: str, where: str) -> AdapterSpec:
        spec = self.specs.get(adapter)
        if spec is None:
            hint = suggestion(adapter, self.specs) or f"; there are: {', '.join(sorted(self.specs))}"
            raise mistake(where, f"no adapter of this name is installed{hint}")
        return spec

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

    def _meter(self, environment: str, tenant: str, adapter: str) -> Meter:
        def meter(report: SendReport) -> None:
            self.metrics.upstream(
                environment=environment,
                tenant=tenant,
                adapter=adapter,
                status=report.send.status,
                units=report.units,
            )

        return meter

    def _wire(
        self,
        name: str,
        tenant: TenantSettings,
        address: str,
        where: str,
        meter: Meter,
        beside: UpstreamWire | None,
    ) -> UpstreamWire:
        """The way to an address; over the connections of the wire ``beside`` it, where there is one."""
        places = {
            "ca_file": f"environments.{tenant.environment}.ca_file",
            "client_cert": f"tenants.{name}.client_certificate",
        }
        settings = _wire_settings(address, self.settings.environments[tenant.environment], tenant)
        try:
            return UpstreamWire(
                settings,
                credential=tenant.credentials.slots(),
                clock=self.clock,
                meter=meter,
                transport=None if beside is None else beside.transport,
            )
        except UnusableFile as error:
            raise mistake(places[error.setting], str(error)) from error
        except (ValueError, OSError) as error:
            raise mistake(where, f"no connection can be set up: {error}") from error


def mistake(where: str, message: str) -> ConfigurationError:
    """The error for one mistake."""
    return ConfigurationError([Problem(where, message)])


def _require_credentials(spec: AdapterSpec, name: str, tenant: TenantSettings) -> None:
    """Raises :class:`ConfigurationError` where the tenant lacks what an adapter must have."""
    given = tenant.credentials.slots()
    missing = [
        Problem(f"tenants.{name}.credentials.{slot.value}", f"is missing; the adapter '{spec.name}' needs it")
        for slot in spec.credentials
        if slot not in given
    ]
    if missing:
        raise ConfigurationError(missing)


def _address(spec: AdapterSpec, name: str, environment: EnvironmentSettings, where: str) -> str:
    """The address that the adapter speaks to."""
    interface = spec.interface
    address = environment.address(interface)
    if address is None:
        place = interface if interface in ("rest", "site") else f"addresses.{interface}"
        raise mistake(
            where,
            f"the environment '{name}' has no address for '{interface}'; set environments.{name}.{place}",
        )
    return address


def _opened(spec: AdapterSpec, context: AdapterContext, where: str) -> Adapter:
    try:
        return spec.open(context)
    except ValueError as error:
        raise mistake(where, str(error)) from error


def _wire_settings(address: str, environment: EnvironmentSettings, tenant: TenantSettings) -> WireSettings:
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
