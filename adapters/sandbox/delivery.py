"""Bringing an answer to the client, as it is or as a fault wants it."""

import asyncio
import socket
import struct
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import msgspec
from aiohttp import web

from adapters.sandbox.errors import ErrorBody
from adapters.sandbox.exchange import Answer, encode
from adapters.sandbox.faults import Fault

_SLOW_STEPS = 20


def fault_answer(fault: Fault, now: float) -> Answer | None:
    """The answer that a fault gives in place of the real one, or ``None`` when the real one is needed."""
    match fault.action:
        case "answer":
            body = fault.body.encode(fault.encoding)
            return Answer(status=fault.status or 503, body=body, media=fault.media, headers=fault.headers)
        case "too_many":
            error = ErrorBody("API calls quota exceeded.", "TooManyRequests")
            return Answer(status=429, body=encode(error), headers=_retry_after(fault, now))
        case "redirect":
            return Answer(status=fault.status or 302, headers={"Location": fault.to})
        case "gzip_bomb":
            headers = {"Content-Encoding": "gzip"}
            return Answer(status=fault.status or 200, body=_bomb(fault.size), headers=headers)
    return None


def _retry_after(fault: Fault, now: float) -> dict[str, str]:
    if fault.retry_after is None:
        return {}
    when = datetime.fromtimestamp(now, UTC) + timedelta(seconds=fault.retry_after)
    text = format_datetime(when, usegmt=True) if fault.as_date else str(fault.retry_after)
    return {"Retry-After": text}


def _bomb(size: int) -> bytes:
    """A gzip body of about a thousandth of ``size``: an empty list amid spaces."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    chunk = b" " * 65_536
    parts = [packer.compress(b'{"count":null,"nextPageLink":null,"items":[]}')]
    parts += [packer.compress(chunk) for _ in range(size // len(chunk))]
    return b"".join([*parts, packer.flush()])


def relinked(answer: Answer, link: str) -> Answer:
    """The list of ``answer`` with another ``nextPageLink``; other answers stay as they are."""
    listed = answer.status == 200 and answer.media.startswith("application/json") and answer.stream is None
    page = msgspec.json.decode(answer.body, type=dict[str, msgspec.Raw]) if listed else {}
    if "items" not in page:
        return answer
    page["nextPageLink"] = msgspec.Raw(msgspec.json.encode(link))
    return msgspec.structs.replace(answer, body=msgspec.json.encode(page))


async def deliver(request: web.BaseRequest, answer: Answer, fault: Fault | None) -> web.StreamResponse:
    """Send an answer, or let the fault spoil it on the wire."""
    action = fault.action if fault is not None else None
    if answer.stream is not None:
        if action not in ("reset", "truncate", "wrong_length", "slow"):
            return await _send_stream(request, answer, answer.stream)
        answer = msgspec.structs.replace(answer, body=b"".join(answer.stream), stream=None)
    if fault is not None and action == "reset":
        reset(request)
    elif fault is not None and action == "truncate":
        _send_raw(request, answer, len(answer.body), answer.body[: len(answer.body) // 2])
    elif fault is not None and action == "wrong_length":
        _send_raw(request, answer, max(0, len(answer.body) + fault.extra), answer.body)
    elif fault is not None and action == "slow":
        return await _send_slowly(request, answer, fault.seconds)
    return web.Response(status=answer.status, body=answer.body, headers=_headers(answer))


def _headers(answer: Answer) -> dict[str, str]:
    return {"Content-Type": answer.media, **answer.headers} if answer.body else dict(answer.headers)


def reset(request: web.BaseRequest) -> None:
    """Cut the connection with a TCP reset; nothing more is sent."""
    transport = request.transport
    if transport is None:
        return
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def _send_raw(request: web.BaseRequest, answer: Answer, announced: int, sent: bytes) -> None:
    """Write a response past the framework, which would correct its length, and close."""
    transport = request.transport
    if transport is None:
        return
    lines = [f"HTTP/1.1 {answer.status} Sandbox", f"Content-Length: {announced}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in _headers(answer).items()]
    transport.write("\r\n".join([*lines, "", ""]).encode("latin-1") + sent)
    transport.close()


async def _send_stream(
    request: web.BaseRequest, answer: Answer, stream: Iterator[bytes]
) -> web.StreamResponse:
    """Write piece by piece, each when the client has taken what came before."""
    response = web.StreamResponse(
        status=answer.status, headers={"Content-Type": answer.media, **answer.headers}
    )
    await response.prepare(request)
    for piece in stream:
        await response.write(piece)
    await response.write_eof()
    return response


async def _send_slowly(request: web.BaseRequest, answer: Answer, seconds: float) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers=_headers(answer))
    response.content_length = len(answer.body)
    await response.prepare(request)
    step = max(1, len(answer.body) // _SLOW_STEPS)
    for start in range(0, len(answer.body), step):
        await asyncio.sleep(seconds / _SLOW_STEPS)
        await response.write(answer.body[start : start + step])
    await response.write_eof()
    return response
