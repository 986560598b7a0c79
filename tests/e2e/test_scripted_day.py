"""What /metrics shows after a day on which everything happened once, sample by sample, against what was done."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import msgspec
import pytest_asyncio
import trustme

from adapters.sandbox import Fault, Sandbox, SandboxOptions
from gateway.clock import SystemClock
from gateway.version import VERSION
from tests.support.metrics import Sample, described, documented, promtool, samples, written
from tests.support.quota import MANY
from tests.support.servers import KEY, READ_KEY, Served, eventually, gateway

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC).timestamp()
MIDNIGHT = datetime(2026, 3, 10, 23, tzinfo=UTC).timestamp()
"""Of the day after, in Amsterdam."""

RELOADED = NOON + 30
CA_ENDS = datetime(3000, 1, 1, tzinfo=UTC)
ENDS = datetime(2031, 5, 1, tzinfo=UTC)
CLIENT_ENDS = datetime(2032, 6, 2, tzinfo=UTC)
DELAY = 0.3
RECORD = "objects/Equipment/00001"
JOB = {"Context": 1, "Status": 1, "Description": "Leak"}
DOWN = Fault(action="answer", status=503, body="down")


class LeapingClock(SystemClock):
    """The time of the day stands still but for leaps, which durations take part in."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> float:
        return NOON + self.ahead

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


class Day(msgspec.Struct):
    """The gateway, its upstream, its clock, and a caller who may do everything."""

    served: Served
    sandbox: Sandbox
    clock: LeapingClock
    client: httpx2.AsyncClient

    async def call(
        self, tenant: str, path: str, status: int, method: str = "GET", json: object = None, **headers: str
    ) -> None:
        """One call of the API that has to end with this status."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self.client.request(method, f"/v1/{tenant}/{path}", json=json, headers=named)
        assert answer.status_code == status, answer.text

    async def samples(self) -> dict[Sample, float]:
        return samples((await self.client.get("/metrics")).text)

    async def said_of_upstream(self) -> str:
        ready = await self.client.get("/readyz")
        assert ready.status_code == 200
        return str(ready.json()["parts"]["upstream plant"])


def tenants(authority: trustme.CA, files: Path) -> Mapping[str, Mapping[str, object]]:
    pair = authority.issue_cert("demo", not_after=CLIENT_ENDS)
    pair.private_key_pem.write_to_path(files / "demo.key")
    for number, piece in enumerate(pair.cert_chain_pems):
        piece.write_to_path(files / "demo.crt", append=number > 0)
    certificate = {"cert_file": str(files / "demo.crt"), "key_file": str(files / "demo.key")}
    clients = {"tests": {"day": 50}, "reader": {"day": 5}}
    return {
        "demo": {
            "client_certificate": certificate,
            "quota": {"day": 100, "clients": clients},
            "retry": {"attempts": 2, "base": 0.01},
        },
        "shy": {"quota": {"burst": 1, "day": 10, "shadow": ["burst"]}, "bulkhead": {"concurrent": 1}},
    }


@pytest_asyncio.fixture
async def day(tmp_path: Path) -> AsyncIterator[Day]:
    authority, clock = trustme.CA(), LeapingClock()
    authority.cert_pem.write_to_path(tmp_path / "ca.crt")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1", not_after=ENDS).configure_cert(context)
    environment = {
        "ca_file": str(tmp_path / "ca.crt"),
        "quota": {"cold_start": "trust", "burst": {"limit": 90}, "day": {"limit": 1000}},
        "breaker": {"failures": 2, "least": MANY, "pause": 60, "longest": 60},
    }
    options = SandboxOptions(limits="off", ssl_context=context)
    async with (
        Sandbox(options) as sandbox,
        gateway(
            sandbox.url + "/api/v1", tenants(authority, tmp_path), environment=environment, clock=clock
        ) as served,
        httpx2.AsyncClient(base_url=served.url, headers={"X-API-Key": KEY}, timeout=20) as client,
    ):
        yield Day(served, sandbox, clock, client)


async def what_went_well(day: Day) -> None:
    """Seven units: three reads of ``demo``, one of them for the reader, two writes, and two attempts of one read."""
    await day.call("demo", RECORD, 200)
    await day.call("demo", RECORD, 200, Cache_Control="max-age=60")
    await day.call("demo", RECORD, 200, Cache_Control="max-age=60")
    await day.call("demo", RECORD, 200, X_API_Key=READ_KEY)
    await day.call("demo", "objects/Job", 201, "POST", JOB, Idempotency_Key='"once"')
    await day.call("demo", "objects/Job", 201, "POST", JOB, Idempotency_Key='"once"')
    await day.call("demo", "objects/Job", 422, "POST", {**JOB, "Status": 2}, Idempotency_Key='"once"')
    await day.call("demo", "objects/Job", 201, "POST", JOB, Idempotency_Key='"twice"')
    day.sandbox.faults.add(DOWN)
    await day.call("demo", RECORD, 200)


async def what_waited(day: Day) -> None:
    """Two units of ``shy``, of which one is beyond a burst that is in the shadow, and waits for a place."""
    day.sandbox.faults.add(Fault(action="delay", seconds=DELAY))
    async with asyncio.TaskGroup() as group:
        group.create_task(day.call("shy", RECORD, 200))
        await eventually(lambda: day.sandbox.ledger.calls)
        group.create_task(day.call("shy", RECORD + "?select=Id", 200))
        waiting = "queue_waiting", frozenset({("environment", "plant")})
        while (await day.samples())[waiting] != 1:
            pass


async def what_was_reloaded(day: Day) -> None:
    """One configuration is taken over, in which ``demo`` may do a tenth; the next one is refused."""
    gateway, tenants = day.served.gateway, dict(day.served.settings.tenants)
    less = msgspec.structs.replace(tenants["demo"].quota, day=10)
    tenants["demo"] = msgspec.structs.replace(tenants["demo"], quota=less)
    settings = msgspec.structs.replace(day.served.settings, tenants=tenants)
    day.clock.ahead += RELOADED - NOON
    gateway.take(gateway.prepare(settings))
    gateway.events.config_refused(["one mistake"], runs=settings.fingerprint())


async def what_failed(day: Day) -> None:
    """Three units of ``shy``: two failures, after which the interface is left alone, and the call that closes it."""
    day.sandbox.faults.add(msgspec.structs.replace(DOWN, count=2))
    for status in (502, 502, 503):
        await day.call("shy", RECORD, status)
    circuit = "circuit_open", frozenset({("environment", "plant"), ("adapter", "rest")})
    assert (await day.samples())[circuit] == 1
    assert await day.said_of_upstream() == "degraded: 'rest' keeps failing and is left alone"
    day.clock.ahead += 80
    assert (await day.samples())[circuit] == 0
    assert await day.said_of_upstream() == "ok"
    await day.call("shy", RECORD, 200)


async def what_was_refused(day: Day) -> None:
    """A unit of ``demo`` that the upstream does not take, and a call for which none leaves."""
    day.sandbox.faults.add(Fault(action="too_many", retry_after=100))
    for _ in range(2):
        await day.call("demo", RECORD, 429, Request_Timeout="20")
    said = await day.said_of_upstream()
    assert re.fullmatch(r"degraded: nothing is sent for \d+ s since it refused for its own quota", said)
    day.clock.ahead += 2


EXPECTED = written(
    """
    calls_total{tenant="demo",operation="get",adapter="rest",status="2xx",code="none"} 4
    calls_total{tenant="demo",operation="get",adapter="none",status="2xx",code="none"} 1
    calls_total{tenant="demo",operation="get",adapter="rest",status="4xx",code="quota_exceeded"} 2
    calls_total{tenant="demo",operation="create",adapter="rest",status="2xx",code="none"} 2
    calls_total{tenant="demo",operation="create",adapter="none",status="2xx",code="none"} 1
    calls_total{tenant="demo",operation="create",adapter="none",status="4xx",code="idempotency_mismatch"} 1
    calls_total{tenant="shy",operation="get",adapter="rest",status="2xx",code="none"} 3
    calls_total{tenant="shy",operation="get",adapter="rest",status="5xx",code="upstream_unavailable"} 2
    calls_total{tenant="shy",operation="get",adapter="rest",status="5xx",code="circuit_open"} 1
    call_seconds_count{operation="get"} 13
    call_seconds_count{operation="create"} 4
    upstream_requests_total{environment="plant",adapter="rest",status="2xx"} 9
    upstream_requests_total{environment="plant",adapter="rest",status="4xx"} 1
    upstream_requests_total{environment="plant",adapter="rest",status="5xx"} 3
    upstream_units_total{environment="plant",tenant="demo"} 8
    upstream_units_total{environment="plant",tenant="shy"} 5
    upstream_seconds_count{environment="plant",adapter="rest"} 13
    queue_seconds_count{band="normal"} 1
    queue_waiting{environment="plant"} 0
    calls_in_flight 1
    events_total{event="retry",environment="plant",adapter="rest"} 1
    events_total{event="retry_denied",environment="plant",adapter="rest"} 1
    events_total{event="throttled",environment="plant",adapter="rest"} 1
    events_total{event="shadowed",environment="plant",adapter="none"} 2
    events_total{event="circuit_opened",environment="plant",adapter="rest"} 1
    idempotency_keys_total{state="begun"} 2
    idempotency_keys_total{state="replayed"} 1
    idempotency_keys_total{state="mismatch"} 1
    quota_used_units{environment="plant",level="environment",name="plant",window="burst"} 2
    quota_limit_units{environment="plant",level="environment",name="plant",window="burst"} 45
    quota_remaining_units{environment="plant",level="environment",name="plant",window="burst"} 43
    quota_used_units{environment="plant",level="environment",name="plant",window="day"} 13
    quota_limit_units{environment="plant",level="environment",name="plant",window="day"} 1000
    quota_remaining_units{environment="plant",level="environment",name="plant",window="day"} 987
    quota_used_units{environment="plant",level="tenant",name="demo",window="day"} 8
    quota_limit_units{environment="plant",level="tenant",name="demo",window="day"} 10
    quota_remaining_units{environment="plant",level="tenant",name="demo",window="day"} 2
    quota_used_units{environment="plant",level="client",name="demo:tests",window="day"} 7
    quota_limit_units{environment="plant",level="client",name="demo:tests",window="day"} 50
    quota_remaining_units{environment="plant",level="client",name="demo:tests",window="day"} 43
    quota_used_units{environment="plant",level="client",name="demo:reader",window="day"} 1
    quota_limit_units{environment="plant",level="client",name="demo:reader",window="day"} 5
    quota_remaining_units{environment="plant",level="client",name="demo:reader",window="day"} 4
    quota_used_units{environment="plant",level="tenant",name="shy",window="day"} 5
    quota_limit_units{environment="plant",level="tenant",name="shy",window="day"} 10
    quota_remaining_units{environment="plant",level="tenant",name="shy",window="day"} 5
    circuit_open{environment="plant",adapter="rest"} 0
    store_lost 0
    config_stale 1
    config_reloads_total{outcome="taken"} 1
    config_reloads_total{outcome="refused"} 1
    """
) | {
    ("quota_day_ends_timestamp_seconds", frozenset({("environment", "plant")})): MIDNIGHT,
    ("config_loaded_timestamp_seconds", frozenset()): RELOADED,
    **{
        (
            "certificate_expiry_timestamp_seconds",
            frozenset({("environment", "plant"), ("kind", kind), ("name", name)}),
        ): ends.timestamp()
        for kind, name, ends in (
            ("upstream", "rest", ENDS),
            ("client", "demo", CLIENT_ENDS),
            ("ca", "ca_file", CA_ENDS),
        )
    },
}

BOUNDS = {
    "call_seconds_sum": (0, 60),
    "upstream_seconds_sum": (DELAY, 60),
    "queue_seconds_sum": (0, 60),
    "upstream_closed_seconds": (60, 98),
}
"""What depends on how fast the machine is."""


async def test_every_sample_says_what_was_done(day: Day) -> None:
    await what_went_well(day)
    await what_waited(day)
    await what_was_reloaded(day)
    await what_failed(day)
    await what_was_refused(day)
    text = (await day.client.get("/metrics")).text
    shown = samples(text)
    for (name, _), value in shown.items():
        if name in BOUNDS:
            least, most = BOUNDS[name]
            assert least < value < most, name
    about = {("build_info", "version"), ("build_info", "python"), ("config_info", "hash")}
    told = {
        (name, label): value for name, labels in shown for label, value in labels if (name, label) in about
    }
    assert told["build_info", "version"] == VERSION
    assert (
        told["config_info", "hash"]
        == day.served.gateway.lifecycle.config
        != day.served.settings.fingerprint()
    )
    exact = {
        sample: value
        for sample, value in shown.items()
        if sample[0] not in BOUNDS and not sample[0].endswith(("_bucket", "_info"))
    }
    assert exact == EXPECTED
    assert documented() == described(text)
    assert promtool(text) == ""
