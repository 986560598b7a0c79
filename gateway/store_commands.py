"""The commands that read the store: ``ultimo-gateway usage`` and ``ultimo-gateway quota``.

They look at what a running gateway writes, from beside it, and change nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.clock import SystemClock
from gateway.settings import Settings, StoreSettings, load

if TYPE_CHECKING:
    from gateway.stores.ports import Store

FINE, FAILED = 0, 1
USUAL = "client,operation"

Read = Callable[[Settings, "Store"], Awaitable[str]]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The two commands, for the parser of them all."""
    usage = commands.add_parser(
        "usage",
        help="print who used how much of the quota",
        description="Print the ledger as a table: calls, units, records, units saved, refusals and waits, those with "
        "most units first, and the total.",
    )
    _add_file(usage)
    usage.add_argument(
        "--from", dest="first", type=_day, metavar="DAY", help="the first day (default: today)"
    )
    usage.add_argument("--to", dest="last", type=_day, metavar="DAY", help="the last day (default: today)")
    usage.add_argument(
        "--by",
        type=_dimensions,
        default=USUAL,
        metavar="LIST",
        help="some of day, environment, tenant, client, operation, adapter, with commas between "
        f"(default: {USUAL})",
    )
    usage.add_argument("--environment", metavar="NAME", help="only this environment")
    usage.add_argument("--tenant", metavar="NAME", help="only this tenant")
    usage.set_defaults(command=_usage)
    quota = commands.add_parser(
        "quota",
        help="print how full the windows of the quota are",
        description="Print the windows of each environment, of its tenants and of their clients: how much is used, "
        "when they begin anew, and when a day is used up at the rate of the last hour.",
    )
    _add_file(quota)
    quota.set_defaults(command=_quota)


def _usage(parsed: argparse.Namespace) -> int:
    from gateway.usage import Asked, usage_table

    asked = Asked(
        by=parsed.by,
        first=parsed.first,
        last=parsed.last,
        environment=parsed.environment,
        tenant=parsed.tenant,
    )
    return _print(parsed.file, lambda settings, store: usage_table(settings, store, SystemClock(), asked))


def _quota(parsed: argparse.Namespace) -> int:
    from gateway.usage import quota_table

    return _print(parsed.file, lambda settings, store: quota_table(settings, store, SystemClock()))


def _print(file: Path, read: Read) -> int:
    """Print what is read from the store that the configuration names; the exit code."""
    from gateway.stores.ports import StoreLost
    from gateway.usage import NothingToRead

    settings = load(file, os.environ)
    reason = _unreadable(settings.store)
    if reason is None:
        try:
            sys.stdout.write(asyncio.run(_opened(settings, read)) + "\n")
            return FINE
        except NothingToRead as error:
            reason = str(error)
        except StoreLost as error:
            reason = f"the store cannot be read: {error}"
    sys.stderr.write(reason + "\n")
    return FAILED


async def _opened(settings: Settings, read: Read) -> str:
    from gateway.bootstrap import open_store

    store = open_store(settings.store, SystemClock())
    try:
        return await read(settings, store)
    finally:
        await store.close()


def _unreadable(store: StoreSettings) -> str | None:
    """Why no other process can read the store, or nothing is in it yet."""
    if store.kind == "memory":
        return "there is nothing to read: a store of the kind 'memory' is known to its gateway alone"
    if store.kind == "sqlite" and not store.path.is_file():
        return f"there is nothing to read: {store.path} is not there, so no gateway has run here with it"
    return None


def _add_file(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--config", dest="file", type=Path, required=True, metavar="FILE", help="the YAML file"
    )


def _dimensions(text: str) -> tuple[str, ...]:
    from gateway.quota.ledger import DIMENSIONS

    names = tuple(name.strip() for name in text.split(","))
    if len(set(names)) < len(names) or not set(names) <= set(DIMENSIONS):
        raise argparse.ArgumentTypeError(f"expected some of {', '.join(DIMENSIONS)}, with commas between")
    return names


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise argparse.ArgumentTypeError("expected a date such as 2026-11-22") from None
