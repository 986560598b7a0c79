"""A gateway in this process with the fault relay between it and a sandbox, and callers of two tenants."""

from __future__ import annotations

import asyncio
import itertools
import ssl
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import msgspec

from adapters.sandbox import ApiKey, Sandbox, SandboxOptions
from tests.faults.checkers import Answer, Arrival
from tests.faults.errands import Errand, errands, seeded
from tests.faults.fleet import CREDENTIALS, TENANTS
from tests.faults.pulse import Pulse, pulse
from tests.faults.relay_faults import FaultRelay
from tests.faults.server import FaultServer
from tests.support.servers import KEY, Served, gateway

DEADLINE = 2.0
READ_TIMEOUT = 0.2
"""Seconds that the upstream has for its next byte."""
_APART = 0.01
"""Seconds between two deadlines: answered all at once, calls would wait for each other in the one process."""


class Rig:
    """A sandbox, the relay before it, a gateway that repeats and keeps its state in a file, and its callers."""

    def __init__(
        self,
        sandbox: Sandbox,
        server: FaultServer,
        relay: FaultRelay,
        served: Served,
        session: aiohttp.ClientSession,
        beating: Pulse,
    ) -> None:
        self.sandbox = sandbox
        self.server = server
        self.relay = relay
        self.served = served
        self.answers: list[Answer] = []
        self._session = session
        self._pulse = beating
        self._numbers = itertools.count(1)

    async def prepare(self) -> list[Errand]:
        """Every errand; what they need is in the sandbox, past the relay."""
        asked = list(errands())
        for errand in asked:
            record = seeded(errand)
            if record is not None:
                url = f"{self.sandbox.url}/api/v1/object/Equipment('{errand.mark}')"
                headers = {"ApiKey": _secret(CREDENTIALS[errand.tenant])}
                async with self._session.put(url, json=record, headers=headers) as answer:
                    assert answer.status == 201, await answer.text()
        self.sandbox.ledger.clear()
        return asked

    async def ask(self, errand: Errand, deadline: float = DEADLINE) -> Answer:
        """Of the seconds after the deadline those are left out in which the machine gave us no turn."""
        headers = {
            "X-API-Key": KEY,
            "X-Request-Id": f"{errand.tenant}-{errand.name}-{next(self._numbers)}",
            "Request-Timeout": f"{deadline:.3f}",
            "Content-Type": "application/json",
        }
        if errand.keyed:
            headers["Idempotency-Key"] = errand.mark
        body = None if errand.body is None else msgspec.json.encode(errand.body)
        begun, began = time.time(), time.monotonic()
        async with self._session.request(
            errand.method, f"{self.served.url}/v1/{errand.tenant}/{errand.path}", headers=headers, data=body
        ) as got:
            content = await got.read()
        withheld = self._pulse.withheld(began + deadline)
        answer = Answer(
            request_id=headers["X-Request-Id"],
            deadline=deadline,
            begun=begun,
            seconds=time.monotonic() - began - withheld,
            status=got.status,
            code=None if 200 <= got.status < 300 else msgspec.json.decode(content)["code"],
            headers={name.lower(): value for name, value in got.headers.items()},
            body=content,
        )
        self.answers.append(answer)
        return answer

    async def all(self, asked: Sequence[Errand], deadline: float = DEADLINE) -> dict[str, Answer]:
        """Every errand at once, each due a little after the one before it; the answers by their marks."""
        calls = (self.ask(errand, deadline + _APART * number) for number, errand in enumerate(asked))
        answers = await asyncio.gather(*calls)
        return {errand.mark: answer for errand, answer in zip(asked, answers, strict=True)}

    async def until_units(self, expected: int) -> None:
        """Returns when the ledger of the gateway says so; a unit is given back a moment after its call has ended."""
        async with asyncio.timeout(5):
            while (units := await self._units()) != expected:
                assert units > expected, f"{units} units, and {expected} requests"

    async def _units(self) -> int:
        """What all tenants have taken."""
        total = 0
        for tenant in TENANTS:
            async with self._session.get(
                f"{self.served.url}/v1/{tenant}/usage", headers={"X-API-Key": KEY}
            ) as got:
                total += msgspec.json.decode(await got.read())["total"]["units"]
        return total

    def arrivals(self) -> list[Arrival]:
        """What the sandbox has answered."""
        return msgspec.convert(msgspec.to_builtins(self.sandbox.ledger.calls), list[Arrival])


def _secret(key: str) -> str:
    return f"secret-of-{key}"


@asynccontextmanager
async def rig(
    folder: Path, *, tls: ssl.SSLContext | None = None, ca: Path | None = None, pause: float = 0.02
) -> AsyncIterator[Rig]:
    """The gateway keeps its state in ``folder``, repeats after ``pause`` seconds or less, and trusts ``ca``."""
    keys = tuple(ApiKey(name=key, secret=_secret(key)) for key in CREDENTIALS.values())
    environment: dict[str, object] = {
        "timeouts": {"read": READ_TIMEOUT},
        "retry_budget": {"ratio": 1.0, "reserve": 1000},
    }
    if ca is not None:
        environment["ca_file"] = str(ca)
    tenants = {
        tenant: {
            "credentials": {"api_key": {"env": f"KEY_{tenant.upper()}"}},
            "adapters": ["rest", "batch"],
            "retry": {"base": pause},
        }
        for tenant in TENANTS
    }
    async with Sandbox(SandboxOptions(limits="off", keys=keys)) as sandbox:
        relay = FaultRelay(sandbox.port)
        async with (
            FaultServer(relay, tls=tls) as server,
            gateway(
                server.url + "/api/v1",
                tenants,
                environment=environment,
                store={"kind": "sqlite", "file": str(folder / "gateway.db")},
                secrets={f"KEY_{name.upper()}": _secret(key) for name, key in CREDENTIALS.items()},
            ) as served,
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
            pulse() as beating,
        ):
            yield Rig(sandbox, server, relay, served, session, beating)
