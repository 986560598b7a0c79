"""One scenario put to one adapter, and what must hold of every adapter besides."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from contracts.adapter import Adapter
from contracts.call import Call
from contracts.conformance.claims import NotConforming, unserved, way_to_make
from contracts.conformance.faults import Fault, dishonesty, errors_within, faults
from contracts.conformance.plant import Plant
from contracts.conformance.reading_back import Endless, Reader, Unreadable, gathered
from contracts.conformance.scenario import (
    Own,
    Scenario,
    Seen,
    call_of,
    failed,
    key_text,
    query_of,
    seen,
)
from contracts.conformance.wires import Exchange, MemoryWire, NotingWire
from contracts.errors import GatewayError, InvalidBody, RecordNotFound, UpstreamRejected
from contracts.results import BatchDone, MemberDone, Result, Stored
from contracts.wire import Wire, WireRequest

Bind = Callable[[Call], Wire]
"""The wire of one call: its journal and its deadline are the call's."""


class Served(msgspec.Struct, frozen=True):
    """What was seen, as JSON: the same from every adapter. Not ``whole`` where the adapter cannot read it back."""

    seen: bytes
    whole: bool = True


class Skipped(msgspec.Struct, frozen=True):
    """What the adapter does not serve, and why."""

    reason: str


async def check(scenario: Scenario, adapter: Adapter, bind: Bind) -> Served | Skipped:
    """Put a scenario to an adapter. Raises :class:`NotConforming`."""
    return await _Check(scenario, adapter, bind).run()


class _Check:
    def __init__(self, scenario: Scenario, adapter: Adapter, bind: Bind) -> None:
        self._scenario = scenario
        self._operation = scenario.operation
        self._adapter = adapter
        self._bind = bind
        self._reader = Reader(adapter, bind, Plant().schema)
        self._whole = True

    async def run(self) -> Served | Skipped:
        reason = unserved(self._scenario, self._adapter)
        if reason is not None:
            return Skipped(reason)
        for own in self._scenario.own:
            await self._make(own)
        call = call_of(self._operation)
        wire = NotingWire(self._bind(call))
        planned = self._planned(call)
        shown = await self._performed(call, wire)
        self._check_sent(planned, wire.exchanges)
        self._check_seen(shown)
        await self._check_left()
        if wire.exchanges:
            for fault in faults(self._operation, wire.exchanges):
                await self._endured(fault)
        return Served(msgspec.json.encode(shown), self._whole)

    async def _make(self, own: Own) -> None:
        """Make a record of the scenario's own."""
        operation = way_to_make(self._adapter, own)
        if operation is None:
            raise self._wrong("there is no way to make a record of its own")
        call = call_of(operation)
        try:
            result = await self._adapter.perform(call, self._bind(call))
        except GatewayError as error:
            raise self._wrong(f"its own record cannot be made: {error.code}: {error}") from error
        self._require(not errors_within(call.operation, result), "its own record cannot be made")

    def _planned(self, call: Call) -> tuple[WireRequest, ...] | GatewayError:
        try:
            return self._adapter.plan(call)
        except GatewayError as error:
            return error

    async def _performed(self, call: Call, wire: Wire) -> Seen:
        """What is seen of the result, or of the error that the call ends in."""
        try:
            result = await gathered(self._adapter, call, wire)
        except GatewayError as error:
            return self._lenient({"error": error.code}, self._scenario.expected)
        except Endless as error:
            raise self._wrong(str(error)) from error
        except Exception as error:
            raise self._wrong(f"{type(error).__name__} is no GatewayError: {error}") from error
        shown = seen(self._operation, await self._completed(result))
        if self._adapter.capabilities.scans and query_of(self._operation).filter is not None:
            shown = {**shown, "items": self._narrowed(shown["items"])}
        return self._lenient(shown, self._scenario.expected)

    async def _completed(self, result: Result) -> Result:
        """The result with whole records where the adapter answered keys, and can read."""
        match result:
            case Stored(whole=False):
                return await self._read_back(result)
            case BatchDone():
                return BatchDone(results=tuple([await self._member(done) for done in result.results]))
            case _:
                return result

    async def _member(self, done: MemberDone) -> MemberDone:
        if isinstance(done.result, Stored) and not done.result.whole:
            return MemberDone(done.id, await self._read_back(done.result))
        return done

    async def _read_back(self, stored: Stored) -> Stored:
        try:
            record = await self._reader.record(stored.path)
        except Unreadable:
            self._whole = False
            return stored
        if record is None:
            raise self._wrong("what it stored is not there")
        return msgspec.structs.replace(stored, record=record, whole=True)

    def _narrowed(self, items: object) -> list[Seen]:
        """Of a set that may be narrowed by a filter, or not, what was to be left of it."""
        wanted = {key_text(item) for item in _items(self._scenario.expected)}
        return [item for item in _items({"items": items}) if key_text(item) in wanted]

    def _lenient(self, shown: Seen, expected: Seen) -> Seen:
        """What is seen, a refusal told as what it is where the protocol does not say why."""
        if not self._adapter.capabilities.tells_keys:
            return shown
        untold = (failed(RecordNotFound), failed(InvalidBody))
        if shown == failed(UpstreamRejected) and expected in untold:
            return expected
        members, wanted = shown.get("members"), expected.get("members")
        if isinstance(members, list) and isinstance(wanted, list) and len(members) == len(wanted):
            return {"members": [_told(one, other) for one, other in zip(members, wanted, strict=True)]}
        return shown

    def _check_sent(
        self, planned: tuple[WireRequest, ...] | GatewayError, exchanges: Sequence[Exchange]
    ) -> None:
        sent = [_comparable(exchange.request) for exchange in exchanges]
        if self._operation.safe:
            self._require(all(request.repeatable for request in sent), "a request of it is not repeatable")
        if isinstance(planned, GatewayError):
            self._require(not sent, f"plan() raised {planned.code}, and perform() sent something")
            self._require(
                self._scenario.expected == {"error": planned.code}, f"plan() raised {planned.code}: {planned}"
            )
        elif sent:
            self._require(
                bool(planned) and sent[0] == _comparable(planned[0]),
                f"plan() is not what is sent first: {planned[:1]} and {sent[0]}",
            )

    def _check_seen(self, shown: Seen) -> None:
        ours, theirs = self._scenario.expected, shown
        if not self._whole:
            ours, theirs = _keys_alone(ours), _keys_alone(theirs)
        expected, found = msgspec.json.encode(ours), msgspec.json.encode(theirs)
        self._require(found == expected, f"\nexpected {expected.decode()}\nfound    {found.decode()}")

    async def _check_left(self) -> None:
        for left in self._scenario.left:
            try:
                record = await self._reader.record(left.place.path)
            except Unreadable:
                return
            expected, found = msgspec.json.encode(left.record), msgspec.json.encode(record)
            self._require(
                found == expected, f"it left\nexpected {expected.decode()}\nfound    {found.decode()}"
            )

    async def _endured(self, fault: Fault) -> None:
        operation = self._operation
        wire = MemoryWire(*fault.answers, failure=fault.failure)
        try:
            result = await gathered(self._adapter, call_of(operation), wire)
            errors = errors_within(operation, result)
        except GatewayError as error:
            errors = [(operation, error)]
        except Exception as error:
            raise self._wrong(f"{fault.name}: {type(error).__name__} is no GatewayError: {error}") from error
        if fault.failure is not None or (operation.safe and fault.plain):
            self._require(bool(errors), f"{fault.name}: taken for an answer")
        for of, said in errors:
            if (lie := dishonesty(of, said)) is not None:
                raise self._wrong(f"{fault.name}: {lie}") from said

    def _require(self, held: bool, otherwise: str) -> None:
        if not held:
            raise self._wrong(otherwise)

    def _wrong(self, what: str) -> NotConforming:
        return NotConforming(f"{self._scenario.name}: {what}")


def _comparable(request: WireRequest) -> WireRequest:
    """The request without what is read once; the boundary of a multipart body is another each time."""
    if request.content is None or isinstance(request.content, bytes | tuple):
        return request
    headers = tuple(header for header in request.headers if header[0].lower() != "content-type")
    return msgspec.structs.replace(request, content=None, headers=headers)


def _told(shown: Seen, expected: Seen) -> Seen:
    untold = {**failed(UpstreamRejected), "id": expected.get("id")}
    return expected if shown == untold and expected.get("error") == RecordNotFound.code else shown


def _items(shown: Seen) -> list[Seen]:
    items = shown.get("items")
    return items if isinstance(items, list) else []


def _keys_alone(shown: Seen) -> Seen:
    """What is seen, of stored records the key alone."""
    members = shown.get("members")
    if isinstance(members, list):
        return {"members": [_keys_alone(member) for member in members]}
    record = shown.get("record")
    return {**shown, "record": {"Id": record.get("Id")}} if isinstance(record, dict) else shown
