"""The gateway and the sandbox as processes of their own, as they are run for real."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec
import psutil

from gateway.keys import hash_key
from tests.support.servers import KEY, UPSTREAM_KEY

UPLOAD = "_CustomUpload"
UPLOAD_ELEMENT = "c0000000-0000-4000-8000-000000000003"


class Running(msgspec.Struct):
    """A process that serves at ``url``."""

    url: str
    process: subprocess.Popen[str]

    def memory(self) -> int:
        """Resident memory, in bytes."""
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def peak(self) -> int:
        """The most resident memory it ever had, in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


@contextmanager
def _running(command: list[str], environ: Mapping[str, str], ready: str) -> Iterator[Running]:
    process = subprocess.Popen(
        [sys.executable, "-m", *command], stdout=subprocess.PIPE, text=True, env={**os.environ, **environ}
    )
    try:
        assert process.stdout is not None
        line = next(line for line in process.stdout if ready in line)
        url = next(word for word in line.replace('"', " ").split() if word.startswith("http://"))
        yield Running(url.removesuffix("/api/v1"), process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


@contextmanager
def sandbox_process(*arguments: str) -> Iterator[Running]:
    """A sandbox without limits, on a free port."""
    with _running(
        ["adapters.sandbox", "--port", "0", "--limits", "off", *arguments], {}, "sandbox ready"
    ) as running:
        yield running


@contextmanager
def gateway_process(upstream: Running, folder: Path) -> Iterator[Running]:
    """A gateway in front of a sandbox, on a free port, with a tenant ``demo`` and the key ``test-key``."""
    document = {
        "server": {"port": 0},
        "environments": {"plant": {"rest": upstream.url + "/api/v1", "zone": "Europe/Amsterdam"}},
        "tenants": {
            "demo": {
                "environment": "plant",
                "credentials": {"api_key": {"env": "UPSTREAM_KEY"}},
                "adapters": {"rest": {"actions": {UPLOAD: {"element": UPLOAD_ELEMENT}}}},
            }
        },
        "clients": {"tests": {"keys": [hash_key(KEY)], "scopes": ["read", "write"], "tenants": ["*"]}},
    }
    file = folder / "gateway.yaml"
    file.write_bytes(msgspec.json.encode(document))
    with _running(
        ["gateway.cli", "serve", "--config", str(file)], {"UPSTREAM_KEY": UPSTREAM_KEY}, '"serving"'
    ) as running:
        yield running
