"""Measurements → medians, the comparison with the pass-through, and a table for a person."""

from __future__ import annotations

from statistics import median
from typing import Final

import msgspec

from tests.bench.load import Sample
from tests.bench.workloads import Workload

CPU_TARGETS: Final = {1: 0.40, 32: 0.20}
"""The most CPU per call that the gateway may take, as a share of the pass-through's, by concurrency."""

COLUMNS: Final = f"{'':13}{'p50 ms':>10}{'p99 ms':>10}{'req/s':>10}{'CPU µs/req':>12}{'peak MB':>10}"


class Cell(msgspec.Struct, frozen=True):
    """All runs of one subject with one workload at one concurrency, and the most memory it held in them."""

    workload: str
    concurrency: int
    subject: str
    runs: list[Sample]
    peak_mb: float

    def median(self, figure: str) -> float:
        """The median over runs of a figure of :class:`~tests.bench.load.Sample`."""
        return float(median(getattr(run, figure) for run in self.runs))


def heading(workload: Workload) -> str:
    """What stands above a workload's rows."""
    return f"\n{workload.title}, {len(workload.body):,} bytes upstream\n{COLUMNS}"


def rows(cells: list[Cell]) -> str:
    """The rows of one concurrency, and the comparison when pass-through and gateway are both there."""
    lines = [f"concurrency {cells[0].concurrency}", *map(_row, cells)]
    by_subject = {cell.subject: cell for cell in cells}
    if by_subject.keys() >= {"gateway", "passthrough"}:
        lines.append(_comparison(by_subject["gateway"], by_subject["passthrough"]))
    return "\n".join(lines)


def _row(cell: Cell) -> str:
    return (
        f"  {cell.subject:11}{cell.median('p50_ms'):>10.2f}{cell.median('p99_ms'):>10.2f}"
        f"{cell.median('requests_per_second'):>10,.0f}{cell.median('cpu_us'):>12,.0f}{cell.peak_mb:>10.0f}"
    )


def _comparison(gateway: Cell, passthrough: Cell) -> str:
    cpu = gateway.median("cpu_us") / passthrough.median("cpu_us")
    p99 = gateway.median("p99_ms") / passthrough.median("p99_ms")
    target = CPU_TARGETS.get(gateway.concurrency)
    cpu_verdict = "" if target is None else f" ({_verdict(cpu <= target)} ≤ {target:.0%})"
    return f"  gateway / passthrough: CPU {cpu:.0%}{cpu_verdict}, p99 {p99:.0%} ({_verdict(p99 < 1)} < 100%)"


def _verdict(met: bool) -> str:
    return "meets" if met else "MISSES"
