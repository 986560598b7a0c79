"""The whole examination: the store, then each tenant's ways upstream, and of each tenant at most one question."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from contracts.errors import EntityNotFound, UpstreamInvalidResponse
from gateway.assembly import wire_settings
from gateway.clock import Clock
from gateway.doctor import answers, editions
from gateway.doctor.connection import authorities, client_certificate, connection
from gateway.doctor.findings import (
    Finding,
    InterfaceReport,
    Place,
    Report,
    TenantReport,
    Verdict,
    unknown,
    wrong,
)
from gateway.doctor.opening import Patient, Practice, opened
from gateway.doctor.question import CLIENT, Asked, Question, ask, question
from gateway.doctor.storage import storage
from gateway.quota.recorder import Done
from gateway.settings import Settings, advice
from gateway.stores.ports import Store
from gateway.version import VERSION
from gateway.wire.certificates import of_file
from gateway.wire.probe import probe
from gateway.wire.settings import WireSettings

NO_CONNECTION = "nothing was sent, and no unit spent: there is no connection to send it over"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is examined: these ``tenants``, with ``patience`` seconds for each step.

    They are asked over ``adapter`` and for ``entity``, where one is named. Without ``spend`` nothing is asked, and
    everything is learned from connecting.
    """

    tenants: tuple[str, ...]
    patience: float = 10.0
    adapter: str | None = None
    entity: str | None = None
    spend: bool = True


async def examine(settings: Settings, store: Store, clock: Clock, wanted: Wanted) -> Report:
    """The report; tenants side by side. Changes nothing upstream, and sends at most one request for each tenant."""
    found = await storage(settings.store, store, clock, make=wanted.spend)
    async with opened(settings, store, clock, wanted.tenants, wanted.patience) as practice:
        doctor = _Doctor(practice, clock, wanted)
        tenants = await asyncio.gather(*map(doctor.examine, practice.patients))
    return Report(
        version=VERSION,
        config=settings.fingerprint(),
        configuration=tuple(unknown(it.path, it.message) for it in advice(settings)),
        store=tuple(found),
        tenants=tuple(tenants),
    )


class _Doctor:
    """Examines one tenant after the other, or all at once."""

    def __init__(self, practice: Practice, clock: Clock, wanted: Wanted) -> None:
        self._practice = practice
        self._clock = clock
        self._wanted = wanted

    async def examine(self, patient: Patient) -> TenantReport:
        reached = {}
        for interface, adapters in self._adapters(patient).items():
            reached[interface] = await self._reach(patient, interface, adapters)
        asked, findings = await self._question(patient, reached)
        return TenantReport(
            tenant=patient.name,
            environment=patient.settings.environment,
            requests=0 if asked is None else asked.requests,
            units=0 if asked is None else asked.units,
            interfaces=tuple(reached.values()),
            findings=tuple(findings),
        )

    def _adapters(self, patient: Patient) -> dict[str, list[str]]:
        """The tenant's adapters by the interface that they speak to."""
        found: dict[str, list[str]] = {}
        for name in patient.interfaces:
            found.setdefault(self._practice.specs[name].interface, []).append(name)
        return found

    async def _reach(self, patient: Patient, interface: str, adapters: Sequence[str]) -> InterfaceReport:
        address = patient.environment.address(interface) or ""
        place = _place(patient, interface)
        settings = wire_settings(address, patient.environment, patient.settings)
        now = self._clock.now()
        found = connection(await probe(settings, self._clock, self._wanted.patience), place, now)
        return InterfaceReport(
            interface=interface,
            address=address,
            adapters=tuple(adapters),
            findings=(*found, *_files(settings, place, now)),
        )

    async def _question(
        self, patient: Patient, reached: dict[str, InterfaceReport]
    ) -> tuple[Asked | None, Iterable[Finding]]:
        chosen = self._chosen(patient)
        if chosen is None or not self._wanted.spend:
            return None, [self._unasked(patient)]
        spec = self._practice.specs[chosen.adapter]
        way = reached[spec.interface]
        if not _stands(way):
            return None, [unknown("request", NO_CONNECTION)]
        asked = _misled(await self._ask(patient, chosen), way)
        place = _place(patient, spec.interface)
        adapters = {name: it.adapter for name, it in patient.interfaces.items()}
        return asked, [
            answers.request(asked, chosen, place),
            answers.credential(asked, chosen, place, spec),
            answers.clock(asked.answer),
            *editions.found(adapters, chosen, asked, place, way.address),
        ]

    def _chosen(self, patient: Patient) -> Question | None:
        """What to ask: over the adapter that is wanted, else over the first that something can be asked."""
        only = self._wanted.adapter
        for name, interface in patient.interfaces.items():
            if only in (None, name):
                chosen = question(name, interface.adapter, patient.schema, self._wanted.entity)
                if chosen is not None:
                    return chosen
        return None

    def _unasked(self, patient: Patient) -> Finding:
        if not self._wanted.spend:
            text = "nothing was asked, as was wanted: credential, clock and capabilities are not known"
            return unknown("request", text, "without --no-spend one request tells, for one unit")
        named = ", ".join(filter(None, (self._wanted.adapter, self._wanted.entity))) or "a record"
        text = f"nothing was asked: the tenant has nothing to ask for {named}"
        advice = f"it has {', '.join(patient.interfaces)}; leave --adapter and --entity out, or name others"
        return unknown("request", text, advice)

    async def _ask(self, patient: Patient, chosen: Question) -> Asked:
        environment = patient.settings.environment
        # A store that knows nothing of the environment has everyone wait for a window; that is nobody's fault.
        windows = self._practice.environments[environment].windows
        wait = windows.cold / 1000 + 1
        deadline = self._clock.monotonic() + wait + self._wanted.patience
        asked = await ask(patient.name, chosen, patient.interfaces[chosen.adapter], self._clock, deadline)
        if asked.requests:
            self._practice.recorder.note(
                Done(
                    day=windows.periods(self._clock.now())[1].label,
                    environment=environment,
                    tenant=patient.name,
                    client=CLIENT,
                    operation=chosen.operation.kind,
                    adapter=chosen.adapter,
                )
            )
        return asked


def _stands(way: InterfaceReport) -> bool:
    """Whether a connection came about; a certificate that ends soon does not keep it from that."""
    return not any(
        finding.verdict is Verdict.WRONG and finding.about in ("connection", "TLS")
        for finding in way.findings
    )


def _misled(asked: Asked, way: InterfaceReport) -> Asked:
    """Of REST an unknown address and an unknown entity are told alike: where the address looks wrong, it is that."""
    error = asked.error
    looks_right = way.interface != "rest" or way.address.rstrip("/").endswith("/api/v1")
    if looks_right or not isinstance(error, EntityNotFound):
        return asked
    detail = "the upstream knows no such address, or no such entity"
    misled = UpstreamInvalidResponse(detail, outcome=error.outcome, upstream=error.upstream)
    return msgspec.structs.replace(asked, error=misled)


def _place(patient: Patient, interface: str) -> Place:
    return Place(patient.name, patient.settings.environment, interface)


def _files(settings: WireSettings, place: Place, now: float) -> Iterable[Finding]:
    """What the files with certificates say; the environment's is told with each tenant that uses it."""
    if settings.client_cert is not None:
        try:
            yield client_certificate(of_file(Path(settings.client_cert)), now, place.certificate)
        except (OSError, ValueError) as error:
            yield wrong("client certificate", f"cannot be read: {error}", f"see {place.certificate}")
    if settings.ca_file is not None:
        try:
            yield authorities(of_file(Path(settings.ca_file)), now, place.authority)
        except (OSError, ValueError) as error:
            yield wrong("CA file", f"cannot be read: {error}", f"see {place.authority}")
