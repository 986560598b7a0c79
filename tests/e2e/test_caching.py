"""Answers that may be some seconds old, seen from outside: what they cost, what they are, and when they are new."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx2
import pytest

from adapters.sandbox import Fault, Sandbox, SandboxOptions
from tests.support.problems import checked
from tests.support.servers import KEY, READ_KEY, Served, eventually, gateway

MINUTE = {"Cache-Control": "max-age=60"}
NEW = {"Cache-Control": "no-cache"}
STORED = "ultimo-gateway; fwd=miss; stored"
PUMP, VENDOR, LIST = "objects/Equipment/00001", "objects/Vendor/2513", "objects/Vendor?orderby=Id&limit=3"
TENANTS: dict[str, dict[str, object]] = {
    "demo": {"adapters": ["rest", "batch"]},
    "others": {"adapters": ["rest", "batch"]},
    "steady": {"adapters": ["rest", "batch"], "cache": {"seconds": {"vendor": 300}, "longest": 300}},
    "never": {"cache": {"longest": 0}},
}


class House:
    """A gateway over a sandbox, and a client of it; ``asked`` counts what came to the sandbox."""

    def __init__(self, sandbox: Sandbox, served: Served, client: httpx2.AsyncClient) -> None:
        self.sandbox = sandbox
        self.served = served
        self.client = client

    @property
    def asked(self) -> int:
        return self.sandbox.ledger.received

    async def get(
        self, path: str, headers: Mapping[str, str] = MINUTE, tenant: str = "demo"
    ) -> httpx2.Response:
        return await self.client.get(f"/v1/{tenant}/{path}", headers=dict(headers))

    async def send(self, method: str, path: str, **more: object) -> httpx2.Response:
        return await self.client.request(method, f"/v1/demo/{path}", **more)  # type: ignore[arg-type]


@asynccontextmanager
async def open_house(environment: Mapping[str, object] | None = None) -> AsyncIterator[House]:
    async with (
        Sandbox(SandboxOptions(limits="off")) as sandbox,
        gateway(sandbox.url + "/api/v1", TENANTS, environment=environment) as served,
        httpx2.AsyncClient(base_url=served.url, headers={"X-API-Key": KEY}, timeout=20) as client,
    ):
        yield House(sandbox, served, client)


@pytest.mark.parametrize("path", [PUMP, LIST, "objects/Equipment/00001?expand=Vendor"])
async def test_a_kept_answer_is_the_same_and_costs_nothing(path: str) -> None:
    async with open_house() as house:
        first, second = await house.get(path), await house.get(path)
        assert (first.status_code, first.headers["Cache-Status"]) == (200, STORED)
        assert "Age" not in first.headers
        assert house.asked == 1
        assert second.content == first.content
        assert second.headers.get("ETag") == first.headers.get("ETag")
        assert second.headers.get("Link") == first.headers.get("Link")
        assert second.headers["Cache-Status"].startswith("ultimo-gateway; hit; ttl=")
        assert int(second.headers["Cache-Status"].rpartition("=")[2]) + int(second.headers["Age"]) == 60
        assert (first.headers["Quota-Cost"], second.headers["Quota-Cost"]) == ("1", "0")
        lines = house.served.lines()
        told = [(line["cache"], line["units"], line["saved"], line["records"]) for line in lines]
        assert told == [("miss", 1, 0, lines[0]["records"]), ("hit", 0, 1, lines[0]["records"])]
        usage = (await house.client.get("/v1/demo/usage")).json()["total"]
        assert (usage["calls"], usage["units"], usage["unitsSaved"]) == (2, 1, 1)


async def test_a_kept_record_has_its_tag() -> None:
    async with open_house() as house:
        tag = (await house.get(PUMP)).headers["ETag"]
        again = await house.get(PUMP, {**MINUTE, "If-None-Match": tag})
        assert (again.status_code, again.headers["ETag"], again.headers["Quota-Cost"]) == (304, tag, "0")
        assert again.headers["Cache-Status"].startswith("ultimo-gateway; hit")
        assert house.asked == 1


async def test_where_nothing_is_said_every_read_asks() -> None:
    async with open_house() as house:
        for _ in range(2):
            answer = await house.get(PUMP, {})
            assert "Cache-Status" not in answer.headers
        for _ in range(2):
            assert "Cache-Status" not in (await house.get(PUMP, tenant="never")).headers
        assert house.asked == 4
        assert [line["cache"] for line in house.served.lines()] == [None] * 4


async def test_the_configuration_says_it_where_the_caller_does_not() -> None:
    async with open_house() as house:
        answers = [await house.get(VENDOR, {}, "steady") for _ in range(2)]
        assert answers[1].headers["Cache-Status"].startswith("ultimo-gateway; hit; ttl=2")
        assert house.asked == 1
        assert "Cache-Status" not in (await house.get(PUMP, {}, "steady")).headers
        fresh = await house.get(VENDOR, {"Cache-Control": "max-age=0"}, "steady")
        assert fresh.headers["Cache-Status"] == "ultimo-gateway; fwd=request; stored"
        assert house.asked == 3


async def test_no_cache_refreshes_what_is_kept() -> None:
    async with open_house() as house:
        await house.get(VENDOR)
        async with httpx2.AsyncClient() as beside:
            changed = await beside.patch(
                house.sandbox.url + "/api/v1/object/Vendor('2513')",
                headers={"ApiKey": "sandbox-demo"},
                json={"City": "Bonn"},
            )
        assert changed.status_code == 200, "somebody else has changed it"
        assert (await house.get(VENDOR)).json()["City"] != "Bonn"
        refreshed = await house.get(VENDOR, NEW)
        assert refreshed.headers["Cache-Status"] == "ultimo-gateway; fwd=request; stored"
        kept = await house.get(VENDOR)
        assert kept.json()["City"] == "Bonn"
        assert kept.headers["Cache-Status"].startswith("ultimo-gateway; hit")


WRITES = [
    ("PATCH", "objects/Vendor/2513", {"City": "Bonn"}),
    (
        "POST",
        "batch",
        {"operations": [{"id": "1", "method": "PATCH", "path": "Vendor/2513", "body": {"City": "Bonn"}}]},
    ),
]


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
async def test_what_is_written_shows_at_once(method: str, path: str, body: object) -> None:
    async with open_house() as house:
        reads = (VENDOR, LIST, "objects/Equipment/00001?expand=Vendor")
        for read in (*reads, PUMP):
            await house.get(read)
        assert (await house.send(method, path, json=body, headers=MINUTE)).status_code == 200
        assert (await house.get(VENDOR)).json()["City"] == "Bonn"
        for read in reads[1:]:
            assert (await house.get(read)).headers["Cache-Status"] == STORED
        assert (await house.get(PUMP)).headers["Cache-Status"].startswith("ultimo-gateway; hit")


async def test_a_workflow_may_change_anything() -> None:
    async with open_house() as house:
        await house.get(VENDOR)
        await house.send("POST", "actions/REST_ReportJob", json={})
        assert (await house.get(VENDOR)).headers["Cache-Status"] == STORED


async def test_the_condition_of_a_write_is_checked_with_a_new_read() -> None:
    async with open_house() as house:
        tag = (await house.get(VENDOR)).headers["ETag"]
        async with httpx2.AsyncClient() as beside:
            await beside.patch(
                house.sandbox.url + "/api/v1/object/Vendor('2513')",
                headers={"ApiKey": "sandbox-demo"},
                json={"City": "Bonn"},
            )
        refused = await house.send(
            "PATCH", "objects/Vendor/2513", json={"City": "Ede"}, headers={**MINUTE, "If-Match": tag}
        )
        checked(refused, 412, "precondition_failed")
        assert "Cache-Status" not in refused.headers


async def test_nothing_is_shared_that_is_not_the_same() -> None:
    async with open_house() as house:
        await house.get(PUMP)
        for path, headers, tenant in (
            (PUMP, {}, "others"),
            (PUMP, {"Accept-Language": "nl"}, "demo"),
            (PUMP + "?select=Description", {}, "demo"),
            ("objects/Equipment/00002", {}, "demo"),
        ):
            assert (await house.get(path, {**MINUTE, **headers}, tenant)).headers["Cache-Status"] == STORED
        assert house.asked == 5
        reader = await house.get(PUMP, {**MINUTE, "X-API-Key": READ_KEY})
        assert reader.headers["Cache-Status"].startswith("ultimo-gateway; hit"), (
            "it is the same for who may read it"
        )


async def test_a_stream_and_a_dry_run_are_no_matter_of_the_cache() -> None:
    async with open_house() as house:
        await house.get("objects/Vendor")
        stream = await house.get("objects/Vendor", {**MINUTE, "Accept": "application/x-ndjson"})
        assert "Cache-Status" not in stream.headers
        assert house.asked == 2
        dry = await house.get("objects/Vendor?dry_run=true")
        assert "Cache-Status" not in dry.headers
        assert len(dry.json()["requests"]) == 1


async def test_an_error_is_not_kept() -> None:
    async with open_house() as house:
        for _ in range(2):
            absent = await house.get("objects/Vendor/nope")
            assert (absent.status_code, absent.headers["Cache-Status"]) == (404, "ultimo-gateway; fwd=miss")
        assert house.asked == 2


async def test_equal_reads_at_the_same_time_are_one() -> None:
    async with open_house() as house:
        house.sandbox.faults.add(Fault(action="delay", seconds=0.3))
        answers = await asyncio.gather(*(house.get(PUMP) for _ in range(10)))
        assert house.asked == 1
        assert len({answer.content for answer in answers}) == 1
        told = sorted(answer.headers["Cache-Status"] for answer in answers)
        assert told == ["ultimo-gateway; fwd=miss; collapsed"] * 9 + [STORED]
        assert sorted(answer.headers["Quota-Cost"] for answer in answers) == ["0"] * 9 + ["1"]
        assert sum(int(str(line["saved"])) for line in house.served.lines()) == 9


async def test_who_waits_for_another_one_has_a_deadline_of_its_own() -> None:
    async with open_house() as house:
        house.sandbox.faults.add(Fault(action="delay", seconds=1))
        first = asyncio.create_task(house.get(PUMP))
        await eventually(lambda: house.asked)
        late = await house.get(PUMP, {**MINUTE, "Request-Timeout": "0.2"})
        assert checked(late, 504, "deadline_exceeded")["outcome"] == "not_sent"
        assert not first.done()
        assert (await first).status_code == 200
        assert house.asked == 1


async def test_who_waits_goes_on_when_the_one_that_asked_has_gone() -> None:
    async with open_house() as house:
        house.sandbox.faults.add(Fault(action="delay", seconds=1))
        first = asyncio.create_task(house.get(PUMP))
        await eventually(lambda: house.asked)
        second = asyncio.create_task(house.get(PUMP))
        first.cancel()
        answer = await second
        assert (answer.status_code, answer.headers["Cache-Status"]) == (200, STORED)
        assert house.asked == 2


async def test_a_kept_answer_needs_neither_quota_nor_upstream() -> None:
    day = {"quota": {"cold_start": "trust", "burst": {"limit": 100}, "day": {"limit": 1}}}
    async with open_house(day) as house:
        first = await house.get(VENDOR)
        checked(await house.get(PUMP), 429, "quota_exceeded")
        assert (await house.get(VENDOR)).content == first.content
    async with open_house() as house:
        first = await house.get(VENDOR)
        house.sandbox.faults.add(Fault(action="reset", count=None))
        checked(await house.get(PUMP), 502, "upstream_unavailable")
        assert (await house.get(VENDOR)).content == first.content
