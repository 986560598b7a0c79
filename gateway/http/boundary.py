"""What every route has in common: who calls, errors to problems, headers, one log line and the metrics.

The checks come in this order, and nothing is sent upstream by any of them: the credential (401), the
tenant (404, whether it is absent or not this caller's), the method (405), the scope (403), the input.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import suppress
from enum import Enum
from functools import partial
from typing import Literal

import msgspec
from litestar.types import HTTPResponseBodyEvent, HTTPResponseStartEvent, HTTPScope, Receive, Send

from contracts.errors import Forbidden, GatewayError, MethodNotAllowed, Outcome, Overloaded
from gateway.http import caching, problems, spans
from gateway.http.answers import Answer, Header, Streamed
from gateway.http.exchange import CLIENT_CLOSED, Attempt, Disconnected, Exchange
from gateway.http.live import Live
from gateway.http.parameters import planned
from gateway.http.presence import Presence
from gateway.http.problem_kinds import InternalError
from gateway.policies.deadline import reader_behind

Takes = Literal["body", "batch", "action"]
"""The limits of bodies that are read before anything is done."""


class Needs(Enum):
    """What must be known before an endpoint runs."""

    NOTHING = 0
    CREDENTIAL = 1
    TENANT = 2


class Endpoint(msgspec.Struct, frozen=True):
    """One method of one route. ``operation`` names it in logs until a call is made of it.

    ``takes`` is the limit of its body, by its name among the limits; None when it has none. ``patient`` says that
    it carries many records: see :class:`~gateway.http.exchange.Exchange`.
    """

    operation: str
    run: Callable[[Exchange], Awaitable[Answer | Streamed]]
    scope: str | None = None
    patient: bool = False
    takes: Takes | None = None


class Route(msgspec.Struct, frozen=True):
    """One path, as the API's description writes it, and its endpoints by method."""

    path: str
    needs: Needs
    endpoints: Mapping[str, Endpoint]

    @property
    def allowed(self) -> tuple[str, ...]:
        """Every method that the path answers to."""
        methods = list(self.endpoints)
        if "GET" in methods:
            methods.insert(1, "HEAD")
        return (*methods, "OPTIONS")

    def endpoint(self, method: str) -> Endpoint:
        """HEAD is served as GET is. Raises :class:`MethodNotAllowed`."""
        endpoint = self.endpoints.get("GET" if method == "HEAD" else method)
        if endpoint is None:
            raise MethodNotAllowed(
                f"{method} is not known here; {', '.join(self.allowed)} are", allowed=self.allowed
            )
        return endpoint


class ReaderStalled(Exception):
    """The reader of a stream takes nothing of it; there is no way to tell it."""


class Boundary:
    """Serves routes; one for the whole application."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._under_way = 0

    async def serve(self, route: Route, scope: HTTPScope, receive: Receive, send: Send) -> None:
        """Take one request to its answer, whatever happens."""
        generation = self._live.enter()
        exchange = Exchange(generation.services, "none", scope, receive)
        # Health and documentation are answered however full the house is, and do not fill it.
        weight = int(route.needs is not Needs.NOTHING)
        self._under_way += weight
        exchange.services.reporter.started()
        try:
            await self._serve(route, exchange, send)
        finally:
            self._under_way -= weight
            self._live.leave(generation)

    async def _serve(self, route: Route, exchange: Exchange, send: Send) -> None:
        try:
            answer = await self._answer(route, exchange)
        except (Disconnected, asyncio.CancelledError) as gone:
            self._finished(exchange, CLIENT_CLOSED)
            if isinstance(gone, asyncio.CancelledError):
                raise
            return
        if isinstance(answer, Streamed):
            await self._send_stream(exchange, answer, send)
        elif exchange.journal.left:
            self._finished(exchange, CLIENT_CLOSED)
        else:
            content = b"" if exchange.method == "HEAD" else answer.body
            exchange.answered = len(content)
            self._finished(exchange, answer.status)
            await self._send(exchange, answer, content, send)

    def refuse(self, error: Exception, scope: HTTPScope, receive: Receive) -> Answer:
        """The answer for what went wrong before a route was found, logged and counted like any other."""
        exchange = Exchange(self._live.services, "none", scope, receive)
        exchange.services.reporter.started()
        answer = self._problem(exchange, error)
        exchange.answered = len(answer.body)
        self._finished(exchange, answer.status)
        return msgspec.structs.replace(answer, headers=answer.headers + tuple(_identity(exchange)))

    async def _answer(self, route: Route, exchange: Exchange) -> Answer | Streamed:
        try:
            if exchange.method == "OPTIONS":
                return Answer(204, headers=((b"allow", ", ".join(route.allowed).encode()),))
            return await self._run(route, exchange)
        except Disconnected:
            raise
        except Exception as error:
            return self._problem(exchange, error)

    async def _run(self, route: Route, exchange: Exchange) -> Answer | Streamed:
        services = exchange.services
        if route.needs is Needs.NOTHING:
            return await route.endpoint(exchange.method).run(exchange)
        client = exchange.client = services.authenticate(exchange.headers)
        exchange.client_name = client.name
        spans.begin(exchange, route.path)
        if route.needs is Needs.TENANT:
            exchange.tenant = services.tenants.find(exchange.scope["path_params"]["tenant"], client.settings)
            exchange.tenant_name = exchange.tenant.name
        endpoint = route.endpoint(exchange.method)
        exchange.operation, exchange.patient = endpoint.operation, endpoint.patient
        if endpoint.scope is not None and endpoint.scope not in client.scopes:
            raise Forbidden(
                f"this needs the scope '{endpoint.scope}'; the credential has "
                f"{', '.join(sorted(client.scopes)) or 'none'}"
            )
        if self._under_way > services.limits.calls:
            raise Overloaded(f"more than {services.limits.calls} calls are under way", retry_after=1)
        attempt = partial(self._attempt, endpoint, exchange)
        return await (self._once(endpoint, exchange, attempt) if _keyed(endpoint, exchange) else attempt())

    async def _once(self, endpoint: Endpoint, exchange: Exchange, attempt: Attempt) -> Answer | Streamed:
        limits = exchange.services.limits
        limit = {"body": limits.body, "batch": limits.batch, "action": limits.action}
        return await exchange.services.keys.once(exchange, endpoint.takes and limit[endpoint.takes], attempt)

    async def _attempt(self, endpoint: Endpoint, exchange: Exchange) -> Answer | Streamed:
        exchange.body_read = exchange.body_read or endpoint.takes is None
        try:
            with Presence(exchange):
                return await endpoint.run(exchange)
        except Disconnected:
            raise
        except Exception as error:
            return self._problem(exchange, error)

    def _problem(self, exchange: Exchange, error: Exception) -> Answer:
        """The only place where an exception becomes an answer."""
        if not isinstance(error, GatewayError):
            exchange.services.reporter.failed(exchange, error)
            error = InternalError(
                "the gateway failed; the operator finds the cause under the request id",
                outcome=Outcome.UNKNOWN if exchange.journal.requests else Outcome.NOT_SENT,
            )
        exchange.failure = error
        return problems.answer(error, exchange.request_id, exchange.services.redact)

    def _finished(self, exchange: Exchange, status: int) -> None:
        services = exchange.services
        services.reporter.finished(exchange, status, services.clock.monotonic() - exchange.started)
        spans.end(exchange, status)

    async def _send(self, exchange: Exchange, answer: Answer, content: bytes, send: Send) -> None:
        headers = [*_identity(exchange), *answer.headers]
        if exchange.client_name is not None:
            headers += _accounts(exchange, exchange.services.clock.monotonic() - exchange.started)
            headers += _quota(exchange)
            headers += caching.headers(exchange.journal.cache)
        if answer.status not in (204, 304):
            headers.append((b"content-length", str(len(answer.body)).encode()))
        await send(_start(answer.status, headers))
        await send(_body(content, more=False))

    async def _send_stream(self, exchange: Exchange, answer: Streamed, send: Send) -> None:
        """Send until the end, the first fault, or until the caller goes away, which ends the upstream's work too."""
        chunks = _nothing() if exchange.method == "HEAD" else answer.chunks
        status, taken = CLIENT_CLOSED, False
        try:
            await send(_start(answer.status, [*_identity(exchange), *answer.headers, *_quota(exchange)]))
            with suppress(Disconnected), Presence(exchange, bounded=False):
                taken = await self._pump(exchange, chunks, send)
                status = CLIENT_CLOSED if exchange.journal.left else answer.status
        finally:
            await answer.chunks.aclose()
            self._finished(exchange, status)
        if taken:
            with suppress(ReaderStalled):
                await self._hand_over(exchange, b"", send, more=False)

    async def _pump(self, exchange: Exchange, chunks: AsyncGenerator[bytes, None], send: Send) -> bool:
        """Whether the reader has taken all of it."""
        try:
            async for chunk in chunks:
                await self._hand_over(exchange, chunk, send)
        except ReaderStalled:
            if exchange.binding:
                exchange.journal.left = True
                async for _ in chunks:
                    pass
            return False
        except Exception as error:
            document = self._problem(exchange, error).body
            with suppress(ReaderStalled):
                await self._hand_over(exchange, b'{"error":' + document + b"}\n", send)
        return not exchange.journal.left

    async def _hand_over(self, exchange: Exchange, chunk: bytes, send: Send, *, more: bool = True) -> None:
        """Send a piece of a stream; waits while its reader is behind. Raises :class:`ReaderStalled`."""
        services, given = exchange.services, exchange.circumstances
        patience = services.limits.timeouts.idle
        if given.explicit:
            patience = min(patience, exchange.deadline - services.clock.monotonic())
        try:
            async with asyncio.timeout(patience):
                await send(_body(chunk, more=more))
        except TimeoutError as error:
            exchange.failure = reader_behind(exchange.journal)
            raise ReaderStalled from error
        exchange.answered += len(chunk)


def _keyed(endpoint: Endpoint, exchange: Exchange) -> bool:
    """Whether the call is to run once, however often it comes. Raises :class:`~contracts.errors.InvalidRequest`."""
    return (
        endpoint.scope == "write"
        and exchange.circumstances.idempotency_key is not None
        and not planned(exchange.scope["query_string"])
    )


async def _nothing() -> AsyncGenerator[bytes, None]:
    return
    yield b""


def _identity(exchange: Exchange) -> list[Header]:
    headers = [(b"x-request-id", exchange.request_id.encode())]
    if exchange.traceparent is not None:
        headers.append((b"traceparent", exchange.traceparent.encode()))
    if exchange.services.lifecycle.draining:
        # The next call on this connection would come too late.
        headers.append((b"connection", b"close"))
    return headers


def _accounts(exchange: Exchange, seconds: float) -> list[Header]:
    """What the call took: upstream units, and where the time went (W3C Server Timing, in milliseconds)."""
    journal = exchange.journal
    upstream = sum(sent.seconds for sent in journal.sends)
    description = f';desc="{journal.adapter}"' if journal.adapter else ""
    own = max(0.0, seconds - upstream - journal.queue_seconds)
    timing = (
        f"queue;dur={journal.queue_seconds * 1000:.2f}, "
        f"upstream;dur={upstream * 1000:.2f}{description}, gateway;dur={own * 1000:.2f}"
    )
    return [(b"quota-cost", str(journal.units).encode()), (b"server-timing", timing.encode())]


def _quota(exchange: Exchange) -> list[Header]:
    """What the caller may take of its tenant's quota, and what is left of it."""
    if exchange.tenant_name is None or exchange.client_name is None:
        return []
    quota = exchange.services.quotas.get(exchange.tenant.settings.environment)
    return [] if quota is None else quota.headers(exchange.tenant_name, exchange.client_name)


def _start(status: int, headers: list[Header]) -> HTTPResponseStartEvent:
    return {"type": "http.response.start", "status": status, "headers": headers}


def _body(content: bytes, *, more: bool) -> HTTPResponseBodyEvent:
    return {"type": "http.response.body", "body": content, "more_body": more}
