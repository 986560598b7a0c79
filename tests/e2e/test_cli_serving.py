"""The processes that serve: how they begin, what they answer, and that they end in order."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psutil
import pytest

SMALL = Path(__file__).parents[1] / "support" / "small.yaml"
KEY = {"X-API-Key": "demo-key"}


@asynccontextmanager
async def running(*arguments: str, **environ: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway.cli", *arguments),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        env={**os.environ, "SANDBOX_KEY": "sandbox-demo", **environ},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def until(process: Process, wanted: str) -> str:
    """The output up to the first line that holds ``wanted``."""
    assert process.stdout is not None
    seen = ""
    async with asyncio.timeout(60):
        while wanted not in seen:
            line = (await process.stdout.readline()).decode()
            assert line, f"it ended with: {seen}"
            seen += line
    return seen


async def rest(process: Process) -> tuple[int, str]:
    assert process.stdout is not None
    async with asyncio.timeout(60):
        output = (await process.stdout.read()).decode()
        return await process.wait(), output


async def served(process: Process) -> dict[str, str]:
    line = (await until(process, '"event":"serving"')).splitlines()[-1]
    found: dict[str, str] = json.loads(line)
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_gateway_serves_until_a_signal_and_ends_with_0(number: signal.Signals) -> None:
    async with running("serve", "--config", str(SMALL), "--port", "0") as process:
        begun = await served(process)
        async with httpx.AsyncClient() as client:
            assert (await client.get(begun["address"] + "/livez")).status_code == 200
            answer = await client.get(begun["address"] + "/v1/tenants", headers=KEY)
            assert answer.status_code == 200
            assert "server" not in answer.headers
        process.send_signal(number)
        code, output = await rest(process)
    assert code == 0
    assert json.loads(output.splitlines()[-1])["event"] == "ended"


async def test_what_check_advises_stands_in_the_log_of_those_who_did_not_check(tmp_path: Path) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_text(SMALL.read_text().replace("8081/api/v1", "8081/api"))
    async with running("serve", "--config", str(path), "--port", "0") as process:
        lines = [json.loads(line) for line in (await until(process, '"event":"serving"')).splitlines()]
        (line,) = (line for line in lines if line["event"] == "configuration")
        assert line["level"] == "warning"
        assert line["advice"].startswith("environments.sandbox.rest: ")
        process.terminate()
        assert (await rest(process))[0] == 0


async def test_operations_have_a_port_of_their_own_when_set(tmp_path: Path) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_text(SMALL.read_text().replace("port: 8080", "port: 0\n  operations_port: 0"))
    async with running("serve", "--config", str(path)) as process:
        begun = await served(process)
        assert begun["operations"] != begun["address"]
        async with httpx.AsyncClient() as client:
            for route in ("/livez", "/readyz", "/metrics"):
                assert (await client.get(begun["operations"] + route)).status_code == 200
                assert (await client.get(begun["address"] + route)).status_code == 404
            assert (await client.get(begun["operations"] + "/v1/tenants", headers=KEY)).status_code == 404
        process.terminate()
        assert (await rest(process))[0] == 0


async def test_a_call_under_way_ends_before_the_gateway_does(tmp_path: Path) -> None:
    arrived, release = asyncio.Event(), asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        arrived.set()
        await release.wait()
        body = b'{"Id":"00001","Description":"slow"}'
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        writer.write(head + body)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as upstream:
        port = upstream.sockets[0].getsockname()[1]
        path = tmp_path / "gateway.yaml"
        text = SMALL.read_text().replace("127.0.0.1:8081", f"127.0.0.1:{port}")
        text = text.replace("Europe/Amsterdam", "Europe/Amsterdam\n    quota: {cold_start: trust}")
        path.write_text(text + "store: {kind: memory}\n")
        async with (
            running("serve", "--config", str(path), "--port", "0") as process,
            httpx.AsyncClient() as client,
        ):
            begun = await served(process)
            call = asyncio.create_task(
                client.get(begun["address"] + "/v1/demo/objects/Equipment/00001", headers=KEY, timeout=30)
            )
            await asyncio.wait_for(arrived.wait(), 30)
            process.terminate()
            release.set()
            done = await call
            code, _ = await rest(process)
    assert (done.status_code, done.json()["Description"], code) == (200, "slow", 0)


@pytest.mark.parametrize(
    ("arguments", "environ"),
    [(("serve", "--config", str(SMALL), "--port"), ""), (("demo",), "PORT"), (("demo",), "SANDBOX_PORT")],
)
async def test_a_busy_port_is_one_sentence_and_1(arguments: tuple[str, ...], environ: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = str(busy.getsockname()[1])
        chosen = {"PORT": "0", "SANDBOX_PORT": "0", environ: port} if environ else {}
        async with running(*arguments, *([] if environ else [port]), **chosen) as process:
            code, output = await rest(process)
    assert code == 1
    assert f"port {port} on 127.0.0.1 is in use; end what uses it or choose another" in output
    assert "Traceback" not in output


async def test_the_sandbox_takes_its_own_arguments() -> None:
    async with running("sandbox", "--port", "0", "--limits", "off") as process:
        await until(process, "sandbox ready on http://")
        process.terminate()
        assert (await rest(process))[0] == 0
    async with running("sandbox", "--help") as process:
        code, output = await rest(process)
        assert code == 0
        assert "--page-size" in output
        assert "Connector.ashx" in output


async def test_the_calls_that_the_demo_prints_work() -> None:
    async with running("demo", PORT="0", SANDBOX_PORT="0") as process:
        printed = await until(process, "Ctrl-C")
        calls = [shlex.split(line) for line in printed.splitlines() if line.startswith("  curl ")]
        assert len(calls) == 4
        async with httpx.AsyncClient() as client:
            answers = [await client.send(as_request(call)) for call in calls]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 201]
        assert [answers[0].json()["Id"], answers[1].json()["Id"]] == ["00001", "01/02"]
        assert {record["Status"] for record in answers[2].json()["items"]} == {1}
        assert answers[3].json()["Id"] == "A-1"
        sandbox = psutil.Process(process.pid).children()
        process.send_signal(signal.SIGINT)
        code, _ = await rest(process)
        assert code == 0
        assert not any(child.is_running() for child in sandbox)


def as_request(call: list[str]) -> httpx.Request:
    """What curl would send for a line of the demo."""
    headers = dict(call[at + 1].split(": ", 1) for at, word in enumerate(call) if word == "-H")
    given = dict(
        call[at + 1].split("=", 1) for at, word in enumerate(call) if word in ("--data-urlencode", "-d")
    )
    method, body = (
        next((call[at + 1] for at, word in enumerate(call) if word == option), None)
        for option in ("-X", "--json")
    )
    (url,) = (word for word in call if word.startswith("http://"))
    return httpx.Request(method or "GET", url, headers=headers, params=given or None, content=body)


async def test_the_demo_ends_with_its_sandbox() -> None:
    async with running("demo", PORT="0", SANDBOX_PORT="0") as process:
        await until(process, "Ctrl-C")
        for child in psutil.Process(process.pid).children():
            child.kill()
        code, output = await rest(process)
    assert code == 1
    assert re.search(r"^the sandbox has ended \(exit code -9\), and the demo with it$", output, re.MULTILINE)
