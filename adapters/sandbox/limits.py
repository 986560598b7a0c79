"""The counted limits of the upstream: calls in ten seconds, calls a day, and the day of a single key."""

from collections import deque
from datetime import datetime, time, timedelta, tzinfo

import msgspec

from adapters.sandbox.errors import Refusal
from adapters.sandbox.keys import ApiKey
from adapters.sandbox.options import SandboxOptions

_DAY = 86_400.0


class Usage(msgspec.Struct, frozen=True):
    """How much of a limit is taken; ``resets_at`` is in Unix seconds, ``None`` while nothing is taken."""

    name: str
    limit: int
    used: int
    resets_at: float | None


class Sliding:
    """Calls within the last ``seconds``, at any moment."""

    def __init__(self, name: str, limit: int, seconds: float) -> None:
        self._name = name
        self._limit = limit
        self._seconds = seconds
        self._taken: deque[float] = deque()

    def usage(self, now: float) -> Usage:
        while self._taken and self._taken[0] <= now - self._seconds:
            self._taken.popleft()
        reset = self._taken[0] + self._seconds if self._taken else None
        return Usage(self._name, self._limit, len(self._taken), reset)

    def take(self, now: float) -> None:
        self._taken.append(now)


class Fixed:
    """Calls since the last multiple of ``seconds``."""

    def __init__(self, name: str, limit: int, seconds: float) -> None:
        self._name = name
        self._limit = limit
        self._seconds = seconds
        self._opened = 0.0
        self._used = 0

    def usage(self, now: float) -> Usage:
        opened = now - now % self._seconds
        if opened != self._opened:
            self._opened, self._used = opened, 0
        return Usage(self._name, self._limit, self._used, opened + self._seconds)

    def take(self, now: float) -> None:
        self._used += 1


class Daily:
    """Calls since the day began, at a time of day in a time zone."""

    def __init__(self, name: str, limit: int, start: time, zone: tzinfo) -> None:
        self._name = name
        self._limit = limit
        self._start = start
        self._zone = zone
        self._bounds = (0.0, 0.0)
        self._used = 0

    def usage(self, now: float) -> Usage:
        if not self._bounds[0] <= now < self._bounds[1]:
            self._bounds, self._used = self._day_of(now), 0
        return Usage(self._name, self._limit, self._used, self._bounds[1])

    def take(self, now: float) -> None:
        self._used += 1

    def _day_of(self, now: float) -> tuple[float, float]:
        local = datetime.fromtimestamp(now, self._zone)
        day = local.date() if local.time() >= self._start else local.date() - timedelta(days=1)
        begins = datetime.combine(day, self._start, self._zone)
        ends = datetime.combine(day + timedelta(days=1), self._start, self._zone)
        return begins.timestamp(), ends.timestamp()


Window = Sliding | Fixed | Daily


class Limiter:
    """Admits calls, or answers 429. Source: vendor page "Limits and Quotas".

    A refused call takes nothing, and a call with an unknown key is not counted; both are choices.
    """

    def __init__(self, options: SandboxOptions) -> None:
        self._options = options
        self._zone = options.time_zone()
        self.reset()

    def reset(self) -> None:
        """Forget what was taken."""
        seconds, rate = self._options.rate_seconds, self._options.rate
        kind = Sliding if self._options.limits == "sliding" else Fixed
        self._shared: list[Window] = [kind("rate", rate, seconds), self._day("day", self._options.daily)]
        self._own = {
            key.secret: self._day(f"day of {key.name}", key.daily_quota)
            for key in self._options.keys
            if key.daily_quota is not None
        }

    def _day(self, name: str, limit: int) -> Window:
        start = self._options.day_start
        if start is None:
            return Sliding(name, limit, _DAY)
        return Daily(name, limit, time.fromisoformat(start), self._zone)

    def admit(self, key: ApiKey | None) -> None:
        """Count one call; it has no ``key`` when it came to a face that no API key opens.

        Raises ``Refusal`` 429 when a limit is reached; then nothing is counted.
        """
        if self._options.limits == "off":
            return
        now = self._options.clock()
        own = self._own.get(key.secret) if key is not None else None
        windows = [*self._shared, own] if own is not None else self._shared
        for window in windows:
            usage = window.usage(now)
            if usage.used >= usage.limit:
                raise self._refusal(usage)
        for window in windows:
            window.take(now)

    def _refusal(self, usage: Usage) -> Refusal:
        seconds = self._options.retry_after
        return Refusal(
            429,
            "TooManyRequests",
            f"API calls quota exceeded: at most {usage.limit} requests are admitted ({usage.name}).",
            headers={} if seconds is None else {"Retry-After": str(seconds)},
        )

    def usages(self) -> list[Usage]:
        """How much of every limit is taken now."""
        now = self._options.clock()
        return [window.usage(now) for window in (*self._shared, *self._own.values())]
