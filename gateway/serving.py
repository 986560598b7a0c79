"""Serves a built gateway: its sockets, its event loop, its orderly end. What a process does, and no more."""

from __future__ import annotations

import asyncio
import errno
import gc
import signal
import socket
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Literal

import httptools
import msgspec
import uvicorn
from structlog.typing import FilteringBoundLogger
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from contracts.errors import InvalidRequest
from gateway.http import problems
from gateway.http.answers import Answer, Header
from gateway.http.context import request_id
from gateway.telemetry.bridge import bridged

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from litestar.types import ASGIApp

# Longer than the load balancers in common use keep a connection, so that they end it and never we.
KEEP_ALIVE_SECONDS = 75


class CannotListen(Exception):
    """A port cannot be had; the message says why and what to do, in one sentence."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 takes a free one. Raises :class:`CannotListen`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except (OSError, OverflowError) as error:
        if getattr(error, "errno", None) == errno.EADDRINUSE:
            raise CannotListen(
                f"port {port} on {host} is in use; end what uses it or choose another"
            ) from None
        raise CannotListen(f"cannot listen on {host}, port {port}: {error}") from None


def address(listener: socket.socket) -> str:
    """The address that a socket answers on, such as ``http://127.0.0.1:8080``."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def settle() -> None:
    """Tell the garbage collector that what has been built stays, and to look at the rest less often.

    A call makes some thousand short-lived objects that reference counts free; looking for circles among
    them, and among everything that was built at the start, cost a sixth of the CPU time of a small read.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def run(main: Coroutine[object, object, int]) -> int:
    """Run to the end in the fastest loop that the platform has; the exit code."""
    if sys.platform == "win32":
        return asyncio.run(main)
    import uvloop  # not made for Windows

    return uvloop.run(main)


def _protocol(logger: FilteringBoundLogger) -> type[HttpToolsProtocol]:
    """uvicorn's own, but for what is no request: it gets a problem document and a line in the log."""

    class Protocol(HttpToolsProtocol):
        def data_received(self, data: bytes) -> None:
            self._unset_keepalive_if_required()
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserCallbackError:
                # What it says repeats the whole target, with the keys of records and filters.
                self.send_400_response("its target is not valid, or longer than 65535 bytes")
            except httptools.HttpParserError as error:
                self.send_400_response(str(error))
            except httptools.HttpParserUpgrade:
                pass  # nothing else is spoken here, so the request is answered as it is

        def send_400_response(self, msg: str) -> None:
            fresh = request_id({}, time.time())
            error = InvalidRequest(f"this is no request of HTTP/1.1: {msg}")
            answer = problems.answer(error, fresh)
            logger.info(
                "call",
                request_id=fresh,
                status=answer.status,
                code=error.code,
                outcome=error.outcome.value,
                detail=msg,
            )
            cycle: RequestResponseCycle | None = self.cycle
            if cycle is not None and not cycle.response_complete:
                if not cycle.more_body:
                    # That request was whole: its answer must come, as the last one, and no other before it.
                    self.shutdown()
                    return
                cycle.disconnected = True
            if cycle is None or cycle.response_complete or not cycle.response_started:
                self.transport.write(_written(answer, fresh, self.server_state.default_headers))
            self.transport.close()

    return Protocol


def _written(answer: Answer, request_id: str, default_headers: list[Header]) -> bytes:
    """A last answer as it stands on the line."""
    headers = (
        *default_headers,
        *answer.headers,
        (b"x-request-id", request_id.encode()),
        (b"content-length", str(len(answer.body)).encode()),
        (b"connection", b"close"),
    )
    lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
    return STATUS_LINE[answer.status] + lines + b"\r\n" + answer.body


class Service(uvicorn.Server):
    """One application on one socket."""

    def __init__(
        self,
        app: ASGIApp,
        listener: socket.socket,
        logger: FilteringBoundLogger,
        *,
        grace: int,
        lifespan: Literal["on", "off"] = "on",
        ready: Callable[[], None] = lambda: None,
    ) -> None:
        """``logger`` gets a line for what is no request; ``grace`` is how many seconds calls under way may
        take to end; ``ready`` is told when it serves.
        """
        config = uvicorn.Config(
            app,
            http=_protocol(logger),
            ws="none",
            lifespan=lifespan,
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=grace,
        )
        super().__init__(config)
        self._listener = listener
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does it, and then tell."""
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does it; the application comes to its end in order even if calls are not waited for."""
        await super().shutdown(sockets)
        if self.force_exit:
            for task in self.server_state.tasks:
                task.cancel()
            await self.lifespan.shutdown()

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        """Left to :func:`serve`, which takes the signals for all services and ends with exit code 0."""
        return nullcontext()

    async def run_to_end(self) -> None:
        """Serve until ``should_exit`` is set and what was under way has ended."""
        await self.serve(sockets=[self._listener])


class Ending(msgspec.Struct, frozen=True):
    """How a process comes to its end.

    ``delay`` is how many seconds it goes on serving after it was told to, so that those who send it calls hear of it:
    ``draining`` is called at their beginning.
    """

    delay: float = 0.0
    draining: Callable[[], None] = lambda: None


async def serve(
    main: Service,
    logger: FilteringBoundLogger,
    stop: asyncio.Event,
    *,
    beside: Service | None = None,
    ending: Ending | None = None,
    hangup: Callable[[], None] | None = None,
) -> None:
    """Serve until ``stop`` is set or a signal asks for the end.

    Another signal ends the delay before the end, and one after that does not wait for calls.

    ``beside`` has the operator's routes, and serves until the last call of ``main`` is over. ``hangup`` is what SIGHUP
    means; the end, when there is none.
    """
    services = [main] if beside is None else [main, beside]
    hurry = asyncio.Event()
    with bridged(logger), _signals(services, stop, hurry, hangup):
        waiting = asyncio.create_task(_end(main, logger, stop, hurry, ending or Ending()))
        operators = None if beside is None else asyncio.create_task(beside.run_to_end())
        try:
            await main.run_to_end()
        finally:
            waiting.cancel()
            if beside is not None and operators is not None:
                beside.should_exit = True
                await operators


async def _end(
    main: Service, logger: FilteringBoundLogger, stop: asyncio.Event, hurry: asyncio.Event, ending: Ending
) -> None:
    await stop.wait()
    ending.draining()
    logger.info("draining", seconds=ending.delay)
    with suppress(TimeoutError):
        async with asyncio.timeout(ending.delay):
            await hurry.wait()
    main.should_exit = True


@contextmanager
def _signals(
    services: list[Service], stop: asyncio.Event, hurry: asyncio.Event, hangup: Callable[[], None] | None
) -> Iterator[None]:
    def interrupt() -> None:
        for service in services:
            service.force_exit = services[0].should_exit
        (hurry if stop.is_set() else stop).set()

    loop = asyncio.get_running_loop()
    if sys.platform == "win32":
        # Its loops know no signal handlers; Ctrl-C ends the run as KeyboardInterrupt.
        yield
        return
    caught = {signal.SIGINT: interrupt, signal.SIGTERM: interrupt}
    # nohup has it ignored, and means that it should not be the end.
    if hangup is not None:
        caught[signal.SIGHUP] = hangup
    elif signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        caught[signal.SIGHUP] = interrupt
    for number, handler in caught.items():
        loop.add_signal_handler(number, handler)
    try:
        yield
    finally:
        for number in caught:
            loop.remove_signal_handler(number)
