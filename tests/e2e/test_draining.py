"""How a process takes its leave: it says so, goes on for a while, answers what it has, and ends with 0."""

from __future__ import annotations

import asyncio
import json
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import msgspec
import pytest

from gateway.keys import hash_key
from tests.e2e.test_cli_serving import rest, running, served, until
from tests.support.quota import ENVIRONMENT, STORE
from tests.support.servers import KEY, UPSTREAM_KEY

RECORD = "/v1/demo/objects/Vendor/2513"
HEADERS = {"X-API-Key": KEY}


def configured(
    tmp_path: Path,
    upstream: str = "http://127.0.0.1:9",
    *,
    store: Mapping[str, object] = STORE,
    **server: object,
) -> Path:
    path = tmp_path / "gateway.yaml"
    document = {
        "server": {"port": 0, "operations_port": 0, "log": {"format": "json"}, **server},
        "store": {**store},
        "environments": {"plant": {"rest": f"{upstream}/api/v1", "zone": "UTC", **ENVIRONMENT}},
        "tenants": {"demo": {"environment": "plant", "credentials": {"api_key": {"env": "UPSTREAM"}}}},
        "clients": {"tests": {"keys": [hash_key(KEY)], "scopes": ["read", "write"], "tenants": ["*"]}},
    }
    path.write_bytes(msgspec.json.encode(document))
    return path


class Held:
    """An upstream that answers when it is let."""

    def __init__(self) -> None:
        self.arrived, self.release = asyncio.Event(), asyncio.Event()
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.arrived.set()
        await self.release.wait()
        body = b'{"Id":"2513"}'
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        writer.write(head + body)
        writer.close()


@asynccontextmanager
async def held() -> AsyncIterator[Held]:
    upstream = Held()
    async with await asyncio.start_server(upstream.answer, "127.0.0.1", 0) as server:
        upstream.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield upstream


async def closed(client: httpx.AsyncClient, address: str) -> None:
    """The API's port is closed; its last call may still be under way."""
    async with asyncio.timeout(30):
        with suppress(httpx.HTTPError):
            while True:
                await client.get(address + "/livez")


async def test_it_says_that_it_will_end_and_serves_until_then(tmp_path: Path) -> None:
    path = configured(tmp_path, drain_delay=60)
    async with (
        running("serve", "--config", str(path), UPSTREAM=UPSTREAM_KEY) as process,
        httpx.AsyncClient() as client,
    ):
        begun = await served(process)
        ready = await client.get(begun["operations"] + "/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "ready")
        kept = await client.get(begun["address"] + "/v1/tenants", headers=HEADERS)
        assert "connection" not in kept.headers
        process.terminate()
        line = json.loads((await until(process, '"draining"')).splitlines()[-1])
        assert line["seconds"] == 60
        path.write_text(path.read_text().replace('"demo"', '"renamed"'))
        process.send_signal(signal.SIGHUP)
        ready = await client.get(begun["operations"] + "/readyz")
        assert (ready.status_code, ready.json()["status"]) == (503, "draining")
        assert (await client.get(begun["operations"] + "/livez")).status_code == 200
        async with httpx.AsyncClient() as newcomer:
            for caller in (client, newcomer):
                late = await caller.get(begun["address"] + "/v1/tenants", headers=HEADERS)
                assert (late.status_code, late.headers["connection"]) == (200, "close")
                assert [item["name"] for item in late.json()["items"]] == ["demo"]
        process.terminate()
        code, output = await rest(process)
    lines = [json.loads(line) for line in output.splitlines()]
    assert (code, lines[-1]["event"]) == (0, "ended")
    assert "configuration taken over" not in {line["event"] for line in lines}, "it is too late for that"


class Leaving(msgspec.Struct, frozen=True):
    """A process that has a call under way, and was told to end."""

    process: Process
    begun: dict[str, str]
    client: httpx.AsyncClient
    call: asyncio.Task[httpx.Response]
    upstream: Held

    async def ended(self) -> tuple[int, list[dict[str, object]]]:
        """The exit code and what it still said, though its call was never answered."""
        code, output = await rest(self.process)
        self.upstream.release.set()
        await asyncio.gather(self.call, return_exceptions=True)
        return code, [json.loads(line) for line in output.splitlines()]


@asynccontextmanager
async def leaving(
    tmp_path: Path, store: Mapping[str, object] = STORE, **server: object
) -> AsyncIterator[Leaving]:
    async with held() as upstream:
        path = configured(tmp_path, upstream.url, store=store, **server)
        async with (
            running("serve", "--config", str(path), UPSTREAM=UPSTREAM_KEY) as process,
            httpx.AsyncClient(timeout=30) as client,
        ):
            begun = await served(process)
            call = asyncio.create_task(client.get(begun["address"] + RECORD, headers=HEADERS))
            await asyncio.wait_for(upstream.arrived.wait(), 30)
            process.terminate()
            await until(process, '"draining"')
            yield Leaving(process, begun, client, call, upstream)


async def test_the_operators_port_answers_until_the_last_call_is_over(tmp_path: Path) -> None:
    async with leaving(tmp_path) as it:
        await closed(it.client, it.begun["address"])
        assert (await it.client.get(it.begun["operations"] + "/readyz")).json()["status"] == "draining"
        it.upstream.release.set()
        assert (await it.call).json() == {"Id": "2513"}
        assert (await rest(it.process))[0] == 0


async def test_who_asks_once_more_does_not_wait_for_calls_and_all_is_put_away(tmp_path: Path) -> None:
    store = {"kind": "sqlite", "file": str(tmp_path / "gateway.db")}
    async with leaving(tmp_path, store=store) as it:
        await closed(it.client, it.begun["address"])
        it.process.terminate()
        code, lines = await it.ended()
    assert (code, {line["event"] for line in lines}) == (0, {"call", "ended"})
    assert [line["status"] for line in lines if line.get("operation") == "get"] == [499]
    assert not list(tmp_path.glob("gateway.db-wal")), "the store was closed"


async def test_a_call_that_takes_longer_than_the_grace_does_not_keep_it(tmp_path: Path) -> None:
    async with leaving(tmp_path, shutdown_timeout=1) as it:
        code, lines = await it.ended()
    assert code == 0
    assert [(line["event"], line.get("status")) for line in lines if line["level"] != "error"] == [
        ("call", 499), ("ended", None),
    ]  # fmt: skip


@pytest.fixture(params=[signal.SIG_DFL, signal.SIG_IGN], ids=["as it is", "under nohup"])
def hangups(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a process that is started now does with SIGHUP, unless it says otherwise."""
    before = signal.signal(signal.SIGHUP, request.param)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("hangups")
async def test_a_hangup_has_the_file_read_again(tmp_path: Path) -> None:
    path = configured(tmp_path, reload=0)
    async with running("serve", "--config", str(path), UPSTREAM=UPSTREAM_KEY) as process:
        begun = await served(process)
        path.write_text(path.read_text().replace('"demo"', '"renamed"'))
        process.send_signal(signal.SIGHUP)
        line = json.loads((await until(process, "configuration taken over")).splitlines()[-1])
        async with httpx.AsyncClient() as client:
            tenants = await client.get(begun["address"] + "/v1/tenants", headers=HEADERS)
            ready = await client.get(begun["operations"] + "/readyz")
        assert [item["name"] for item in tenants.json()["items"]] == ["renamed"]
        assert ready.json()["config"] == line["config"] != begun["config"]
        process.terminate()
        assert (await rest(process))[0] == 0
