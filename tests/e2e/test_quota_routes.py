"""``/quota``, ``/usage`` and the RateLimit headers: they tell what the upstream's own ledger tells."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx2
import pytest

from adapters.sandbox import Sandbox
from tests.support.servers import KEY, NARROW_KEY, READ_KEY, Served, gateway

ZONE = ZoneInfo("Europe/Amsterdam")
OPERATIONS = [
    {"id": str(number), "method": "PATCH", "path": "Vendor/2513", "body": {"City": "Bonn"}}
    for number in range(30)
]
QUOTA = {
    "quota": {
        "cold_start": "trust",
        "burst": {"limit": 100, "seconds": 60, "margin": 0},
        "day": {"limit": 900},
    }
}
TENANTS: dict[str, dict[str, object]] = {
    "demo": {"adapters": ["batch", "rest"], "quota": {"day": "50%", "clients": {"reader": {"day": 3}}}}
}
ITEM = re.compile(r'"(\w+)";r=(\d+);t=(\d+)')


@asynccontextmanager
async def house(
    sandbox: Sandbox, store: dict[str, object] | None = None
) -> AsyncIterator[tuple[Served, httpx2.AsyncClient]]:
    """A gateway whose tenant ``demo`` has half of a day of 900 and no share of the burst of 100 in a minute."""
    kept = store or {"kind": "memory"}
    async with (
        gateway(sandbox.url + "/api/v1", TENANTS, environment=QUOTA, store=kept) as served,
        httpx2.AsyncClient(base_url=served.url, headers={"X-API-Key": KEY}, timeout=20) as client,
    ):
        yield served, client


def left(answer: httpx2.Response) -> dict[str, tuple[int, int]]:
    """What ``RateLimit`` says: window → units, seconds."""
    return {name: (int(r), int(t)) for name, r, t in ITEM.findall(answer.headers["RateLimit"])}


def logged(served: Served, figure: str) -> int:
    """The sum of a figure over all lines of calls."""
    return sum(int(str(line[figure])) for line in served.lines())


async def usage(caller: httpx2.AsyncClient, /, **parameters: str) -> dict[str, object]:
    answer = await caller.get("/v1/demo/usage", params=parameters)
    assert answer.status_code == 200, answer.text
    document: dict[str, object] = answer.json()
    return document


async def test_windows_headers_ledger_log_and_upstream_tell_the_same_story(sandbox: Sandbox) -> None:
    async with house(sandbox) as (served, client):
        answers = [
            await client.get("/v1/demo/objects/Vendor/2513"),
            await client.get("/v1/demo/objects/Vendor/nope"),
            await client.post("/v1/demo/batch", json={"operations": OPERATIONS}),
            await client.get("/v1/demo/objects/Equipment", headers={"X-API-Key": READ_KEY}),
        ]
        units = len(sandbox.ledger.calls)
        assert [answer.status_code for answer in answers] == [200, 404, 200, 200]
        assert sum(int(answer.headers["Quota-Cost"]) for answer in answers) == units
        assert logged(served, "units") == units
        assert left(answers[2])["burst"][0] == 100 - units + 1
        quota = (await client.get("/v1/demo/quota")).json()
        assert {(w["level"], w["window"]): w["used"] for w in quota["windows"]} == {
            ("environment", "burst"): units,
            ("environment", "day"): units,
            ("tenant", "day"): units,
        }
        total = (await usage(client))["total"]
        assert total == {
            "calls": 4,
            "units": units,
            "records": logged(served, "records"),
            "unitsSaved": 29,
            "refusals": 0,
            "waits": 0,
        }


async def test_every_answer_of_a_tenant_tells_the_policy_and_what_is_left(sandbox: Sandbox) -> None:
    async with house(sandbox) as (_, client):
        policy = '"burst";q=100;w=60, "day";q=450;w=86400'
        before = await client.get("/v1/demo/capabilities")
        assert before.headers["RateLimit-Policy"] == policy
        assert "RateLimit" not in before.headers, "nothing is known yet"
        for target, headers in (
            ("objects/Vendor/2513", {}),
            ("objects/Vendor/nope", {}),
            ("objects/Vendor?filter=x", {}),
            ("objects/Vendor", {"Accept": "application/x-ndjson"}),
            ("quota", {}),
        ):
            answer = await client.get(f"/v1/demo/{target}", headers=headers)
            assert answer.headers["RateLimit-Policy"] == policy
            told = left(answer)
            assert told["burst"][0] == 100 - len(sandbox.ledger.calls)
            assert told["day"][0] == 450 - len(sandbox.ledger.calls)
            assert 0 < told["burst"][1] <= 60
            assert 0 < told["day"][1] <= 25 * 3600
        for path in ("/v1/tenants", "/livez", "/v1/absent/quota"):
            assert "RateLimit-Policy" not in (await client.get(path)).headers


async def test_a_client_sees_its_own_window_and_is_told_when_it_is_full(sandbox: Sandbox) -> None:
    async with house(sandbox) as (_, client):
        mine = {"X-API-Key": READ_KEY}
        answers = [await client.get("/v1/demo/objects/Vendor/2513", headers=mine) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert left(answers[2])["day"][0] == left(answers[3])["day"][0] == 0
        assert int(answers[3].headers["Retry-After"]) >= 1
        assert answers[3].headers["Quota-Cost"] == "0"
        quota = (await client.get("/v1/demo/quota", headers=mine)).json()
        window = quota["windows"][-1]
        assert (window["level"], window["window"], window["limit"], window["used"], window["remaining"]) == (
            "client",
            "day",
            3,
            3,
            0,
        )
        assert window["forecast"]["text"] == "exhausted"
        assert (await client.get("/v1/demo/objects/Vendor/2513")).status_code == 200, "the others go on"
        document = await usage(client, by="client")
        assert document["items"] == [
            {"client": "reader", "calls": 4, "units": 3, "records": 3}
            | {"unitsSaved": 0, "refusals": 1, "waits": 0},
            {"client": "tests", "calls": 1, "units": 1, "records": 1}
            | {"unitsSaved": 0, "refusals": 0, "waits": 0},
        ]


async def test_the_quota_is_told_with_reset_and_forecast(sandbox: Sandbox) -> None:
    async with house(sandbox) as (_, client):
        await client.get("/v1/demo/objects/Vendor/2513")
        document = (await client.get("/v1/demo/quota")).json()
        assert (document["upstream"], document["waiting"], document["store"]) == (
            {"closedFor": 0, "strikes": 0},
            0,
            "ok",
        )
        day = document["windows"][1]
        resets = datetime.fromisoformat(day["resetsAt"])
        assert (resets.astimezone(ZONE).hour, resets.minute) == (0, 0)
        assert abs((resets - datetime.now(ZONE)).total_seconds() - day["resetsIn"]) < 5
        assert day["forecast"]["perHour"] >= 1
        assert all(window["enforced"] for window in document["windows"])


async def test_to_look_costs_nothing_and_stands_in_no_ledger(sandbox: Sandbox) -> None:
    async with house(sandbox) as (_, client):
        for target in (
            "quota",
            "usage",
            "quota?dry_run=true",
            "usage?dry_run=true",
            "objects/Vendor?dry_run=1",
        ):
            answer = await client.get(f"/v1/demo/{target}")
            assert answer.headers["Quota-Cost"] == "0"
        dry = await client.get("/v1/demo/objects/Vendor", params={"dry_run": "true"})
        assert dry.json()["units"] == 1
        assert sandbox.ledger.calls == []
        assert (await usage(client))["items"] == []
        assert (await client.get("/v1/demo/usage", params={"dry_run": "true"})).json()["requests"] == []


async def test_usage_is_grouped_filtered_and_only_the_tenants_own(sandbox: Sandbox) -> None:
    async with house(sandbox) as (_, client):
        await client.get("/v1/other/objects/Vendor/2513")
        for _ in range(3):
            await client.get("/v1/demo/objects/Vendor/2513")
        await client.get("/v1/demo/objects/Vendor")
        await client.post("/v1/demo/batch", json={"operations": OPERATIONS[:1]})
        today = datetime.now(ZONE).date().isoformat()

        async def told(**parameters: str) -> list[tuple[object, ...]]:
            document = await usage(client, **parameters)
            dimensions = document["by"]
            return [(*(item[name] for name in dimensions), item["units"]) for item in document["items"]]  # type: ignore[attr-defined]

        assert await told() == [("tests", "get", 3), ("tests", "batch", 1), ("tests", "list", 1)]
        assert await told(by="operation,adapter") == [
            ("get", "rest", 3),
            ("batch", "batch", 1),
            ("list", "rest", 1),
        ]
        assert await told(by="day", operation="get") == [(today, 3)]
        assert await told(by="adapter", adapter="batch", client="tests") == [("batch", 1)]
        assert await told(client="nobody") == []
        assert await told(to="2020-01-01") == []
        document = await usage(client, to="2020-01-01")
        assert (document["from"], document["to"]) == ("2020-01-01", "2020-01-01")


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("from=yesterday", "from"),
        ("from=2026-W01-1", "from"),
        ("from=20260101", "from"),
        ("to=2026-02-30", "to"),
        ("to=", "to"),
        ("from=2026-01-02&to=2026-01-01", "from"),
        ("from=2025-01-01&to=2026-02-05", "from"),
        ("by=tenant", "by"),
        ("by=", "by"),
        ("by=day,day", "by"),
        ("form=2026-01-01", "form"),
        ("dry_run=perhaps", "dry_run"),
    ],
)
async def test_what_is_wrong_with_a_question_is_named(
    client: httpx2.AsyncClient, query: str, named: str
) -> None:
    answer = await client.get(f"/v1/demo/usage?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [named]


async def test_four_hundred_days_can_be_asked_for(client: httpx2.AsyncClient) -> None:
    first, days = datetime(2025, 1, 1, tzinfo=ZONE).date(), timedelta(days=399)
    assert (await client.get(f"/v1/demo/usage?from={first}&to={first + days}")).status_code == 200


@pytest.mark.parametrize("path", ["quota", "usage"])
async def test_only_those_who_may_read_the_tenant_look(client: httpx2.AsyncClient, path: str) -> None:
    hidden = await client.get(f"/v1/demo/{path}", headers={"X-API-Key": NARROW_KEY})
    assert hidden.json()["code"] == "tenant_not_found"
    assert (await client.get(f"/v1/demo/{path}", headers={"X-API-Key": READ_KEY})).status_code == 200
    assert (await client.post(f"/v1/demo/{path}")).json()["code"] == "method_not_allowed"


async def test_without_its_store_the_gateway_says_so_and_goes_on(sandbox: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "gateway.db"
    file.write_bytes(b"this is no database" * 100)
    async with house(sandbox, {"kind": "sqlite", "file": str(file)}) as (_, client):
        well = (await client.get("/readyz")).json()
        assert (well["status"], well["parts"]["store"]) == ("ready", "ok")
        await client.get("/v1/demo/objects/Vendor/2513", headers={"Request-Timeout": "1"})
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
        assert ready.json()["parts"]["store"].startswith("degraded: lost for ")
        ledger = await client.get("/v1/demo/usage")
        assert (ledger.status_code, ledger.json()["code"]) == (503, "store_unavailable")
        assert "Retry-After" in ledger.headers
        quota = await client.get("/v1/demo/quota")
        assert quota.status_code == 200
        assert quota.json()["store"].startswith("lost for ")


async def test_the_ledger_outlives_the_gateway(sandbox: Sandbox, tmp_path: Path) -> None:
    store: dict[str, object] = {"kind": "sqlite", "file": str(tmp_path / "gateway.db")}
    async with house(sandbox, store) as (_, client):
        await client.get("/v1/demo/objects/Vendor/2513")
    async with house(sandbox, store) as (_, client):
        await client.get("/v1/demo/objects/Vendor/2513")
        total = (await usage(client))["total"]
        assert isinstance(total, dict)
        assert (total["calls"], total["units"]) == (2, 2)
