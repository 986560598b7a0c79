"""Writes → the objects of an import: which connector, which action, which columns.

A change is an ``Update``, with ``upsert`` an ``InsertOrUpdate``; a new record is an ``Insert`` (vendor page
"Inserting data", HTTP POST). A record of which nobody says the key is one of the collection it is made in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

from adapters._connectors.columns import Tables, Texts
from adapters._connectors.options import ImportOptions
from adapters._connectors.records_xml import DataObject, not_xml
from contracts.addressing import Resolved, resolve
from contracts.bodies import canonical_body, in_languages
from contracts.conditions import owner_properties
from contracts.errors import Fault, InvalidPath
from contracts.json_objects import pointer, refused
from contracts.operations import (
    ChangeRecord,
    CreateRecord,
    DeleteRecord,
    ImportObject,
    RunImport,
    Write,
)
from contracts.paths import Key, ObjectPath
from contracts.schema import Schema
from contracts.values import to_text

_OF_PARENT = re.compile(r"\$\{Parent\.[\w.]+\}")

NO_REPLACE = (
    "an import connector changes what it is given and empties nothing else, so that a record cannot be replaced "
    "through it; use PATCH with ?upsert=true"
)


class Imports:
    """The import connectors of a tenant, and what is sent to them."""

    def __init__(
        self, schema: Schema, zone: ZoneInfo, tables: Tables, connectors: Mapping[str, ImportOptions]
    ) -> None:
        """``connectors`` are by the entity's name as the schema spells it."""
        self._schema = schema
        self._zone = zone
        self._tables = tables
        self._connectors = connectors

    def connector(self, write: Write) -> str:
        """The connector that this write goes to; :meth:`refusal` has found that there is one."""
        return self._connectors[write.place.entity.name].connector

    def refusal(self, write: Write) -> str | None:
        """Why a write cannot go through an import connector, in a sentence; None when it can."""
        place, entity = write.place, write.place.entity
        if not isinstance(write, CreateRecord | ChangeRecord | DeleteRecord):
            return NO_REPLACE
        if entity.name not in self._connectors:
            return f"no import connector of this tenant writes {entity.name}; one is named in its adapter's imports"
        if not isinstance(write, DeleteRecord) and any(in_languages(entity, write.body)):
            return "an import connector writes a text in one language; give the text alone"
        if isinstance(write, CreateRecord):
            if place.owner is not None and self._owner_texts(place) is None:
                return (
                    f"an import connector cannot be told of which {place.owner.name} the new {entity.name} is; "
                    f"create it in {entity.name}, naming the {place.owner.name} in its body or by its own key"
                )
        elif place.key is None and not _external(place):
            return "through an import connector a record is written at its own key"
        return None

    def written(self, write: Write) -> DataObject:
        """The object that carries a write. Raises InvalidBody and InvalidPath for what cannot be sent in XML."""
        action = "Insert"
        if isinstance(write, DeleteRecord):
            action = "Delete"
        elif isinstance(write, ChangeRecord):
            action = "InsertOrUpdate" if write.upsert else "Update"
        texts = self._place_texts(write.place)
        for name, text in texts.items():
            if (reason := not_xml(text or "")) is not None:
                raise InvalidPath(f"{name} of the path: {reason}")
        body = {} if isinstance(write, DeleteRecord) else self._body_texts(write.place, write.body)
        return DataObject(write.place.entity.name, action, {**texts, **body, **texts})

    def _place_texts(self, place: Resolved) -> Texts:
        key = place.key
        if key is None and place.path.last.key is not None and place.path.last.key.external:
            key = place.path.last.key
        if key is not None:
            return self._tables.of(place.entity).key_texts(key)
        return self._owner_texts(place) or {}

    def _owner_texts(self, place: Resolved) -> Texts | None:
        """The columns that say whose a new record is; None when no column can."""
        if place.owner is None:
            return {}
        key = resolve(self._schema, ObjectPath(place.path.segments[:-1])).key
        properties = owner_properties(place)
        if key is None or properties is None:
            return None
        columns = self._tables.of(place.entity)
        texts: Texts = {}
        for path, part in zip(properties, key.parts, strict=True):
            # A part of the own key that is the owner stands in the Id, not beside it.
            of_key = path[0] != "Id" and path[0] in place.entity.key
            within = ("Id", path[0]) if place.entity.composite and of_key else path
            column = columns.at(within)
            if column is None:
                return None
            texts[column.name] = part.value
        return texts

    def _body_texts(self, place: Resolved, body: Mapping[str, object]) -> Texts:
        columns = self._tables.of(place.entity)
        canonical = canonical_body(self._schema, place.entity, body)
        texts, faults = columns.body_texts(canonical, self._zone)
        faults += _not_xml(canonical, "")
        if (error := refused(faults)) is not None:
            raise error
        return texts


def import_objects(operation: RunImport) -> list[DataObject]:
    """The objects of an import as it is. Raises InvalidBody for what cannot be sent in XML."""
    faults: list[Fault] = []
    made = [
        _imported(item, pointer("/objects", index), faults, nested=False)
        for index, item in enumerate(operation.objects)
    ]
    if (error := refused(faults)) is not None:
        raise error
    return made


def flattened(objects: Sequence[DataObject]) -> Iterator[DataObject]:
    """All objects, each before those nested in it."""
    for item in objects:
        yield item
        yield from flattened(item.objects)


def _imported(item: ImportObject, at: str, faults: list[Fault], *, nested: bool) -> DataObject:
    if (reason := not_xml(item.type)) is not None:
        faults.append(Fault(pointer(at, "type"), reason))
    faults += _not_xml(item.properties, pointer(at, "properties"))
    properties = {name: None if value is None else to_text(value) for name, value in item.properties.items()}
    evaluated = (name for name, text in properties.items() if nested and text and _OF_PARENT.fullmatch(text))
    within = pointer(at, "objects")
    inner = [
        _imported(child, pointer(within, index), faults, nested=True)
        for index, child in enumerate(item.objects)
    ]
    return DataObject(item.type, item.action, properties, inner, frozenset(evaluated))


def _not_xml(value: object, at: str) -> list[Fault]:
    """What in a body cannot be sent in XML, names included."""
    if isinstance(value, str):
        return [] if (reason := not_xml(value)) is None else [Fault(at, reason)]
    found = []
    if isinstance(value, Mapping):
        for name, member in value.items():
            inner = pointer(at, str(name))
            if (reason := not_xml(str(name))) is not None:
                found.append(Fault(inner, f"in the name {reason}"))
            found += _not_xml(member, inner)
    return found


def _external(place: Resolved) -> bool:
    key: Key | None = place.path.last.key
    return key is not None and key.external and len(place.path.segments) == 1
