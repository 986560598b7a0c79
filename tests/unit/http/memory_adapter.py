"""A whole adapter over a few records in memory, so that routes can be tried without an upstream."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence

import msgspec

from contracts.adapter import Capabilities
from contracts.call import Call, UpstreamSend
from contracts.errors import GatewayError, RecordNotFound, UpstreamRejected, UpstreamUnavailable
from contracts.operations import (
    ChangeRecord,
    CreateRecord,
    DeleteRecord,
    GetRecord,
    ListRecords,
    Member,
    Operation,
    ReplaceRecord,
    RunAction,
    RunExport,
    RunImport,
    TakeReadings,
    Write,
    WriteBatch,
)
from contracts.paths import Key, ObjectPath, Segment, print_path
from contracts.results import (
    ActionDone,
    BatchDone,
    Deleted,
    Found,
    ImportDone,
    Imported,
    MemberDone,
    Page,
    ReadingsTaken,
    ReadingTaken,
    Result,
    Scan,
    Stored,
)
from contracts.schema import Record
from contracts.wire import Notation, Placeholder, Slot, Wire, WireRequest

PAGE = 2
PACK = 2


class MemoryAdapter:
    """Records by their printed path.

    ``before`` is run in each call, to fail it or to look at it; ``refuses`` says what is not served;
    ``tells`` is false when what it stored is told by its key alone;
    ``serves`` names the operations, ``missing`` why another is not among them;
    ``fails_at`` is the id of the record at which an export breaks off, and ``ended`` that one did not.
    """

    def __init__(self) -> None:
        self.records: dict[str, dict[str, object]] = {
            f"Equipment/{number:05}": {"Id": f"{number:05}", "Description": f"Pump {number}", "Status": 2}
            for number in range(1, 6)
        }
        self.records["Building/01%2F02"] = {"Id": "01/02", "Description": "Hall"}
        self.calls: list[Call] = []
        self.uploads: list[tuple[str, str | None, str | None, int]] = []
        self.tells = True
        self.serves = {"list", "get", "create", "replace", "change", "delete", "action"}
        self.serves |= {"batch", "measurements", "export", "import"}
        self.missing: dict[str, str] = {}
        self.fails_at: str | None = None
        self.ended = False
        self.before: Callable[[Call], None] = lambda call: None
        self.refuses: Callable[[Operation], str | None] = lambda operation: None

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(operations=frozenset(self.serves), missing=self.missing)

    def refusal(self, operation: Operation) -> str | None:
        return self.refuses(operation)

    def pack(self, members: Sequence[Member]) -> int:
        return min(PACK, len(members))

    def plan(self, call: Call) -> tuple[WireRequest, ...]:
        if isinstance(call.operation, RunExport):
            return (self._export_request(call.operation),)
        body = getattr(call.operation, "body", None)
        return (
            WireRequest(
                method="GET" if call.operation.safe else "PUT",
                target="/object/Equipment",
                headers=(("ApiKey", Slot.API_KEY), ("Accept", "application/json")),
                content=None if body is None else msgspec.json.encode(body),
            ),
        )

    def _export_request(self, operation: RunExport) -> WireRequest:
        return WireRequest(
            method="POST",
            target=f"/Connector.ashx?ExportName={operation.name}",
            secrets=(("Username", Slot.USERNAME),),
            content=(
                b"<a>\xc3\xa9</a><password>",
                Placeholder(Slot.PASSWORD, Notation.XML),
                b"</password>",
            ),
        )

    async def perform(self, call: Call, wire: Wire) -> Result:
        await asyncio.sleep(0)
        self.calls.append(call)
        if call.departing is not None:
            await call.departing()
        call.journal.requests += 1
        call.journal.units += 1
        try:
            self.before(call)
        except GatewayError as error:
            call.journal.sends.append(UpstreamSend("GET", None, 0.25, error.outcome.value))
            raise
        call.journal.sends.append(UpstreamSend("GET", 200, 0.25, "answered"))
        match call.operation:
            case ListRecords():
                return self._page(call.operation, call.accept_language)
            case GetRecord():
                return Found(
                    record=self._record(call.operation.place.path), content_language=call.accept_language
                )
            case RunAction():
                return await self._run(call.operation)
            case WriteBatch():
                return BatchDone(results=tuple(map(self._member, call.operation.members)))
            case RunExport():
                return Scan(pieces=self._exported())
            case RunImport():
                return ImportDone(results=tuple(self._imported(item.type) for item in call.operation.objects))
            case TakeReadings():
                return ReadingsTaken(
                    results=tuple(self._taken(item.point) for item in call.operation.readings)
                )
            case CreateRecord() | ReplaceRecord() | ChangeRecord() | DeleteRecord():
                return self._write(call.operation)
        raise AssertionError("an operation that this adapter does not know")

    def _write(self, operation: Write) -> Stored | Deleted:
        match operation:
            case CreateRecord():
                return self._store(ObjectPath((Segment("Job", Key.single("0000009")),)), operation.body)
            case ReplaceRecord():
                return self._store(operation.place.path, operation.body)
            case ChangeRecord():
                record = self._record(operation.place.path)
                return self._store(operation.place.path, record | operation.body)
            case DeleteRecord():
                self._record(operation.place.path)
                del self.records[print_path(operation.place.path)]
                return Deleted()

    def _member(self, member: Member) -> MemberDone:
        try:
            return MemberDone(member.id, self._write(member.write))
        except GatewayError as error:
            return MemberDone(member.id, error)

    async def _exported(self) -> AsyncGenerator[list[Record], None]:
        for record in list(self.records.values()):
            if self.fails_at is not None and record["Id"] == self.fails_at:
                raise UpstreamUnavailable("it broke off")
            yield [record]
        self.ended = True

    def _imported(self, kind: str) -> Imported:
        if kind == "Vendor":
            return Imported(type=kind, action="Update", key="2513")
        return Imported(type=kind, action="Error", error=UpstreamRejected("no such type"))

    def _taken(self, point: str) -> ReadingTaken:
        if point == "RUNHOURS":
            return ReadingTaken(line_id="00000000000001")
        return ReadingTaken(error=None if point == "SILENT" else UpstreamRejected("no such point"))

    def _page(self, operation: ListRecords, language: str | None) -> Page:
        entity = operation.place.path.last.name
        items = [record for path, record in self.records.items() if path.startswith(entity + "/")]
        begin = int(operation.query.continuation or operation.query.skip)
        end = begin + (operation.query.limit or PAGE)
        return Page(
            items=[*items[begin:end]],
            next=str(end) if end < len(items) else None,
            count=len(items) if operation.query.count else None,
            content_language=language,
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
        if self.tells:
            return Stored(record=self.records[printed], created=created, path=path)
        return Stored(record={"Id": key.parts[0].value}, created=created, path=path, whole=False)

    async def _run(self, operation: RunAction) -> ActionDone:
        if operation.parts is not None:
            async for part in operation.parts:
                if isinstance(part.content, bytes):
                    size = len(part.content)
                else:
                    size = sum([len(chunk) async for chunk in part.content])
                self.uploads.append((part.name, part.filename, part.content_type, size))
        return ActionDone(result={"name": operation.name, "given": operation.arguments})
