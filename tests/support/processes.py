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
from tests.support.quota import ENVIRONMENT, STORE
from tests.support.servers import KEY, UPSTREAM_KEY, UPSTREAM_PASSWORD, UPSTREAM_USER

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
def running_process(command: list[str], environ: Mapping[str, str], ready: str) -> Iterator[Running]:
    """A Python module as a process; its address stands in the first line of its output that holds ``ready``."""
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
    with running_process(
        ["adapters.sandbox", "--port", "0", "--limits", "off", *arguments], {}, "sandbox ready"
    ) as running:
        yield running


@contextmanager
def gateway_process(upstream: Running, folder: Path) -> Iterator[Running]:
    """A gateway in front of a sandbox, on a free port, with the key ``test-key``.

    The tenant ``demo`` has REST; ``connector`` and ``soap`` have the exports of Equipment alone.
    """
    rest: dict[str, object] = {"api_key": {"env": "UPSTREAM_KEY"}}
    site: dict[str, object] = {"username": UPSTREAM_USER, "password": {"env": "SITE"}}
    exports = {"exports": {"Equipment": {"connector": "EXP_EQUIPMENT", "filters": ["Id"]}}}
    adapters: dict[str, dict[str, object]] = {
        "demo": {"rest": {"actions": {UPLOAD: {"element": UPLOAD_ELEMENT}}}},
        "connector": {"connector": exports},
        "soap": {"soap": exports},
    }
    document = {
        "server": {"port": 0},
        "store": {**STORE},
        "environments": {
            "plant": {
                "rest": upstream.url + "/api/v1",
                "site": upstream.url,
                "zone": "Europe/Amsterdam",
                **ENVIRONMENT,
            }
        },
        "tenants": {
            name: {
                "environment": "plant",
                "credentials": rest if name == "demo" else site,
                "adapters": given,
            }
            for name, given in adapters.items()
        },
        "clients": {"tests": {"keys": [hash_key(KEY)], "scopes": ["read", "write"], "tenants": ["*"]}},
    }
    file = folder / "gateway.yaml"
    file.write_bytes(msgspec.json.encode(document))
    environ = {"UPSTREAM_KEY": UPSTREAM_KEY, "SITE": UPSTREAM_PASSWORD}
    with running_process(["gateway.cli", "serve", "--config", str(file)], environ, '"serving"') as running:
        yield running
