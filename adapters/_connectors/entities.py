"""The connectors of a tenant by entity, as the data model has it: the part of its options that can contradict it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from adapters._connectors.columns import Tables
from adapters._connectors.narrowing import Narrowing
from adapters._connectors.options import ConnectorOptions, ExportOptions, ImportOptions
from contracts.adapter import UnusableOptions
from contracts.schema import Entity, Schema

T = TypeVar("T")


def by_entity(
    options: ConnectorOptions, schema: Schema, tables: Tables
) -> tuple[dict[str, ExportOptions], dict[str, ImportOptions]]:
    """The connectors for export and for import by the entities' names as the schema spells them.

    Raises UnusableOptions with every mistake.
    """
    mistakes: dict[str, str] = {}
    exports = _spelled(schema, options.exports, "exports", mistakes)
    imports = _spelled(schema, options.imports, "imports", mistakes)
    for name, connector in options.exports.items():
        entity = schema.find(name)
        if entity is not None:
            mistakes |= _filters(f"exports.{name}.filters", tables, entity, connector)
    if mistakes:
        raise UnusableOptions(mistakes)
    return exports, imports


def _spelled(
    schema: Schema, connectors: Mapping[str, T], option: str, mistakes: dict[str, str]
) -> dict[str, T]:
    found: dict[str, T] = {}
    for name, connector in connectors.items():
        entity = schema.find(name)
        if entity is None:
            hint = schema.suggest(name) or "; name it under 'entities' of the environment or of this tenant"
            mistakes[f"{option}.{name}"] = f"there is no such entity{hint}"
        elif entity.name in found:
            mistakes[f"{option}.{name}"] = f"{entity.name} has a connector here already"
        else:
            found[entity.name] = connector
    return found


def _filters(
    path: str, tables: Tables, entity: Entity, connector: ExportOptions
) -> Iterator[tuple[str, str]]:
    for index, name in enumerate(connector.filters):
        try:
            Narrowing(tables.of(entity), (name,))
        except ValueError as error:
            yield f"{path}[{index}]", str(error)
