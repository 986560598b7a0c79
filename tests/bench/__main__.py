"""How much the gateway costs: the same reads through the upstream, a plain pass-through and the gateway.

``python -m tests.bench`` (``make bench``) prints, for a small read and a page and at three
concurrencies, latency, throughput, and the CPU time and peak memory of the serving process. Every
subject is started anew for each concurrency; the subjects take turns, run by run, so that
what else the machine does falls on all of them alike; each figure is the median over the runs. Calls with
many records, over exports and in a batch, follow for the gateway alone.
Linux only: it reads the clocks and the memory of other processes, and pins them to cores.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tests.bench.bulk import measure_bulks
from tests.bench.load import WrongAnswer
from tests.bench.measurement import divide_cores, measure
from tests.bench.report import Cell, heading, rows
from tests.bench.subjects import SUBJECTS, StartFailed
from tests.bench.workloads import workloads


def main(arguments: Sequence[str]) -> None:
    options = _parser().parse_args(arguments)
    cores = divide_cores(os.sched_getaffinity(0))
    runs = options.runs or (1 if options.quick else 5)
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores; {cores.describe()}")
    print(
        f"load average at the start {os.getloadavg()[0]:.1f}: what else runs takes caches, and so adds CPU time"
    )
    print(f"medians of {runs} interleaved runs; every subject logs each request to a file")

    cells: list[Cell] = []
    for workload in workloads():
        if options.only not in (None, workload.name):
            continue
        print(heading(workload), flush=True)
        for concurrency in options.concurrency:
            effort = workload.quick if options.quick else workload.full
            measured = measure(workload, concurrency, effort, runs, options.subjects, cores)
            print(rows(measured), flush=True)
            cells += measured
    if options.only in (None, "bulk"):
        measure_bulks(cores, min(runs, 3), quick=options.quick)
    print(f"\nload average at the end {os.getloadavg()[0]:.1f}")
    if options.json:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(cells)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.partition("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="few requests, one run: does it still work?")
    parser.add_argument("--runs", type=int, help="runs of each measurement (5; 1 when quick)")
    parser.add_argument("--only", choices=["small", "page", "bulk"], help="one workload")
    parser.add_argument("--concurrency", type=int, nargs="+", choices=[1, 32, 256], default=[1, 32, 256])
    parser.add_argument("--subjects", nargs="+", choices=SUBJECTS, default=SUBJECTS)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every run's figures to a file")
    return parser


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (StartFailed, WrongAnswer) as error:
        sys.exit(f"bench: {error}")
