"""Several gateways, one upstream and their store, all as real processes, and callers of theirs.

Windows are scaled down by configuration, since processes tell the time by themselves: a burst of 30 in 3 seconds is
as fast as the real 100 in 10.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import aiohttp
import msgspec

from gateway.keys import hash_key
from tests.faults.checkers import OTHERS, Answer, Arrival
from tests.faults.programs import Program, python
from tests.support.image import image_command, read_only
from tests.support.valkey import Valkey

TENANTS = ("a", "b")
CLIENTS = ("desk", "bulk", "crowd")
CREDENTIALS = {tenant: f"key-of-{tenant}" for tenant in TENANTS}


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is started, and what the upstream allows: ``limit`` requests in ``seconds`` and ``daily`` a day.

    The gateways believe the same numbers, but for what ``burst``, ``quota``, ``environment``, ``server`` and
    ``tenant`` set otherwise. With ``image`` they run as the image runs them: its command and environment, and a working
    folder that is not to be written to. ``lease`` is that of idempotency keys, in seconds. ``retry_after`` is what a
    429 of the upstream's own names.
    """

    gateways: int = 1
    image: bool = False
    store: Literal["memory", "sqlite", "valkey"] = "sqlite"
    limit: int = 30
    seconds: int = 3
    margin: float = 0.25
    daily: int = 10_000
    lease: float = 1.0
    retry_after: int | None = None
    burst: Mapping[str, object] = {}
    quota: Mapping[str, object] = {}
    environment: Mapping[str, object] = {}
    server: Mapping[str, object] = {}
    tenant: Mapping[str, object] = {}


class Upstream:
    """The sandbox whose REST interface is at ``url``, as its control endpoint shows it."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self._control = url.removesuffix("/api/v1") + "/_sandbox"
        self._session = session

    async def arrivals(self) -> list[Arrival]:
        """Every request so far, in the order in which they came, when all of them have been answered."""
        while True:
            async with self._session.get(f"{self._control}/ledger") as answer:
                ledger = msgspec.json.decode(await answer.read(), type=_Ledger)
            if len(ledger.calls) == ledger.received:
                return sorted(ledger.calls, key=lambda arrival: arrival.number)
            await asyncio.sleep(0.02)

    async def received(self) -> int:
        """How many requests have arrived, answered or not."""
        async with self._session.get(f"{self._control}/ledger?since=1000000000") as answer:
            return msgspec.json.decode(await answer.read(), type=_Ledger).received

    async def until_received(self, count: int, seconds: float = 10) -> None:
        """Wait until so many requests have arrived."""
        async with asyncio.timeout(seconds):
            while await self.received() < count:  # noqa: ASYNC110 - it lies behind a socket
                await asyncio.sleep(0.01)

    async def fault(self, **fault: object) -> None:
        """Script one more fault; those of before come first."""
        async with self._session.post(f"{self._control}/faults", json=fault) as answer:
            assert answer.status == 201, await answer.text()

    async def heal(self) -> None:
        """Forget all faults."""
        async with self._session.delete(f"{self._control}/faults") as answer:
            assert answer.status == 204

    async def use_up(self, requests: int, tenant: str = "a") -> None:
        """Send requests that no gateway knows of, as another program with the same key does."""
        for _ in range(requests):
            headers = {"ApiKey": CREDENTIALS[tenant], "X-Request-Id": tenant + OTHERS}
            async with self._session.get(f"{self.url}/object/Vendor?top=1", headers=headers) as answer:
                await answer.read()


class _Ledger(msgspec.Struct):
    calls: list[Arrival]
    received: int


class Fleet:
    """What runs; ``answers`` has every call that was made through it."""

    def __init__(
        self,
        upstream: Upstream,
        gateways: list[Program],
        session: aiohttp.ClientSession,
        valkey: Valkey | None,
    ) -> None:
        self.upstream = upstream
        self.gateways = gateways
        self.answers: list[Answer] = []
        self._session = session
        self._valkey = valkey
        self._numbers = itertools.count(1)

    @property
    def valkey(self) -> Valkey:
        assert self._valkey is not None
        return self._valkey

    def lines(self, event: str | None = None) -> list[dict[str, object]]:
        """The log lines of all gateways, of one kind or of every."""
        lines = (line for gateway in self.gateways for line in gateway.lines())
        return [line for line in lines if event is None or line["event"] == event]

    async def call(
        self,
        path: str,
        method: str = "GET",
        *,
        gateway: int = 0,
        tenant: str = "a",
        client: str = "desk",
        body: object = None,
        deadline: float = 30,
        patience: float | None = None,
        headers: Mapping[str, str] = {},
    ) -> Answer:
        """Make one call, and go away after ``patience`` seconds; a broken connection is an answer without status."""
        given = {
            "X-API-Key": client,
            "X-Request-Id": f"{tenant}-g{gateway}-{next(self._numbers)}",
            "Request-Timeout": f"{deadline:.3f}",
            **headers,
        }
        answer = Answer(request_id=given["X-Request-Id"], deadline=deadline, begun=time.time(), seconds=0)
        began = time.monotonic()
        try:
            async with asyncio.timeout(patience):
                url = f"{self.gateways[gateway].url}/v1/{tenant}/{path}"
                async with self._session.request(method, url, json=body, headers=given) as reply:
                    answer = _answered(answer, reply, await reply.read())
        except TimeoutError:
            answer = msgspec.structs.replace(answer, left=True)
        except aiohttp.ClientError:
            pass
        answer = msgspec.structs.replace(answer, seconds=time.monotonic() - began)
        self.answers.append(answer)
        return answer

    async def read(self, **how: object) -> Answer:
        """A read that no other is the same as, so that it costs a unit of its own."""
        return await self.call(f"objects/Vendor?limit=1&filter=Id ne '{next(self._numbers)}'", **how)  # type: ignore[arg-type]

    async def create(self, token: str, *, external: bool = True, **how: object) -> Answer:
        """Create a job that is known by its token, with an idempotency key, and with an external id or without."""
        body: dict[str, object] = {"Context": 1, "Status": 1, "Description": token}
        if external:
            body["ExternalId"] = token
        headers = {"Idempotency-Key": token}
        return await self.call("objects/Job", "POST", body=body, headers=headers, **how)  # type: ignore[arg-type]

    async def windows(self, **how: object) -> dict[str, dict[str, object]]:
        """What ``/quota`` says, by ``level/window``."""
        answer = await self.call("quota", **how)  # type: ignore[arg-type]
        assert answer.status == 200, answer
        windows = msgspec.json.decode(answer.body)["windows"]
        return {f"{window['level']}/{window['window']}": window for window in windows}


def _answered(begun: Answer, reply: aiohttp.ClientResponse, body: bytes) -> Answer:
    code = None
    if reply.content_type == "application/problem+json":
        code = str(msgspec.json.decode(body)["code"])
    headers = {name.lower(): value for name, value in reply.headers.items()}
    return msgspec.structs.replace(begun, status=reply.status, code=code, headers=headers, body=body)


@asynccontextmanager
async def fleet(plan: Plan, folder: Path, *, keep_alive: bool = False) -> AsyncIterator[Fleet]:
    """Everything that the plan asks for, running; what still runs in the end is killed.

    Callers have a connection for each call, or keep them (``keep_alive``).
    """
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, force_close=not keep_alive))
        )
        valkey = None
        if plan.store == "valkey":
            valkey = Valkey()
            stack.callback(valkey.close)
            valkey.start()
        sandbox = _sandbox(plan, folder)
        await _start(stack, [sandbox])
        work = folder / "work"
        work.mkdir()
        gateways = [
            _gateway(plan, folder, number, sandbox.url, valkey, work) for number in range(plan.gateways)
        ]
        if plan.image:
            stack.enter_context(read_only(work))
        await _start(stack, gateways)
        yield Fleet(Upstream(sandbox.url, session), gateways, session, valkey)


async def _start(stack: AsyncExitStack, programs: list[Program]) -> None:
    for program in programs:
        stack.callback(program.kill)
    await asyncio.gather(*(program.start() for program in programs))


def _sandbox(plan: Plan, folder: Path) -> Program:
    config = {
        "keys": [{"name": key, "secret": key} for key in CREDENTIALS.values()],
        "rate": plan.limit,
        "rate_seconds": plan.seconds,
        "daily": plan.daily,
        "ledger_size": 100_000,
    }
    file = folder / "sandbox.json"
    file.write_bytes(msgspec.json.encode(config))
    command = python("adapters.sandbox", "--port", "0", "--limits", "sliding", "--config", str(file))
    command += ["--day-start", _far_from_now()]
    if plan.retry_after is not None:
        command += ["--retry-after", str(plan.retry_after)]
    return Program(command, folder / "sandbox.log", "sandbox ready")


def _far_from_now() -> str:
    """A time of day that will not come while a test runs."""
    return (datetime.now(UTC) + timedelta(hours=12)).strftime("%H:%M")


def _gateway(
    plan: Plan, folder: Path, number: int, upstream: str, valkey: Valkey | None, work: Path
) -> Program:
    file = folder / f"gateway-{number}.yaml"
    store: dict[str, object] = {"kind": plan.store}
    if valkey is not None:
        store["valkey"] = {"address": f"127.0.0.1:{valkey.port}"}
    elif plan.store == "sqlite":
        store["file"] = str(folder / f"gateway-{number}.db")
    file.write_bytes(msgspec.json.encode({**_document(plan, upstream), "store": store}))
    secrets = {f"KEY_{tenant.upper()}": key for tenant, key in CREDENTIALS.items()}
    output, ready = folder / f"gateway-{number}.log", '"serving"'
    if plan.image:
        command = image_command(config=file, environ=secrets)
        return Program(command.argv, output, ready, command.environ, alone=work)
    return Program(python("gateway.cli", "serve", "--config", str(file)), output, ready, secrets)


def _document(plan: Plan, upstream: str) -> dict[str, object]:
    quota = {
        "burst": {"limit": plan.limit, "seconds": plan.seconds, "margin": plan.margin, **plan.burst},
        "day": {"limit": plan.daily, "reset": _far_from_now()},
        "cold_start": "trust",
        **plan.quota,
    }
    tenants = {
        name: {
            "environment": "plant",
            "credentials": {"api_key": {"env": f"KEY_{name.upper()}"}},
            **plan.tenant,
        }
        for name in TENANTS
    }
    return {
        "server": {"port": 0, "log": {"format": "json"}, "shutdown_timeout": 10, **plan.server},
        "idempotency": {"lease": plan.lease},
        "environments": {"plant": {"rest": upstream, "zone": "UTC", "quota": quota, **plan.environment}},
        "tenants": tenants,
        "clients": {
            name: {"keys": [hash_key(name)], "scopes": ["read", "write"], "tenants": ["*"]}
            for name in CLIENTS
        },
    }
