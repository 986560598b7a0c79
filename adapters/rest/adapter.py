"""The conversation with the REST interface: encode, send, decode."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import MappingProxyType

import msgspec

from adapters.rest.actions import Workflows, action_done, action_request
from adapters.rest.addressing import Route, read_refusal, reading, write_refusal
from adapters.rest.encoding import (
    ObjectWrite,
    common_headers,
    get_parameters,
    list_parameters,
    read_request,
    write_request,
)
from adapters.rest.failures import failure
from adapters.rest.measurements import Taking
from adapters.rest.options import RestOptions
from adapters.rest.paging import continuation
from contracts.adapter import AdapterContext, Capabilities
from contracts.bodies import check_insert
from contracts.call import Call
from contracts.errors import GatewayError, Outcome, RecordNotFound, UpstreamInvalidResponse
from contracts.operations import (
    ChangeRecord,
    CreateRecord,
    GetRecord,
    ListRecords,
    Operation,
    ReplaceRecord,
    RunAction,
    TakeReadings,
)
from contracts.records import RecordCodec
from contracts.results import ActionDone, Found, Page, ReadingsTaken, Result, Stored
from contracts.schema import Entity, Record
from contracts.wire import Wire, WireRequest, WireResponse

_QUERY = frozenset({"filter", "orderby", "select", "expand", "limit", "skip", "count"})
_READS = frozenset({"list", "get", "action"})
_METHODS = MappingProxyType({"create": "POST", "replace": "PUT", "change": "PATCH"})
_WRITES = frozenset({*_METHODS, "measurements"})
_NO_WRITES = "this environment takes no REST writes (on-premises); an import connector would serve it"
_NO_CONNECTORS = "connectors are run over Connector.ashx or SOAP; one of these adapters would serve it"
_NO_DELETE = "the REST interface deletes only inside a batch"


class RestAdapter:
    """REST objects and workflows for one tenant."""

    def __init__(self, context: AdapterContext) -> None:
        options = context.options
        if not isinstance(options, RestOptions):
            raise TypeError("the REST adapter takes RestOptions")
        self._base_url = context.base_url
        self._schema = context.schema
        self._profile = context.profile
        self._longest_target = options.longest_target
        self._workflows = Workflows(options.actions)
        self._codec = RecordCodec(context.schema, context.zone)
        missing = {"delete": _NO_DELETE, "export": _NO_CONNECTORS, "import": _NO_CONNECTORS}
        if not options.writes:
            missing |= dict.fromkeys(_WRITES, _NO_WRITES)
        self.capabilities = Capabilities(
            operations=_READS | _WRITES if options.writes else _READS, query=_QUERY, missing=missing
        )

    def refusal(self, operation: Operation) -> str | None:
        """See :meth:`contracts.adapter.Adapter.refusal`."""
        kind = operation.kind
        if kind not in self.capabilities.operations:
            return self.capabilities.missing.get(kind, "the REST interface has no such operation")
        if isinstance(operation, CreateRecord | ReplaceRecord | ChangeRecord):
            return write_refusal(operation.place.path)
        if isinstance(operation, GetRecord | ListRecords):
            return read_refusal(operation.place)
        return None

    def plan(self, call: Call) -> tuple[WireRequest, ...]:
        """See :meth:`contracts.adapter.Adapter.plan`."""
        operation = call.operation
        match operation:
            case GetRecord() | ListRecords():
                return (self._read(call, operation).request,)
            case RunAction():
                return (self._action(call, operation),)
            case TakeReadings():
                return tuple(self._action(call, action) for action in Taking(operation).actions)
            case ChangeRecord(upsert=True):
                return self._write(call, operation, "PATCH"), self._write(call, operation, "PUT")
            case CreateRecord() | ReplaceRecord() | ChangeRecord():
                return (self._write(call, operation, _METHODS[operation.kind]),)
        raise _not_ours(operation)

    async def perform(self, call: Call, wire: Wire) -> Result:
        """See :meth:`contracts.adapter.Adapter.perform`."""
        operation = call.operation
        match operation:
            case GetRecord():
                read = self._read(call, operation)
                return self._found(read, accepted(operation, await wire.send(read.request)))
            case ListRecords():
                read = self._read(call, operation)
                return self._page(read, accepted(operation, await wire.send(read.request)))
            case RunAction():
                return await self._run(call, operation, wire)
            case TakeReadings():
                return await self._take(call, operation, wire)
            case ChangeRecord(upsert=True):
                return await self._upsert(call, operation, wire)
            case CreateRecord() | ReplaceRecord() | ChangeRecord():
                request = self._write(call, operation, _METHODS[operation.kind])
                return self._stored(operation, await wire.send(request))
        raise _not_ours(operation)

    async def _run(self, call: Call, operation: RunAction, wire: Wire) -> ActionDone:
        return action_done(accepted(operation, await wire.send(self._action(call, operation))))

    async def _take(self, call: Call, operation: TakeReadings, wire: Wire) -> ReadingsTaken:
        taking = Taking(operation)
        for action in taking.actions:
            try:
                taking.done(await self._run(call, action, wire))
            except GatewayError as error:
                if not taking.failed(error):
                    break
        return taking.result()

    async def _upsert(self, call: Call, operation: ChangeRecord, wire: Wire) -> Stored:
        """Change; when the upstream says that there is no such record, create it.

        A replace is sent only after that answer: sent blindly it would empty what the body leaves
        out. Someone else's insert between the two would still be replaced; the upstream knows no
        conditional write that could prevent it.
        """
        try:
            return self._stored(operation, await wire.send(self._write(call, operation, "PATCH")))
        except RecordNotFound:
            check_insert(operation.place.entity, operation.body)
        return self._stored(operation, await wire.send(self._write(call, operation, "PUT")))

    def _read(self, call: Call, operation: GetRecord | ListRecords) -> Read:
        route = reading(operation.place)
        if isinstance(operation, ListRecords):
            parameters = list_parameters(operation.query, route)
        else:
            parameters = get_parameters(operation, route)
        headers = common_headers(call, self._profile)
        request = read_request(route, parameters, headers, self._longest_target)
        return Read(operation.place.entity, route, parameters, request)

    def _write(self, call: Call, operation: ObjectWrite, method: str) -> WireRequest:
        return write_request(call, operation, self._schema, method, self._profile)

    def _action(self, call: Call, operation: RunAction) -> WireRequest:
        workflow = self._workflows.find(operation.name)
        return action_request(operation, workflow, common_headers(call, self._profile))

    def _page(self, asked: Read, answer: WireResponse) -> Page:
        with readable():
            listed = self._codec.page(asked.entity, answer.content)
        return Page(
            items=listed.items,
            next=continuation(listed.next_page_link, self._base_url, asked.parameters, len(listed.items)),
            count=listed.count,
            content_language=answer.headers.get("content-language"),
        )

    def _found(self, asked: Read, answer: WireResponse) -> Found:
        if asked.route.filter is None:
            record = self._record(asked.entity, answer)
        else:
            items = self._page(asked, answer).items
            if len(items) > 1:
                raise UpstreamInvalidResponse("more than one record has this key")
            if not items:
                raise RecordNotFound("the upstream has no record with this key", outcome=Outcome.REFUSED)
            record = items[0]
        return Found(record=record, content_language=answer.headers.get("content-language"))

    def _stored(self, operation: ObjectWrite, answer: WireResponse) -> Stored:
        place = operation.place
        record = self._record(place.entity, accepted(operation, answer))
        try:
            path = self._schema.path_of(place.entity, record)
        except ValueError:
            # The key need not be granted Id; the record is then known by the path it was written by.
            path = place.path
        return Stored(
            record=record,
            created=answer.status == 201,
            path=path,
            content_language=answer.headers.get("content-language"),
        )

    def _record(self, entity: Entity, answer: WireResponse) -> Record:
        with readable():
            return self._codec.record(entity, answer.content)


class Read(msgspec.Struct, frozen=True):
    """A read on its way: what is read, how it goes there, what is asked."""

    entity: Entity
    route: Route
    parameters: dict[str, str]
    request: WireRequest


@contextmanager
def readable() -> Iterator[None]:
    """An answer that cannot be read is the upstream's fault, not a bug: say so."""
    try:
        yield
    except ValueError as error:
        raise UpstreamInvalidResponse(f"the upstream's answer cannot be read: {error}") from error


def accepted(operation: Operation, answer: WireResponse) -> WireResponse:
    """The answer, when it is one of success; raises the error that it means otherwise."""
    if answer.status >= 300:
        raise failure(operation, answer)
    return answer


def _not_ours(operation: Operation) -> TypeError:
    return TypeError(f"{operation.kind} is not routed to this adapter")
