"""The whole house over real sockets: a caller, the gateway, the sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio

from adapters.sandbox import Sandbox, SandboxOptions
from gateway.keys import hash_key
from tests.support.quota import ENVIRONMENT, STORE
from tests.support.reloaded import House
from tests.support.servers import KEY, Served, gateway


@pytest_asyncio.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(SandboxOptions(limits="off")) as running:
        yield running


@pytest_asyncio.fixture
async def served(sandbox: Sandbox) -> AsyncIterator[Served]:
    async with gateway(sandbox.url + "/api/v1", {"demo": {"language": "NL"}, "plain": {}}) as running:
        yield running


@pytest_asyncio.fixture
async def client(served: Served) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(
        base_url=served.url, headers={"X-API-Key": KEY}, timeout=20, verify=False
    ) as running:
        yield running


@pytest.fixture
def house(sandbox: Sandbox, tmp_path: Path) -> House:
    plant = {"rest": sandbox.url + "/api/v1", "zone": "Europe/Amsterdam", **ENVIRONMENT}
    return House(
        tmp_path / "gateway.yaml",
        {
            "server": {"log": {"format": "json"}},
            "store": {**STORE},
            "environments": {"plant": plant},
            "tenants": {
                "demo": {"environment": "plant", "credentials": {"api_key": {"file": "upstream-key"}}}
            },
            "clients": {"tests": {"keys": [hash_key(KEY)], "scopes": ["read", "write"], "tenants": ["*"]}},
        },
    )
