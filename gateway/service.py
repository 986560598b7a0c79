"""The service as a whole: the configuration's file, the gateway that it describes, its ports, its changes, its end."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import msgspec

from gateway.bootstrap import Gateway, build, mistakes
from gateway.reload import Reload
from gateway.serving import Ending, Service, address, listen, serve, settle
from gateway.settings import Settings, advice, load_named
from gateway.version import VERSION


async def serve_file(path: Path, environ: Mapping[str, str], given: Mapping[str, object]) -> int:
    """Serve what the file at ``path`` describes until a signal ends it; changes are taken over. The exit code.

    ``given`` stands above what the file says of ``server``. Raises :class:`~gateway.settings.ConfigurationError` and
    :class:`~gateway.serving.CannotListen`.
    """
    files: set[Path] = set()
    settings = _with(given, load_named(path, environ, mistakes, files))
    gateway = build(settings)
    for advised in advice(settings):
        gateway.logger.warning("configuration", advice=str(advised))
    reload = Reload(
        path,
        environ,
        files,
        settings,
        check=mistakes,
        prepare=lambda read: gateway.prepare(_with(given, read)),
        take=gateway.take,
        lifecycle=gateway.lifecycle,
        events=gateway.events,
    )
    settle()
    await _serving(gateway, settings, reload)
    gateway.logger.info("ended")
    return 0


def _with(given: Mapping[str, object], settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, server=msgspec.structs.replace(settings.server, **given))


async def _serving(gateway: Gateway, settings: Settings, reload: Reload) -> None:
    server = settings.server
    with ExitStack() as sockets:
        main = sockets.enter_context(listen(server.host, server.port))
        apart = None
        if server.operations_port is not None:
            apart = sockets.enter_context(listen(server.host, server.operations_port))

        def ready() -> None:
            gateway.logger.info(
                "serving",
                address=address(main),
                operations=address(apart or main),
                version=VERSION,
                config=gateway.lifecycle.config,
            )

        watching = asyncio.create_task(reload.watch(server.reload))

        def draining() -> None:
            gateway.lifecycle.draining = True
            # What would be taken over now nobody would give back.
            watching.cancel()

        grace = server.shutdown_timeout
        beside = None
        if gateway.operations is not None and apart is not None:
            beside = Service(gateway.operations, apart, gateway.logger, grace=grace, lifespan="off")
        try:
            await serve(
                Service(gateway.app, main, gateway.logger, grace=grace, ready=ready),
                gateway.logger,
                asyncio.Event(),
                beside=beside,
                ending=Ending(server.drain_delay, draining),
                hangup=reload.look_now,
            )
        finally:
            watching.cancel()
