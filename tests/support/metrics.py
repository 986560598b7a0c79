"""What /metrics says, read back: its samples, and its table as the README has it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

PREFIX = "ultimo_gateway_"
LABELS = (
    *("environment", "tenant", "level", "name", "window", "operation", "event", "adapter", "kind", "status"),
    *("code", "band", "state", "outcome", "hash", "version", "python"),
)
"""In the order in which the README names them."""


Sample = tuple[str, frozenset[tuple[str, str]]]
"""A name without its prefix, and labels with their values."""


def samples(text: str) -> dict[Sample, float]:
    found = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {
        (sample.name.removeprefix(PREFIX), frozenset(sample.labels.items())): sample.value for sample in found
    }


def written(lines: str) -> dict[Sample, float]:
    """Samples in the form of the text, without the prefix."""
    found = {}
    for line in lines.strip().splitlines():
        name, labels, value = re.fullmatch(r"\s*(\w+)(?:\{(.*)\})? (.+)", line).groups()  # type: ignore[union-attr]
        found[name, frozenset(re.findall(r'(\w+)="([^"]*)"', labels or ""))] = float(value)
    return found


def described(text: str) -> list[str]:
    """The rows of the README's table, as the metrics themselves tell them; one without a sample has no labels there."""
    rows = []
    for family in text_string_to_metric_families(text):
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        assert family.samples, f"{family.name} has no sample"
        name = family.name + "_total" * (family.type == "counter")
        order = [label for label in LABELS if label in labels]
        assert len(order) == len(labels), labels
        cells = (f"`{name.removeprefix(PREFIX)}`", family.type, ", ".join(order), family.documentation)
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def documented() -> list[str]:
    """The rows of the README's table."""
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    table = readme.split("<!-- the metrics -->\n")[1].split("<!-- end of the metrics -->")[0]
    return table.strip().splitlines()[2:]


def promtool(text: str) -> str:
    """What Prometheus' own linter has to say; nothing where it is not at hand."""
    tool = shutil.which("promtool")
    if tool is None:
        return ""
    said = subprocess.run([tool, "check", "metrics"], input=text, text=True, capture_output=True)
    return said.stdout + said.stderr
