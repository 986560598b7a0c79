"""Wires for the checks: one that notes what goes over another, and one that answers from memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import msgspec

from contracts.errors import GatewayError
from contracts.wire import Wire, WireRequest, WireResponse, WireStream

_PIECE = 1000


class Exchange(msgspec.Struct):
    """One request and as much of its answer as was read."""

    request: WireRequest
    status: int = 0
    headers: Mapping[str, str] = {}
    content: bytes = b""


class NotingWire:
    """Sends over another wire, and notes what."""

    def __init__(self, wire: Wire) -> None:
        self.exchanges: list[Exchange] = []
        self._wire = wire

    async def send(self, request: WireRequest) -> WireResponse:
        exchange = Exchange(request)
        self.exchanges.append(exchange)
        answer = await self._wire.send(request)
        exchange.status, exchange.headers, exchange.content = answer.status, answer.headers, answer.content
        return answer

    @asynccontextmanager
    async def stream(self, request: WireRequest) -> AsyncIterator[WireStream]:
        exchange = Exchange(request)
        self.exchanges.append(exchange)
        async with self._wire.stream(request) as answer:
            exchange.status, exchange.headers = answer.status, answer.headers
            yield _NotedStream(answer, exchange)


class _NotedStream:
    def __init__(self, stream: WireStream, exchange: Exchange) -> None:
        self.status = stream.status
        self.headers = stream.headers
        self._stream = stream
        self._exchange = exchange

    async def chunks(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream.chunks():
            self._exchange.content += chunk
            yield chunk


class MemoryWire:
    """Answers the first requests with ``answers`` in turn, and every one after them with the last.

    ``failure`` is raised where an answer ends, as a wire does whose connection broke.
    """

    def __init__(self, *answers: WireResponse, failure: GatewayError | None = None) -> None:
        self.requests: list[WireRequest] = []
        self._answers = answers
        self._failure = failure

    async def send(self, request: WireRequest) -> WireResponse:
        answer = await self._next(request)
        if self._failure is not None:
            raise self._failure
        return answer

    @asynccontextmanager
    async def stream(self, request: WireRequest) -> AsyncIterator[WireStream]:
        yield _MemoryStream(await self._next(request), self._failure)

    async def _next(self, request: WireRequest) -> WireResponse:
        self.requests.append(request)
        if request.content is not None and not isinstance(request.content, bytes | tuple):
            async for _ in request.content:
                pass
        return self._answers[min(len(self.requests), len(self._answers)) - 1]


class _MemoryStream:
    def __init__(self, answer: WireResponse, failure: GatewayError | None) -> None:
        self.status = answer.status
        self.headers = answer.headers
        self._content = answer.content
        self._failure = failure

    async def chunks(self) -> AsyncIterator[bytes]:
        for at in range(0, len(self._content), _PIECE):
            yield self._content[at : at + _PIECE]
        if self._failure is not None:
            raise self._failure
