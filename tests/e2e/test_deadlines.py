"""The caller's deadline, seen from outside: whatever the upstream does, the answer is there in time."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest

from adapters.sandbox import Fault, Sandbox, SandboxOptions
from tests.support.problems import checked
from tests.support.servers import KEY, Served, gateway

Asked = tuple[str, str, dict[str, object]]
"""A method, a path, and what else httpx2 is given."""

DEADLINE = 0.3
GRACE = 0.1
BODY = {"Context": 1, "Status": 1, "Description": "Pump"}
MEMBER = {"id": "1", "method": "PUT", "path": "Equipment/00001", "body": BODY}
READING = {"equipment": "00001", "point": "RUNHOURS", "at": "2022-06-15T12:00:00Z", "value": 1}
OBJECT = {"type": "Vendor", "action": "Update", "properties": {"Id": "1"}}
FORM = b'--b\r\nContent-Disposition: form-data; name="ImageFile"; filename="x"\r\n\r\n1\r\n--b--\r\n'
READS: list[Asked] = [
    ("GET", "objects/Equipment/00001", {}),
    ("GET", "objects/Equipment", {}),
    ("GET", "objects/Equipment", {"headers": {"Accept": "application/x-ndjson"}}),
]
WRITES: list[Asked] = [
    ("PUT", "objects/Equipment/00001", {"json": BODY}),
    ("POST", "objects/Job", {"json": {**BODY, "ExternalId": "x"}}),
    ("DELETE", "objects/Equipment/00001", {}),
    ("POST", "actions/REST_ReportJob", {"json": {}}),
    (
        "POST",
        "actions/REST_AttachImageToJob",
        {"content": FORM, "headers": {"Content-Type": "multipart/form-data; boundary=b"}},
    ),
]
MANY: list[Asked] = [
    ("POST", "batch", {"json": {"operations": [MEMBER]}}),
    ("POST", "measurements", {"json": {"measurements": [READING]}}),
]
ADAPTERS = {"demo": {"adapters": ["rest", "batch"]}}


@asynccontextmanager
async def black_hole(*, connects: bool) -> AsyncIterator[str]:
    """The address of an upstream that takes everything and says nothing, or does not even take a connection."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(100 if connects else 0)
        address = listener.getsockname()
        crowd: list[socket.socket] = []
        try:
            while not connects and len(crowd) < 8:
                crowd.append(socket.socket())
                crowd[-1].setblocking(False)
                crowd[-1].connect_ex(address)
            yield f"http://127.0.0.1:{address[1]}/api/v1"
        finally:
            for one in crowd:
                one.close()


def caller(url: str) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=url, headers={"X-API-Key": KEY}, timeout=20)


async def timed(client: httpx2.AsyncClient, asked: Asked, *, keyed: bool = False) -> httpx2.Response:
    """The answer, which was there in time; a machine that is busy with something else has two more chances."""
    method, path, given = asked
    for chance in range(3):
        own = {"Request-Timeout": str(DEADLINE)} | (
            {"Idempotency-Key": f"{method}{path}{chance}"} if keyed else {}
        )
        headers = own | dict(given.get("headers", {}))  # type: ignore[call-overload]
        began = time.monotonic()
        answer = await client.request(method, f"/v1/demo/{path}", **{**given, "headers": headers})
        if time.monotonic() - began < DEADLINE + GRACE:
            return answer
    raise AssertionError(f"{method} {path} is answered after its deadline")


@pytest.mark.parametrize("keyed", [False, True])
@pytest.mark.parametrize("connects", [True, False])
async def test_an_upstream_that_says_nothing(connects: bool, keyed: bool) -> None:
    async with (
        black_hole(connects=connects) as upstream,
        gateway(upstream, ADAPTERS) as served,
        caller(served.url) as client,
    ):
        asked = READS + WRITES + MANY
        answers = await asyncio.gather(*(timed(client, one, keyed=keyed) for one in asked))
    for (_, path, _), answer in zip(asked, answers, strict=True):
        if answer.status_code == 200:
            (result,) = answer.json()["results"]
            problem = result["error"]
        else:
            problem = checked(answer, 504, "deadline_exceeded")
        assert (problem["code"], problem["status"]) == ("deadline_exceeded", 504), path
        assert problem["outcome"] == ("unknown" if connects else "not_sent"), path


@pytest.mark.parametrize("action", ["delay", "slow"])
async def test_an_upstream_that_takes_too_long(
    client: httpx2.AsyncClient, sandbox: Sandbox, action: str
) -> None:
    sandbox.faults.add(Fault(action=action, seconds=5, count=None))  # type: ignore[arg-type]
    answers = await asyncio.gather(*(timed(client, asked) for asked in READS + WRITES[:2]))
    for answer in answers:
        checked(answer, 504, "deadline_exceeded")


async def test_a_stream_ends_at_the_deadline_of_its_caller() -> None:
    async with (
        Sandbox(SandboxOptions(limits="off", page_size=5)) as sandbox,
        gateway(sandbox.url + "/api/v1") as served,
        caller(served.url) as client,
    ):
        sandbox.faults.add(Fault(action="delay", seconds=5, skip=1, count=None))
        answer = await timed(client, READS[2])
        *records, last = [json.loads(line) for line in answer.text.splitlines()]
    assert (answer.status_code, len(records)) == (200, 5)
    assert (last["error"]["code"], last["error"]["outcome"]) == ("deadline_exceeded", "unknown")


@pytest.mark.parametrize("key", ["", "Idempotency-Key: k\r\n"])
@pytest.mark.parametrize(
    ("path", "kind", "body"),
    [
        ("objects/Job", "application/json", b"{"),
        ("actions/X", "multipart/form-data; boundary=b", b"--b\r\nContent-Disp"),
        ("actions/REST_AttachImageToJob", "multipart/form-data; boundary=b", FORM[:90]),
    ],
)
async def test_a_body_that_comes_too_slowly(
    served: Served, path: str, kind: str, body: bytes, key: str
) -> None:
    host, port = served.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = (
        f"POST /v1/demo/{path} HTTP/1.1\r\nHost: x\r\nX-API-Key: {KEY}\r\nContent-Type: {kind}\r\n"
        f"Content-Length: 1000\r\nRequest-Timeout: {DEADLINE}\r\n{key}\r\n"
    )
    writer.write(head.encode() + body)
    async with asyncio.timeout(5):
        answer = await reader.readuntil(b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 504")
    writer.close()
