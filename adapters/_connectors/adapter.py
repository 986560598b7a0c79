"""The adapter for connectors, the same over Connector.ashx and SOAP: which operations it serves, and by what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adapters._beside import beside
from adapters._connectors.answers import Answers, Told, imported
from adapters._connectors.channel import Channel
from adapters._connectors.columns import Tables
from adapters._connectors.entities import by_entity
from adapters._connectors.exports import Exports
from adapters._connectors.imports import NO_REPLACE, Imports, import_objects
from adapters._connectors.measurements import Readings
from adapters._connectors.options import ConnectorOptions, ExportOptions, ImportOptions
from adapters._connectors.records_xml import DataObject, object_text
from adapters._connectors.runs import ImportRun, Runs
from contracts.adapter import AdapterContext, Capabilities
from contracts.call import Call
from contracts.errors import GatewayError, InvalidBody
from contracts.operations import (
    ChangeRecord,
    CreateRecord,
    DeleteRecord,
    ListRecords,
    Member,
    Operation,
    RunExport,
    RunImport,
    TakeReadings,
    Write,
    WriteBatch,
)
from contracts.results import BatchDone, Deleted, ImportDone, MemberDone, Result, Stored
from contracts.wire import Wire, WireRequest

OBJECTS_A_REQUEST = 1_000
"""The most objects of one request: a connector works through all of them before it answers."""

_LARGEST_DOCUMENT = 5 * 1024 * 1024
"""The bytes of XML at which a request is full: encoded for the way they take up to four times as much room."""

_NO_ACTIONS = "workflows are run over the REST interface; a tenant without it has none"
_NO_EXPORTS = "no export connector is configured; name one for each entity in the adapter's exports"
_NO_IMPORTS = "no import connector is configured; name one for each entity in the adapter's imports"
_NO_GROUPS = (
    "no atomicity groups: connectors have no transactions over several records; only the REST batch has"
)
_NO_READINGS = "no connector takes readings; name one in the adapter's measurements"


class ConnectorsAdapter:
    """Exports, imports and readings of one tenant over one channel."""

    def __init__(self, context: AdapterContext, channel: Channel) -> None:
        """Raises UnusableOptions."""
        options = context.options
        if not isinstance(options, ConnectorOptions):
            raise TypeError("this adapter takes ConnectorOptions")
        schema = context.schema
        tables = Tables(schema, context.zone)
        exports, imports = by_entity(options, schema, tables)
        self._answers = Answers(channel.name, schema, tables)
        self._exports = Exports(channel, schema, tables, exports)
        self._imports = Imports(schema, context.zone, tables, imports)
        self._runs = Runs(channel, self._answers)
        self._readings = Readings(
            self._runs, equipment=options.measurements, process_functions=options.process_measurements
        )
        self.capabilities = _capabilities(options, exports, imports)

    def refusal(self, operation: Operation) -> str | None:
        """See :meth:`contracts.adapter.Adapter.refusal`."""
        if operation.kind not in self.capabilities.operations:
            return self.capabilities.missing.get(operation.kind, "connectors have no such operation")
        match operation:
            case ListRecords():
                return self._exports.refusal(operation)
            case CreateRecord() | ChangeRecord() | DeleteRecord():
                return self._imports.refusal(operation)
            case WriteBatch():
                return next(filter(None, map(self._member_refusal, operation.members)), None)
        return None

    def pack(self, members: Sequence[Member]) -> int:
        """See :meth:`contracts.adapter.Batching.pack`."""
        taken: set[str] = set()
        size = 0
        for member in members[:OBJECTS_A_REQUEST]:
            if taken and not self._fits(member, members[0], taken):
                break
            size += self._size(member)
            if taken and size > _LARGEST_DOCUMENT:
                break
            taken.add(member.id)
        if len(taken) == 1 and size > _LARGEST_DOCUMENT:
            # More than a request's share, but perhaps not more than a request: making it tells.
            self._batch(WriteBatch(members=tuple(members[:1])))
        return len(taken)

    def plan(self, call: Call) -> tuple[WireRequest, ...]:
        """See :meth:`contracts.adapter.Adapter.plan`."""
        operation = call.operation
        match operation:
            case ListRecords() | RunExport():
                return (self._exports.request(operation),)
            case CreateRecord() | ChangeRecord() | DeleteRecord():
                return (self._single(operation).request,)
            case WriteBatch():
                run, unsent = self._batch(operation)
                for error in unsent.values():
                    # A body is to be put right before anything is sent; what a path holds is its own member's.
                    if isinstance(error, InvalidBody):
                        raise error
                return () if run is None else (run.request,)
            case RunImport():
                return (self._import(operation).request,)
            case TakeReadings():
                return tuple(part.run.request for part in self._readings.parts(operation.readings)[0])
        raise _not_ours(operation)

    async def perform(self, call: Call, wire: Wire) -> Result:
        """See :meth:`contracts.adapter.Adapter.perform`."""
        operation = call.operation
        match operation:
            case ListRecords() | RunExport():
                return self._exports.scan(operation, wire)
            case CreateRecord() | ChangeRecord() | DeleteRecord():
                (told,) = await self._runs.perform(operation, self._single(operation), wire)
                return _raised(self._answers.stored(operation, told))
            case WriteBatch():
                return await self._write(operation, wire)
            case RunImport():
                run = await beside(self._import, operation)
                return ImportDone(results=imported(run.sent, await self._runs.perform(operation, run, wire)))
            case TakeReadings():
                return await self._readings.take(operation, wire)
        raise _not_ours(operation)

    async def _write(self, operation: WriteBatch, wire: Wire) -> BatchDone:
        run, unsent = await beside(self._batch, operation)
        told = [] if run is None else await self._runs.perform(operation, run, wire)
        return await beside(self._done, operation, told, unsent)

    def _done(
        self, operation: WriteBatch, told: Sequence[Told], unsent: Mapping[str, GatewayError]
    ) -> BatchDone:
        answers = iter(told)
        return BatchDone(
            results=tuple(
                MemberDone(
                    member.id,
                    unsent.get(member.id) or self._answers.stored(member.write, next(answers)),
                )
                for member in operation.members
            )
        )

    def _single(self, write: Write) -> ImportRun:
        sent = self._imports.written(write)
        return self._runs.of(self._imports.connector(write), [sent], repeatable=write.idempotent)

    def _batch(self, operation: WriteBatch) -> tuple[ImportRun | None, dict[str, GatewayError]]:
        """The one request, None when no member can be sent; and why the others are not, by id."""
        sent: list[DataObject] = []
        errors: dict[str, GatewayError] = {}
        for member in operation.members:
            try:
                sent.append(self._imports.written(member.write))
            except GatewayError as error:
                errors[member.id] = error
        if not sent:
            return None, errors
        connector = self._imports.connector(operation.members[0].write)
        repeatable = all(member.write.idempotent for member in operation.members)
        return self._runs.of(connector, sent, repeatable=repeatable), errors

    def _import(self, operation: RunImport) -> ImportRun:
        return self._runs.of(operation.name, import_objects(operation), repeatable=operation.idempotent)

    def _member_refusal(self, member: Member) -> str | None:
        if member.group is not None:
            return _NO_GROUPS
        return self.refusal(member.write)

    def _fits(self, member: Member, first: Member, taken: set[str]) -> bool:
        """Whether a member can follow in a request: its connector is the same, and it need not wait."""
        waits = member.origin in taken or not taken.isdisjoint(member.depends_on)
        return (
            not waits
            and self._member_refusal(member) is None
            and self._imports.connector(member.write) == self._imports.connector(first.write)
        )

    def _size(self, member: Member) -> int:
        try:
            return len(object_text(self._imports.written(member.write)).encode())
        except GatewayError:
            return 0


def _capabilities(
    options: ConnectorOptions, exports: Mapping[str, ExportOptions], imports: Mapping[str, ImportOptions]
) -> Capabilities:
    writes = ("create", "change", "delete", "batch")
    operations = {"export", "import"}
    missing = {"replace": NO_REPLACE, "action": _NO_ACTIONS}
    if exports:
        operations.add("list")
    else:
        missing |= {"list": _NO_EXPORTS, "get": _NO_EXPORTS}
    if imports:
        operations.update(writes)
    else:
        missing |= dict.fromkeys(writes, _NO_IMPORTS)
    if options.measurements or options.process_measurements:
        operations.add("measurements")
    else:
        missing["measurements"] = _NO_READINGS
    return Capabilities(
        operations=frozenset(operations),
        missing=missing,
        reserves={"batch": _NO_GROUPS} if imports else {},
        entities={"list": tuple(exports)} | dict.fromkeys(writes, tuple(imports)),
        scans=True,
        narrows={name: item.filters for name, item in exports.items() if item.filters},
        tells_keys=True,
    )


def _raised(result: Stored | Deleted | GatewayError) -> Stored | Deleted:
    if isinstance(result, GatewayError):
        raise result
    return result


def _not_ours(operation: Operation) -> TypeError:
    return TypeError(f"{operation.kind} is not routed to this adapter")
