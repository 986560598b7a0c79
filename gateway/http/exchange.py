"""One request on its way to its answer, and what becomes known of it for the log line."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, TypeVar

import msgspec
from litestar.types import HTTPScope, Receive

from contracts.call import Call, Journal
from contracts.errors import DeadlineExceeded, GatewayError, PayloadTooLarge
from contracts.operations import Operation
from contracts.paths import ObjectPath
from gateway.clock import Clock
from gateway.http import context
from gateway.http.answers import Answer, Streamed
from gateway.http.context import Timeouts
from gateway.http.cursors import Cursors
from gateway.http.fingerprint import FormDigest
from gateway.http.keyrun import KeyRun
from gateway.http.principals import Authenticator, Client
from gateway.http.problems import Problem, problem
from gateway.lifecycle import Lifecycle
from gateway.policies.cache import max_age
from gateway.quota.view import QuotaView
from gateway.settings import LimitSettings
from gateway.telemetry.tracing import Span, Tracer
from gateway.tenants import Tenant, Tenants

T = TypeVar("T")


class Limits(LimitSettings, frozen=True, kw_only=True):
    """The configured limits, and the seconds that a call may take."""

    timeouts: Timeouts = Timeouts()


class Reporter(Protocol):
    """Writes the log line of an exchange and counts it. ``failure`` is an unforeseen exception, for its trace."""

    def started(self) -> None: ...

    def finished(self, exchange: Exchange, status: int, seconds: float) -> None: ...

    def failed(self, exchange: Exchange, failure: BaseException) -> None: ...


class Degraded(msgspec.Struct, frozen=True):
    """A part that is not as it should be, without keeping the gateway from serving."""

    text: str


Check = Callable[[], Awaitable[str | Degraded | None]]
"""Looks after one part: None when it is well, a text when it cannot serve."""


Attempt = Callable[[], Awaitable[Answer | Streamed]]
"""Carries a call out. An error is an answer already, and stands in the exchange's ``failure``."""


class Keys(Protocol):
    """Writes that are repeated with the same idempotency key run once."""

    async def once(self, exchange: Exchange, limit: int | None, attempt: Attempt) -> Answer | Streamed:
        """What ``attempt`` answers, or what it answered before; its body has ``limit`` bytes, none when None.

        Raises KeyTaken, and StoreUnavailable where the promise could not be kept.
        """
        ...


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the routes need.

    ``quotas`` are by environment. ``metrics`` renders the Prometheus text; ``checks`` are the parts of /readyz:
    each says what is the matter, or None. ``redact`` takes the configuration's secrets out of a text. ``lifecycle`` is
    that of the process; without ``tracer`` nothing is traced.
    """

    tenants: Tenants
    authenticate: Authenticator
    reporter: Reporter
    clock: Clock
    cursors: Cursors
    keys: Keys
    metrics: Callable[[], Awaitable[bytes]]
    lifecycle: Lifecycle
    limits: Limits = Limits()
    redact: Callable[[str], str] = str
    quotas: Mapping[str, QuotaView] = {}
    checks: Mapping[str, Check] = {}
    tracer: Tracer | None = None


CLIENT_CLOSED = 499
"""What the log says for a caller that went away while its body came or its answer was made or streamed.

Nobody sees it on the line. A whole answer is logged as it is handed over; whether it arrived, nobody knows.
"""


class Disconnected(Exception):
    """The caller went away before its request had come whole, or its answer was made; there is nobody to answer."""


class Exchange:
    """What an endpoint works on.

    ``client`` and ``tenant`` are there when the endpoint needs them. Under an idempotency key ``run`` is there,
    ``form`` takes in what a form holds, and ``key_state`` is what became known of the key. ``body_read`` says that
    the connection has nothing more to give, ``departed`` that a request of a write was let go, ``reads`` that the call
    changes nothing. ``span`` is there where calls are traced, and ``traceparent`` then its own.

    ``operation``, ``path``, ``entity``, ``action``, ``connector``, ``dry_run``, ``asked`` (writes, readings or
    objects), ``failures`` (how many of them ended in which error), ``received`` and ``answered`` (bytes of the two
    bodies), ``journal`` and ``failure`` are what the log line and the metrics say in the end; ``quiet`` leaves both
    out while nothing fails, for what a machine asks every few seconds. ``patient`` gives a call the longest
    time when its caller does not say, as one with many records needs it.
    """

    client: Client
    tenant: Tenant

    def __init__(self, services: Services, operation: str, scope: HTTPScope, receive: Receive) -> None:
        self.services = services
        self.operation = operation
        self.scope = scope
        self.receive = receive
        self.started = services.clock.monotonic()
        self.method: str = scope["method"]
        self.headers = context.header_map(scope["headers"])
        self.request_id = context.request_id(self.headers, services.clock.now())
        self.traceparent = context.traceparent(self.headers)
        self.span: Span | None = None
        self.quiet = False
        self.patient = False
        self.client_name: str | None = None
        self.tenant_name: str | None = None
        self.path: ObjectPath | None = None
        self.entity: str | None = None
        self.action: str | None = None
        self.connector: str | None = None
        self.dry_run = False
        self.asked: int | None = None
        self.failures: Counter[str] = Counter()
        self.received = 0
        self.answered = 0
        self.journal = Journal()
        self.failure: GatewayError | None = None
        self.run: KeyRun | None = None
        self.form: FormDigest | None = None
        self.key_state: str | None = None
        self.body_read = False
        self.departed = False
        self.reads = False
        self._body: bytes | None = None
        self._circumstances: context.Circumstances | None = None

    @property
    def circumstances(self) -> context.Circumstances:
        """What the headers say of the call. Raises :class:`~contracts.errors.InvalidRequest`."""
        if self._circumstances is None:
            self._circumstances = context.circumstances(
                self.headers, self.services.limits.timeouts, patient=self.patient
            )
        return self._circumstances

    def be_patient(self) -> None:
        """Give the call the longest time if its caller has not said how long."""
        self.patient, self._circumstances = True, None

    @property
    def deadline(self) -> float:
        """On the gateway's monotonic clock, counted from the arrival of the request."""
        return self.started + self.circumstances.timeout

    @property
    def binding(self) -> bool:
        """Whether what has been begun must come to its end, though nobody waits for it any more.

        A write that is on its way does; under an idempotency key the call, since a repetition asks what became of it.
        """
        return self.journal.writing > 0 or (self.departed and self.run is not None)

    def call(self, operation: Operation) -> Call:
        """The call for an operation. Raises OutcomeUnknown for one that may neither be repeated nor replayed."""
        given = self.circumstances
        self.operation = self.journal.operation = operation.kind
        self.reads = operation.safe
        if self.run is not None and not operation.safe:
            self.run.check(operation)
        return Call(
            operation=operation,
            tenant=self.tenant.name,
            client=self.client.name,
            request_id=self.request_id,
            deadline=self.deadline,
            urgency=given.urgency,
            accept_language=given.accept_language,
            content_language=given.content_language,
            idempotency_key=given.idempotency_key,
            traceparent=self.traceparent,
            tracestate=self._tracestate(),
            minimal=context.minimal(self.headers),
            max_age=self._max_age(operation),
            departing=None if operation.safe else self._departing,
            doubtful=self.run is not None and self.run.doubtful,
            journal=self.journal,
        )

    def _tracestate(self) -> str | None:
        """It belongs to a trace, and means nothing without one."""
        return None if self.traceparent is None else context.tracestate(self.headers)

    def _max_age(self, operation: Operation) -> float | None:
        """What a write reads, for its condition or afterwards, is as new as it can be."""
        if self.method not in ("GET", "HEAD"):
            return None
        return max_age(operation, self.circumstances.max_age, self.tenant.settings.cache)

    def part_failed(self, error: GatewayError) -> Problem:
        """The document for one of many things in a call that failed by itself; it is counted for the log line."""
        self.failures[error.code] += 1
        return problem(error, self.request_id, self.services.redact)

    async def body(self, limit: int) -> bytes:
        """The whole body, however often it is asked for.

        Raises :class:`PayloadTooLarge` as soon as it is known to be longer than ``limit`` bytes,
        :class:`DeadlineExceeded` when it does not come in time, and :class:`Disconnected`.
        """
        if self._body is None:
            self.refuse_longer(limit)
            self._body = await self.in_time(lambda: self._read(limit))
        return self._body

    async def in_time(self, read: Callable[[], Awaitable[T]]) -> T:
        """What is read of the body. Raises :class:`DeadlineExceeded` when it does not come in time."""
        remaining = self.deadline - self.services.clock.monotonic()
        try:
            async with asyncio.timeout(remaining):
                return await read()
        except TimeoutError as error:
            raise DeadlineExceeded("the deadline passed before the body had come whole") from error

    def refuse_longer(self, limit: int) -> None:
        """Raises :class:`PayloadTooLarge` when the Content-Length alone says that the body is too long."""
        declared = self.headers.get(b"content-length", b"")
        if declared.isdigit() and int(declared) > limit:
            raise too_large(limit)

    async def _read(self, limit: int) -> bytes:
        chunks: list[bytes] = []
        size = 0
        while True:
            chunk, more = await self.receive_chunk()
            size += len(chunk)
            if size > limit:
                raise too_large(limit)
            chunks.append(chunk)
            if not more:
                return b"".join(chunks)

    async def receive_chunk(self) -> tuple[bytes, bool]:
        """The next piece of the body and whether more will come. Raises :class:`Disconnected`."""
        message = await self.receive()
        if message["type"] != "http.request":
            raise Disconnected
        chunk = message.get("body", b"")
        self.received += len(chunk)
        self.body_read = not message.get("more_body", False)
        return chunk, not self.body_read

    async def _departing(self) -> None:
        """Awaited before a request of a write leaves. Raises DeadlineExceeded, and what the run of a key raises."""
        if self.run is not None and not self.journal.left:
            await self.run.depart(self.journal, self.deadline)
        if self.journal.left:
            raise DeadlineExceeded("the caller has gone away; the write was not sent")
        self.departed = True

    async def disconnected(self) -> None:
        """Returns when the caller has gone."""
        while (await self.receive())["type"] == "http.request":
            pass


def too_large(limit: int) -> PayloadTooLarge:
    """The error for a body of more than ``limit`` bytes."""
    return PayloadTooLarge(f"a body here may have at most {limit:,} bytes")
