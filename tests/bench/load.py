"""The load: a fixed number of connections, each asking again as soon as it is answered (a closed loop).

``python -m tests.bench.load`` reads a :class:`Plan` as JSON from its input, and prints a
:class:`Sample`. It runs as a process of its own, on bare asyncio protocols, so that what it costs
itself stays small beside what it measures; it reads the CPU clock of the serving process itself, so
that warming up is not counted.
"""

from __future__ import annotations

import asyncio
import sys
import time
from array import array
from typing import cast

import msgspec
import uvloop


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to ask, how often, and what a right answer looks like.

    ``pid`` is the process whose CPU time is read. The window that is measured closes after
    ``requests`` answers or ``seconds``, whichever comes first.
    """

    port: int
    path: str
    headers: dict[str, str]
    body_length: int
    connections: int
    warmup: int
    requests: int
    seconds: float
    pid: int


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement. ``cpu_us`` is the serving process's user and system time per request, in µs."""

    requests: int
    requests_per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: float


class WrongAnswer(Exception):
    """An answer that is not the expected one, or a connection that was closed."""


def cpu_nanoseconds(pid: int) -> int:
    """User and system time of a process with all its threads.

    Linux knows a clock for every process, numbered as in clock_getcpuclockid(3); /proc/PID/stat
    counts the same time in steps of 10 ms, too coarse for a few hundred requests.
    """
    return time.clock_gettime_ns(~pid << 3 | 2)


class Reading(msgspec.Struct, frozen=True):
    """Where things stand: the clock and the serving process's CPU time in nanoseconds, the answers so far."""

    clock: int
    cpu: int
    answers: int


class Run:
    """Connections kept busy without a pause: answers to warm up, then the window, then what is under way ends.

    Throughput and CPU time are those of the window; as many requests are half done when it opens as
    when it closes. Latencies are those of the requests asked inside it, the last and slowest too.
    """

    def __init__(self, plan: Plan) -> None:
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._plan = plan
        self._latencies = array("q")
        self._answers = 0
        self._under_way = 0
        self._opened: Reading | None = None
        self._closed: Reading | None = None

    def ask(self, connection: Connection) -> None:
        self._under_way += 1
        connection.ask(self)

    def answered(self, connection: Connection, asked: int) -> None:
        self._under_way -= 1
        self._answers += 1
        if self._opened and asked >= self._opened.clock:
            self._latencies.append(time.perf_counter_ns() - asked)
        if self._opened is None:
            if self._answers >= self._plan.warmup:
                self._opened = self._read()
        elif self._closed is None and self._enough(self._opened):
            self._closed = self._read()
        if self._closed is None:
            self.ask(connection)
        elif not self._under_way and not self.over.done():
            self.over.set_result(None)

    def failed(self, reason: str) -> None:
        if not self.over.done():
            self.over.set_exception(WrongAnswer(reason))

    def sample(self) -> Sample:
        assert self._opened is not None, "the run has not warmed up"
        assert self._closed is not None, "the run is not over"
        answers = self._closed.answers - self._opened.answers
        ordered = sorted(self._latencies)
        return Sample(
            requests=answers,
            requests_per_second=answers / (self._closed.clock - self._opened.clock) * 1e9,
            p50_ms=percentile(ordered, 0.5),
            p99_ms=percentile(ordered, 0.99),
            cpu_us=(self._closed.cpu - self._opened.cpu) / answers / 1e3,
        )

    def _enough(self, opened: Reading) -> bool:
        seconds = (time.perf_counter_ns() - opened.clock) / 1e9
        return self._answers - opened.answers >= self._plan.requests or seconds > self._plan.seconds

    def _read(self) -> Reading:
        return Reading(time.perf_counter_ns(), cpu_nanoseconds(self._plan.pid), self._answers)


class Connection(asyncio.Protocol):
    """One kept-alive connection with at most one request under way: ``_run`` is set while there is one."""

    def __init__(self, plan: Plan) -> None:
        headers = "".join(f"{name}: {value}\r\n" for name, value in plan.headers.items())
        self._request = f"GET {plan.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n".encode()
        self._body_length = plan.body_length
        self._run: Run | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._run:
            self._run.failed(f"the connection was closed: {exc}")

    def ask(self, run: Run) -> None:
        self._run = run
        self._head = b""
        self._missing: int | None = None
        self._asked = time.perf_counter_ns()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if self._missing is None:
            self._head += data
            head, blank, body = self._head.partition(b"\r\n\r\n")
            if not blank or not self._expected(head):
                return
            self._missing = self._body_length - len(body)
        else:
            self._missing -= len(data)
        if self._missing == 0 and self._run:
            run, self._run = self._run, None
            run.answered(self, self._asked)

    def _expected(self, head: bytes) -> bool:
        status, length = status_and_length(head)
        right = status == 200 and length == self._body_length
        if not right and self._run:
            self._run.failed(f"status {status} with {length} bytes in place of 200 with {self._body_length}")
        return right


def status_and_length(head: bytes) -> tuple[int, int | None]:
    """Status and Content-Length of a response head; None when the length is not given."""
    _, _, length = head.lower().partition(b"content-length:")
    return int(head[9:12]), int(length.split(b"\r\n", 1)[0]) if length else None


def percentile(ordered: list[int], share: float) -> float:
    """The nearest-rank percentile, in milliseconds of nanoseconds."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] / 1e6


async def load(plan: Plan) -> Sample:
    """Carry a plan out. Raises WrongAnswer at the first answer that is not the expected one."""
    loop = asyncio.get_running_loop()
    connections = [
        (await loop.create_connection(lambda: Connection(plan), "127.0.0.1", plan.port))[1]
        for _ in range(plan.connections)
    ]
    run = Run(plan)
    for connection in connections:
        run.ask(connection)
    await run.over
    return run.sample()


if __name__ == "__main__":
    try:
        sample = uvloop.run(load(msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)))
    except WrongAnswer as wrong:
        sys.exit(f"load: {wrong}")
    sys.stdout.buffer.write(msgspec.json.encode(sample))
