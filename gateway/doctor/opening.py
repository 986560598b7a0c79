"""Opens what a gateway would open for its tenants, around a store that is handed in, to look at each part by itself."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec

from contracts.adapter import AdapterSpec
from contracts.schema import Schema
from gateway.assembly import Assembly, Findings
from gateway.carried import Carried
from gateway.clock import Clock
from gateway.environments import Environment, Shared, environments
from gateway.expiry import Shown
from gateway.quota.recorder import Recorder
from gateway.registry import discover
from gateway.settings import EnvironmentSettings, Settings, TenantSettings, data_model
from gateway.settings.model import TimeoutSettings
from gateway.stores.ports import Store
from gateway.telemetry.events import Events
from gateway.telemetry.log import build_logger
from gateway.telemetry.metrics import Metrics
from gateway.tenants import Interface
from gateway.version import VERSION


class Patient(msgspec.Struct, frozen=True, kw_only=True):
    """One tenant, with its adapters in the order of preference."""

    name: str
    settings: TenantSettings
    environment: EnvironmentSettings
    schema: Schema
    interfaces: Mapping[str, Interface]


class Practice(msgspec.Struct, frozen=True, kw_only=True):
    """All that is looked at. ``recorder`` writes the ledger; the units in it are counted by the gates."""

    settings: Settings
    specs: Mapping[str, AdapterSpec]
    environments: Mapping[str, Environment]
    recorder: Recorder
    patients: tuple[Patient, ...]


@asynccontextmanager
async def opened(
    settings: Settings, store: Store, clock: Clock, tenants: tuple[str, ...], patience: float
) -> AsyncIterator[Practice]:
    """These tenants, until the context ends; no step on the way upstream takes longer than ``patience`` seconds.

    Raises :class:`~gateway.settings.ConfigurationError` for what only the adapters find wrong.
    """
    settings = _hurried(settings, patience)
    specs = discover()
    metrics = Metrics(
        version=VERSION,
        config_hash=settings.fingerprint(),
        tenants=settings.tenants,
        environments=settings.environments,
        adapters=specs,
        now=clock.now(),
    )
    # What happens on the way is told by the report; nobody reads these lines and figures.
    events = Events(build_logger(settings.server.log, io.BytesIO(), now=clock.now), metrics)
    shared = environments(settings, Shared(store.quota, store.breakers, clock, events, Carried()))
    recorder = Recorder(store.ledger, clock, events)
    schemas = {name: data_model(entry.entities) for name, entry in settings.environments.items()}
    assembly = Assembly(settings, specs, schemas, shared, clock, metrics, Carried(), Shown())
    patients = _patients(assembly, tenants)
    async with AsyncExitStack() as ends:
        ends.push_async_callback(recorder.aclose)
        for environment in shared.values():
            ends.push_async_callback(environment.close)
        for patient in patients:
            for interface in patient.interfaces.values():
                ends.push_async_callback(interface.wire.close)
        yield Practice(
            settings=settings, specs=specs, environments=shared, recorder=recorder, patients=patients
        )


def _patients(assembly: Assembly, tenants: tuple[str, ...]) -> tuple[Patient, ...]:
    found, patients = Findings(), []
    for name in tenants:
        tenant = assembly.settings.tenants[name]
        schema = assembly.schema(tenant)
        patients.append(
            Patient(
                name=name,
                settings=tenant,
                environment=assembly.settings.environments[tenant.environment],
                schema=schema,
                interfaces=assembly.interfaces(name, tenant, schema, found),
            )
        )
    found.raised()
    return tuple(patients)


def _hurried(settings: Settings, patience: float) -> Settings:
    replace = msgspec.structs.replace
    hurried = {}
    for name, entry in settings.environments.items():
        limits = {key: min(value, patience) for key, value in msgspec.structs.asdict(entry.timeouts).items()}
        hurried[name] = replace(entry, timeouts=TimeoutSettings(**limits))
    return replace(settings, environments=hurried)
