"""What the doctor finds: one sentence each, whether that is as it should be, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

import msgspec

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


def ok(about: str, text: str, **facts: Fact) -> Finding:
    """Something that is as it should be."""
    return Finding(about=about, verdict=Verdict.OK, text=text, facts=facts)


def wrong(about: str, text: str, advice: str = "", **facts: Fact) -> Finding:
    """Something that is not, and what to do about it."""
    return Finding(about=about, verdict=Verdict.WRONG, text=text, advice=advice, facts=facts)


def unknown(about: str, text: str, advice: str = "", **facts: Fact) -> Finding:
    """Something that could not be told, and what would tell it."""
    return Finding(about=about, verdict=Verdict.UNKNOWN, text=text, advice=advice, facts=facts)


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

    def count(self, verdict: Verdict) -> int:
        """How many findings there are of one kind."""
        return sum(finding.verdict is verdict for finding in self.findings())
