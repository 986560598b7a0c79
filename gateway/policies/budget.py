"""How many repetitions an environment's calls may cost: a token bucket that every call fills a little.

Repetitions help against single failures. When everything fails they would multiply the load just when the
upstream can bear the least; the budget ends them then.
"""

from __future__ import annotations

from gateway.settings import RetryBudgetSettings

_TOKEN = 1_000_000
"""One repetition, in parts: whole numbers add up where a float's tenths would not."""


class RetryBudget:
    """One for all tenants of an environment, in this process; it begins full."""

    def __init__(self, settings: RetryBudgetSettings) -> None:
        self._most = settings.reserve * _TOKEN
        self._earned = round(settings.ratio * _TOKEN)
        self._parts = self._most

    def earn(self) -> None:
        """Count a call."""
        self._parts = min(self._most, self._parts + self._earned)

    def spend(self) -> bool:
        """Take one repetition out; False when there is none."""
        if self._parts < _TOKEN:
            return False
        self._parts -= _TOKEN
        return True
