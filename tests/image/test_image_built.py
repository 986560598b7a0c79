"""What the Dockerfile's steps make runs on its own, as the image runs it: its commands, its environment, its end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tests.support.image import HOME, WORK, Command, image_command, read_only

SMALL = Path(__file__).parents[1] / "support" / "small.yaml"
ENVIRON = {"SANDBOX_KEY": "sandbox-demo"}


@pytest.fixture
def home(image_root: Path) -> Path:
    return Path(f"{image_root}{HOME}")


@pytest.fixture
def work(image_root: Path) -> Path:
    return Path(f"{image_root}{WORK}")


def done(command: Command, work: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command.argv, env=command.environ, cwd=work, capture_output=True, text=True, check=False, timeout=30
    )


@contextmanager
def running(command: Command, work: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that is told to end as containers are, and that ends in order."""
    process = subprocess.Popen(command.argv, env=command.environ, cwd=work, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert process.returncode == 0


def line(process: subprocess.Popen[str], wanted: str) -> str:
    """The first line of its output that holds ``wanted``."""
    assert process.stdout is not None
    return next(line for line in process.stdout if wanted in line)


def test_it_has_what_runs_and_nothing_of_what_builds(home: Path) -> None:
    shipped = {path.name.partition("-")[0] for path in home.glob("lib/python3*/site-packages/*.dist-info")}
    assert {"ultimo_gateway", "litestar", "uvloop", "lxml", "opentelemetry_sdk"} <= shipped
    assert shipped & {"pip", "setuptools", "wheel", "hatchling", "pytest", "faker", "polyfactory"} == set()
    assert not [path for path in (home / "bin").iterdir() if path.name.startswith("pip")]


def test_its_bytecode_is_there_and_does_not_depend_on_the_times_of_files(home: Path) -> None:
    (compiled,) = home.glob("lib/python3*/site-packages/gateway/__pycache__/cli.*.pyc")
    assert compiled.read_bytes()[4:8] == b"\x01\x00\x00\x00"  # PEP 552: hash-based, not checked


def test_its_commands_run(home: Path, work: Path) -> None:
    with read_only(work):
        said = done(image_command("--version", home=home), work)
        assert (said.returncode, said.stdout.split()[0]) == (0, "ultimo-gateway")
        schema = json.loads(done(image_command("config", "schema", home=home), work).stdout)
        assert {"RestOptions", "BatchOptions", "AshxOptions"} <= schema["$defs"].keys()


def test_it_serves_writes_nothing_where_it_works_and_is_asked_for_its_health(
    home: Path, work: Path, tmp_path: Path
) -> None:
    config = tmp_path / "gateway.yaml"
    config.write_text(SMALL.read_text().replace("port: 8080", "port: 0") + "store: {kind: memory}\n")
    with (
        read_only(home),
        read_only(work),
        running(image_command(config=config, environ=ENVIRON, home=home), work) as process,
    ):
        address = json.loads(line(process, '"serving"'))["address"]
        asked = done(image_command("health", "--url", address, home=home), work)
        assert (asked.returncode, asked.stderr) == (0, "")


def test_its_demo_serves_all_four_interfaces(home: Path, work: Path) -> None:
    ports = {"PORT": "0", "SANDBOX_PORT": "0"}
    command = image_command("demo", "--host", "0.0.0.0", environ=ports, home=home)
    with read_only(work), running(command, work) as process:
        address = line(process, "gateway ").split()[1]
        assert address.startswith("http://localhost:")
        for tenant in ("demo", "demo-onprem", "demo-connector", "demo-soap"):
            url = f"{address}/v1/{tenant}/objects/Equipment/00001"
            with urlopen(Request(url, headers={"X-API-Key": "demo-key"}), timeout=10) as answer:
                assert json.load(answer)["Id"] == "00001"


def test_no_module_is_taken_from_the_folder_that_can_be_written_to(home: Path, tmp_path: Path) -> None:
    (tmp_path / "adapters.py").write_text("raise SystemExit('taken from the working folder')\n")
    found = done(image_command("sandbox", "--help", home=home), tmp_path)
    assert (found.returncode, "usage" in found.stdout) == (0, True)


def test_sigterm_ends_what_does_not_serve_yet_for_process_1_has_no_default(tmp_path: Path) -> None:
    """It waits for its configuration here, which is a pipe into which nobody writes."""
    pipe = tmp_path / "gateway.yaml"
    os.mkfifo(pipe)
    command = image_command(config=pipe, environ=ENVIRON)
    process = subprocess.Popen(command.argv, env=command.environ, cwd=tmp_path, stderr=subprocess.DEVNULL)
    writing = os.open(pipe, os.O_WRONLY)  # returns when it reads
    try:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    finally:
        os.close(writing)
        process.kill()
        process.wait()
