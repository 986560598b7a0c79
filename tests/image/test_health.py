"""The command ``health`` against real sockets: what lives, what does not, and what is no gateway at all."""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.health import CannotTell, add, complaint, configured
from gateway.settings import ConfigurationError


@asynccontextmanager
async def answering(answer: bytes | None) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that answers with these bytes, or never when None: its address, and the requests that it got."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        if answer is None:
            await reader.read()
        else:
            writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


def http(status: str) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\n{{}}".encode()


async def health(*arguments: str) -> tuple[int | None, str]:
    """Exit code and standard error of the command."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway.cli", "health", *arguments),
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"]},
    )
    _, told = await process.communicate()
    return process.returncode, told.decode()


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def test_what_answers_200_is_alive_and_nothing_is_said() -> None:
    async with answering(http("200 OK")) as (url, asked):
        assert await health("--url", url) == (0, "")
    assert asked[0].startswith(b"GET /livez HTTP/1.1\r\n")


async def test_what_answers_anything_else_is_not() -> None:
    async with answering(http("503 Service Unavailable")) as (url, asked):
        assert await health("--url", f"{url}/readyz") == (1, f"{url}/readyz answered 503\n")
    assert asked[0].startswith(b"GET /readyz ")


async def test_only_200_is_alive() -> None:
    for status in ("204 No Content", "301 Moved", "404 Not Found"):
        async with answering(http(status)) as (url, _):
            assert await asyncio.to_thread(complaint, url) == f"{url} answered {status[:3]}"


async def test_the_configuration_says_where_to_ask_whatever_secrets_it_names(tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"
    async with answering(http("200 OK")) as (url, asked):
        port = url.rpartition(":")[2]
        server = f"{{host: 0.0.0.0, port: 1, operations_port: {port}, cursor_secret: {{env: ABSENT}}}}"
        file.write_text(f"server: {server}\n")
        assert await health("--config", str(file)) == (0, "")
    assert len(asked) == 1


async def test_what_hangs_is_not_waited_for() -> None:
    async with answering(None) as (url, _):
        told = await asyncio.to_thread(complaint, url, 0.1)
    assert told == f"{url} did not answer within 0.1 s"


async def test_what_speaks_something_else_is_no_gateway() -> None:
    for words in (b"SSH-2.0-OpenSSH\r\n", b""):
        async with answering(words) as (url, _):
            assert await asyncio.to_thread(complaint, url) == f"{url} did not answer in HTTP"


def test_nobody_there_is_told_in_plain_words() -> None:
    url = f"http://127.0.0.1:{unused_port()}/livez"
    assert complaint(url) == f"{url} cannot be reached: Connection refused"


@pytest.mark.parametrize(
    ("server", "url"),
    [
        ("{}", "http://127.0.0.1:8080/livez"),
        ("{port: 8000}", "http://127.0.0.1:8000/livez"),
        ("{port: 8000, operations_port: 9000}", "http://127.0.0.1:9000/livez"),
        ("{host: '::', port: 8000}", "http://[::1]:8000/livez"),
        ("{host: 192.0.2.7}", "http://192.0.2.7:8080/livez"),
    ],
)
def test_the_port_of_operations_is_asked_else_that_of_the_api(tmp_path: Path, server: str, url: str) -> None:
    file = tmp_path / "gateway.yaml"
    file.write_text(f"server: {server}\ntenants: {{}}\n")
    assert configured(file) == url


def test_without_a_file_it_is_where_a_gateway_is_by_default(tmp_path: Path) -> None:
    assert configured(None) == "http://127.0.0.1:8080/livez"
    (tmp_path / "empty.yaml").write_text("")
    assert configured(tmp_path / "empty.yaml") == "http://127.0.0.1:8080/livez"


@pytest.mark.parametrize(
    "server", ["{port: 0}", "{port: 70000}", "{port: '8080'}", "{operations_port: [1]}", "{host: 1}"]
)
def test_a_port_that_is_not_fixed_cannot_be_asked(tmp_path: Path, server: str) -> None:
    file = tmp_path / "gateway.yaml"
    file.write_text(f"server: {server}\n")
    with pytest.raises(CannotTell, match="no fixed port; say where it is with --url"):
        configured(file)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(CannotTell, match=r"cannot be read: No such file or directory; say .* --url"):
        configured(tmp_path / "absent.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"# caf\xe9\n")
    with pytest.raises(CannotTell, match="it is not UTF-8"):
        configured(tmp_path / "latin.yaml")
    (tmp_path / "broken.yaml").write_text("server: [")
    with pytest.raises(ConfigurationError):
        configured(tmp_path / "broken.yaml")


async def test_a_broken_file_is_one_line_and_1(tmp_path: Path) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text("server: [")
    code, told = await health("--config", str(file))
    assert code == 1
    assert told.startswith(f"{file}:1: not valid YAML: ")
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    "url",
    ["https://127.0.0.1:9090", "127.0.0.1:9090", "http://", "http://x:port", "http://x:0", "http://x/a b"],
)
def test_an_address_of_another_kind_is_wrong_usage(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add(parser.add_subparsers())
    with pytest.raises(SystemExit) as ended:
        parser.parse_args(["health", "--url", url])
    assert ended.value.code == 2
    assert "expected an address such as http://127.0.0.1:9090/livez" in capsys.readouterr().err
