"""What those who run it find in the log and the counters when a connector, a password or a limit is at fault."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import httpx2
import pytest
import pytest_asyncio

from adapters.sandbox import Sandbox
from tests.support.servers import KEY, Served, gateway

ADAPTERS = ("connector", "soap")
OPTIONS = {
    "exports": {
        "Equipment": {"connector": "EXP_EQUIPMENT", "filters": ["Id"]},
        "Vendor": {"connector": "EXP_INACTIVE"},
    },
    "imports": {"Equipment": {"connector": "IMP_INACTIVE"}},
}
WRITE = {"id": "1", "method": "PATCH", "path": "Equipment/00001", "body": {"Model": "M"}}


def tenants() -> Mapping[str, Mapping[str, object]]:
    made: dict[str, Mapping[str, object]] = {}
    for adapter in ADAPTERS:
        made[adapter] = {"adapters": {adapter: OPTIONS}, "scan_limit": 3}
        made[f"{adapter}-locked-out"] = {
            "adapters": {adapter: OPTIONS},
            "credentials": {"username": "nobody", "password": {"env": "UPSTREAM_PASSWORD"}},
        }
    return made


@pytest_asyncio.fixture
async def served(sandbox: Sandbox) -> AsyncIterator[Served]:
    async with gateway(sandbox.url + "/api/v1", tenants()) as running:
        yield running


@pytest_asyncio.fixture
async def client(served: Served) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(
        base_url=served.url, headers={"X-API-Key": KEY}, verify=False, timeout=20
    ) as running:
        yield running


def only_line(served: Served) -> dict[str, object]:
    (line,) = served.lines()
    return line


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize(
    ("method", "path", "body", "connector"),
    [
        ("GET", "objects/Vendor", None, "EXP_INACTIVE"),
        ("PATCH", "objects/Equipment/00001", {"Model": "M"}, "IMP_INACTIVE"),
        ("POST", "batch", {"operations": [WRITE]}, "IMP_INACTIVE"),
    ],
)
async def test_a_configured_connector_that_is_not_active_is_a_warning_that_names_it(
    served: Served,
    client: httpx2.AsyncClient,
    adapter: str,
    method: str,
    path: str,
    body: object,
    connector: str,
) -> None:
    answer = await client.request(method, f"/v1/{adapter}/{path}", json=body)
    assert answer.json()["code"] == "operation_not_supported"
    assert connector in answer.json()["detail"]
    line = only_line(served)
    assert (line["level"], line["adapter"], line["units"]) == ("warning", adapter, 1)
    assert connector in str(line["detail"])


@pytest.mark.parametrize("adapter", ADAPTERS)
async def test_a_connector_that_the_caller_named_is_the_callers_affair(
    served: Served, client: httpx2.AsyncClient, adapter: str
) -> None:
    await client.post(f"/v1/{adapter}/exports/NOPE", json={})
    line = only_line(served)
    assert (line["level"], line["connector"], line["code"]) == ("info", "NOPE", "connector_not_found")


@pytest.mark.parametrize("adapter", ADAPTERS)
async def test_a_wrong_password_is_a_warning_that_says_so(
    served: Served, client: httpx2.AsyncClient, adapter: str
) -> None:
    await client.get(f"/v1/{adapter}-locked-out/objects/Equipment/00001")
    line = only_line(served)
    assert (line["level"], line["code"], line["tenant"]) == (
        "warning",
        "upstream_auth_failed",
        f"{adapter}-locked-out",
    )
    assert "user name and password" in str(line["detail"])


@pytest.mark.parametrize("adapter", ADAPTERS)
async def test_a_limit_of_records_that_was_hit_is_named_as_it_is_configured(
    served: Served, client: httpx2.AsyncClient, adapter: str
) -> None:
    await client.get(f"/v1/{adapter}/objects/Equipment", params={"orderby": "Description"})
    line = only_line(served)
    assert (line["level"], line["code"]) == ("warning", "operation_not_supported")
    assert "scan_limit" in str(line["detail"])


async def test_no_connector_makes_a_series_of_its_own(served: Served, client: httpx2.AsyncClient) -> None:
    for adapter in ADAPTERS:
        for number in range(3):
            await client.post(f"/v1/{adapter}/exports/NOPE_{number}", json={})
    counted = (await client.get("/metrics")).text
    assert "NOPE" not in counted
    sent = [
        line for line in counted.splitlines() if line.startswith("ultimo_gateway_upstream_requests_total{")
    ]
    assert sorted(sent) == [
        'ultimo_gateway_upstream_requests_total{adapter="connector",environment="plant",status="5xx"} 3.0',
        'ultimo_gateway_upstream_requests_total{adapter="soap",environment="plant",status="5xx"} 3.0',
    ]
