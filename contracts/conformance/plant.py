"""The plant that the scenarios speak of: the records that the sandbox is seeded with, at a time that stands still.

What the scenarios read is never written by one, and what one writes is its own, so that they can be
played in any order; a plant that they have been played on is not fresh any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

import msgspec

from contracts.adapter import AdapterContext, TenantProfile
from contracts.addressing import Resolved, resolve
from contracts.entities import standard_schema
from contracts.paths import parse_path
from contracts.records import RecordCodec
from contracts.schema import Entity, PropertyType, Schema

NOW = 1_650_000_000.0
"""What the upstream's clock says, in Unix seconds: 2022-04-15T05:20:00Z, and all the time."""

ZONE = "Europe/Amsterdam"
LANGUAGE = "en-US"

SEEDED = {
    "RecordCreateDate": "2021-03-01T07:30:00Z",
    "RecordChangeDate": "2022-06-15T10:20:30.1234567Z",
}
"""The dates of a record of the seed."""

WRITTEN = dict.fromkeys(SEEDED, "2022-04-15T05:20:00Z")
"""The dates of a record that a scenario made."""


def context(base_url: str, options: msgspec.Struct) -> AdapterContext:
    """What an adapter is opened with to be put to the scenarios."""
    return AdapterContext(
        base_url=base_url,
        schema=standard_schema(),
        zone=ZoneInfo(ZONE),
        profile=TenantProfile(language=LANGUAGE),
        options=options,
    )


class Plant:
    """Places and records of the plant, as its schema spells them."""

    def __init__(self) -> None:
        self.schema: Schema = standard_schema()
        self._codec = RecordCodec(self.schema, ZoneInfo(ZONE))

    def place(self, path: str) -> Resolved:
        """Where a path leads."""
        return resolve(self.schema, parse_path(path))

    def record(self, name: str, key: object, values: Mapping[str, object]) -> dict[str, object]:
        """The whole normalized record: what is not given is null."""
        entity = self.schema.entity(name)
        whole = dict.fromkeys(_shown(entity))
        return self._codec.normalize(entity, whole | dict(values) | {"Id": key})

    def seeded(self, name: str, key: object, values: Mapping[str, object]) -> dict[str, object]:
        """A record of the seed."""
        return self.record(name, key, {"Context": 1, "Status": 1, **SEEDED, **values})

    def written(self, name: str, key: object, values: Mapping[str, object]) -> dict[str, object]:
        """A record that a scenario made."""
        return self.record(name, key, {**WRITTEN, **values})


def _shown(entity: Entity) -> list[str]:
    """The properties that a record has. A part of a composite key stands in its ``Id`` and nowhere else."""
    parts = {part.lower() for part in entity.key} - {"id"}
    return [
        item.name
        for item in entity.properties.values()
        if item.type is not PropertyType.COLLECTION and item.name.lower() not in parts
    ]
