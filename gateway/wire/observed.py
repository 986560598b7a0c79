"""A transport that notes when a request left and when its answer began, and what stood in the head of that."""

from __future__ import annotations

from collections.abc import Mapping

import httpx2
import msgspec

from gateway.clock import Clock
from gateway.wire.transport import SENDING, Trace


class Answer(msgspec.Struct, frozen=True):
    """The head of an answer, names in lower case.

    ``at`` is the moment in the middle between the first byte of the request and that of the answer (Unix seconds),
    ``seconds`` what lay between the two.
    """

    status: int
    headers: Mapping[str, str]
    at: float
    seconds: float


class Observed(httpx2.AsyncBaseTransport):
    """Passes everything on to another transport; ``answer`` is the last one that came."""

    def __init__(self, transport: httpx2.AsyncBaseTransport, clock: Clock) -> None:
        self.answer: Answer | None = None
        self._transport = transport
        self._clock = clock

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        left = self._clock.monotonic()
        noted: Trace | None = request.extensions.get("trace")

        async def trace(event: str, facts: Mapping[str, object]) -> None:
            nonlocal left
            if noted is not None:
                await noted(event, facts)
            if event == SENDING:
                left = self._clock.monotonic()

        request.extensions["trace"] = trace
        response = await self._transport.handle_async_request(request)
        seconds = self._clock.monotonic() - left
        headers = {name.lower(): value for name, value in response.headers.items()}
        self.answer = Answer(response.status_code, headers, self._clock.now() - seconds / 2, seconds)
        return response

    async def aclose(self) -> None:
        await self._transport.aclose()
