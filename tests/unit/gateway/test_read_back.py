"""Reading back what was written: the right record or none, whatever keys look like and come after."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

import pytest

from contracts.addressing import Resolved, resolve
from contracts.call import Call
from contracts.errors import GatewayError, RecordNotFound, UpstreamRejected, UpstreamUnavailable
from contracts.filters import predicate
from contracts.operations import (
    ChangeRecord,
    CreateRecord,
    DeleteRecord,
    GetRecord,
    ListRecords,
    Member,
    Operation,
    Write,
    WriteBatch,
)
from contracts.paths import parse_path
from contracts.results import Deleted, MemberDone, Page, Result, Scan, Stored
from contracts.schema import Entity, Property, PropertyType, Record, Schema
from gateway.completion.readback import KEYS, ReadBack
from gateway.completion.writes import Writes
from tests.unit.gateway.plants import SCHEMA, Tables, call, place

NUMBERED: Schema = SCHEMA.extended([Entity.of("Numbered", Property("Id", PropertyType.INTEGER))])


class Reader:
    """Answers lists of tables in pages, and fails from the list of that number on."""

    def __init__(self, tables: Tables, *, page: int = 1000, fails: int = 1000) -> None:
        self.asked: list[Operation] = []
        self._tables = tables
        self._page = page
        self._fails = fails

    async def aside(self, call: Call, operation: Operation) -> Result:
        self.asked.append(operation)
        if len(self.asked) > self._fails:
            raise UpstreamUnavailable("down")
        assert isinstance(operation, ListRecords)
        rows: list[Record] = [*self._tables[operation.place.entity.name]]
        if operation.query.filter is not None:
            rows = list(filter(predicate(operation.query.filter), rows))
        begin = int(operation.query.continuation or 0)
        end = begin + self._page
        return Page(items=rows[begin:end], next=str(end) if end < len(rows) else None)

    async def scan(self, call: Call, operation: Operation) -> Result:
        assert isinstance(operation, ListRecords)
        self.asked.append(operation)
        return Scan(pieces=self._pieces(operation.place.entity.name))

    async def _pieces(self, entity: str) -> AsyncGenerator[list[Record], None]:
        yield [*self._tables[entity]]

    async def records(self, places: Sequence[Resolved]) -> list[object]:
        back = ReadBack(self.aside, lambda operation: False)
        return [*await back.records(call(GetRecord(place=places[0])), places)]


def equipment(count: int) -> Tables:
    return {"Equipment": [{"Id": f"{n:05}"} for n in range(count)]}


async def test_every_page_is_read() -> None:
    reader = Reader(equipment(7), page=2)
    places = [place(f"Equipment/{n:05}") for n in range(5)]
    assert await reader.records(places) == [{"Id": f"{n:05}"} for n in range(5)]
    assert len(reader.asked) == 3


async def test_pages_that_do_not_end_leave_it_open() -> None:
    reader = Reader(equipment(2), page=0)
    found = await reader.records([place("Equipment/00000"), place("Equipment/00001")])
    assert None not in found
    assert len(reader.asked) == 2


async def test_keys_are_taken_as_they_stand() -> None:
    rows: list[dict[str, object]] = [{"Id": id} for id in ("a", "A", " a", "a ", "00a")]
    reader = Reader({"Equipment": rows})
    paths = ("a", "A", "%20a", "a%20", "0a", "00a")
    found = await reader.records([place(f"Equipment/{path}") for path in paths])
    assert found == [*({"Id": id} for id in ("a", "A", " a", "a ")), None, {"Id": "00a"}]


async def test_a_scan_is_asked_for_all_at_once() -> None:
    reader = Reader(equipment(KEYS + 5))
    places = [place(f"Equipment/{n:05}") for n in range(KEYS + 5)]
    back = ReadBack(reader.scan, lambda operation: True)
    assert await back.records(call(GetRecord(place=places[0])), places) == [
        {"Id": f"{n:05}"} for n in range(KEYS + 5)
    ]
    assert len(reader.asked) == 1


async def test_the_same_record_twice_is_asked_for_once() -> None:
    reader = Reader(equipment(3))
    found = await reader.records([place(f"Equipment/0000{n}") for n in (1, 2, 1)])
    assert found == [{"Id": "00001"}, {"Id": "00002"}, {"Id": "00001"}]
    assert len(reader.asked) == 1


async def test_numbers_are_compared_as_numbers() -> None:
    places = [resolve(NUMBERED, parse_path(f"Numbered/{id}")) for id in ("7", "008", "9")]
    reader = Reader({"Numbered": [{"Id": 7}, {"Id": 8}]})
    assert await reader.records(places) == [{"Id": 7}, {"Id": 8}, None]


async def test_no_external_id_is_none() -> None:
    rows: list[dict[str, object]] = [{"Id": "1", "ExternalId": None, "DataProvider": "Rest"}]
    reader = Reader({"Equipment": rows})
    places = [place("Equipment/ExternalId=None"), place("Equipment/ExternalId=x")]
    back = ReadBack(reader.scan, lambda operation: True)
    assert await back.records(call(GetRecord(place=places[0])), places) == [None, None]


async def test_what_was_found_before_a_failure_stays_found() -> None:
    reader = Reader(equipment(KEYS + 5), fails=1)
    found = await reader.records([place(f"Equipment/{n:05}") for n in range(KEYS + 5)])
    assert found[:KEYS] == [{"Id": f"{n:05}"} for n in range(KEYS)]
    assert None not in found
    assert not any(isinstance(record, dict) for record in found[KEYS:])


def change(path: str) -> ChangeRecord:
    return ChangeRecord(place=place(path), body={"Description": "x"})


DELETE = DeleteRecord(place=place("Equipment/00009"))
LINE = CreateRecord(place=place("Invoice/9/Lines"), body={})
GONE_INVOICE = DeleteRecord(place=place("Invoice/9"))
NO = UpstreamRejected("no")


@pytest.mark.parametrize(
    ("writes", "expected"),
    [
        # Refused while it was there, deleted after: the refusal is what it says.
        (((change("Equipment/00009"), NO), (DELETE, Deleted())), UpstreamRejected),
        (((LINE, NO), (GONE_INVOICE, Deleted())), UpstreamRejected),
        # Deleted before: then it was not there.
        (((DELETE, Deleted()), (change("Equipment/00009"), NO)), RecordNotFound),
        # The delete failed too: it never was there.
        (((change("Equipment/00009"), NO), (DELETE, NO)), RecordNotFound),
        # Another one was deleted.
        (((change("Equipment/00008"), NO), (DELETE, Deleted())), RecordNotFound),
    ],
)
async def test_a_refusal_of_a_record_that_is_gone(
    writes: tuple[tuple[Write, Stored | Deleted | GatewayError], ...], expected: type[GatewayError]
) -> None:
    reader = Reader({**equipment(2), "Invoice": []})
    # Two records are looked at, so that it is a list that is read.
    listed = (*writes, (change("Equipment/00001"), NO), (change("Equipment/00005"), NO))
    batch = WriteBatch(members=tuple(Member(id=str(n), write=write) for n, (write, _) in enumerate(listed)))
    done = [MemberDone(str(n), result) for n, (_, result) in enumerate(listed)]
    back = Writes(SCHEMA, ReadBack(reader.aside, lambda operation: False))
    told = await back.completed(call(batch), done)
    assert [item.id for item in told] == [item.id for item in done]
    index = next(n for n, (write, _) in enumerate(listed) if not isinstance(write, DeleteRecord))
    assert type(told[index].result) is expected
    assert [type(item.result) for item in told[-2:]] == [UpstreamRejected, RecordNotFound]
