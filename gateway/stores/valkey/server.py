"""The way to a Valkey server: one step at a time, asked at most twice, with one error for all that can go wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import cast

from redis.asyncio import BlockingConnectionPool, Connection, Redis, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    NoPermissionError,
    NoScriptError,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as BrokenConnection
from redis.exceptions import TimeoutError as NoAnswer

from gateway.settings import ValkeySettings
from gateway.stores.ports import StoreLost
from gateway.stores.valkey.scripts import Script

CONNECTIONS = 32
"""How many steps may be under way at once; the server takes them one by one anyway."""

Argument = str | bytes | int | float


class Server:
    """A Valkey server. It is connected to by the first step, and every failure is a StoreLost.

    The texts of those name neither hosts nor secrets.
    """

    def __init__(self, settings: ValkeySettings) -> None:
        self._timeout = settings.timeout
        self._pool = _pool(settings)
        self._client = Redis(connection_pool=self._pool)
        self._execute = cast("Callable[..., Awaitable[object]]", self._client.execute_command)

    async def step(self, script: Script, key: str, *arguments: Argument) -> object:
        """Run the script on the key; it is sent along where the server does not know it, or no longer does."""
        try:
            return await self._asked("EVALSHA", script.digest, 1, key, *arguments)
        except NoScriptError:
            return await self._asked("EVAL", script.text, 1, key, *arguments)

    async def command(self, *command: Argument) -> object:
        """A single command."""
        return await self._asked(*command)

    async def close(self) -> None:
        await self._client.aclose()
        await self._pool.aclose()

    async def _asked(self, *command: Argument) -> object:
        """The reply; a step whose reply is lost is asked once more, which every one of them can bear."""
        with _lost():
            try:
                return await self._ask(*command)
            except _UNANSWERED as error:
                if isinstance(error, _REFUSED):
                    raise
            return await self._ask(*command)

    async def _ask(self, *command: Argument) -> object:
        async with asyncio.timeout(self._timeout):
            return await self._execute(*command)


def _pool(settings: ValkeySettings) -> BlockingConnectionPool:
    host, _, port = settings.address.rpartition(":")
    pool = BlockingConnectionPool(
        max_connections=CONNECTIONS,
        timeout=settings.timeout,
        connection_class=SSLConnection if settings.tls else Connection,
        host=host.strip("[]"),
        port=int(port),
        db=settings.database,
        username=settings.username,
        password=settings.password.reveal() if settings.password else None,
        # Each step has a time limit of ours. The library's own is asyncio.wait_for, which may swallow a cancellation.
        socket_timeout=None,
        socket_connect_timeout=settings.timeout,
        # A step that is repeated behind our back would be one whose repetition nobody counts.
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        driver_info=None,
    )
    if settings.tls and settings.ca_file:
        pool.connection_kwargs["ssl_ca_certs"] = str(settings.ca_file)
    return pool


_UNANSWERED = (BrokenConnection, NoAnswer, OSError)
_REFUSED = (AuthenticationError, AuthorizationError, BusyLoadingError)

_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (AuthenticationError, "it refused the login"),
    (AuthorizationError, "it refused the login"),
    (NoPermissionError, "it does not permit the step"),
    (BusyLoadingError, "it is still loading its data"),
    (BrokenConnection, "it cannot be reached"),
    (NoAnswer, "it did not answer in time"),
    (TimeoutError, "it did not answer in time"),
    (OSError, "it cannot be reached"),
)


@contextmanager
def _lost() -> Iterator[None]:
    """The one place where what the client library raises becomes a StoreLost."""
    try:
        yield
    except NoScriptError:
        raise
    # ValueError: what came back is not the protocol at all.
    except (RedisError, OSError, ValueError) as error:
        raise StoreLost(f"Valkey: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            return reason
    if isinstance(error, ResponseError):
        return f"it refused the step ({type(error).__name__})"
    return "it does not speak the protocol"
