"""What the store knows of quota and usage, as tables for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from gateway.clock import Clock
from gateway.quota.ledger import Figures, grouped, total
from gateway.quota.view import upstream_shown, windows_shown
from gateway.quota.windows import Windows
from gateway.settings import Settings
from gateway.stores.ports import LedgerEntry, Store

NUMBERS = tuple(name.replace("_", " ") for name in Figures.__struct_fields__)


class NothingToRead(Exception):
    """There is nothing of what was asked for; the message says why, in one sentence."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the table is to tell: days are ISO 8601 dates, today's of each environment when None."""

    by: tuple[str, ...]
    first: str | None = None
    last: str | None = None
    environment: str | None = None
    tenant: str | None = None


async def usage_table(settings: Settings, store: Store, clock: Clock, asked: Asked) -> str:
    """The ledger, summed by what was asked for, with a total.

    Raises :class:`NothingToRead` for names that are not configured, and :class:`~gateway.stores.ports.StoreLost`.
    """
    entries: list[LedgerEntry] = []
    for name, windows in _windows(settings, asked.environment).items():
        today = windows.periods(clock.now())[1].label
        last = asked.last or today
        entries += await store.ledger.usage(name, asked.first or min(today, last), last)
    if asked.tenant is not None:
        _known("tenant", asked.tenant, settings.tenants)
    only = {} if asked.tenant is None else {"tenant": asked.tenant}
    rows = [[*group.values, *_figures(group.figures)] for group in grouped(entries, asked.by, only)]
    sums = ["total", *[""] * (len(asked.by) - 1), *_figures(total(entries, only))]
    return table([*asked.by, *NUMBERS], [*rows, sums], texts=len(asked.by))


async def quota_table(settings: Settings, store: Store, clock: Clock) -> str:
    """The windows of every environment, from its own down to those of single clients.

    Raises :class:`~gateway.stores.ports.StoreLost`.
    """
    rows: list[list[str]] = []
    notes: list[str] = []
    for name, windows in _windows(settings, None).items():
        limits = windows.every()
        now = clock.now()
        standing = await store.quota.standing(name, limits, windows.periods(now))
        for limit, shown in zip(limits, windows_shown(limits, standing, windows, now), strict=True):
            forecast = "" if shown.forecast is None else shown.forecast.text
            rows.append(
                [
                    name,
                    *limit.key.split("/", 2),
                    shown.resets_at,
                    forecast if shown.enforced else "not enforced",
                ]
                + [str(number) for number in (shown.limit, shown.used, shown.remaining)]
            )
        closed = upstream_shown(standing).text
        if closed is not msgspec.UNSET:
            notes.append(f"{name}: {closed}")
    header = ["environment", "level", "name", "window", "resets", "forecast", "limit", "used", "remaining"]
    return "\n".join([table(header, rows, texts=6), *notes])


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, texts: int) -> str:
    """Columns of equal width, two spaces apart; the first ``texts`` begin at the left, and numbers end at the right."""
    lines = [list(header), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]

    def line(cells: Sequence[str]) -> str:
        aligned = [
            cell.ljust(width) if place < texts else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return "  ".join(aligned).rstrip()

    return "\n".join(map(line, lines))


def _windows(settings: Settings, environment: str | None) -> dict[str, Windows]:
    """Those of the environment asked for, or of all."""
    if environment is not None:
        _known("environment", environment, settings.environments)
    return {
        name: Windows(
            name,
            settings.environments[name],
            {key: tenant for key, tenant in settings.tenants.items() if tenant.environment == name},
        )
        for name in settings.environments
        if environment in (None, name)
    }


def _known(what: str, name: str, names: Mapping[str, object]) -> None:
    if name not in names:
        raise NothingToRead(f"there is no {what} '{name}'; there are: {', '.join(sorted(names))}")


def _figures(figures: Figures) -> list[str]:
    return [str(number) for number in msgspec.structs.astuple(figures)]
