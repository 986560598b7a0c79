"""The values that the chart is rendered with: its own files, the sandbox alone, and everything that it can do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from tests.helm.manifests import CHART, Values

FILES = ("development", "production", "on-premises")
CASES = ("sandbox", "everything", *FILES)


def cases() -> dict[str, Values]:
    """Name → values, as a user would give them."""
    everything = (Path(__file__).parent / "everything.yaml").read_text()
    files = {name: (CHART / f"values-{name}.yaml").read_text() for name in FILES}
    texts = {"sandbox": "sandbox: {enabled: true}", "everything": everything, **files}
    return {name: yaml.safe_load(text) for name, text in texts.items()}


def changed(values: Mapping[str, object], text: str) -> Values:
    """``values`` with a YAML text laid over them, mapping by mapping, as Helm lays files."""
    return _over(values, yaml.safe_load(text))


def _over(below: Mapping[str, object], above: Mapping[str, object]) -> Values:
    result = dict(below)
    for key, value in above.items():
        under = result.get(key)
        result[key] = _over(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return result
