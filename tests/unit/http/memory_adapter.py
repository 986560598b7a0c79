"""A whole adapter over a few records in memory, so that routes can be tried without an upstream."""

import asyncio
from collections.abc import Callable

import msgspec

from contracts.adapter import Capabilities
from contracts.call import Call, UpstreamSend
from contracts.errors import RecordNotFound
from contracts.operations import (
    ChangeRecord,
    CreateRecord,
    DeleteRecord,
    GetRecord,
    ListRecords,
    Operation,
    ReplaceRecord,
    RunAction,
)
from contracts.paths import Key, ObjectPath, Segment, print_path
from contracts.results import ActionDone, Deleted, Found, Page, Result, Stored
from contracts.wire import Slot, Wire, WireRequest

PAGE = 2


class MemoryAdapter:
    """Records by their printed path.

    ``before`` is run in each call, to fail it or to look at it; ``refuses`` says what is not served.
    """

    def __init__(self) -> None:
        self.records: dict[str, dict[str, object]] = {
            f"Equipment/{number:05}": {"Id": f"{number:05}", "Description": f"Pump {number}", "Status": 2}
            for number in range(1, 6)
        }
        self.records["Building/01%2F02"] = {"Id": "01/02", "Description": "Hall"}
        self.calls: list[Call] = []
        self.uploads: list[tuple[str, str | None, str | None, int]] = []
        self.before: Callable[[Call], None] = lambda call: None
        self.refuses: Callable[[Operation], str | None] = lambda operation: None

    @property
    def capabilities(self) -> Capabilities:
        kinds = frozenset({"list", "get", "create", "replace", "change", "action"})
        return Capabilities(operations=kinds, missing={"delete": "a batch adapter would serve it"})

    def refusal(self, operation: Operation) -> str | None:
        return self.refuses(operation)

    def plan(self, call: Call) -> tuple[WireRequest, ...]:
        body = getattr(call.operation, "body", None)
        return (
            WireRequest(
                method="GET" if call.operation.safe else "PUT",
                target="/object/Equipment",
                headers=(("ApiKey", Slot.API_KEY), ("Accept", "application/json")),
                content=None if body is None else msgspec.json.encode(body),
            ),
        )

    async def perform(self, call: Call, wire: Wire) -> Result:
        await asyncio.sleep(0)
        self.calls.append(call)
        call.journal.units += 1
        call.journal.sends.append(UpstreamSend("GET", 200, 0.25, "answered"))
        self.before(call)
        match call.operation:
            case ListRecords():
                return self._page(call.operation)
            case GetRecord():
                return Found(
                    record=self._record(call.operation.place.path), content_language=call.accept_language
                )
            case CreateRecord():
                return self._store(ObjectPath((Segment("Job", Key.single("0000009")),)), call.operation.body)
            case ReplaceRecord():
                return self._store(call.operation.place.path, call.operation.body)
            case ChangeRecord():
                record = self._record(call.operation.place.path)
                return self._store(call.operation.place.path, record | call.operation.body)
            case DeleteRecord():
                self._record(call.operation.place.path)
                del self.records[print_path(call.operation.place.path)]
                return Deleted()
            case RunAction():
                return await self._run(call.operation)
        raise AssertionError("an operation that this adapter does not know")

    def _page(self, operation: ListRecords) -> Page:
        entity = operation.place.path.last.name
        items = [record for path, record in self.records.items() if path.startswith(entity + "/")]
        begin = int(operation.query.continuation or operation.query.skip)
        end = begin + (operation.query.limit or PAGE)
        return Page(
            items=[*items[begin:end]],
            next=str(end) if end < len(items) else None,
            count=len(items) if operation.query.count else None,
        )

    def _record(self, path: ObjectPath) -> dict[str, object]:
        record = self.records.get(print_path(path))
        if record is None:
            raise RecordNotFound("there is no such record")
        return record

    def _store(self, path: ObjectPath, body: dict[str, object]) -> Stored:
        printed = print_path(path)
        created = printed not in self.records
        key = path.last.key
        assert key is not None
        self.records[printed] = {"Id": key.parts[0].value, **body}
        return Stored(record=self.records[printed], created=created, path=path)

    async def _run(self, operation: RunAction) -> ActionDone:
        if operation.parts is not None:
            async for part in operation.parts:
                if isinstance(part.content, bytes):
                    size = len(part.content)
                else:
                    size = sum([len(chunk) async for chunk in part.content])
                self.uploads.append((part.name, part.filename, part.content_type, size))
        return ActionDone(result={"name": operation.name, "given": operation.arguments})
