"""What a tenant may set for the adapters that speak to connectors."""

from __future__ import annotations

import msgspec

from contracts.operations import Format


class ExportOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The export connector of one entity, which gives all of its records.

    ``filters`` are the properties or columns that it filters by; ``Id`` of an entity with a composite key
    means all of its key columns. ``format`` is what it answers in, null when the answer tells.
    """

    connector: str
    filters: tuple[str, ...] = ()
    format: Format | None = None


class ImportOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The import connector that one entity is written through."""

    connector: str


class ConnectorOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The connectors of a tenant, by entity, and those that take readings (null: there is none)."""

    exports: dict[str, ExportOptions] = {}
    imports: dict[str, ImportOptions] = {}
    measurements: str | None = "IOT-MEASUREMENT"
    process_measurements: str | None = None
