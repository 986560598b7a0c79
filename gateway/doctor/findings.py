"""What the doctor finds: one sentence each, whether that is as it should be, and what to do about it and where."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from contracts.adapter import AdapterSpec

Fact = str | int | float | bool | None


class Verdict(StrEnum):
    """``unknown`` is what cannot be told from here, or not with what may be spent."""

    OK = "ok"
    WRONG = "wrong"
    UNKNOWN = "unknown"


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that was looked at. ``facts`` are its numbers, for machines, with the unit in the name."""

    about: str
    verdict: Verdict
    text: str
    advice: str = ""
    facts: dict[str, Fact] = {}

    def told(self, by: Callable[[str], str]) -> Finding:
        """The same, in texts as ``by`` tells them."""
        facts = {name: by(fact) if type(fact) is str else fact for name, fact in self.facts.items()}
        return replace(self, text=by(self.text), advice=by(self.advice), facts=facts)


def ok(about: str, text: str, **facts: Fact) -> Finding:
    """Something that is as it should be."""
    return Finding(about=about, verdict=Verdict.OK, text=text, facts=facts)


def wrong(about: str, text: str, advice: str = "", **facts: Fact) -> Finding:
    """Something that is not, and what to do about it."""
    return Finding(about=about, verdict=Verdict.WRONG, text=text, advice=advice, facts=facts)


def unknown(about: str, text: str, advice: str = "", **facts: Fact) -> Finding:
    """Something that could not be told, and what would tell it."""
    return Finding(about=about, verdict=Verdict.UNKNOWN, text=text, advice=advice, facts=facts)


class Place(msgspec.Struct, frozen=True):
    """One interface of one tenant: where in the configuration its settings stand, so that an advice can name them."""

    tenant: str
    environment: str
    interface: str

    @property
    def address(self) -> str:
        """The setting that holds the address."""
        name = self.interface if self.interface in ("rest", "site") else f"addresses.{self.interface}"
        return f"environments.{self.environment}.{name}"

    @property
    def authority(self) -> str:
        return f"environments.{self.environment}.ca_file"

    @property
    def proxy(self) -> str:
        return f"environments.{self.environment}.proxy"

    @property
    def certificate(self) -> str:
        return f"tenants.{self.tenant}.client_certificate"

    def adapter(self, name: str) -> str:
        """The setting of an adapter."""
        return f"tenants.{self.tenant}.adapters.{name}"

    def credentials(self, spec: AdapterSpec) -> str:
        """The settings that an adapter's credential is made of."""
        slots = [f"tenants.{self.tenant}.credentials.{slot.value}" for slot in spec.credentials]
        return " and ".join(slots) or f"tenants.{self.tenant}.credentials"


class InterfaceReport(msgspec.Struct, frozen=True, kw_only=True):
    """The way to one address of a tenant; ``adapters`` are those that speak to it."""

    interface: str
    address: str
    adapters: tuple[str, ...]
    findings: tuple[Finding, ...]


class TenantReport(msgspec.Struct, frozen=True, kw_only=True):
    """``findings`` are those about what was asked; ``requests`` were sent, of which ``units`` count in the quota."""

    tenant: str
    environment: str
    requests: int
    units: int
    interfaces: tuple[InterfaceReport, ...]
    findings: tuple[Finding, ...]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything. ``config`` is the fingerprint of the configuration, None for one that cannot be used."""

    version: str
    config: str | None
    configuration: tuple[Finding, ...]
    store: tuple[Finding, ...] = ()
    tenants: tuple[TenantReport, ...] = ()

    @property
    def units(self) -> int:
        """What it took from the quota, of all tenants together."""
        return sum(tenant.units for tenant in self.tenants)

    def findings(self) -> Iterator[Finding]:
        """All of them, in the order of the report."""
        yield from self.configuration
        yield from self.store
        for tenant in self.tenants:
            for interface in tenant.interfaces:
                yield from interface.findings
            yield from tenant.findings

    def told(self, by: Callable[[str], str]) -> Report:
        """The same, every text that may repeat what somebody else said as ``by`` tells it."""

        def each(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
            return tuple(finding.told(by) for finding in findings)

        def way(interface: InterfaceReport) -> InterfaceReport:
            return replace(interface, findings=each(interface.findings))

        tenants = (
            replace(tenant, interfaces=tuple(map(way, tenant.interfaces)), findings=each(tenant.findings))
            for tenant in self.tenants
        )
        return replace(
            self, configuration=each(self.configuration), store=each(self.store), tenants=tuple(tenants)
        )

    def count(self, verdict: Verdict) -> int:
        """How many findings there are of one kind."""
        return sum(finding.verdict is verdict for finding in self.findings())
