"""Metrics whose labels take no values but those that are known, so that no caller can make series.

A count is one look-up and one addition: the child of each set of labels is kept ready.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Generic, TypeVar

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

OTHER = "other"
NONE = "none"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

Labels = Mapping[str, Collection[str]]
"""The labels of a metric and the values that each may take, as long as it is a :class:`Names` now and later."""


class Names(Collection[str]):
    """Names that the configuration gives; another one gives others."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)

    def become(self, names: Iterable[str]) -> None:
        """From here on these are known."""
        self._names = frozenset(names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


M = TypeVar("M", bound=MetricWrapperBase)


class Children(Generic[M]):
    """A metric's children by the values of their labels."""

    def __init__(self, metric: M, labels: Labels) -> None:
        self._metric = metric
        self._known = tuple(
            values if isinstance(values, Names) else frozenset(values) for values in labels.values()
        )
        self._children: dict[tuple[str, ...], M] = {}

    def of(self, labels: tuple[str, ...]) -> M:
        child = self._children.get(labels)
        if child is None:
            bounded = tuple(
                value if value in known or value == NONE else OTHER
                for value, known in zip(labels, self._known, strict=True)
            )
            child = self._metric.labels(*bounded)
            if bounded == labels:
                self._children[labels] = child
        return child


def counted(registry: CollectorRegistry, name: str, about: str, labels: Labels) -> Children[Counter]:
    return Children(Counter(f"ultimo_gateway_{name}", about, tuple(labels), registry=registry), labels)


def timed(registry: CollectorRegistry, name: str, about: str, labels: Labels) -> Children[Histogram]:
    histogram = Histogram(f"ultimo_gateway_{name}", about, tuple(labels), buckets=SECONDS, registry=registry)
    return Children(histogram, labels)


class Together(Collector):
    """What a registry has, and other metrics after it.

    The ``_created`` series are left out: twice as many series, which nobody reads.
    """

    def __init__(self, registry: CollectorRegistry, others: Iterable[Metric]) -> None:
        self._registry = registry
        self._others = others

    def collect(self) -> Iterator[Metric]:
        for metric in self._registry.collect():
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            yield metric
        yield from self._others
