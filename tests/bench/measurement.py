"""One measurement: the subjects started side by side, checked, and put under load in turns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from tests.bench.load import Plan, Sample, WrongAnswer
from tests.bench.report import Cell
from tests.bench.subjects import (
    HEADERS,
    ROOT,
    Running,
    Subject,
    peak_memory,
    running,
    subjects,
    upstream_command,
)
from tests.bench.workloads import Effort, Workload


class Cores(msgspec.Struct, frozen=True):
    """Where the serving process runs, and where the load and the upstream behind it do."""

    serving: set[int]
    others: set[int]

    def describe(self) -> str:
        if self.serving == self.others:
            return f"one core for everything: {sorted(self.serving)}"
        return f"serving process on core {sorted(self.serving)}, load and upstream on {sorted(self.others)}"


def divide_cores(available: set[int]) -> Cores:
    """The last core for the serving process, the rest for all others; everything together on a single core."""
    last = {max(available)}
    return Cores(serving=last, others=available - last or last)


def measure(
    workload: Workload, concurrency: int, effort: Effort, runs: int, names: Sequence[str], cores: Cores
) -> list[Cell]:
    """One cell for each subject of ``names``, all running at once and measured in turns."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="gateway-bench-")))
        behind = stack.enter_context(running(upstream_command, {}, cores.others, folder))
        chosen = [subject for subject in subjects(behind.port) if subject.name in names]
        servers = [
            stack.enter_context(running(subject.command, subject.environ, cores.serving, folder))
            for subject in chosen
        ]
        plans = [
            plan(subject, server, workload, concurrency, effort)
            for subject, server in zip(chosen, servers, strict=True)
        ]
        turns = [[run_load(each, cores.others) for each in plans] for _ in range(runs)]
        return [
            Cell(workload.name, concurrency, subject.name, list(samples), peak_memory(server.pid))
            for subject, server, samples in zip(chosen, servers, zip(*turns, strict=True), strict=True)
        ]


def plan(subject: Subject, server: Running, workload: Workload, concurrency: int, effort: Effort) -> Plan:
    """What the load will do; the answer is read once here, to know that it is right and how long it is."""
    path = subject.path(workload)
    requests = effort.requests[concurrency]
    return Plan(
        port=server.port,
        path=path,
        headers=HEADERS,
        body_length=len(checked_answer(server.port, path, workload.records)),
        connections=concurrency,
        warmup=max(concurrency, requests // 10),
        requests=requests,
        seconds=effort.seconds,
        pid=server.pid,
    )


def checked_answer(port: int, path: str, count: int) -> bytes:
    """The body of one answer. Raises WrongAnswer unless it holds the records asked for."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=30.0)) as connection:
        connection.request("GET", path, headers=HEADERS)
        answer = connection.getresponse()
        body = answer.read()
    if answer.status != 200:
        raise WrongAnswer(f"{path} was answered {answer.status}: {body[:500]!r}")
    content = json.loads(body)
    records = content.get("items", [content])
    if len(records) != count or records[0]["Id"] != "00001":
        raise WrongAnswer(f"{path} was answered with other records: {body[:500]!r}")
    return body


def run_load(load_plan: Plan, cores: set[int]) -> Sample:
    """Run the load as a process of its own, on these cores. Raises WrongAnswer when it broke off."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.load"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    os.sched_setaffinity(process.pid, cores)
    output, _ = process.communicate(msgspec.json.encode(load_plan))
    if process.returncode:
        raise WrongAnswer(f"{load_plan.path} at concurrency {load_plan.connections}: the load broke off")
    return msgspec.json.decode(output, type=Sample)
