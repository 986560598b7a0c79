"""What a caller is told who gets no slot: which window is full, whose it is, and when it opens."""

from __future__ import annotations

import math
from datetime import UTC, datetime, tzinfo

from contracts.errors import DeadlineExceeded, Outcome, Overloaded, QuotaExceeded, StoreUnavailable
from gateway.clock import Clock
from gateway.stores.ports import Limit

_WHOSE = {"environment": "this environment", "tenant": "this tenant", "client": "this client"}


class Refusals:
    """The errors of one environment's gate. Nothing was sent for any of them."""

    def __init__(self, zone: tzinfo, clock: Clock) -> None:
        """``zone`` is that in which moments are told."""
        self._zone = zone
        self._clock = clock

    def full(self, limit: Limit | None, opens: float) -> QuotaExceeded:
        """A window that does not open in time; None is the upstream itself. ``opens`` is on the monotonic clock."""
        wait = max(0.0, opens - self._clock.monotonic())
        if limit is None:
            text = "the upstream takes no more requests for now, for its own quota; it is asked again"
        else:
            text = f"the {_named(limit)} is used up; it opens"
        return _refused(f"{text} at {self._moment(wait)}", wait)

    def behind(self, limit: Limit, before: int, opens: float) -> QuotaExceeded:
        """At least ``before`` others of the same client wait already, and take what the window lets through."""
        wait = max(0.0, opens - self._clock.monotonic())
        text = (
            f"the {_named(limit)} does not reach beyond the {before:,} or more calls of this client that wait"
        )
        return _refused(f"{text}; there is room at {self._moment(wait)}", wait)

    def overloaded(self, waiting: int, whose: str) -> Overloaded:
        """As many wait already as may; or, for one that waits, a more urgent one needs its place."""
        return Overloaded(
            f"{waiting:,} calls of this {whose} wait already, which is as many as may", retry_after=5
        )

    def busy(self) -> Overloaded:
        """As many requests were under way as may, until the deadline came."""
        return Overloaded(
            "as many requests as may be are under way; none ended before the deadline", retry_after=1
        )

    def stopping(self) -> Overloaded:
        """The gateway ends."""
        return Overloaded("the gateway is stopping", retry_after=5)

    def late(self) -> DeadlineExceeded:
        """The deadline came, whatever it waited for."""
        return DeadlineExceeded("the deadline passed before this request was sent")

    def left(self) -> DeadlineExceeded:
        """Nobody waits for the answer."""
        return DeadlineExceeded("the caller has gone; not sent")

    def unknown(self) -> StoreUnavailable:
        """Without the store nobody knows what may be sent."""
        return StoreUnavailable("the store that counts the upstream's quota cannot be reached", retry_after=2)

    def _moment(self, wait: float) -> str:
        at = datetime.fromtimestamp(math.ceil(self._clock.now() + wait), UTC)
        return at.astimezone(self._zone).isoformat()


def _refused(text: str, wait: float) -> QuotaExceeded:
    return QuotaExceeded(text, outcome=Outcome.NOT_SENT, retry_after=max(1.0, wait))


def _named(limit: Limit) -> str:
    """E.g. ``day of this tenant (4,000 requests)``."""
    level, _, window = limit.key.split("/", 2)
    size = f"{limit.limit:,} requests"
    if window == "burst":
        size += f" in {limit.length / 1000:g} s"
    if limit.upto < limit.limit:
        size += f", of which {limit.upto:,} for calls of this urgency"
    return f"{window} of {_WHOSE[level]} ({size})"
