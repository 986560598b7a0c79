"""The report for people: a block for the store, one for each tenant, under each finding what to do. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from gateway.doctor.findings import Finding, Report, TenantReport, Verdict
from gateway.doctor.question import CLIENT

WIDTH = 118
_MARKS = {Verdict.OK: "ok", Verdict.WRONG: "WRONG", Verdict.UNKNOWN: "unknown"}
_INDENT = 31
"""Columns of mark and subject; what is about a longer one begins after it."""


def rendered(report: Report) -> str:
    """Plain ASCII marks in the first column, so that ``grep WRONG`` finds what is."""
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    yield f"ultimo-gateway {report.version}, configuration {report.config or 'not usable'}"
    yield from _block("configuration", report.configuration)
    yield from _block("store", report.store)
    for tenant in report.tenants:
        yield from _tenant(tenant)
    yield ""
    yield _sum(report)


def _tenant(report: TenantReport) -> Iterator[str]:
    yield ""
    yield f"tenant {report.tenant} (environment {report.environment}): {_spent(report.requests, report.units)}"
    for interface in report.interfaces:
        yield f"  {interface.interface}: {interface.address} ({', '.join(interface.adapters)})"
        yield from _findings(interface.findings)
    if report.interfaces:
        yield "  what was asked"
    yield from _findings(report.findings)


def _block(title: str, findings: Iterable[Finding]) -> Iterator[str]:
    lines = list(_findings(findings))
    if lines:
        yield from ("", title, *lines)


def _findings(findings: Iterable[Finding]) -> Iterator[str]:
    for finding in findings:
        yield from _wrapped(f"    {_MARKS[finding.verdict]:<8}{finding.about:<18} ", finding.text)
        if finding.advice:
            yield from _wrapped(" " * _INDENT + "-> ", finding.advice)


def _wrapped(head: str, text: str) -> list[str]:
    # Addresses and names of settings are copied from here: they are not broken.
    lines = textwrap.wrap(text, WIDTH - len(head), break_long_words=False, break_on_hyphens=False) or [""]
    return [head + lines[0], *(" " * len(head) + line for line in lines[1:])]


def _spent(requests: int, units: int) -> str:
    if requests == 0:
        return "no request sent, no unit spent"
    if units == 0:
        return "1 request sent, which does not count in the quota"
    return f"1 request sent, {units} unit spent"


def _sum(report: Report) -> str:
    wrong, unknown = report.count(Verdict.WRONG), report.count(Verdict.UNKNOWN)
    found = f"{wrong} wrong, {unknown} unknown" if wrong else f"nothing is wrong, {unknown} unknown"
    spent = f"{report.units} of the quota's units spent"
    if report.units:
        spent += f"; they stand in its account, of the client '{CLIENT}'"
    return f"{found}. {spent}."
