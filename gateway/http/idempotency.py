"""Writes with an idempotency key: each runs once, and a repetition gets the first one's answer.

A key is the caller's, in one tenant, for one request: method, path, query, languages and body. It is claimed
before the call runs, and again before the first request of a write leaves; so of two gateways only one sends, and
after a crash it is known whether something may have been sent. What becomes of the key is for :class:`KeyRun` to say.

A form with files is never held: what it holds is taken in while it streams, and kept with the answer. A repetition
is read to its end and compared before the answer is replayed; only where the first form was not read to its end
(it was refused before) there is nothing to compare it with.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial

import msgspec

from contracts.errors import (
    DeadlineExceeded,
    GatewayError,
    IdempotencyInFlight,
    IdempotencyMismatch,
    Outcome,
    OutcomeUnknown,
    StoreUnavailable,
)
from gateway.clock import Clock
from gateway.http import kept, multipart, problems
from gateway.http.answers import Answer, Header, Streamed
from gateway.http.beside import PATIENCE, Beside
from gateway.http.exchange import Attempt, Exchange
from gateway.http.fingerprint import FormDigest, fingerprint, scope
from gateway.http.kept import Kept
from gateway.http.keyrun import RETRY_AFTER, Ending, KeyRun, unknown_before
from gateway.http.negotiation import media_type
from gateway.settings import IdempotencySettings
from gateway.stores.ports import (
    Begun,
    Done,
    Doubtful,
    IdempotencyStore,
    Mismatch,
    Running,
    StoreLost,
)
from gateway.telemetry.events import Events, KeyState

REPLAYED: Header = (b"idempotency-replayed", b"true")

_LEAST = 0.05
"""Seconds that are always there to keep an answer in, before the caller gets it."""


class IdempotencyKeys:
    """The keys that are under way in this process, over the store that knows them all."""

    def __init__(
        self, store: IdempotencyStore, settings: IdempotencySettings, clock: Clock, events: Events
    ) -> None:
        self._store = store
        self._lease = settings.lease
        self._keep = settings.keep
        self._clock = clock
        self._events = events
        self._runs: set[KeyRun] = set()
        self._renewing: asyncio.Task[None] | None = None
        self._beside = Beside(clock)

    async def once(self, exchange: Exchange, limit: int | None, attempt: Attempt) -> Answer | Streamed:
        """What ``attempt`` answers, or what it answered before; its body has ``limit`` bytes, none when None.

        Raises IdempotencyInFlight, IdempotencyMismatch, StoreUnavailable and what reading the body raises.
        """
        key, mark = await _identified(exchange, limit)
        until = self._clock.monotonic() + self._lease
        state = await self._begun(exchange, key, mark)
        run = partial(KeyRun, self._store, self._clock, key, until=until)
        match state:
            case Running(ends_in):
                self._note(exchange, "in_flight")
                raise IdempotencyInFlight(
                    "another call with this idempotency key is under way; repeat it to get its answer",
                    retry_after=max(1.0, ends_in / 1000),
                )
            case Mismatch():
                raise self._mismatch(exchange)
            case Done(answer):
                return await self._replayed(exchange, answer)
            case Doubtful(fence, stored):
                self._note(exchange, "unknown")
                told = None if stored is None else await kept.decoded(stored)
                return await self._run(exchange, run(fence=fence, doubtful=True, told=told), attempt)
            case Begun(fence):
                self._note(exchange, "begun")
                return await self._run(exchange, run(fence=fence), attempt)

    async def aclose(self) -> None:
        """Note what is still to be noted, for a second at most."""
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)
        await self._beside.aclose()

    async def _begun(
        self, exchange: Exchange, key: str, mark: bytes
    ) -> Begun | Running | Mismatch | Doubtful | Done:
        lease, keep = round(self._lease * 1000), round(self._keep * 1000)
        try:
            async with asyncio.timeout(exchange.deadline - self._clock.monotonic()):
                return await self._store.begin(key, mark, lease, keep)
        except StoreLost as error:
            self._events.store_error("idempotency begin", error)
            raise StoreUnavailable(
                "the store of the idempotency keys cannot be reached, so it cannot be promised that the write runs "
                "once; nothing was sent",
                retry_after=RETRY_AFTER,
            ) from error
        except TimeoutError as error:
            raise DeadlineExceeded("the deadline passed before the idempotency key was known") from error

    async def _run(self, exchange: Exchange, run: KeyRun, attempt: Attempt) -> Answer | Streamed:
        exchange.run = run
        self._hold(run)
        try:
            answer = await attempt()
            if isinstance(answer, Streamed):
                chunks = self._collected(exchange, run, answer)
                await anext(chunks)
                return msgspec.structs.replace(answer, chunks=chunks)
        except BaseException:
            await self._broken_off(exchange, run)
            raise
        return await self._ended(exchange, run, answer, exchange.failure)

    async def _collected(
        self, exchange: Exchange, run: KeyRun, answer: Streamed
    ) -> AsyncGenerator[bytes, None]:
        """The stream, kept at its end; begins with an empty piece, so that it has begun before it is handed on."""
        pieces: list[bytes] = []
        try:
            async with aclosing(answer.chunks) as chunks:
                yield b""
                async for chunk in chunks:
                    pieces.append(chunk)
                    yield chunk
        except BaseException:
            await self._broken_off(exchange, run)
            raise
        await self._ended(exchange, run, Answer(answer.status, b"".join(pieces), answer.headers), None)

    async def _ended(
        self, exchange: Exchange, run: KeyRun, answer: Answer, failure: GatewayError | None
    ) -> Answer:
        """The answer for the caller, when what became of the key has been noted."""
        ending = run.ending(failure, exchange.journal, departed=exchange.departed)
        told = answer
        if failure is not None and ending is Ending.UNSETTLED and run.doubtful:
            told = _standing(exchange, run, answer, failure)
            if not failure.retryable and told is not answer:
                answer, exchange.failure = told, unknown_before()
        remaining = exchange.deadline - self._clock.monotonic()
        await self._noted(exchange, run, ending, told, min(max(_LEAST, remaining), PATIENCE))
        return answer

    async def _broken_off(self, exchange: Exchange, run: KeyRun) -> None:
        """Note what became of a call that ended without an answer."""
        ending = Ending.UNSETTLED if exchange.departed or run.doubtful else Ending.FORGOTTEN
        lost = OutcomeUnknown(
            "the call was broken off after a write of it had been sent: whether it was carried out is not known"
        )
        told = problems.answer(lost, exchange.request_id)
        await self._noted(exchange, run, ending, told, PATIENCE)

    async def _noted(
        self, exchange: Exchange, run: KeyRun, ending: Ending, answer: Answer, patience: float
    ) -> None:
        """Note what became of the key, and wait for that so many seconds at most.

        Where all tries fail, the store has it that something was sent, and no end, which is so.
        """
        step = partial(self._note_ending, exchange, run, ending, answer)
        failed = partial(self._events.store_error, f"idempotency {ending.name.lower()}")
        noting = self._beside.begin(step, failed, lambda: self._runs.discard(run))
        await asyncio.wait({noting}, timeout=patience)

    async def _note_ending(self, exchange: Exchange, run: KeyRun, ending: Ending, answer: Answer) -> None:
        if ending is Ending.FORGOTTEN:
            await self._store.forget(run.key, run.fence)
            return
        form = None if exchange.form is None else exchange.form.whole()
        keeping = Kept(
            status=answer.status,
            headers=tuple(header for header in answer.headers if header != REPLAYED),
            body=answer.body,
            units=exchange.journal.units,
            operation=exchange.operation,
            form=form,
        )
        data = await kept.encoded(keeping)
        await self._store.finish(run.key, run.fence, data, settled=ending is Ending.SETTLED)

    async def _replayed(self, exchange: Exchange, stored: bytes) -> Answer:
        first = await kept.decoded(stored)
        if exchange.form is not None and first.form is not None:
            await exchange.in_time(partial(multipart.take_in, exchange))
            if exchange.form.whole() != first.form:
                raise self._mismatch(exchange)
        self._note(exchange, "replayed")
        # The ledger goes by the journal.
        exchange.operation = exchange.journal.operation = first.operation
        exchange.journal.saved += first.units
        return first.answer(REPLAYED)

    def _mismatch(self, exchange: Exchange) -> IdempotencyMismatch:
        self._note(exchange, "mismatch")
        return IdempotencyMismatch(
            "the idempotency key was used before for another request: another method, path, query, language or body"
        )

    def _note(self, exchange: Exchange, state: KeyState) -> None:
        exchange.key_state = state
        self._events.key(state)

    def _hold(self, run: KeyRun) -> None:
        self._runs.add(run)
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(self._renew())

    async def _renew(self) -> None:
        """Hold on to every key that is under way, until there is none; three times within each lease."""
        while self._runs:
            await self._clock.sleep(self._lease / 3)
            await asyncio.gather(*(self._renewed(run) for run in self._runs if not run.lost))

    async def _renewed(self, run: KeyRun) -> None:
        until = self._clock.monotonic() + self._lease
        try:
            held = await self._store.renew(run.key, run.fence, round(self._lease * 1000))
        except StoreLost as error:
            self._events.store_error("idempotency renew", error)
        else:
            run.until, run.lost = until, not held


def _standing(exchange: Exchange, run: KeyRun, answer: Answer, failure: GatewayError) -> Answer:
    """What is to be told of a call that is still in doubt: as before, where this run has changed nothing."""
    unknown = failure.outcome is Outcome.UNKNOWN
    if unknown and exchange.departed:
        return answer
    if run.told is not None:
        return run.told.answer(REPLAYED)
    return answer if unknown else problems.answer(unknown_before(), exchange.request_id)


async def _identified(exchange: Exchange, limit: int | None) -> tuple[str, bytes]:
    """The key's name in the store, and what tells its request. Raises what reading the body raises."""
    given = exchange.circumstances
    body: bytes | None = b""
    if limit is not None and media_type(exchange.headers.get(b"content-type")) == "multipart/form-data":
        body, exchange.form = None, FormDigest()
    elif limit is not None:
        body = await exchange.body(limit)
    line = exchange.scope
    key = scope(exchange.tenant.name, exchange.client.name, given.idempotency_key or "")
    return key, fingerprint(exchange.method, line["raw_path"], line["query_string"], given, body)
