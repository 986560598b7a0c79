"""Batches and deletes: our call → the exact upstream request, its answer → the results of its members.

The examples of the vendor's page also hold the request as the page has it: ours means the same.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from pathlib import Path

import msgspec
import pytest

from contracts.errors import GatewayError
from contracts.operations import DeleteRecord, Operation, WriteBatch
from contracts.paths import parse_path, print_path
from contracts.results import BatchDone, Deleted, MemberDone, Stored
from contracts.writing import check_write_path
from tests.support.golden import check_sections, sections, shown_requests
from tests.support.servers import scripted_upstream
from tests.unit.adapters.batch.rig import SCHEMA, a_call, a_wire, an_adapter, members

FILES = sorted((Path(__file__).parent / "batch").glob("*.txt"))
CALL, PAGE, REQUEST = ">>> call", ">>> the request on the page", ">>> upstream request"
ANSWER, RESULTS = "<<< upstream answer", "<<< results"
SECTIONS = (CALL, PAGE, REQUEST, ANSWER, RESULTS)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
async def test_a_batch(file: Path) -> None:
    seen = await _played(sections(file.read_text(), SECTIONS))
    check_sections(file, SECTIONS, seen)


@pytest.mark.parametrize(
    "file", [file for file in FILES if file.stem.startswith("batch-inserting-")], ids=lambda file: file.stem
)
def test_an_example_of_the_vendor_means_the_same_as_on_the_page(file: Path) -> None:
    parts = sections(file.read_text(), SECTIONS)
    assert json.loads(parts[REQUEST].rpartition("\n")[2]) == json.loads(parts[PAGE])


def test_every_example_of_the_page_is_here() -> None:
    """The page has two; each operation of the adapter has a file."""
    assert [file.stem for file in FILES] == [
        "batch-in-a-language",
        "batch-inserting-a-group-and-dependencies",
        "batch-inserting-each-method",
        "batch-that-is-refused-in-parts",
        "delete",
    ]


async def _played(parts: dict[str, str]) -> dict[str, str]:
    """The call, made; what went upstream and what came of it."""
    head, _, body = parts[CALL].partition("\n\n")
    line, *headers = head.splitlines()
    language = dict(header.split(": ", 1) for header in headers).get("Content-Language")
    call = a_call(_operation(line, body), content_language=language)
    async with scripted_upstream() as upstream, a_wire(upstream.url) as wire:
        upstream.answer = _answer(parts[ANSWER])
        try:
            result = await an_adapter().perform(call, wire.bound(call))
        except GatewayError as error:
            shown = _shown(error)
        else:
            done = result.results if isinstance(result, BatchDone) else (result,)
            shown = "\n".join(map(_shown, done))
    return {REQUEST: shown_requests(upstream.requests), RESULTS: shown}


def _operation(line: str, body: str) -> Operation:
    method, _, path = line.partition(" ")
    if method == "DELETE":
        return DeleteRecord(place=check_write_path(SCHEMA, parse_path(path), "delete"))
    return WriteBatch(members=members(*json.loads(body)["operations"]))


def _answer(text: str) -> bytes:
    status, _, content = text.partition("\n\n")
    lines = (
        f"HTTP/1.1 {status} {HTTPStatus(int(status)).phrase}",
        "Content-Type: application/json; charset=utf-8",
        "Content-Language: nl",
        f"Content-Length: {len(content.encode())}",
    )
    return "\r\n".join((*lines, "", content)).encode()


def _shown(done: object) -> str:
    """One line: what became of it, where, and the record."""
    match done:
        case MemberDone(id, result):
            return f"{id}: {_shown(result)}"
        case Stored(record=record, created=created, path=path, content_language=language):
            what = "created" if created else "changed"
            return f"{what} {print_path(path)} in {language} {msgspec.json.encode(record).decode()}"
        case Deleted():
            return "deleted"
        case GatewayError():
            said = msgspec.json.encode(done.upstream).decode()
            return f"{done.code} ({done.outcome}) {done.detail} {said}"
    raise AssertionError("a result that a batch does not have")
