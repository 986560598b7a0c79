"""What /metrics and /readyz say of a gateway that nobody calls: what is so now, and nothing that is not known."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import msgspec

from adapters.sandbox import Sandbox
from gateway.settings import Settings
from tests.support.metrics import Sample, samples
from tests.support.servers import KEY, Served, gateway

VENDOR = "/v1/demo/objects/Vendor/2513"
NOWHERE = "http://127.0.0.1:9/api/v1"
QUOTA = {"quota": {"cold_start": "trust", "burst": {"limit": 90}, "day": {"limit": 2}}}
ASKED = {"quota_used_units", "quota_limit_units", "quota_remaining_units", "upstream_closed_seconds"}
"""What the store is asked for."""


@asynccontextmanager
async def house(upstream: str, **settings: object) -> AsyncIterator[tuple[Served, httpx2.AsyncClient]]:
    async with (
        gateway(upstream, **settings) as served,  # type: ignore[arg-type]
        httpx2.AsyncClient(base_url=served.url, headers={"X-API-Key": KEY}, timeout=20) as client,
    ):
        yield served, client


async def shown(client: httpx2.AsyncClient) -> dict[Sample, float]:
    return samples((await client.get("/metrics")).text)


async def test_what_cannot_be_asked_is_not_told(tmp_path: Path) -> None:
    file = tmp_path / "gateway.db"
    file.write_bytes(b"this is no database" * 100)
    async with house(NOWHERE, store={"kind": "sqlite", "file": str(file)}) as (_, client):
        # Nobody has to call for the loss to show.
        first = await shown(client)
        assert first["store_lost", frozenset()] == 1
        names = {name for name, _ in first}
        assert "quota_day_ends_timestamp_seconds" in names
        assert not names & ASKED
        assert "# HELP ultimo_gateway_quota_used_units" in (await client.get("/metrics")).text


async def test_a_request_that_found_no_connection_counts_as_one_and_takes_neither_unit_nor_time() -> None:
    async with house(NOWHERE) as (_, client):
        assert (await client.get(VENDOR)).status_code == 502
        told = await shown(client)
        plant, rest = ("environment", "plant"), ("adapter", "rest")
        assert told["upstream_requests_total", frozenset({plant, rest, ("status", "none")})] == 1
        assert told["upstream_units_total", frozenset({plant, ("tenant", "demo")})] == 0
        assert "upstream_seconds_count" not in {name for name, _ in told}


async def test_a_day_that_is_used_up_is_said_and_keeps_nobody_from_being_ready(sandbox: Sandbox) -> None:
    async with house(sandbox.url + "/api/v1", environment=QUOTA) as (_, client):
        for status in (200, 200, 429):
            answer = await client.get(VENDOR, headers={"Request-Timeout": "1"})
            assert answer.status_code == status
            ready = await client.get("/readyz")
            said = ready.json()["parts"]["upstream plant"]
            # It is known with the last unit, before anybody is refused.
            assert (ready.status_code, said == "ok") == (200, len(sandbox.ledger.calls) < 2)
        assert said == "degraded: the day is used up until 00:00"
        assert ready.json()["status"] == "degraded"


async def test_a_replica_tells_what_others_have_used(sandbox: Sandbox, tmp_path: Path) -> None:
    store = {"kind": "sqlite", "file": str(tmp_path / "gateway.db")}
    upstream = sandbox.url + "/api/v1"
    async with (
        house(upstream, environment=QUOTA, store=store) as (_, busy),
        house(upstream, environment=QUOTA, store=store) as (_, idle),
    ):
        assert (await busy.get(VENDOR)).status_code == 200
        labels = {"environment": "plant", "level": "environment", "name": "plant", "window": "day"}
        day = frozenset(labels.items())
        for client in (busy, idle):
            told = await shown(client)
            assert [told[f"quota_{what}_units", day] for what in ("used", "remaining")] == [1, 1]


async def test_what_was_taken_out_of_the_configuration_is_told_no_more(sandbox: Sandbox) -> None:
    tenants = {"demo": {"quota": {"day": 9}}, "former": {"quota": {"day": 9}}}
    async with house(sandbox.url + "/api/v1", tenants=tenants) as (served, client):
        assert named("former", await shown(client))
        served.gateway.take(served.gateway.prepare(without("former", served.settings)))
        assert not named("former", await shown(client))
        assert named("demo", await shown(client))


def without(tenant: str, settings: Settings) -> Settings:
    rest = {name: it for name, it in settings.tenants.items() if name != tenant}
    return msgspec.structs.replace(settings, tenants=rest)


def named(tenant: str, found: dict[Sample, float]) -> bool:
    return any(re.search(rf"\b{tenant}\b", value) for _, labels in found for _, value in labels)
