"""What /metrics answers: what was counted until now, and how things stand at this moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress

from gateway.clock import Clock
from gateway.environments import Environment
from gateway.expiry import Expiry
from gateway.stores.ports import Standing, StoreLost
from gateway.telemetry.metrics import Metrics
from gateway.telemetry.standing import families

FRESH = 1.0
"""Seconds for which what the store said is believed, however often, and by how many, it is scraped."""

LONGEST = 1.0
"""Seconds that the store may take for all environments together; of those that are missing then nothing is told."""


class Scrape:
    """For one configuration, in one event loop."""

    def __init__(
        self,
        metrics: Metrics,
        environments: Mapping[str, Environment],
        expiry: Expiry,
        store_trouble: Callable[[], str | None],
        clock: Clock,
    ) -> None:
        """``store_trouble`` says what is the matter with the store, None when nothing is."""
        self._metrics = metrics
        self._environments = environments
        self._expiry = expiry
        self._store_trouble = store_trouble
        self._clock = clock
        self._asking = asyncio.Lock()
        self._asked_at: float | None = None
        self._quotas: Mapping[str, Standing] = {}
        self._closed = False

    async def text(self) -> bytes:
        """The text of :data:`~gateway.telemetry.metrics.CONTENT_TYPE`.

        It can be large, so it is made beside the event loop.
        """
        quotas = await self._quotas_now()
        now = tuple(it.now(quotas.get(name)) for name, it in self._environments.items())
        return await asyncio.to_thread(lambda: self._metrics.render(families(now, self._expiry.now())))

    async def aclose(self) -> None:
        """Ask the store no more, which is about to be closed. What the process knows by itself is still told."""
        async with self._asking:
            self._closed, self._quotas = True, {}

    async def _quotas_now(self) -> Mapping[str, Standing]:
        async with self._asking:
            if self._asked_at is None or self._clock.monotonic() - self._asked_at >= FRESH:
                self._quotas = await self._ask()
                self._asked_at = self._clock.monotonic()
            return {} if self._store_trouble() else self._quotas

    async def _ask(self) -> Mapping[str, Standing]:
        found: dict[str, Standing] = {}

        async def ask(environment: Environment) -> None:
            with suppress(StoreLost):
                found[environment.name] = await environment.standing()

        if self._store_trouble() is None and not self._closed:
            with suppress(TimeoutError):
                async with asyncio.timeout(LONGEST), asyncio.TaskGroup() as group:
                    for environment in self._environments.values():
                        group.create_task(ask(environment))
        return found
