"""Runs a connector for either face: who may, which one, and what it answers as text."""

import hmac
from collections.abc import Iterator, Sequence
from typing import TypeVar

import msgspec

from adapters.sandbox.caller import DEFAULT_LANGUAGE, Caller
from adapters.sandbox.connectors.columns import Column, export_columns, key_columns
from adapters.sandbox.connectors.definitions import ExportConnector, ImportConnector
from adapters.sandbox.connectors.documents import Pair, read_filters, read_measurements, read_objects
from adapters.sandbox.connectors.failures import ConnectorFailure, login_failed, missing_parameter
from adapters.sandbox.connectors.importing import Importer
from adapters.sandbox.connectors.readings import Readings
from adapters.sandbox.connectors.rendering import render
from adapters.sandbox.connectors.results import answer_document, effects
from adapters.sandbox.keys import ApiKey
from adapters.sandbox.model import Entity, Key, Record
from adapters.sandbox.options import SandboxOptions
from adapters.sandbox.records import Store

_MEDIA = {"xml": "text/xml", "csv": "text/csv", "json": "application/json"}

C = TypeVar("C", ExportConnector, ImportConnector)


class Run(msgspec.Struct, frozen=True):
    """What a connector answered: its text in pieces, media type, and the effect that the ledger notes."""

    pieces: Iterator[str]
    media: str
    effect: str


class Desk:
    """The connectors of one look-alike."""

    def __init__(self, store: Store, options: SandboxOptions) -> None:
        self._store = store
        self._options = options
        self._zone = options.time_zone()
        self._users = {user.name.lower(): user for user in options.users}
        self._exports = {item.name.lower(): item for item in options.exports}
        self._imports = {item.name.lower(): item for item in options.imports}

    def log_on(self, name: str | None, password: str | None) -> Caller:
        """Who calls. Raises ``ConnectorFailure``; names of users do not regard case, passwords do."""
        user = self._users.get((name or "").lower())
        given = (password or "").encode()
        if user is None or not hmac.compare_digest(user.password.encode(), given):
            raise login_failed()
        return Caller(key=ApiKey(name=user.name, secret=""), writes=DEFAULT_LANGUAGE)

    def export(self, name: str | None, request: str | None) -> Run:
        """The records of an export connector, narrowed by the request, in the order of their keys.

        Every condition must hold; values are compared as the export writes them, without regard to case:
        a choice. Records are read when their piece is. Raises ``ConnectorFailure``.
        """
        connector = _chosen(self._exports, name, "ExportName")
        entity = self._store.model[connector.entity]
        columns = export_columns(self._store.model, entity, self._zone)
        wanted = read_filters(request) if request and request.strip() else []
        keys = self._narrowed(connector, entity, columns, wanted)
        rows = self._store.table(entity.name).rows
        records = (rows[key] for key in keys if key in rows)
        effect = f"Export {connector.name} {len(keys)} records"
        return Run(render(connector, columns, records), _MEDIA[connector.format], effect)

    def _narrowed(
        self, connector: ExportConnector, entity: Entity, columns: list[Column], wanted: list[Pair]
    ) -> Sequence[Key]:
        allowed = connector.filters
        if allowed is None:
            allowed = key_columns(self._store.model, entity)
        filters = {name.lower() for name in allowed}
        named = {column.name.lower(): column for column in columns}
        conditions = []
        for name, value in wanted:
            if name.lower() not in filters or name.lower() not in named:
                raise ConnectorFailure(
                    f"Property '{name}' is not a request property of export '{connector.name}'."
                )
            conditions.append((named[name.lower()], _folded(value)))
        table = self._store.table(entity.name)
        if not conditions:
            return tuple(table.order)

        def fits(record: Record) -> bool:
            return all(_folded(column.text(record)) == value for column, value in conditions)

        return [key for key in table.order if fits(table.rows[key])]

    async def import_(self, caller: Caller, name: str | None, document: str | None) -> Run:
        """Import what a document holds. Raises ``ConnectorFailure``; refused objects are in the answer."""
        connector = _chosen(self._imports, name, "ImportName")
        if not document or not document.strip():
            raise ConnectorFailure("There is no data to import.")
        if connector.entity is None:
            readings = Readings(self._store, caller, self._options)
            results = await readings.run(read_measurements(document))
        else:
            importer = Importer(self._store, caller, self._options, connector)
            results = await importer.run(read_objects(document))
        text = answer_document(results, flat=connector.flat)
        return Run(iter((text,)), _MEDIA["xml"], f"Import {connector.name}: {effects(results)}")


def _folded(text: str | None) -> str | None:
    return None if text is None else text.lower()


def _chosen(connectors: dict[str, C], name: str | None, parameter: str) -> C:
    if not name:
        raise missing_parameter(parameter)
    found = connectors.get(name.lower())
    what = "Export" if parameter == "ExportName" else "Import"
    if found is None:
        raise ConnectorFailure(f"{what} connector '{name}' does not exist.")
    if not found.active:
        raise ConnectorFailure(f"{what} connector '{name}' is not active.")
    return found
