"""The command ``ultimo-gateway doctor``: reaches the upstream as the gateway would, and says what is the matter.

Exit codes: 0 nothing is wrong, 1 something is, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from gateway.clock import SystemClock
from gateway.settings import ConfigurationError, Settings, load
from gateway.version import VERSION

if TYPE_CHECKING:
    from gateway.doctor import Report, Wanted

FINE, WRONG, WRONG_USAGE = 0, 1, 2
PATIENCE = 10.0


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command, for the parser of them all."""
    doctor = commands.add_parser(
        "doctor",
        help="reach the upstream with each tenant's credential, and say what is wrong",
        description="Check the configuration and the store, connect to each tenant's interfaces and ask each tenant's "
        "upstream one question. It spends at most one unit of the quota for a tenant and says so; each is reserved "
        "in the store like any other. When the quota is used up, nothing is sent. Nothing is ever written upstream.",
    )
    doctor.add_argument(
        "--config", dest="file", type=Path, required=True, metavar="FILE", help="the YAML file"
    )
    doctor.add_argument(
        "--tenant", dest="tenants", action="append", metavar="NAME", help="only this tenant (can be repeated)"
    )
    doctor.add_argument(
        "--timeout",
        type=_seconds,
        default=PATIENCE,
        metavar="SECONDS",
        help=f"for each step (default: {PATIENCE:g})",
    )
    doctor.add_argument(
        "--no-spend", dest="spend", action="store_false", help="only connect: TCP, TLS, certificates; no unit"
    )
    doctor.add_argument(
        "--adapter", metavar="NAME", help="ask over this adapter, not the first that the tenant has"
    )
    doctor.add_argument(
        "--entity", metavar="NAME", help="ask for a record of this entity (default: Equipment)"
    )
    doctor.add_argument("--json", action="store_true", help="print one JSON document")
    doctor.set_defaults(command=_doctor)


def _doctor(parsed: argparse.Namespace) -> int:
    from gateway.bootstrap import mistakes
    from gateway.doctor import Verdict, Wanted, rendered
    from gateway.telemetry.redaction import Redactor

    try:
        settings = load(parsed.file, os.environ, mistakes)
    except ConfigurationError as error:
        report, redactor = _unusable(error), Redactor(())
    else:
        strangers = sorted(set(parsed.tenants or ()) - settings.tenants.keys())
        if strangers:
            known = ", ".join(sorted(settings.tenants))
            sys.stderr.write(f"there is no tenant '{strangers[0]}'; there are: {known}\n")
            return WRONG_USAGE
        wanted = Wanted(
            tenants=tuple(dict.fromkeys(parsed.tenants or settings.tenants)),
            patience=parsed.timeout,
            adapter=parsed.adapter,
            entity=parsed.entity,
            spend=parsed.spend,
        )
        report = asyncio.run(_examined(settings, wanted))
        redactor = Redactor(secret.reveal() for secret in settings.secrets())
    # An upstream's sentence may repeat what it was sent. Lines are made afterwards, so that no break hides a secret.
    report = report.told(redactor.text)
    sys.stdout.write((_document(report) if parsed.json else rendered(report)) + "\n")
    return WRONG if report.count(Verdict.WRONG) else FINE


async def _examined(settings: Settings, wanted: Wanted) -> Report:
    from gateway.bootstrap import open_store
    from gateway.doctor import examine

    clock = SystemClock()
    store = open_store(settings.store, clock)
    try:
        return await examine(settings, store, clock, wanted)
    finally:
        await store.close()


def _unusable(error: ConfigurationError) -> Report:
    from gateway.doctor import Report
    from gateway.doctor.findings import wrong

    found = (
        wrong(it.path or "file", it.message, f"line {it.line} of the file" if it.line else "")
        for it in error.problems
    )
    return Report(version=VERSION, config=None, configuration=tuple(found))


def _document(report: Report) -> str:
    from gateway.doctor import Verdict

    wrong = report.count(Verdict.WRONG)
    whole = {"verdict": Verdict.WRONG if wrong else Verdict.OK, "units": report.units}
    encoded = msgspec.json.encode(whole | msgspec.structs.asdict(report))
    return msgspec.json.format(encoded, indent=2).decode()


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 300:
        raise argparse.ArgumentTypeError("expected a number of seconds, more than 0 and at most 300")
    return seconds
