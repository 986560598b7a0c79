"""What is compared: the upstream itself, the pass-through and the gateway, each started as in production.

A subject writes its log to a file, answers the same paths with the same key, and has the same
constant upstream behind it.
"""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from tests.bench.workloads import Workload

ROOT: Final = Path(__file__).resolve().parents[2]
CLIENT_KEY: Final = "bench-client-key"
HEADERS: Final = {"Accept": "application/json", "X-API-Key": CLIENT_KEY}
UPSTREAM_KEY: Final = "bench-upstream-key"
START_SECONDS: Final = 30.0
SUBJECTS: Final = ("upstream", "passthrough", "gateway")


class StartFailed(Exception):
    """A subject ended, or did not listen in time; the message holds the end of its log."""


class Running(msgspec.Struct, frozen=True):
    """A process that listens."""

    pid: int
    port: int


class Subject(msgspec.Struct, frozen=True):
    """One thing that is measured. ``command`` makes the arguments that serve on a port, given a work folder."""

    name: str
    command: Callable[[int, Path], list[str]]
    environ: Mapping[str, str]
    path: Callable[[Workload], str]


GATEWAY_CONFIGURATION: Final = """\
server: {{host: 127.0.0.1, log: {{format: json, level: info}}}}
environments:
  bench:
    rest: "{upstream}"
    zone: UTC
    max_connections: 512
    bulkhead: {{concurrent: 512}}
    quota: {{cold_start: trust, burst: {{limit: 1000000}}, day: {{limit: 100000000}}}}
store: {{kind: memory}}
tenants:
  demo:
    environment: bench
    credentials: {{api_key: {{env: UPSTREAM_KEY}}}}
    adapters: [rest]
    bulkhead: {{concurrent: 512}}
clients:
  bench: {{keys: ["sha256:{key_hash}"], scopes: [read], tenants: [demo]}}
"""


def subjects(upstream_port: int) -> tuple[Subject, ...]:
    """The three, in the order in which they take turns."""
    upstream_url = f"http://127.0.0.1:{upstream_port}/api/v1"
    environ = {"UPSTREAM_URL": upstream_url, "UPSTREAM_KEY": UPSTREAM_KEY, "CLIENT_KEY": CLIENT_KEY}

    key_hash = hashlib.sha256(CLIENT_KEY.encode()).hexdigest()
    gateway = gateway_command(GATEWAY_CONFIGURATION.format(upstream=upstream_url, key_hash=key_hash))

    def passthrough(port: int, folder: Path) -> list[str]:
        return [_script("uvicorn"), "tests.bench.passthrough:app", "--port", str(port)]

    return (
        Subject("upstream", upstream_command, {}, lambda workload: workload.upstream_path),
        Subject("passthrough", passthrough, environ, lambda workload: workload.gateway_path),
        Subject("gateway", gateway, environ, lambda workload: workload.gateway_path),
    )


def gateway_command(configuration: str) -> Callable[[int, Path], list[str]]:
    """What makes the arguments that serve a configuration."""

    def command(port: int, folder: Path) -> list[str]:
        file = folder / "gateway.yaml"
        file.write_text(configuration)
        return [_script("ultimo-gateway"), "serve", "--config", str(file), "--port", str(port)]

    return command


def upstream_command(port: int, folder: Path) -> list[str]:
    """The constant upstream, in front as the floor and behind the others as what they ask."""
    return [sys.executable, "-m", "tests.bench.upstream", str(port)]


@contextmanager
def running(
    command: Callable[[int, Path], list[str]], environ: Mapping[str, str], cores: set[int], folder: Path
) -> Iterator[Running]:
    """Start a server on a free port and on these cores; end it when the context ends. Raises StartFailed."""
    port = _free_port()
    log = folder / f"{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command(port, folder), cwd=ROOT, env={**os.environ, **environ}, stdout=output, stderr=output
        )
        try:
            os.sched_setaffinity(process.pid, cores)
            _wait_until_listening(process, port, log)
            yield Running(process.pid, port)
        finally:
            process.terminate()
            process.wait()


def peak_memory(pid: int) -> float:
    """The most memory that a process has held (VmHWM of proc(5)), in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split(None, 1)[0]) * 1024 / 1e6


def _wait_until_listening(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise StartFailed(f"{process.args!r} did not start:\n{log.read_text()[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _script(name: str) -> str:
    script = Path(sys.executable).with_name(name)
    if not script.exists():
        raise StartFailed(f"{name} is not installed beside {sys.executable}")
    return str(script)
