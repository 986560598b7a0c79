"""Writes with an idempotency key over real sockets: lost answers, calls under way, leases, a gateway that stops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx2
import pytest
from litestar.types import HTTPReceiveMessage, HTTPScope, Message

from adapters.sandbox import Fault, Sandbox
from tests.support.problems import checked
from tests.support.servers import KEY, Served, eventually, gateway

JOBS = "/v1/demo/objects/Job"
JOB = {"Context": 1, "Status": 1, "Description": "Leak"}
NAMED = {**JOB, "ExternalId": "erp-4711", "DataProvider": "erp"}
KEYED = {"Idempotency-Key": "k"}
REPLAYED = "idempotency-replayed"


def jobs(sandbox: Sandbox) -> int:
    """How many jobs were made, as the upstream's ledger tells."""
    return sum((entry.effect or "").startswith("Insert Job") for entry in sandbox.ledger.calls)


async def test_a_create_whose_answer_is_lost_is_found_by_its_external_id(
    client: httpx2.AsyncClient, sandbox: Sandbox, served: Served
) -> None:
    sandbox.faults.add(Fault(action="reset", method="POST", after=True))
    sandbox.faults.add(Fault(action="reset", method="GET"))
    lost = await client.post(JOBS, json=NAMED, headers=KEYED)
    checked(lost, 502, "outcome_unknown")
    found = await client.post(JOBS, json=NAMED, headers=KEYED)
    assert (found.status_code, REPLAYED in found.headers) == (201, False)
    again = await client.post(JOBS, json=NAMED, headers=KEYED)
    assert (again.status_code, again.content) == (201, found.content)
    assert (again.headers[REPLAYED], again.headers["location"]) == ("true", found.headers["location"])
    assert jobs(sandbox) == 1
    assert [line["idempotency"] for line in served.lines()] == ["begun", "unknown", "replayed"]


async def test_a_create_that_cannot_be_looked_up_stays_unknown(
    client: httpx2.AsyncClient, sandbox: Sandbox
) -> None:
    sandbox.faults.add(Fault(action="reset", method="POST", after=True))
    first = await client.post(JOBS, json=JOB, headers=KEYED)
    checked(first, 502, "outcome_unknown")
    for _ in range(2):
        again = await client.post(JOBS, json=JOB, headers=KEYED)
        assert (again.status_code, again.content, again.headers[REPLAYED]) == (502, first.content, "true")
        assert again.headers["quota-cost"] == "0"
    assert jobs(sandbox) == 1


async def test_what_the_upstream_took_no_notice_of_is_sent_again(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(action="too_many", retry_after=1))
    async with (
        gateway(sandbox.url + "/api/v1") as served,
        httpx2.AsyncClient(base_url=served.url, headers={"X-API-Key": KEY}, timeout=20) as client,
    ):
        checked(await client.post(JOBS, json=JOB, headers=KEYED), 429, "quota_exceeded")
        made = await client.post(JOBS, json=JOB, headers=KEYED)
        assert (made.status_code, REPLAYED in made.headers) == (201, False)


async def test_of_two_at_once_one_runs(client: httpx2.AsyncClient, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(action="delay", seconds=0.5))
    answers = await asyncio.gather(*(client.post(JOBS, json=JOB, headers=KEYED) for _ in range(5)))
    made = [answer for answer in answers if answer.status_code == 201]
    assert len(made) == 1
    for answer in answers:
        if answer is not made[0]:
            problem = checked(answer, 409, "idempotency_in_flight")
            assert (problem["retryable"], problem["outcome"]) == (True, "not_sent")
            assert 1 <= int(answer.headers["retry-after"]) <= 10
    assert (await client.post(JOBS, json=JOB, headers=KEYED)).content == made[0].content
    assert jobs(sandbox) == 1


async def test_a_long_call_holds_on_to_its_key(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(action="delay", seconds=2))
    async with (
        gateway(sandbox.url + "/api/v1", idempotency={"lease": 1}) as served,
        httpx2.AsyncClient(base_url=served.url, headers={"X-API-Key": KEY}, timeout=20) as client,
    ):
        first = asyncio.ensure_future(client.post(JOBS, json=JOB, headers=KEYED))
        await eventually(lambda: sandbox.ledger.received)
        others = []
        while not (await asyncio.wait({first}, timeout=0.2))[0]:
            others.append(await client.post(JOBS, json=JOB, headers=KEYED))
        assert (await first).status_code == 201
        assert {answer.status_code for answer in others[:-1]} == {409}
    assert sandbox.ledger.received == 1


async def test_what_a_repetition_spares_stands_in_the_ledger(
    client: httpx2.AsyncClient, sandbox: Sandbox
) -> None:
    for _ in range(3):
        assert (await client.post(JOBS, json=JOB, headers=KEYED)).status_code == 201
    (line,) = (await client.get("/v1/demo/usage", params={"by": "operation"})).json()["items"]
    assert (line["operation"], line["calls"], line["units"], line["unitsSaved"]) == ("create", 3, 1, 2)
    assert sandbox.ledger.received == 1


async def test_another_client_has_keys_of_its_own(client: httpx2.AsyncClient, sandbox: Sandbox) -> None:
    for tenant in ("demo", "plain"):
        made = await client.post(f"/v1/{tenant}/objects/Job", json=JOB, headers=KEYED)
        assert (made.status_code, REPLAYED in made.headers) == (201, False)
    assert jobs(sandbox) == 2


class Direct:
    """A caller inside the process, whose call can be cancelled as a stopping server cancels it."""

    def __init__(self, served: Served) -> None:
        self._served = served

    async def put(self, path: str, body: bytes) -> None:
        headers = [(b"x-api-key", KEY.encode()), (b"idempotency-key", b"k"), (b"host", b"x")]
        scope: HTTPScope = {  # type: ignore[typeddict-item]
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1",
            "method": "PUT", "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b"",
            "headers": headers, "client": None, "server": None, "root_path": "", "extensions": {},
        }  # fmt: skip
        messages: list[HTTPReceiveMessage] = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> HTTPReceiveMessage:
            if not messages:
                await asyncio.Event().wait()
            return messages.pop(0)

        async def send(message: Message) -> None:
            raise AssertionError("nobody is there")

        await self._served.gateway.app(scope, receive, send)


PATH = "/v1/demo/objects/Equipment/00001"
PUMP = b'{"Context":1,"Status":1,"Description":"Pump"}'


async def broken_off(served: Served, client: httpx2.AsyncClient, under_way: Callable[[], object]) -> None:
    """A write that is cancelled as a server that stops cancels it."""
    call = asyncio.create_task(Direct(served).put(PATH, PUMP))
    await eventually(under_way)
    while 'idempotency_keys_total{state="begun"} 1.0' not in (await client.get("/metrics")).text:
        assert not call.done()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_a_write_that_a_stopping_gateway_breaks_off_is_in_doubt(
    client: httpx2.AsyncClient, sandbox: Sandbox, served: Served
) -> None:
    sandbox.faults.add(Fault(action="delay", seconds=30))
    await broken_off(served, client, lambda: sandbox.ledger.received)
    answer = await client.put(PATH, content=PUMP, headers=KEYED)
    assert (answer.status_code, REPLAYED in answer.headers) == (200, False)
    assert [line["idempotency"] for line in served.lines() if line["method"] == "PUT"] == ["begun", "unknown"]


async def test_a_write_that_was_still_waiting_is_free_to_be_sent_again(sandbox: Sandbox) -> None:
    full = {"quota": {"burst": {"limit": 1}, "cold_start": "trust"}}
    async with (
        gateway(sandbox.url + "/api/v1", environment=full) as served,
        httpx2.AsyncClient(base_url=served.url, headers={"X-API-Key": KEY}, timeout=20) as client,
    ):
        assert (await client.get(PATH)).status_code == 200
        await broken_off(served, client, lambda: True)
        for _ in range(2):
            answer = await client.put(PATH, content=PUMP, headers={**KEYED, "Request-Timeout": "0.3"})
            checked(answer, 429, "quota_exceeded")
        assert [line["idempotency"] for line in served.lines() if line["method"] == "PUT"] == ["begun"] * 3
    assert sandbox.ledger.received == 1
