"""One call on its way: the operation, who asks, by when, and the journal of what it took."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Literal

import msgspec

from contracts.operations import Operation


class UpstreamSend(msgspec.Struct, frozen=True):
    """One request that left for the upstream. ``status`` is None when no answer came; ``seconds`` is its duration."""

    method: str
    status: int | None
    seconds: float
    outcome: str


class CacheUse(msgspec.Struct, frozen=True):
    """What came of it that a read might have been answered without asking the upstream.

    ``hit``: what was kept did. ``collapsed``: so did the answer of an equal read that was under way. ``miss``: there
    was nothing that would do. ``refresh``: the caller wanted nothing else than a new answer. Of a hit, ``age`` is the
    answer's and ``ttl`` how much longer it would have done, in seconds. ``stored`` says that the new answer is kept.
    """

    how: Literal["hit", "collapsed", "miss", "refresh"]
    age: float = 0.0
    ttl: float = 0.0
    stored: bool = False


class Journal(msgspec.Struct):
    """What a call took, written by the parts it passed through. The only thing about a call that changes.

    ``operation`` is the kind that the caller asked for, whatever parts it falls into.
    ``requests`` are those that left for the upstream, ``units`` those of them that count in its quota, and
    ``saved`` what the call would have cost beside that: the units of an answer that was replayed, kept or shared,
    the writes that shared one. ``attempts`` are what adapters were asked to do, repetitions included; ``waits`` and
    ``queue_seconds`` how often and how long it waited for a slot, the latter for an equal read too. ``writing`` is how
    many requests of a write are on their way now. ``left`` says that nobody waits for the answer any more: nothing
    further is sent for it. ``cache`` is None where caching plays no part.
    """

    operation: str | None = None
    adapter: str | None = None
    requests: int = 0
    units: int = 0
    saved: int = 0
    attempts: int = 0
    waits: int = 0
    queue_seconds: float = 0.0
    records: int = 0
    writing: int = 0
    left: bool = False
    cache: CacheUse | None = None
    sends: list[UpstreamSend] = msgspec.field(default_factory=list)


class Band(StrEnum):
    """The three bands into which the urgency of RFC 9218 falls: u=0–2, 3–5, 6–7."""

    INTERACTIVE = "interactive"
    NORMAL = "normal"
    BULK = "bulk"

    @classmethod
    def of(cls, urgency: int) -> Band:
        """The band of an urgency from 0 (most) to 7."""
        if urgency <= 2:
            return cls.INTERACTIVE
        return cls.NORMAL if urgency <= 5 else cls.BULK


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """An operation and its circumstances.

    ``deadline`` is on the gateway's monotonic clock, in seconds. ``urgency`` is that of RFC 9218,
    0 (most) to 7. ``idempotency_key`` is as the caller gave it, without quotes. ``minimal`` says that of
    what is stored the key will do (``Prefer: return=minimal``). ``max_age`` is how old, in seconds, the answer to a
    read may be: 0 asks the upstream and keeps what it says, None where caching plays no part.

    ``traceparent`` is the span under which everything further happens (W3C Trace Context §3.2), ``tracestate`` what the
    caller's tracing system wants passed on with it, and ``links`` are the spans of what its upstream requests carry.
    ``attempt`` is which one of the repetitions of an adapter's request it is, counted from 1.

    ``departing`` is awaited before a request of a write leaves, and raises
    :class:`~contracts.errors.GatewayError` when it must not. ``doubtful`` says that an earlier call may have
    carried the same write out.
    """

    operation: Operation
    tenant: str
    client: str
    request_id: str
    deadline: float
    urgency: int = 3
    accept_language: str | None = None
    content_language: str | None = None
    idempotency_key: str | None = None
    traceparent: str | None = None
    tracestate: str | None = None
    links: tuple[str, ...] = ()
    attempt: int = 1
    minimal: bool = False
    max_age: float | None = None
    departing: Callable[[], Awaitable[None]] | None = None
    doubtful: bool = False
    journal: Journal = msgspec.field(default_factory=Journal)

    @property
    def band(self) -> Band:
        """The band that queues and ceilings go by."""
        return Band.of(self.urgency)
