"""Everything that can go wrong between the wire and an upstream that answers plain HTTP.

Each fault says what it does on the socket and which of four ends it must come to: the upstream was
never reached, the request was lost on the way, the answer makes no sense, or it is an answer after all.
"""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from enum import Enum, auto

from tests.faults.server import Connection, Script


class End(Enum):
    LOST = auto()
    NONSENSE = auto()
    ANSWER = auto()


@dataclass(frozen=True)
class Fault:
    """``script`` runs on each connection; every request arrives exactly once."""

    name: str
    script: Script
    end: End


def _answers(data: bytes, *, then_reset: bool = False) -> Script:
    """A script that takes the request whole, says ``data``, and closes."""

    async def script(connection: Connection) -> None:
        await connection.request()
        await connection.send(data)
        if then_reset:
            connection.reset()

    return script


def _with_body(body: bytes, *fields: str, length: int | None = None) -> bytes:
    lines = ("HTTP/1.1 200 OK", f"Content-Length: {len(body) if length is None else length}", *fields)
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def _silent(connection: Connection) -> None:
    await connection.request()
    await connection.until_gone()


async def _stalls(connection: Connection) -> None:
    await connection.request()
    await connection.send(_with_body(b'{"Id": ', length=100))
    await connection.until_gone()


async def _byte_by_byte(connection: Connection) -> None:
    await connection.request()
    for byte in _with_body(b'{"Id": "1"}'):
        await connection.send(bytes([byte]))


async def _reset_before(connection: Connection) -> None:
    await connection.head()
    connection.reset()


async def _hangs_up(connection: Connection) -> None:
    await connection.request()


async def _bomb(connection: Connection) -> None:
    """300 KB that stand for 67 MB."""
    await connection.request()
    bomb = gzip.compress(bytes(67_000_000), compresslevel=1)
    await connection.send(_with_body(bomb, "Content-Encoding: gzip"))


FAULTS = (
    Fault("silent", _silent, End.LOST),
    Fault("stalls in the body", _stalls, End.LOST),
    Fault("reset before it reads the body", _reset_before, End.LOST),
    Fault("reset in the status line", _answers(b"HTTP/1.1 20", then_reset=True), End.LOST),
    Fault("reset after processing", _answers(b"", then_reset=True), End.LOST),
    Fault("reset in the body", _answers(_with_body(b"{", length=100), then_reset=True), End.LOST),
    Fault("hangs up", _hangs_up, End.LOST),
    Fault("short body", _answers(_with_body(b'{"Id"', length=100)), End.LOST),
    Fault("short chunked body", _answers(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"), End.LOST),
    Fault("chunk that is none", _answers(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nhello\r\n"), End.NONSENSE),
    Fault("garbage for a status line", _answers(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), End.NONSENSE),
    Fault("status that is no number", _answers(b"HTTP/1.1 OK 200\r\n\r\n"), End.NONSENSE),
    Fault("body longer than announced", _answers(_with_body(b'{"Id": "1"}', length=4)), End.NONSENSE),
    Fault("length that is no number", _answers(
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nhello"), End.NONSENSE),
    Fault("two lengths", _answers(_with_body(b"hello", "Content-Length: 4")), End.NONSENSE),
    Fault("a header of 200 KB", _answers(_with_body(b"", "X-Huge: " + "x" * 200_000)), End.NONSENSE),
    Fault("thousands of headers", _answers(
        _with_body(b"", *(f"X-{number}: y" for number in range(5000)))), End.NONSENSE),
    Fault("body above the cap", _answers(_with_body(b"x" * 3_000_000)), End.NONSENSE),
    Fault("gzip bomb", _bomb, End.NONSENSE),
    Fault("not gzip", _answers(_with_body(b"hello", "Content-Encoding: gzip")), End.NONSENSE),
    Fault("half a gzip", _answers(
        _with_body(gzip.compress(b"hello" * 1000)[:-12], "Content-Encoding: gzip")), End.NONSENSE),
    Fault("brotli", _answers(_with_body(b"\x0b\x02\x80hello\x03", "Content-Encoding: br")), End.NONSENSE),
    Fault("one byte at a time", _byte_by_byte, End.ANSWER),
    Fault("gzip", _answers(
        _with_body(gzip.compress(b'{"Id": "1"}'), "Content-Encoding: gzip")), End.ANSWER),
    Fault("deflate", _answers(
        _with_body(zlib.compress(b'{"Id": "1"}'), "Content-Encoding: deflate")), End.ANSWER),
    Fault("an early hint first", _answers(
        b"HTTP/1.1 103 Early Hints\r\n\r\n" + _with_body(b'{"Id": "1"}')), End.ANSWER),
    Fault("body until the end of the connection", _answers(b'HTTP/1.1 200 OK\r\n\r\n{"Id": "1"}'), End.ANSWER),
)  # fmt: skip
