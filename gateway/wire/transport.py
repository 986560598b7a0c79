"""aiohttp behind httpx2's transport interface: httpx2's types and exceptions outside, aiohttp's inside.

httpx2 describes requests and answers and is what a test swaps; aiohttp carries them, at a third of
the cost. Every request leaves exactly once: aiohttp would repeat an idempotent one by itself when a
kept connection breaks, and redirects, cookies, environment and netrc are all left alone.
"""

from __future__ import annotations

import asyncio
import math
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress

import aiohttp
import httpx2
from aiohttp.client_middlewares import ClientHandlerType
from aiohttp.connector import Connection
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from gateway.wire.settings import WireSettings

SENDING = "http11.send_request_headers.started"
"""The event that httpx2's ``trace`` extension reports just before the first byte leaves."""

PIECE = 64 * 1024
"""Bytes that are handed to the socket at a time, so that none can block the others for long."""


class BrokenOff(httpx2.ReadError):
    """The connection ended in the middle of an answer's body."""


Trace = Callable[[str, Mapping[str, object]], Awaitable[None]]

_FOREIGN: tuple[type[Exception], ...] = (aiohttp.ClientError, HttpProcessingError, OSError)

_TRANSLATION: tuple[tuple[type[Exception], type[httpx2.TransportError]], ...] = (
    (aiohttp.ConnectionTimeoutError, httpx2.ConnectTimeout),
    (aiohttp.ServerTimeoutError, httpx2.ReadTimeout),
    (aiohttp.ClientProxyConnectionError, httpx2.ProxyError),
    (aiohttp.ClientHttpProxyError, httpx2.ProxyError),
    (aiohttp.ClientConnectorError, httpx2.ConnectError),
    (aiohttp.ClientResponseError, httpx2.RemoteProtocolError),
    (aiohttp.ClientPayloadError, BrokenOff),
    (HttpProcessingError, httpx2.RemoteProtocolError),
    (aiohttp.ClientConnectionError, httpx2.ReadError),
    (aiohttp.ClientError, httpx2.LocalProtocolError),
    (OSError, httpx2.ReadError),
)


def _translated(error: Exception, *, departed: bool = True, proxied: bool = False) -> httpx2.TransportError:
    """The httpx2 exception that says the same, without the words: aiohttp's name hosts and headers.

    Before the request has departed there is nothing to read: what breaks then is the connecting.
    """
    ours = next(ours for foreign, ours in _TRANSLATION if isinstance(error, foreign))
    if not departed and not issubclass(ours, httpx2.ConnectTimeout | httpx2.ConnectError):
        ours = httpx2.ProxyError if proxied else httpx2.ConnectError
    return ours(type(error).__name__)


def _root(error: BaseException) -> BaseException:
    """What the socket or TLS itself raised, behind aiohttp's own."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


class _Request(aiohttp.ClientRequest):
    """A request that reports its departure."""

    trace: Trace | None = None
    departed = False

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        self.departed = True
        if self.trace is not None:
            await self.trace(SENDING, {})
        return await super().send(conn)


class _Once:
    """The middleware under which a request goes out once.

    aiohttp repeats an idempotent request when a kept connection breaks and the exception that it
    sees is its own (RFC 9112 §9.3.1 allows that). A repetition would be counted by the upstream and
    not by us, so the exception is made httpx2's here, where aiohttp cannot see it.
    """

    def __init__(self, trace: Trace | None) -> None:
        self._trace = trace

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: ClientHandlerType
    ) -> aiohttp.ClientResponse:
        if not isinstance(request, _Request):
            raise TypeError("the session makes its requests of another class")
        request.trace = self._trace
        try:
            return await handler(request)
        except BaseException as error:
            # Until the writer has stopped, the source of the body is still being read.
            with suppress(*_FOREIGN):
                await request.close()
            if isinstance(error, _FOREIGN):
                departed, proxied = request.departed, request.proxy is not None
                raise _translated(error, departed=departed, proxied=proxied) from _root(error)
            raise


class _Upload:
    """A body on its way out, in pieces that each have to leave in time.

    The clock runs while a piece leaves and stands still while the source makes the next one: what
    the source takes is not the upstream's fault.
    """

    def __init__(
        self, stream: httpx2.AsyncByteStream, guard: asyncio.Timeout, write: float | None, read: float | None
    ) -> None:
        self._source = aiter(stream)
        self._rest = memoryview(b"")
        self._guard: asyncio.Timeout | None = guard
        self._write = write
        self._read = read

    def unguard(self) -> None:
        """The answer has begun, or the request has failed: the clock is no longer ours to set."""
        self._guard = None

    def _allow(self, seconds: float | None) -> None:
        if self._guard is not None:
            self._guard.reschedule(None if seconds is None else asyncio.get_running_loop().time() + seconds)

    def __aiter__(self) -> AsyncIterator[bytes | memoryview]:
        return self

    async def __anext__(self) -> bytes | memoryview:
        self._allow(None)
        if not self._rest:
            try:
                self._rest = memoryview(await anext(self._source))
            except StopAsyncIteration:
                # The last bytes are still leaving; from then on aiohttp times the wait for the answer.
                self._allow(self._write and self._read and self._write + self._read)
                raise
        piece, self._rest = self._rest[:PIECE], self._rest[PIECE:]
        self._allow(self._write)
        return piece


class _Answer(httpx2.AsyncByteStream):
    """The body of an answer as it comes off the wire, and the place in the pool that goes back after it."""

    def __init__(self, response: aiohttp.ClientResponse, places: asyncio.Semaphore) -> None:
        self._response = response
        self._content = response.content
        self._places: asyncio.Semaphore | None = places

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await self._content.readany()
        except _FOREIGN as error:
            raise _translated(error) from _root(error)
        if not chunk:
            raise StopAsyncIteration
        return chunk

    async def aclose(self) -> None:
        if self._places is not None:
            self._places.release()
            self._places = None
        self._response.close()
        await self._response.wait_for_close()


class AiohttpTransport(httpx2.AsyncBaseTransport):
    """A pool of connections to one upstream. Raises :class:`httpx2.TransportError`.

    Understands the extensions ``timeout``, ``trace`` (the event :data:`SENDING`) and ``target``
    (the bytes that stand on the request line in place of the URL's path). Opens its pool in the
    event loop of the first request.
    """

    def __init__(self, settings: WireSettings, tls: ssl.SSLContext | None = None) -> None:
        """``tls`` is what the settings give when None. Raises as :meth:`~gateway.wire.settings.WireSettings.tls`."""
        self._tls = settings.tls() if tls is None else tls
        self._proxy = settings.proxy
        self._places = asyncio.Semaphore(settings.max_connections)
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    def _pool(self) -> aiohttp.ClientSession:
        if self._closed:
            raise httpx2.ConnectError("the pool is closed")
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=self._tls, limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                request_class=_Request,
                auto_decompress=False,
                trust_env=False,
                proxy=self._proxy,
            )
        return self._session

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        timeouts = request.extensions.get("timeout", {})
        if self._places.locked():
            await self._wait(timeouts.get("pool"))
        else:
            await self._places.acquire()
        try:
            response = await self._exchange(request, timeouts)
        except BaseException:
            self._places.release()
            raise
        return httpx2.Response(
            response.status, headers=response.raw_headers, stream=_Answer(response, self._places)
        )

    async def _wait(self, allowed: float | None) -> None:
        try:
            async with asyncio.timeout(allowed):
                await self._places.acquire()
        except TimeoutError:
            raise httpx2.PoolTimeout("no connection came free") from None

    async def _exchange(
        self, request: httpx2.Request, timeouts: Mapping[str, float]
    ) -> aiohttp.ClientResponse:
        stream = request.stream
        if isinstance(stream, httpx2.ByteStream):
            (content,) = stream
            if len(content) <= PIECE:
                return await self._send(request, timeouts, content or None)
        if not isinstance(stream, httpx2.AsyncByteStream):
            raise TypeError("the body is not an asynchronous stream")
        try:
            async with asyncio.timeout(None) as guard:
                upload = _Upload(stream, guard, timeouts.get("write"), timeouts.get("read"))
                try:
                    return await self._send(request, timeouts, upload)
                finally:
                    upload.unguard()
        except TimeoutError:
            raise httpx2.WriteTimeout("the body did not leave") from None

    async def _send(
        self, request: httpx2.Request, timeouts: Mapping[str, float], body: bytes | _Upload | None
    ) -> aiohttp.ClientResponse:
        headers = [
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in request.headers.raw
            if name != b"Transfer-Encoding"
        ]
        return await self._pool().request(
            request.method,
            _url(request),
            headers=headers,
            data=body,
            allow_redirects=False,
            skip_auto_headers=None if request.method == "GET" else ("Content-Type",),
            timeout=aiohttp.ClientTimeout(
                connect=timeouts.get("connect"),
                sock_read=timeouts.get("read"),
                ceil_threshold=math.inf,
            ),
            middlewares=(_Once(request.extensions.get("trace")),),
        )

    async def aclose(self) -> None:
        self._closed = True
        if self._session is not None:
            await self._session.close()


def _url(request: httpx2.Request) -> URL:
    """The address with the request line exactly as it was asked for: nothing decoded, encoded or collapsed."""
    url = request.url
    target: bytes = request.extensions.get("target", url.raw_path)
    line = target.decode("ascii")
    address = URL(f"{url.scheme}://{url.netloc.decode('ascii')}{line}", encoded=True)
    if address.raw_path_qs != line:
        raise httpx2.LocalProtocolError("the target would not leave as it was given")
    return address
