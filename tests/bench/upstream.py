"""An upstream that costs nothing: constant answers, rendered before the first request.

``python -m tests.bench.upstream PORT`` serves the bodies of :mod:`tests.bench.workloads` by their
upstream paths with keep-alive, for GET requests without a body and nothing else. It is the floor
that everything else is compared to, and it never is what a measurement waits for.
"""

from __future__ import annotations

import asyncio
import sys
from typing import cast
from urllib.parse import quote

import uvloop

from tests.bench.workloads import workloads

NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


class ConstantServer(asyncio.Protocol):
    """One connection; ``answers`` maps a path as it stands on the line to a whole response."""

    def __init__(self, answers: dict[bytes, bytes]) -> None:
        self._answers = answers
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            target = self._received.split(b" ", 2)[1]
            self._received = self._received[end + 4 :]
            self._transport.write(self._answers.get(target.partition(b"?")[0], NOT_FOUND))


def constant_answers() -> dict[bytes, bytes]:
    """Every spelling of a path that a client may choose (RFC 3986 §6.2.2.2) → the response."""
    answers = {}
    for workload in workloads():
        head = (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n"
            f"Content-Length: {len(workload.body)}\r\n\r\n"
        )
        for safe in ("/'()", "/()", "/'", "/"):
            answers[quote(workload.upstream_path, safe=safe).encode()] = head.encode() + workload.body
    return answers


async def serve(port: int) -> None:
    """Listen on the loopback address until the process is ended."""
    answers = constant_answers()
    server = await asyncio.get_running_loop().create_server(
        lambda: ConstantServer(answers), "127.0.0.1", port, backlog=1024
    )
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
