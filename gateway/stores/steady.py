"""The stores' own time: milliseconds since 1970 that never go back, whatever is done to the machine's clock."""

from __future__ import annotations

from gateway.clock import Clock


class SteadyClock:
    """Wall time as it was at the beginning, plus the monotonic time since."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset = clock.now() - clock.monotonic()

    def now(self) -> int:
        """Milliseconds since 1970 (UTC)."""
        return int((self._clock.monotonic() + self._offset) * 1000)

    def catch_up(self, moment: int) -> None:
        """Go on from ``moment`` when that is later than now: another process, or this one before, was there."""
        behind = moment - self.now()
        if behind > 0:
            self._offset += behind / 1000
