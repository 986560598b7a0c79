"""What a tenant may set for the adapters that speak to connectors."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from contracts.operations import Format

ConnectorName = Annotated[
    str,
    Meta(
        pattern=r"^[^\s\x00-\x1f]([^\x00-\x1f]{0,198}[^\s\x00-\x1f])?$(?!\n)",
        description="the name of a connector, of at most 200 characters",
    ),
]


class ExportOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The export connector of one entity, which gives all of its records.

    ``filters`` are the properties or columns that it filters by; ``Id`` of an entity with a composite key
    means all of its key columns. ``format`` is what it answers in, null when the answer tells.
    """

    connector: ConnectorName
    filters: tuple[str, ...] = ()
    format: Format | None = None


class ImportOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The import connector that one entity is written through."""

    connector: ConnectorName


class ConnectorOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The connectors of a tenant, by entity, and those that take readings (null: there is none)."""

    exports: dict[str, ExportOptions] = {}
    imports: dict[str, ImportOptions] = {}
    measurements: ConnectorName | None = "IOT-MEASUREMENT"
    process_measurements: ConnectorName | None = None
