"""What a relay between the gateway and the sandbox does to requests and to their answers.

The sandbox behind it keeps its own ledger, so what a caller is told can be held against what was really done.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import NamedTuple

from tests.faults.server import Connection

_ID = re.compile(rb"\r\nx-request-id: *([^\r]*)", re.IGNORECASE)
_LENGTH = re.compile(rb"(?<=\r\nContent-Length: )\d+")
_CLOSE = b"Connection: close\r\n"
BETWEEN_BYTES = 0.05
"""Seconds from one byte to the next of an answer that comes too slowly, which no time-out for reading notices."""


class Passing:
    """One request on its way through the relay."""

    def __init__(self, connection: Connection, head: bytes, target: int) -> None:
        self.connection = connection
        self.head = head
        self._target = target

    async def answer(self) -> tuple[bytes, bytes]:
        """The sandbox carries the request out: head and body of what it answers."""
        body = await self.connection.body(self.head)
        reader, writer = await self._ask(self.head[:-2] + _CLOSE + b"\r\n" + body)
        try:
            head, _, content = (await reader.read()).partition(b"\r\n\r\n")
        finally:
            writer.close()
        return head.replace(b"\r\n" + _CLOSE.strip(), b"") + b"\r\n\r\n", content

    async def half(self) -> None:
        """Half of the request reaches the sandbox, and then no more."""
        body = await self.connection.body(self.head)
        whole = self.head + body
        _, writer = await self._ask(whole[: len(self.head) + len(body) // 2] if body else whole[:-2])
        writer.transport.abort()

    async def _ask(self, request: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._target)
        writer.write(request)
        await writer.drain()
        return reader, writer


Strike = Callable[[Passing], Awaitable[None]]
"""What is done to a request; a connection that it leaves open takes further ones."""


class Request(NamedTuple):
    """What arrived at the relay, by the id of its call."""

    call: str
    method: str
    target: str


class FaultRelay:
    """A script for a fault server: it passes everything on, but for the requests that the fault strikes.

    It strikes those requests of each call that ``strikes`` names, counted from 1, and of a fault that is for ``kept``
    connections only those that are not the first on theirs.
    """

    def __init__(self, target: int) -> None:
        self.arrivals: list[Request] = []
        self.struck = 0
        self._target = target
        self._strike: Strike | None = None
        self._strikes: Collection[int] = ()
        self._kept = False

    def arm(self, strike: Strike, strikes: Collection[int], *, kept: bool = False) -> None:
        self._strike, self._strikes, self._kept = strike, strikes, kept

    def heal(self) -> None:
        self._strike = None

    async def __call__(self, connection: Connection) -> None:
        kept = False
        while True:
            passing = Passing(connection, await connection.head(), self._target)
            strike = self._strike_on(self._noted(passing.head), kept=kept)
            if strike is None:
                await connection.send(b"".join(await passing.answer()))
            else:
                self.struck += 1
                await strike(passing)
            if connection.writer.is_closing():
                return
            kept = True

    def _noted(self, head: bytes) -> str:
        """The id of the call that a request belongs to."""
        method, target, _ = head.decode("latin-1").split(" ", 2)
        found = _ID.search(head)
        assert found is not None
        call = found[1].decode()
        self.arrivals.append(Request(call, method, target))
        return call

    def _strike_on(self, call: str, *, kept: bool) -> Strike | None:
        """What is done to the newest request of a call; None when it passes."""
        number = sum(request.call == call for request in self.arrivals)
        return self._strike if number in self._strikes and (kept or not self._kept) else None


async def _swallowed(passing: Passing) -> None:
    await passing.connection.until_gone()


async def _reset_before(passing: Passing) -> None:
    passing.connection.reset()


async def _reset_in_the_body(passing: Passing) -> None:
    await passing.half()
    passing.connection.reset()


async def _reset_after(passing: Passing) -> None:
    await passing.answer()
    passing.connection.reset()


async def _reset_in_the_answer(passing: Passing) -> None:
    head, body = await passing.answer()
    await passing.connection.send(head + body[: len(body) // 2])
    passing.connection.reset()


async def _reset_in_the_head(passing: Passing) -> None:
    head, _ = await passing.answer()
    await passing.connection.send(head[: len(head) // 2])
    passing.connection.reset()


async def _closed(passing: Passing) -> None:
    passing.connection.writer.close()


async def _short(passing: Passing) -> None:
    head, body = await passing.answer()
    await passing.connection.send(head + body[: len(body) // 2])
    passing.connection.writer.close()


async def _garbage(passing: Passing) -> None:
    await passing.answer()
    await passing.connection.send(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")


def _announcing(more: int) -> Strike:
    """An answer that says it is ``more`` bytes longer than it is, on a connection that stays open."""

    async def strike(passing: Passing) -> None:
        head, body = await passing.answer()
        await passing.connection.send(_LENGTH.sub(b"%d" % (len(body) + more), head) + body)

    return strike


def _trickling(seconds: float) -> Strike:
    """An answer in pieces, all of it within ``seconds``."""

    async def strike(passing: Passing) -> None:
        whole = b"".join(await passing.answer())
        size = len(whole) // 9 + 1
        for start in range(0, len(whole), size):
            await passing.connection.send(whole[start : start + size])
            await asyncio.sleep(seconds / 9)

    return strike


async def _byte_by_byte(passing: Passing) -> None:
    for byte in b"".join(await passing.answer()):
        await passing.connection.send(bytes([byte]))
        await asyncio.sleep(BETWEEN_BYTES)


async def _failed_after(passing: Passing) -> None:
    await passing.answer()
    await passing.connection.send(b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\nOops")


async def _failed_before(passing: Passing) -> None:
    await passing.connection.body(passing.head)
    await passing.connection.send(b"HTTP/1.1 503 Down\r\nContent-Length: 4\r\n\r\nDown")


@dataclass(frozen=True)
class Fault:
    """``seconds`` is the deadline of calls that it strikes without end.

    ``passes`` says that what may be repeated, or looked up, is served all the same where it strikes but once.
    """

    name: str
    strike: Strike
    seconds: float = 2.0
    kept: bool = False
    passes: bool = True


FAULTS = (
    Fault("black hole", _swallowed, 0.5),
    Fault("slow bytes", _trickling(0.2)),
    Fault("byte by byte", _byte_by_byte, 0.5, passes=False),
    Fault("reset before", _reset_before),
    Fault("reset in the body", _reset_in_the_body),
    Fault("reset after", _reset_after),
    Fault("reset in the head of the answer", _reset_in_the_head),
    Fault("reset in the answer", _reset_in_the_answer),
    Fault("kept connection closes", _closed, kept=True),
    Fault("short body", _short),
    Fault("garbage", _garbage, passes=False),
    Fault("longer length", _announcing(7), 0.5),
    Fault("shorter length", _announcing(-7), passes=False),
    Fault("500 after", _failed_after),
    Fault("503 before", _failed_before),
)
