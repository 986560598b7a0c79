"""A gateway whose configuration is a file on the disk, to be changed while it runs."""

from __future__ import annotations

import io
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import msgspec

from gateway.bootstrap import build, mistakes
from gateway.reload import Reload
from gateway.settings import load_named
from tests.support.servers import KEY, UPSTREAM_KEY, Served, serving

RECORD = "/v1/demo/objects/Vendor/2513"
OTHER_KEY = "other-test-key"
OLD = 1_000_000_000
Document = dict[str, dict[str, object]]


class House:
    """A gateway, its file on the disk, and a caller."""

    def __init__(self, file: Path, document: Document) -> None:
        self.file = file
        self.document = document
        self._moment = OLD
        self.key_file = file.parent / "upstream-key"
        self.give_key(UPSTREAM_KEY)
        self.write()

    def write(self, text: str | None = None) -> None:
        """Write the document, or something else; each time with another time, as a clock would."""
        self.file.write_text(text or msgspec.json.encode(self.document).decode())
        self._aged(self.file)

    def give_key(self, key: str) -> None:
        self.key_file.write_text(key)
        self._aged(self.key_file)

    def _aged(self, path: Path) -> None:
        self._moment += 1
        os.utime(path, (self._moment, self._moment))

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Running]:
        files: set[Path] = set()
        log = io.BytesIO()
        settings = load_named(self.file, {}, mistakes, files)
        gateway = build(settings, log=log)
        reload = Reload(
            self.file,
            {},
            files,
            settings,
            check=mistakes,
            prepare=gateway.prepare,
            take=gateway.take,
            lifecycle=gateway.lifecycle,
            events=gateway.events,
        )
        async with (
            serving(gateway.app) as url,
            httpx2.AsyncClient(base_url=url, headers={"X-API-Key": KEY}, timeout=20) as client,
        ):
            yield Running(Served(url, log, gateway, settings), reload, client)


class Running(msgspec.Struct, frozen=True):
    served: Served
    reload: Reload
    client: httpx2.AsyncClient

    async def status(self, path: str = RECORD, key: str = KEY) -> int:
        return (await self.client.get(path, headers={"X-API-Key": key})).status_code

    async def ready(self) -> dict[str, object]:
        found: dict[str, object] = (await self.client.get("/readyz")).json()
        return found

    async def metric(self, name: str) -> list[str]:
        lines = (await self.client.get("/metrics")).text.splitlines()
        return [
            line.removeprefix("ultimo_gateway_")
            for line in lines
            if line.startswith(f"ultimo_gateway_{name}")
        ]

    def events(self) -> list[object]:
        log = self.served.log.getvalue().splitlines()
        return [msgspec.json.decode(line)["event"] for line in log if b'"configuration ' in line]
