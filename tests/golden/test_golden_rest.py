"""Every request example of the vendor's pages: our call → the exact upstream request, its answer → our JSON.

A file has the call and the upstream's answer, and, recorded, the upstream request and our answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path

import httpx2
import msgspec
import pytest
import pytest_asyncio

from tests.support.golden import check_sections, sections, shown_requests
from tests.support.servers import KEY, ScriptedUpstream, gateway, scripted_upstream

FILES = sorted((Path(__file__).parent / "rest").glob("*.txt"))
SECTIONS = (">>> call", ">>> upstream request", "<<< upstream answer", "<<< answer")
NOTHING = "nothing is asked"
TENANTS = {"plain": {}, "multilingual": {"multilingual": True}}
VARYING = re.compile(r"^(date|server|x-request-id|server-timing|ratelimit|ratelimit-policy): ", re.IGNORECASE)

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Rig(msgspec.Struct):
    upstream: ScriptedUpstream
    client: httpx2.AsyncClient


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rig() -> AsyncIterator[Rig]:
    server = {"cursor_secret": {"env": "CURSORS"}}
    async with (
        scripted_upstream() as upstream,
        gateway(
            upstream.url, TENANTS, server=server, secrets={"CURSORS": "the same secret for every run of this"}
        ) as served,
        httpx2.AsyncClient(base_url=served.url, headers={"X-API-Key": KEY}, verify=False) as client,
    ):
        yield Rig(upstream, client)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
async def test_an_example_of_the_vendor(file: Path, rig: Rig) -> None:
    seen = await _played(sections(file.read_text(), SECTIONS), rig)
    check_sections(file, SECTIONS, seen)


async def _played(parts: dict[str, str], rig: Rig) -> dict[str, str]:
    """The call, made; what went upstream and what came back."""
    head, _, body = parts[">>> call"].partition("\n\n")
    (line, *headers) = head.splitlines()
    method, _, target = line.partition(" ")
    rig.upstream.requests.clear()
    rig.upstream.answer = _answer(parts["<<< upstream answer"], rig.upstream.url)
    sent = dict(header.split(": ", 1) for header in headers)
    if body:
        sent["Content-Type"] = "application/json"
    answer = await rig.client.request(method, target, headers=sent, content=body.encode())
    return {
        ">>> upstream request": _shown_request(rig.upstream),
        "<<< answer": _shown_answer(answer),
    }


def _answer(text: str, base: str) -> bytes:
    if text == NOTHING:
        return b"HTTP/1.1 500 Not expected\r\nContent-Length: 0\r\n\r\n"
    status, _, body = text.partition("\n\n")
    content = body.replace("<base>", base).encode()
    head = f"HTTP/1.1 {status} {HTTPStatus(int(status)).phrase}\r\nContent-Type: application/json; charset=utf-8\r\n"
    return head.encode() + b"Content-Length: %d\r\n\r\n" % len(content) + content


def _shown_request(upstream: ScriptedUpstream) -> str:
    """As :func:`shown_requests` has it, without the id that each request gets of its own."""
    shown = shown_requests(upstream.requests)
    return re.sub(r"(?im)^(x-request-id: ).*$", r"\1<request id>", shown) or NOTHING


def _shown_answer(answer: httpx2.Response) -> str:
    headers = [f"{name}: {value}" for name, value in answer.headers.items()]
    kept = [line for line in headers if not VARYING.match(line) and not line.startswith("content-length")]
    body = answer.text
    if answer.headers.get("content-type", "").startswith("application/problem+json"):
        problem = json.loads(body)
        problem["instance"] = "<request id>"
        body = json.dumps(problem, ensure_ascii=False)
    return "\n".join([str(answer.status_code), *kept, "", body]).strip("\n")


async def test_every_example_of_the_pages_is_here() -> None:
    """The two pages name 56 requests, accepted and refused."""
    pages = [
        file for file in FILES if re.match('Vendor page "(Requesting|Inserting) data"', file.read_text())
    ]
    assert len(pages) == 56
