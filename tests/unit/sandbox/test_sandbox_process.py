"""``python -m adapters.sandbox`` as a process of its own."""

import json
import re
import signal
import socket
import subprocess
import sys
from http.client import IncompleteRead
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest

from adapters.sandbox.__main__ import main
from adapters.sandbox.options import SandboxOptions, with_config


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "adapters.sandbox", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_when_it_is_ready_and_stops_cleanly(number: signal.Signals) -> None:
    with start("--port", "0", "--records", "50", "--page-size", "20", "--limits", "off") as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("sandbox ready on http://127.0.0.1:")
        address, site = re.findall(r"http://127\.0\.0\.1:[0-9]+[\w/]*", line)
        assert address == f"{site}/api/v1"
        request = Request(f"{address}/object/Equipment?count=true", headers={"ApiKey": "sandbox-demo"})
        with urlopen(request, timeout=5) as reply:
            body = json.loads(reply.read())
        assert (body["count"], len(body["items"])) == (50, 20)
        process.send_signal(number)
        assert process.wait(10) == 0


@pytest.mark.parametrize("action", ["truncate", "reset", "wrong_length"])
def test_faults_strike_on_the_loop_of_the_process_too(action: str) -> None:
    with start("--port", "0") as process:
        assert process.stdout is not None
        address = process.stdout.readline().split()[3]
        script = json.dumps({"action": action}).encode()
        root = address.removesuffix("/api/v1")
        with urlopen(Request(f"{root}/_sandbox/faults", data=script), timeout=5) as reply:
            assert reply.status == 201
        request = Request(f"{address}/object/Equipment", headers={"ApiKey": "sandbox-demo"})
        with pytest.raises((OSError, IncompleteRead)), urlopen(request, timeout=5) as reply:
            reply.read()
        process.terminate()
        assert process.wait(10) == 0


@pytest.mark.parametrize("line", [b"GET /" + b"a" * 9000 + b" HTTP/1.1", b"\x16\x03\x01"])
def test_what_is_no_request_is_refused_in_json_and_leaves_no_trace(line: bytes) -> None:
    with start("--port", "0") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        port = urlsplit(process.stdout.readline().split()[3]).port
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(line + b"\r\nHost: a\r\n\r\n")
            reply = b"".join(iter(lambda: connection.recv(65_536), b""))
        head, _, body = reply.partition(b"\r\n\r\n")
        assert b" 400 " in head.splitlines()[0]
        assert json.loads(body)["code"] == "BadRequest"
        process.terminate()
        assert process.wait(10) == 0
        assert process.stderr.read() == ""


def test_the_help_names_the_command_and_explains_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    assert shown.startswith("usage: ultimo-gateway sandbox ")
    options = [line for line in shown.splitlines() if line.startswith("  --")]
    explained = re.findall(r"^  --\S+ \S+(?:\s+)\w+", shown, re.MULTILINE)
    assert len(options) == len(explained) == 10


def test_a_port_that_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["--port", str(taken.getsockname()[1])]) == 2
    assert "address already in use" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--zone", "Nowhere/Land"],
        ["--day-start", "25:00"],
        ["--config", "missing.json"],
        ["--file", "/nowhere/at/all.sqlite"],
    ],
)
def test_wrong_values_are_said(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--port", "0", *arguments]) == 2
    assert capsys.readouterr().err.startswith("sandbox: ")


@pytest.mark.parametrize(
    "arguments",
    [["--limits", "none"], ["--port", "99999"], ["--records", "-1"], ["--page-size", "0"], ["--nope"]],
)
def test_wrong_arguments_are_said(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "error" in capsys.readouterr().err


def test_a_configuration_file_replaces_keys_and_options(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.json"
    key = {"name": "k", "secret": "s", "grants": {"Equipment": ["Id"], "Job": None}, "daily_quota": 5}
    path.write_text(json.dumps({"keys": [key], "daily": 7, "companies": {"77": "USD"}}))
    options = with_config(SandboxOptions(page_size=3), str(path))
    assert (options.page_size, options.daily, options.companies) == (3, 7, {"77": "USD"})
    assert options.keys[0].grants == {"Equipment": ("Id",), "Job": None}
    path.write_text('{"nope": 1}')
    assert main(["--config", str(path)]) == 2
