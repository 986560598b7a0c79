"""The benchmark still runs, measures every subject and prints its table. No figure is asserted."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import product
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SUBJECTS = ["upstream", "passthrough", "gateway"]


def test_benchmark_prints_every_subject_at_every_concurrency(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    options = ["--quick", "--concurrency", "1", "32", "--json", str(figures)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", *options], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr

    cells = json.loads(figures.read_bytes())
    measured = {(cell["workload"], cell["concurrency"], cell["subject"]) for cell in cells}
    assert measured == set(product(["small", "page"], [1, 32], SUBJECTS))
    for cell in cells:
        assert cell["peak_mb"] > 0
        for run in cell["runs"]:
            assert run["requests"] > 0
            assert 0 < run["p50_ms"] <= run["p99_ms"]
            # The kernel counts in ticks, and of a constant answer's few requests all may fall between two.
            assert run["cpu_us"] > 0 or cell["subject"] == "upstream"

    assert done.stdout.count("\nconcurrency ") == 4
    assert done.stdout.count("\n  gateway / passthrough: CPU ") == 4
    assert all(done.stdout.count(f"\n  {subject:11} ") == 4 for subject in SUBJECTS)
    bulk = done.stdout.partition("many records")[2]
    assert [bulk.count(f"\n  {title}") for title in ("page over", "stream over", "batch of creates")] == [
        2,
        2,
        1,
    ]
