"""The export connectors of a tenant: what is asked of them, and their answers as records."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing

from adapters._connectors.channel import Channel
from adapters._connectors.columns import Tables
from adapters._connectors.formats import read, record_reader
from adapters._connectors.narrowing import Narrowing
from adapters._connectors.options import ExportOptions
from adapters._connectors.records_xml import filter_document, not_xml
from contracts.errors import Fault, UpstreamInvalidResponse
from contracts.json_objects import pointer, refused
from contracts.operations import Format, ListRecords, Operation, RunExport
from contracts.records import MalformedAnswer
from contracts.results import Scan
from contracts.schema import Entity, Record, Schema
from contracts.wire import Wire, WireRequest


class Exports:
    """Reads whole entity sets, and what a connector gives as it is."""

    def __init__(
        self, channel: Channel, schema: Schema, tables: Tables, connectors: Mapping[str, ExportOptions]
    ) -> None:
        """``connectors`` are by the entity's name as the schema spells it. Raises ValueError for filters."""
        self._channel = channel
        self._tables = tables
        self._connectors = connectors
        self._narrowing = {
            name: Narrowing(tables.of(schema.target(name)), options.filters)
            for name, options in connectors.items()
        }

    def refusal(self, operation: ListRecords) -> str | None:
        """Why a list cannot be exported, in a sentence; None when it can."""
        place, query = operation.place, operation.query
        if place.entity.name not in self._connectors:
            return (
                f"no export connector of this tenant gives {place.entity.name}; "
                "one is named in its adapter's exports"
            )
        if query.expand:
            return "an export cannot be expanded: its records refer to others by their keys"
        plain = (
            query.limit is None
            and query.continuation is None
            and not (query.orderby or query.select or query.skip or query.count)
        )
        if place.owner is not None or place.single or not plain:
            return "an export connector gives the whole set of an entity and nothing less"
        return None

    def request(self, operation: ListRecords | RunExport) -> WireRequest:
        """Raises InvalidBody for a filter that cannot be sent in XML, and what the channel raises for a request."""
        if isinstance(operation, RunExport):
            connector, values = operation.name, _checked(operation.filter)
        else:
            name = operation.place.entity.name
            connector = self._connectors[name].connector
            values = self._narrowing[name].values(operation.query.filter)
        return self._channel.export_request(connector, filter_document(values) if values else None)

    def scan(self, operation: ListRecords | RunExport, wire: Wire) -> Scan:
        """The records: of an entity normalized, of a connector as it is by its own names.

        Raises what :meth:`request` raises; the pieces raise UpstreamInvalidResponse, and what the channel raises.
        """
        request = self.request(operation)
        if isinstance(operation, RunExport):
            return Scan(pieces=self._pieces(operation, request, operation.format, None, wire))
        entity = operation.place.entity
        format = self._connectors[entity.name].format
        return Scan(pieces=self._pieces(operation, request, format, entity, wire))

    async def _pieces(
        self,
        operation: Operation,
        request: WireRequest,
        format: Format | None,
        entity: Entity | None,
        wire: Wire,
    ) -> AsyncGenerator[list[Record], None]:
        def records(flat: Sequence[dict[str, object]]) -> list[Record]:
            return [*flat] if entity is None else [self._tables.record(entity, item) for item in flat]

        try:
            async with (
                wire.stream(request) as answer,
                aclosing(self._channel.text(operation, answer)) as text,
                aclosing(read(record_reader(format), text, records)) as pieces,
            ):
                async for piece in pieces:
                    yield piece
        except MalformedAnswer as error:
            raise UpstreamInvalidResponse(f"the upstream's answer cannot be read: {error}") from None


def _checked(values: Mapping[str, str]) -> Mapping[str, str]:
    faults = (
        Fault(pointer("/filter", name), reason)
        for name, value in values.items()
        if (reason := not_xml(name) or not_xml(value)) is not None
    )
    if (error := refused(faults)) is not None:
        raise error
    return values
