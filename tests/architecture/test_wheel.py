"""What is shipped works on its own: the wheel, in an empty environment, with the pinned dependencies."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return next(out.glob("*.whl"))


def test_the_wheel_holds_every_package_and_marks_them_typed(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for package in ("contracts", "adapters", "gateway"):
        assert {f"{package}/__init__.py", f"{package}/py.typed"} <= names
    assert not [name for name in names if name.startswith(("tests/", "helm/"))]
    metadata = next(name for name in names if name.endswith("METADATA"))
    assert "Classifier: Private :: Do Not Upload" in zipfile.ZipFile(wheel).read(metadata).decode()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(listener.getsockname()[1]) for listener in sockets]
    for listener in sockets:
        listener.close()
    return ports


@pytest.mark.timeout(300)
def test_the_wheel_runs_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "venv"
    venv.create(home, with_pip=True)
    pip = [str(home / "bin/pip"), "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--require-hashes", "-r", str(ROOT / ".ci/requirements.txt")], check=True)
    subprocess.run([*pip, "--no-deps", str(wheel)], check=True)
    port, sandbox_port = _free_ports(2)
    process = subprocess.Popen(
        [str(home / "bin/ultimo-gateway"), "demo"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PORT": str(port), "SANDBOX_PORT": str(sandbox_port)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if "curl" in line:
                break
        address = f"http://127.0.0.1:{port}/v1/demo/objects/Equipment/00001"
        request = urllib.request.Request(address, headers={"X-API-Key": "demo-key"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert json.load(answer)["Id"] == "00001"
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert process.returncode == 0
