"""Calls with many records: pages and streams made of exports, and a long batch, over the sandbox.

There is no pass-through to compare these to: what comes is no JSON, or has to be made of many requests. So
what is measured is the gateway alone, one call at a time: how long it takes with the sandbox behind it, and
the CPU time of the gateway's own process for each record.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

import msgspec

from tests.bench.load import WrongAnswer, cpu_nanoseconds
from tests.bench.measurement import Cores
from tests.bench.subjects import CLIENT_KEY, Running, gateway_command, peak_memory, running

COLUMNS: Final = f"{'':36}{'records':>10}{'seconds':>10}{'CPU µs/record':>16}{'peak MB':>10}"
ENVIRON: Final = {"SANDBOX_KEY": "sandbox-demo", "SANDBOX_PASSWORD": "sandbox-password"}
CONFIGURATION: Final = """\
server: {{host: 127.0.0.1, log: {{format: json, level: info}}}}
environments:
  bench:
    rest: "{upstream}/api/v1"
    site: "{upstream}"
    zone: UTC
    quota: {{cold_start: trust, burst: {{limit: 1000000}}, day: {{limit: 100000000}}}}
store: {{kind: memory}}
tenants:
  rest: {{environment: bench, credentials: {{api_key: {{env: SANDBOX_KEY}}}}, adapters: [rest, batch]}}
  connector: {{environment: bench, credentials: {site}, adapters: {{connector: {exports}}}}}
  soap: {{environment: bench, credentials: {site}, adapters: {{soap: {exports}}}}}
clients:
  bench: {{keys: ["sha256:{key_hash}"], scopes: [read, write], tenants: ["*"]}}
"""
SITE: Final = "{username: sandbox-user, password: {env: SANDBOX_PASSWORD}}"
EXPORTS: Final = "{exports: {Equipment: {connector: EXP_EQUIPMENT, filters: [Id]}}}"
CREATED: Final = {"Context": 1, "Status": 2, "Description": "Pump", "Model": "NK 80-250", "Department": "01"}


class Bulk(msgspec.Struct, frozen=True):
    """One call; ``records`` are those that it brings or writes."""

    title: str
    method: str
    path: str
    records: int
    headers: Mapping[str, str] = {}
    body: bytes | None = None


def bulks(*, quick: bool) -> tuple[Bulk, ...]:
    """The calls, in the order in which they are measured."""
    exported, page, written = (2_000, 200, 300) if quick else (20_000, 1_000, 10_000)
    stream = {"Accept": "application/x-ndjson"}
    operations = [
        {"id": str(number), "method": "POST", "path": "Equipment", "body": CREATED}
        for number in range(written)
    ]
    ways = {"connector": "Connector.ashx", "soap": "SOAP"}
    return (
        *(
            Bulk(f"page over {way}", "GET", f"/v1/{tenant}/objects/Equipment?limit={page}", page)
            for tenant, way in ways.items()
        ),
        *(
            Bulk(f"stream over {way}", "GET", f"/v1/{tenant}/objects/Equipment", exported, stream)
            for tenant, way in ways.items()
        ),
        Bulk(
            "batch of creates over REST batch",
            "POST",
            "/v1/rest/batch",
            written,
            {"Content-Type": "application/json"},
            json.dumps({"operations": operations}).encode(),
        ),
    )


def measure_bulks(cores: Cores, runs: int, *, quick: bool) -> None:
    """Print a row for each call: medians of the runs. Raises StartFailed and WrongAnswer."""
    print(f"\nmany records, the gateway in front of a sandbox, one call at a time\n{COLUMNS}", flush=True)
    calls = bulks(quick=quick)
    exported = max(call.records for call in calls if call.method == "GET")
    for call in calls:
        with TemporaryDirectory(prefix="gateway-bench-") as folder:
            print(_row(call, _measured(call, cores, runs, exported, Path(folder))), flush=True)


def _measured(call: Bulk, cores: Cores, runs: int, exported: int, folder: Path) -> tuple[float, float, float]:
    """Seconds, CPU time in µs a record, and the most memory in MB."""

    def sandbox(port: int, _: Path) -> list[str]:
        options = ["--port", str(port), "--limits", "off", "--records", str(exported)]
        return [sys.executable, "-m", "adapters.sandbox", *options]

    with running(sandbox, {}, cores.others, folder) as upstream:
        configuration = CONFIGURATION.format(
            upstream=f"http://127.0.0.1:{upstream.port}",
            site=SITE,
            exports=EXPORTS,
            key_hash=hashlib.sha256(CLIENT_KEY.encode()).hexdigest(),
        )
        with running(gateway_command(configuration), ENVIRON, cores.serving, folder) as gateway:
            # The first one opens connections and works out how records are read.
            turns = [_asked(call, gateway) for _ in range(runs + 1)][1:]
            seconds, cpu = (median(figures) for figures in zip(*turns, strict=True))
            return seconds, cpu / call.records, peak_memory(gateway.pid)


def _asked(call: Bulk, gateway: Running) -> tuple[float, float]:
    """Seconds, and µs of the gateway's CPU time. Raises WrongAnswer."""
    cpu, began = cpu_nanoseconds(gateway.pid), time.perf_counter()
    with closing(HTTPConnection("127.0.0.1", gateway.port, timeout=120.0)) as connection:
        headers = {"X-API-Key": CLIENT_KEY, "Request-Timeout": "120", **call.headers}
        connection.request(call.method, call.path, body=call.body, headers=headers)
        answer = connection.getresponse()
        content = answer.read()
    figures = time.perf_counter() - began, (cpu_nanoseconds(gateway.pid) - cpu) / 1e3
    if answer.status != 200 or content.count(b'"RecordChangeDate"') != call.records:
        raise WrongAnswer(f"{call.path} was answered {answer.status}: {content[:500]!r}")
    return figures


def _row(call: Bulk, figures: tuple[float, float, float]) -> str:
    seconds, cpu, peak = figures
    return f"  {call.title:34}{call.records:>10,}{seconds:>10.2f}{cpu:>16,.1f}{peak:>10.0f}"
