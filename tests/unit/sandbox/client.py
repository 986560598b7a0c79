"""A plain HTTP client for the look-alike, and a clock that stands still until it is told to move."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import aiohttp
from yarl import URL

from adapters.sandbox import Sandbox, SandboxOptions

NOON = 1_647_259_200.0
"""2022-03-14T12:00:00Z."""


class Clock:
    """Unix seconds, moved by hand."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Reply(SimpleNamespace):
    """One answer: ``status``, ``headers`` and ``body``."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def ids(self) -> list[Any]:
        return [item["Id"] for item in self.json["items"]]

    @property
    def error(self) -> tuple[int, str]:
        return self.status, self.json["code"]


class Client:
    """Calls one sandbox; paths are sent as they are written, relative to ``/api/v1/``."""

    def __init__(self, sandbox: Sandbox, session: aiohttp.ClientSession, clock: Clock) -> None:
        self.sandbox = sandbox
        self.session = session
        self.clock = clock

    async def call(
        self, method: str, path: str, *, key: str | None = "sandbox-demo", **options: Any
    ) -> Reply:
        headers = {**options.pop("headers", {})}
        if key is not None:
            headers["ApiKey"] = key
        root = self.sandbox.url if path.startswith("/") else f"{self.sandbox.url}/api/v1/"
        url = URL(root + path, encoded=True)
        async with self.session.request(
            method, url, headers=headers, allow_redirects=False, **options
        ) as answer:
            return Reply(status=answer.status, headers=answer.headers, body=await answer.read())

    async def get(self, path: str, **options: Any) -> Reply:
        return await self.call("GET", f"object/{path}", **options)

    async def put(self, path: str, body: object, **options: Any) -> Reply:
        return await self.call("PUT", f"object/{path}", json=body, **options)

    async def patch(self, path: str, body: object, **options: Any) -> Reply:
        return await self.call("PATCH", f"object/{path}", json=body, **options)

    async def post(self, path: str, body: object, **options: Any) -> Reply:
        return await self.call("POST", f"object/{path}", json=body, **options)

    async def run(self, name: str, element: str | None, body: object, **options: Any) -> Reply:
        headers = {**options.pop("headers", {})}
        if element is not None:
            headers["ApplicationElementId"] = element
        return await self.call("POST", f"action/{name}", json=body, headers=headers, **options)

    @property
    def last(self) -> Any:
        return self.sandbox.ledger.calls[-1]


@asynccontextmanager
async def serving(**options: Any) -> AsyncIterator[Client]:
    """A client of a fresh sandbox; limits are off and the clock stands still unless the options say so."""
    clock = options.pop("clock", None) or Clock()
    settings = {"limits": "off", "clock": clock, **options}
    connector = aiohttp.TCPConnector(force_close=True)
    async with (
        Sandbox(SandboxOptions(**settings)) as sandbox,
        aiohttp.ClientSession(connector=connector) as session,
    ):
        yield Client(sandbox, session, clock)
