"""What becomes of a call, and what it costs, while the upstream refuses, fails or is away."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx2
import pytest

from adapters.sandbox import Fault, Sandbox, SandboxOptions
from gateway.clock import Clock, SystemClock
from tests.support.problems import checked
from tests.support.quota import MANY
from tests.support.servers import KEY, Served, gateway

RECORD = "/v1/demo/objects/Equipment/00001"
DOWN = Fault(action="answer", status=503, body="down", count=None)
HURRY = 8.0


class HurriedClock(SystemClock):
    """Time that passes faster than the machine's, so that waits are short."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def monotonic(self) -> float:
        return self._began + (time.monotonic() - self._began) * HURRY

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / HURRY)


@asynccontextmanager
async def house(
    upstream: str,
    *,
    retry: Mapping[str, object] = {},
    breaker: Mapping[str, object] = {"failures": MANY, "least": MANY},
    burst: Mapping[str, object] = {"limit": MANY},
    clock: Clock | None = None,
) -> AsyncIterator[tuple[Served, httpx2.AsyncClient]]:
    """A gateway that repeats as it does by default, and a caller with 30 s for each call, which are hurried."""
    environment = {"quota": {"cold_start": "trust", "burst": burst}, "breaker": breaker}
    async with (
        gateway(
            upstream, {"demo": {"retry": retry}}, environment=environment, clock=clock or HurriedClock()
        ) as served,
        httpx2.AsyncClient(base_url=served.url, headers={"X-API-Key": KEY}, timeout=60) as client,
    ):
        yield served, client


async def used(client: httpx2.AsyncClient) -> dict[str, int]:
    """What stands in the environment's windows, and what the ledger says."""
    windows = (await client.get("/v1/demo/quota")).json()["windows"]
    rows = (await client.get("/v1/demo/usage")).json()["items"]
    day = next(w["used"] for w in windows if (w["level"], w["window"]) == ("environment", "day"))
    return {"day": day, "ledger": sum(row["units"] for row in rows)}


@pytest.mark.parametrize("as_date", [False, True])
async def test_after_a_429_the_call_is_sent_again_when_the_upstream_opens(
    sandbox: Sandbox, as_date: bool
) -> None:
    sandbox.faults.add(Fault(action="too_many", retry_after=7, as_date=as_date))
    async with house(sandbox.url + "/api/v1") as (served, client):
        answer = await client.get(RECORD)
        assert (answer.status_code, answer.headers["Quota-Cost"]) == (200, "2")
        (call,) = served.lines()
        assert (call["attempts"], call["units"]) == (2, 2)
        assert float(str(call["ms"])) >= 6_000
        (line,) = served.lines("retry")
        assert line["code"] == "quota_exceeded"
        assert await used(client) == {"day": 2, "ledger": 2}


async def test_who_cannot_wait_for_that_gets_the_429_and_how_long_it_is() -> None:
    async with Sandbox(SandboxOptions(limits="off")) as sandbox:
        sandbox.faults.add(Fault(action="too_many", retry_after=100))
        async with house(sandbox.url + "/api/v1") as (_, client):
            first, second = await client.get(RECORD), await client.get(RECORD)
        for answer in (first, second):
            checked(answer, 429, "quota_exceeded")
            assert 60 < int(answer.headers["Retry-After"]) <= 100
        assert len(sandbox.ledger.calls) == 1


async def test_a_storm_of_failures_is_not_made_worse(sandbox: Sandbox) -> None:
    sandbox.faults.add(DOWN)
    async with house(sandbox.url + "/api/v1", clock=SystemClock()) as (served, client):
        answers = [await asyncio.gather(*(client.get(RECORD) for _ in range(50))) for _ in range(6)]
        assert {answer.status_code for some in answers for answer in some} == {502}
        sends = len(sandbox.ledger.calls)
        # At most a tenth of the calls, and the ten that the budget holds at the start.
        assert 300 + 30 <= sends <= 300 + 30 + 10
        assert len(served.lines("retry")) == sends - 300
        assert sum(int(str(line["attempts"])) for line in served.lines()) == sends
        assert await used(client) == {"day": sends, "ledger": sends}


async def test_what_never_left_costs_nothing() -> None:
    async with house("http://127.0.0.1:9/api/v1") as (served, client):
        problem = checked(await client.get(RECORD), 502, "upstream_unavailable")
        assert problem["outcome"] == "not_sent"
        (call,) = served.lines()
        assert (call["attempts"], call["units"]) == (3, 0)
        assert len(served.lines("retry")) == 2
        assert await used(client) == {"day": 0, "ledger": 0}


async def test_an_open_circuit_costs_nothing_and_says_when_to_come_back(sandbox: Sandbox) -> None:
    sandbox.faults.add(DOWN)
    async with house(sandbox.url + "/api/v1", retry={"attempts": 1}, breaker={}) as (_, client):
        codes = Counter([(await client.get(RECORD)).json()["code"] for _ in range(5)])
        assert codes == {"upstream_unavailable": 5}
        answer = await client.get(RECORD)
        checked(answer, 503, "circuit_open")
        assert 1 <= int(answer.headers["Retry-After"]) <= 6
        assert answer.headers["Quota-Cost"] == "0"
        assert len(sandbox.ledger.calls) == 5


async def test_what_waits_when_the_circuit_opens_is_not_sent_any_more(sandbox: Sandbox) -> None:
    sandbox.faults.add(DOWN)
    burst = {"limit": 5, "seconds": 10, "margin": 0}
    async with house(sandbox.url + "/api/v1", retry={"attempts": 1}, breaker={}, burst=burst) as (_, client):
        answers = await asyncio.gather(*(client.get(RECORD) for _ in range(15)))
        assert Counter(answer.json()["code"] for answer in answers) == {
            "upstream_unavailable": 5,
            "circuit_open": 10,
        }
        assert await used(client) == {"day": 5, "ledger": 5}


async def test_a_stream_waits_for_each_of_its_pages() -> None:
    async with Sandbox(SandboxOptions(limits="off", page_size=10, records=400)) as sandbox:
        burst = {"limit": 10, "seconds": 2, "margin": 0}
        async with house(sandbox.url + "/api/v1", burst=burst) as (served, client):
            answer = await client.get(
                "/v1/demo/objects/Equipment", headers={"Accept": "application/x-ndjson"}
            )
            records = answer.text.splitlines()
            assert all("error" not in record for record in records)
            (call,) = served.lines()
            assert len(records) == call["records"] == len(set(records))
            assert call["units"] == len(sandbox.ledger.calls) >= 30
            assert await used(client) == {"day": call["units"], "ledger": call["units"]}
