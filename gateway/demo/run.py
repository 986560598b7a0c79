"""Runs the demo: a sandbox as a child process and a gateway over it, until a signal or until either ends."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

import msgspec
from structlog.typing import FilteringBoundLogger

from gateway.serving import Service, address, listen, serve
from gateway.settings import Settings, StoreSettings, load

HOST = "127.0.0.1"
READY = "sandbox ready on "
READY_SECONDS = 60
END_SECONDS = 10
REST = "/api/v1"
NEW = '{"Description": "Pump", "Context": 1, "Status": 2}'
ZONE = "Europe/Amsterdam"
SECRETS: Mapping[str, str] = MappingProxyType(
    {
        "SANDBOX_KEY": "sandbox-demo",
        "SANDBOX_ONPREM_KEY": "sandbox-onprem",
        "SANDBOX_PASSWORD": "sandbox-password",
    }
)
"""What the sandbox takes, by the variables that ``demo.yaml`` names."""


class SandboxFailed(Exception):
    """The sandbox did not start; the message is for the one who started the demo."""


def demo_settings(rest: str, site: str) -> Settings:
    """The demo's configuration over the sandbox with these base addresses, of REST and of the other interfaces."""
    with as_file(files("gateway.demo") / "demo.yaml") as path:
        settings = load(path, SECRETS)
    environments = {
        name: msgspec.structs.replace(environment, rest=rest, site=site)
        for name, environment in settings.environments.items()
    }
    return msgspec.structs.replace(settings, environments=environments)


async def run_demo(host: str, port: int, sandbox_port: int) -> int:
    """Serve the demo, the gateway on ``host`` and the sandbox on this machine alone; the exit code.

    Raises :class:`~gateway.serving.CannotListen` and :class:`SandboxFailed`.
    """
    with listen(host, port) as listener:
        # Asked for here only to say in plain words that it is taken.
        listen(HOST, sandbox_port).close()
        async with _sandbox(sandbox_port) as child:
            return await _gateway(listener, child)


async def _gateway(listener: socket.socket, child: Process) -> int:
    # Loaded here, while the sandbox starts: both take half a second.
    from gateway.bootstrap import build

    upstream = await _ready(child)
    settings = demo_settings(upstream, upstream.removesuffix(REST))
    with TemporaryDirectory(prefix="ultimo-gateway-demo-") as folder:
        store = StoreSettings(kind="sqlite", file=Path(folder) / "gateway.db")
        gateway = build(msgspec.structs.replace(settings, store=store))
        service = Service(
            gateway.app,
            listener,
            gateway.logger,
            grace=settings.server.shutdown_timeout,
            ready=lambda: _say(_welcome(address(listener).replace("//0.0.0.0:", "//localhost:"), upstream)),
        )
        return await _serve(service, gateway.logger, child)


async def _serve(service: Service, logger: FilteringBoundLogger, child: Process) -> int:
    stop = asyncio.Event()
    watch = asyncio.create_task(_watch(child, stop))
    try:
        await serve(service, logger, stop)
        if watch.done():
            _say(f"the sandbox has ended (exit code {watch.result()}), and the demo with it")
            return 1
        return 0
    finally:
        watch.cancel()


async def _watch(child: Process, stop: asyncio.Event) -> int:
    code = await child.wait()
    stop.set()
    return code


@contextlib.asynccontextmanager
async def _sandbox(port: int) -> AsyncIterator[Process]:
    """The child, which has its own session so that Ctrl-C reaches it through us alone."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "adapters.sandbox", "--port", str(port), "--zone", ZONE),
        stdout=PIPE,
        start_new_session=True,
    )
    try:
        yield child
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.terminate()
        try:
            await asyncio.wait_for(child.wait(), END_SECONDS)
        except TimeoutError:
            child.kill()
            await child.wait()


async def _ready(child: Process) -> str:
    """The address of REST, the first one in the line that the sandbox begins with."""
    if child.stdout is None:
        raise SandboxFailed("the sandbox has no output to wait for")
    try:
        line = (await asyncio.wait_for(child.stdout.readline(), READY_SECONDS)).decode().strip()
    except TimeoutError:
        raise SandboxFailed(f"the sandbox was not ready after {READY_SECONDS} seconds") from None
    if not line.startswith(READY):
        raise SandboxFailed("the sandbox did not start; what it said stands above")
    return line.removeprefix(READY).split()[0]


def _welcome(base: str, upstream: str) -> str:
    key = "-H 'X-API-Key: demo-key'"
    return f"""\
gateway   {base}        its documentation: {base}/docs
sandbox   {upstream}  (REST)
          {upstream.removesuffix(REST)}         (WebServices: Connector.ashx and SOAP)

Four tenants have the same records, each through other interfaces of the upstream:

  demo            REST, batches and workflows
  demo-onprem     REST for reading and for workflows, Connector.ashx for writing
  demo-connector  Connector.ashx alone
  demo-soap       SOAP alone

The key is 'demo-key' ('demo-read-key' may only read). To try it, with any of the four:

  curl {key} {base}/v1/demo/objects/Equipment/00001
  curl {key} {base}/v1/demo/objects/Building/01%2F02
  curl {key} {base}/v1/demo-soap/objects/Job -G --data-urlencode "filter=Status eq 1" -d limit=5
  curl {key} '{base}/v1/demo-connector/objects/Equipment/A-1?upsert=true' -X PATCH --json '{NEW}'

Ctrl-C ends both."""


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
