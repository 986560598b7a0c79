"""Every scenario through the HTTP API, for the demo's four tenants: the same JSON, or a refusal.

Which tenants do not serve a scenario stands in ``unserved/tenants.txt``, written by hand.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import msgspec
import pytest
import pytest_asyncio

from adapters.sandbox import Sandbox, SandboxOptions
from contracts.conformance import NOW, ZONE, Scenario, scenarios
from contracts.operations import ChangeRecord, GetRecord, Operation, Upload
from tests.conformance.http_calls import http_call
from tests.support.four_tenants import TENANTS, Outcome, outcome, playing

pytestmark = pytest.mark.asyncio(loop_scope="module")

_ENCODER = msgspec.json.Encoder(decimal_format="number")
REFUSED = "operation_not_supported"
UNSERVED = Path(__file__).parent / "unserved" / "tenants.txt"


class House(msgspec.Struct):
    """A gateway with its own plant; the plant is as new before every scenario."""

    sandbox: Sandbox
    client: httpx2.AsyncClient

    async def play(self, tenant: str, scenario: Scenario) -> list[Outcome]:
        """What the tenant answers to the operation, and then of each record that it may have left."""
        self.sandbox.reset()
        for own in scenario.own:
            made = await self._send(tenant, ChangeRecord(place=own.place, body=own.body, upsert=True))
            assert not made.is_error, made.text
        asked = [scenario.operation, *(GetRecord(place=left.place) for left in scenario.left)]
        return [outcome(await self._send(tenant, operation)) for operation in asked]

    async def _send(self, tenant: str, operation: Operation) -> httpx2.Response:
        call = http_call(operation)
        body = None if call.body is None else _ENCODER.encode(call.body)
        return await self.client.request(
            call.method,
            f"/v1/{tenant}/{call.path}",
            params=dict(call.parameters) or None,
            content=body,
            files=None if call.parts is None else [_part(part) async for part in call.parts],
            headers={} if body is None else {"Content-Type": "application/json"},
        )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house() -> AsyncIterator[House]:
    options = SandboxOptions(limits="off", zone=ZONE, clock=lambda: NOW)
    async with Sandbox(options) as sandbox, playing(sandbox) as client:
        yield House(sandbox, client)


@pytest.mark.parametrize("scenario", scenarios(), ids=lambda scenario: scenario.name)
async def test_a_caller_cannot_tell_which_protocol_served_it(scenario: Scenario, house: House) -> None:
    seen = {tenant: await house.play(tenant, scenario) for tenant in TENANTS}
    served = {tenant: answers for tenant, answers in seen.items() if answers[0].code != REFUSED}
    assert served, "no tenant serves it"
    first = next(iter(served.values()))
    assert {tenant: answers for tenant, answers in served.items() if answers != first} == {}, first
    assert first[0].code == scenario.expected.get("error")
    assert all(answer.status < 500 for answer in first)
    assert [tenant for tenant in TENANTS if tenant not in served] == listed(scenario)


def _part(part: Upload) -> tuple[str, tuple[str | None, bytes, str | None]]:
    assert isinstance(part.content, bytes)
    return part.name, (part.filename, part.content, part.content_type)


def listed(scenario: Scenario) -> list[str]:
    """The tenants that do not serve a scenario, as the list of them says."""
    lines = (line.split(" | ") for line in UNSERVED.read_text().splitlines())
    return next((tenants.split(", ") for name, tenants in lines if name == scenario.name), [])
