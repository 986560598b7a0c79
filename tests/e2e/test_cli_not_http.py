"""What is no request of HTTP is told so as any other mistake is: a problem document and a line in the log."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest
import pytest_asyncio

from gateway.serving import Service, address, listen, serve
from gateway.settings import LogSettings
from gateway.telemetry.log import build_logger


class Serving(NamedTuple):
    port: int
    log: io.BytesIO


async def echo(scope: dict[str, object], receive: object, send: object) -> None:
    """Answers once the whole body is there."""
    more = True
    while more:
        message = await receive()  # type: ignore[operator]
        if message["type"] == "http.disconnect":
            return
        more = message["more_body"]
    await send({"type": "http.response.start", "status": 204, "headers": []})  # type: ignore[operator]
    await send({"type": "http.response.body", "body": b""})  # type: ignore[operator]


@pytest_asyncio.fixture
async def serving() -> AsyncIterator[Serving]:
    log = io.BytesIO()
    logger = build_logger(LogSettings(format="json"), log)
    stop, ready = asyncio.Event(), asyncio.Event()
    with listen("127.0.0.1", 0) as listener:
        service = Service(echo, listener, logger, grace=1, lifespan="off", ready=ready.set)  # type: ignore[arg-type]
        task = asyncio.create_task(serve(service, logger, stop))
        await asyncio.wait_for(ready.wait(), 10)
        yield Serving(int(address(listener).rsplit(":", 1)[1]), log)
        stop.set()
        await task


async def said(port: int, sent: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    try:
        return await asyncio.wait_for(reader.read(), 10)
    finally:
        writer.close()


CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("sent", "detail"),
    [
        (b"FOO / HTTP/1.1\r\nHost: a\r\n\r\n", "Invalid method encountered"),
        (b"GET /" + b"a" * 66_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", "longer than 65535 bytes"),
        (b"GET http://[?key=k HTTP/1.1\r\nHost: a\r\n\r\n", "its target is not valid"),
        (CHUNKED + b"zz\r\n", "Invalid character in chunk size"),
        (b"\x16\x03\x01\x02\x00", "Invalid method encountered"),
    ],
)
async def test_what_is_no_request_gets_a_problem_and_a_line(
    serving: Serving, sent: bytes, detail: str
) -> None:
    head, _, body = (await said(serving.port, sent)).partition(b"\r\n\r\n")
    status, *headers = head.decode().lower().split("\r\n")
    problem = json.loads(body)
    assert status == "http/1.1 400 bad request"
    assert {"content-type: application/problem+json", "connection: close"} <= set(headers)
    assert f"x-request-id: {problem['instance']}" in headers
    assert (problem["code"], problem["outcome"], problem["status"]) == ("invalid_request", "not_sent", 400)
    assert detail in problem["detail"]
    (line,) = [json.loads(line) for line in serving.log.getvalue().splitlines()]
    assert (line["event"], line["request_id"], line["status"]) == ("call", problem["instance"], 400)


async def test_a_whole_request_keeps_its_answer_whatever_comes_after_it(serving: Serving) -> None:
    whole = CHUNKED + b"1\r\na\r\n0\r\n\r\n"
    answered = await said(serving.port, whole + b"FOO / HTTP/1.1\r\n\r\n")
    assert answered.startswith(b"HTTP/1.1 204")
    assert answered.count(b"HTTP/1.1") == 1


async def test_an_upgrade_that_is_offered_is_passed_over(serving: Serving) -> None:
    offered = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n"
    assert (await said(serving.port, offered)).startswith(b"HTTP/1.1 204")
    assert serving.log.getvalue() == b""
