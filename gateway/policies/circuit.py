"""The circuit of one interface: how its calls went, whether it is open, and who may try it.

Closed, it counts in this process alone and asks the store nothing. Open, the store says until when, and which one
call of all replicas may try it then. While the store is lost the process goes on by itself: what it knows of its
own openings is kept up beside the store's.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from enum import Enum, auto
from uuid import uuid4

from contracts.call import Call, Journal
from contracts.errors import CircuitOpen
from gateway.clock import Clock
from gateway.settings import BreakerSettings
from gateway.stores.ports import BreakerStore, Closed, Open, Probe, StoreLost
from gateway.telemetry.events import Events

_RECHECK = 1.0
"""Seconds after which an open circuit is asked about again: another replica may have closed it."""


class Verdict(Enum):
    """What a call says of the interface: it gave a sensible answer, it did not, or the call does not tell."""

    ANSWERED = auto()
    FAILED = auto()
    SILENT = auto()


class Circuit:
    """One for each environment and adapter, shared by the tenants."""

    def __init__(
        self,
        settings: BreakerSettings,
        store: BreakerStore,
        *,
        environment: str,
        adapter: str,
        clock: Clock,
        events: Events,
        random: Callable[[], float],
    ) -> None:
        """``random`` gives numbers from 0 to 1."""
        self._settings = settings
        self._store = store
        self._environment = environment
        self._adapter = adapter
        self._name = f"{environment}/{adapter}"
        self._clock = clock
        self._events = events
        self._random = random
        self._recent = _Recent(settings)
        self._alone = _Alone(clock)
        self._opening: _Opening | None = None

    def state(self) -> str:
        """As this process knows it: ``closed``, ``open for 12 s``, ``being tried``, ``to be tried`` next."""
        opening = self._opening
        if opening is None:
            return "closed"
        if opening.tried:
            return "being tried"
        seconds = math.ceil(opening.until - self._clock.monotonic())
        return f"open for {seconds} s" if seconds > 0 else "to be tried"

    @property
    def refuses(self) -> bool:
        """Whether a call would be refused now, as far as this process knows.

        The one that comes when the pause is over would not be: it tries whether the interface works again.
        """
        opening = self._opening
        return opening is not None and (opening.tried or self._clock.monotonic() < opening.until)

    async def enter(self, call: Call) -> str | None:
        """Let a call pass: None, or the name of the trial that it is. Raises CircuitOpen."""
        opening = self._opening
        if opening is None:
            return None
        now = self._clock.monotonic()
        if now < opening.ask:
            raise self._refusal(opening.until - now)
        trial, lease = uuid4().hex, max(1, math.ceil((call.deadline - now) * 1000))
        answer = await self._probed(opening, trial, lease)
        match answer:
            case Probe():
                opening.tried = True
                opening.trier = call.journal
                opening.until = opening.ask = now + _RECHECK
                return trial
            case Closed():
                if self._opening is opening:
                    self._shut()
                return None
        opening.tried = False
        opening.open(now, answer)
        opening.ask = min(opening.until, now + _RECHECK)
        raise self._refusal(opening.until - now)

    def barred(self, call: Call) -> CircuitOpen | None:
        """Why a call that was let pass, and has waited since, is not to be sent any more: it has opened meanwhile."""
        opening = self._opening
        if opening is None or opening.trier is call.journal:
            return None
        return self._refusal(opening.until - self._clock.monotonic())

    async def leave(self, trial: str | None, verdict: Verdict) -> None:
        """Say how the call went that :meth:`enter` let pass; ``trial`` is what it answered. Does not raise."""
        if trial is None:
            # What was under way when the circuit opened says nothing new of it.
            if self._opening is None and verdict is not Verdict.SILENT:
                reason = self._recent.note(self._clock.monotonic(), failed=verdict is Verdict.FAILED)
                if reason is not None:
                    await self._trip(reason)
        elif verdict is Verdict.ANSWERED:
            await self._close()
        elif verdict is Verdict.FAILED:
            await self._trip("the call that tried it failed")
        else:
            await self._give_back(trial)

    async def _trip(self, reason: str) -> None:
        base, longest = round(self._settings.pause * 1000), round(self._settings.longest * 1000)
        jitter = 0.8 + 0.4 * self._random()
        # Before the store is asked, so that meanwhile nothing passes.
        answer = self._alone.trip(base, longest, jitter)
        self._opening = opening = _Opening()
        opening.open(self._clock.monotonic(), answer)
        try:
            answer = await self._store.trip(self._name, base, longest, jitter)
        except StoreLost as error:
            opening.unheard = True
            self._events.store_error("breaker", error)
        opening.open(self._clock.monotonic(), answer)
        self._events.circuit_opened(self._environment, self._adapter, answer.opens_in / 1000, reason)

    async def _close(self) -> None:
        self._shut()
        try:
            await self._store.close(self._name)
        except StoreLost as error:
            self._events.store_error("breaker", error)

    async def _give_back(self, trial: str) -> None:
        """Its holder's asking again sets the lease anew: to as good as nothing."""
        opening = self._opening
        if opening is not None:
            await self._probed(opening, trial, 1)
            opening.tried = False
            opening.until = opening.ask = self._clock.monotonic()

    def _shut(self) -> None:
        self._opening = None
        self._recent = _Recent(self._settings)
        self._alone.close()
        self._events.circuit_closed(self._environment, self._adapter)

    async def _probed(self, opening: _Opening, trial: str, lease: int) -> Closed | Open | Probe:
        if not opening.unheard:
            try:
                return await self._store.probe(self._name, trial, lease)
            except StoreLost as error:
                self._events.store_error("breaker", error)
        return self._alone.probe(trial, lease)

    def _refusal(self, seconds: float) -> CircuitOpen:
        return CircuitOpen(
            f"the upstream keeps failing over the interface '{self._adapter}', which is left alone for now; "
            f"worth trying again in {max(1, math.ceil(seconds))} s",
            retry_after=max(seconds, 0.001),
        )


class _Opening:
    """The circuit since it tripped, on this process's clock.

    ``until`` is when it may be tried as far as is known, ``ask`` from when on the store is asked about it, ``tried``
    that a call of this process tries it now, and ``trier`` the journal of the last one that did; ``unheard`` that the
    store was lost when it tripped.
    """

    def __init__(self) -> None:
        self.until = self.ask = 0.0
        self.tried = False
        self.trier: Journal | None = None
        self.unheard = False

    def open(self, now: float, answer: Open) -> None:
        self.until = self.ask = now + answer.opens_in / 1000


class _Recent:
    """How the calls of the last seconds went."""

    def __init__(self, settings: BreakerSettings) -> None:
        self._settings = settings
        self._calls: deque[tuple[float, bool]] = deque()
        self._failed = 0
        self._row = 0

    def note(self, now: float, *, failed: bool) -> str | None:
        """Count a call; answers why the circuit must open, if it must. A call that went well opens none."""
        settings = self._settings
        self._calls.append((now, failed))
        while self._calls[0][0] <= now - settings.seconds:
            self._failed -= self._calls.popleft()[1]
        self._failed += failed
        self._row = self._row + 1 if failed else 0
        if not failed:
            return None
        if self._row >= settings.failures:
            return f"{self._row} failures in a row"
        count = len(self._calls)
        if count >= settings.least and self._failed >= settings.ratio * count:
            return f"{self._failed} of {count} calls failed in {settings.seconds:g} s"
        return None


class _Alone:
    """What this process knows by itself of the circuit while it is open.

    The steps are those of :class:`~gateway.stores.ports.BreakerStore`.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until = self._lease = 0.0
        self._holder = ""
        self._strikes = 0

    def trip(self, base: int, longest: int, jitter: float) -> Open:
        pause = round(min(longest, base * 2 ** min(self._strikes, 64)) * jitter)
        self._until, self._lease = self._clock.monotonic() + pause / 1000, 0.0
        self._strikes += 1
        return Open(pause)

    def probe(self, holder: str, lease: int) -> Open | Probe:
        now = self._clock.monotonic()
        busy = max(self._until, 0.0 if holder == self._holder else self._lease)
        if now < busy:
            return Open(math.ceil((busy - now) * 1000))
        self._holder, self._lease = holder, now + lease / 1000
        return Probe()

    def close(self) -> None:
        self._strikes = 0
