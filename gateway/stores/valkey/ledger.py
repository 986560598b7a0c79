"""The ledger on a Valkey server: one hash of sums per environment and day.

A field is the JSON list of figure, tenant, client, operation and adapter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import cast

import msgspec

from gateway.stores.ports import Account, LedgerEntry
from gateway.stores.valkey.scripts import script
from gateway.stores.valkey.server import Server

FIGURES = ("calls", "records", "saved", "refusals", "waits")
"""What is added; the units are counted where they are taken."""

Dimensions = tuple[str, str, str, str]


def field(figure: str, account: Account | LedgerEntry) -> str:
    """Where a figure of an account stands in the hash of a day."""
    dimensions = (figure, account.tenant, account.client, account.operation, account.adapter)
    return msgspec.json.encode(dimensions).decode()


class ValkeyLedger:
    """Sums are added to by a script per environment, once for each entry id."""

    def __init__(self, server: Server, prefix: str) -> None:
        self._server = server
        self._prefix = prefix
        self._add = script("clock", "charge", "add")

    async def add(self, entry_id: str, entries: Sequence[LedgerEntry]) -> None:
        sums: dict[str, list[tuple[str, str, int]]] = defaultdict(list)
        for entry in entries:
            figures = ((figure, cast("int", getattr(entry, figure))) for figure in FIGURES)
            sums[entry.environment] += [
                (entry.day, field(figure, entry), amount) for figure, amount in figures if amount
            ]
        for environment, charges in sums.items():
            home = f"{{{self._prefix}:{environment}}}"
            await self._server.step(self._add, home, entry_id, msgspec.msgpack.encode(charges))

    async def usage(self, environment: str, first_day: str, last_day: str) -> tuple[LedgerEntry, ...]:
        home = f"{{{self._prefix}:{environment}}}"
        known = cast("list[bytes]", await self._server.command("ZRANGE", f"{home}:days", 0, -1))
        entries: list[LedgerEntry] = []
        for day in sorted(label.decode() for label in known):
            if first_day <= day <= last_day:
                sums = await self._server.command("HGETALL", f"{home}:ledger:{day}")
                entries += _entries(environment, day, cast("Mapping[bytes, bytes]", sums))
        return tuple(entries)


def _entries(environment: str, day: str, sums: Mapping[bytes, bytes]) -> list[LedgerEntry]:
    """A day's sums, one entry for each account that has any."""
    figures: dict[Dimensions, dict[str, int]] = defaultdict(dict)
    for name, sum_ in sums.items():
        figure, *dimensions = msgspec.json.decode(name, type=tuple[str, str, str, str, str])
        if amount := int(sum_):
            figures[cast("Dimensions", tuple(dimensions))][figure] = amount
    return [
        LedgerEntry(
            day=day,
            environment=environment,
            tenant=tenant,
            client=client,
            operation=operation,
            adapter=adapter,
            **amounts,
        )
        for (tenant, client, operation, adapter), amounts in sorted(figures.items())
    ]
