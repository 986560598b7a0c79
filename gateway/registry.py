"""Adapters, found through the entry-point group ``ultimo_gateway.adapters`` and never by import."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points

from contracts.adapter import API_VERSION, AdapterSpec

GROUP = "ultimo_gateway.adapters"


class RegistryError(Exception):
    """An adapter cannot be used: the message names the entry point, its distribution and what to do."""


def discover(points: Iterable[EntryPoint] | None = None) -> Mapping[str, AdapterSpec]:
    """Load every adapter of the group, by name.

    Raises :class:`RegistryError` when one cannot be imported, exports something else than an
    :class:`AdapterSpec`, was written for another version of the protocols, or takes a name that is taken.
    """
    found: dict[str, AdapterSpec] = {}
    origin: dict[str, str] = {}
    for point in entry_points(group=GROUP) if points is None else points:
        spec = _load(point)
        if spec.name in found:
            raise RegistryError(
                f"two adapters are called '{spec.name}': {origin[spec.name]} and {_where(point)}; uninstall one"
            )
        found[spec.name] = spec
        origin[spec.name] = _where(point)
    return found


def _load(point: EntryPoint) -> AdapterSpec:
    try:
        spec = point.load()
    except Exception as error:
        raise RegistryError(f"{_where(point)} cannot be imported: {error}") from error
    if not isinstance(spec, AdapterSpec):
        raise RegistryError(f"{_where(point)} exports {type(spec).__name__}, not an AdapterSpec")
    if spec.api_version != API_VERSION:
        raise RegistryError(
            f"{_where(point)} was written for version {spec.api_version} of the adapter protocol; "
            f"this gateway speaks version {API_VERSION}"
        )
    return spec


def _where(point: EntryPoint) -> str:
    distribution = f" of {point.dist.name}" if point.dist else ""
    return f"adapter entry point '{point.name} = {point.value}'{distribution}"
