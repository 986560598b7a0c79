"""How many requests are under way, of an environment and of each of its tenants, and how many may be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from gateway.settings.traffic import BulkheadSettings


class Bulkheads:
    """The places of one environment. A tenant without a bulkhead of its own has the environment's alone."""

    def __init__(self, whole: BulkheadSettings, tenants: Mapping[str, BulkheadSettings]) -> None:
        self._whole = whole
        self._tenants = tenants
        self._under_way: Counter[str] = Counter()
        self._all = 0

    def free(self, tenant: str) -> bool:
        """Whether one more request of the tenant may be under way."""
        own = self._tenants.get(tenant, self._whole)
        return self._all < self._whole.concurrent and self._under_way[tenant] < own.concurrent

    def enter(self, tenant: str) -> None:
        """Take a place; :meth:`free` says whether there is one."""
        self._all += 1
        self._under_way[tenant] += 1

    def leave(self, tenant: str) -> None:
        """Give it back."""
        self._all -= 1
        self._under_way[tenant] -= 1

    def waiting(self, tenant: str | None = None) -> int:
        """How many may wait: of the environment, or of a tenant."""
        return (self._whole if tenant is None else self._tenants.get(tenant, self._whole)).waiting
