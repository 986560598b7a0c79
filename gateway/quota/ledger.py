"""The ledger's lines, filtered and summed: who burns the quota, with what, through what, when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from gateway.stores.ports import LedgerEntry

DIMENSIONS = ("day", "environment", "tenant", "client", "operation", "adapter")
"""What lines can be told apart by: the first fields of a :class:`~gateway.stores.ports.LedgerEntry`."""


class Figures(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What was done and spent.

    ``units`` are the upstream requests that counted in its quota, ``units_saved`` those that were not needed since
    writes shared a request or an answer was replayed. ``refusals`` are the calls for which there was no room, ``waits``
    how often one waited for its slot.
    """

    calls: int = 0
    units: int = 0
    records: int = 0
    units_saved: int = 0
    refusals: int = 0
    waits: int = 0


class Group(msgspec.Struct, frozen=True):
    """The figures of all lines that have these values in the dimensions asked for."""

    values: tuple[str, ...]
    figures: Figures


def grouped(
    entries: Iterable[LedgerEntry], by: Sequence[str], only: Mapping[str, str] | None = None
) -> list[Group]:
    """The lines that have what ``only`` says (dimension → value), summed by some dimensions; most units first."""
    groups: dict[tuple[str, ...], list[LedgerEntry]] = {}
    for entry in entries:
        if all(getattr(entry, name) == value for name, value in (only or {}).items()):
            groups.setdefault(tuple(getattr(entry, name) for name in by), []).append(entry)
    summed = [Group(values, _summed(members)) for values, members in groups.items()]
    return sorted(summed, key=lambda group: (-group.figures.units, -group.figures.calls, group.values))


def total(entries: Iterable[LedgerEntry], only: Mapping[str, str] | None = None) -> Figures:
    """The figures of all lines that have what ``only`` says."""
    groups = grouped(entries, (), only)
    return groups[0].figures if groups else Figures()


def _summed(entries: Sequence[LedgerEntry]) -> Figures:
    return Figures(
        calls=sum(entry.calls for entry in entries),
        units=sum(entry.units for entry in entries),
        records=sum(entry.records for entry in entries),
        units_saved=sum(entry.saved for entry in entries),
        refusals=sum(entry.refusals for entry in entries),
        waits=sum(entry.waits for entry in entries),
    )
