"""A crowd of impatient callers: short deadlines, many that leave early, and writes repeated until they are settled."""

from __future__ import annotations

import asyncio
from random import Random
from time import monotonic

from tests.faults.checkers import Answer
from tests.faults.fleet import TENANTS, Fleet

UNSETTLED = (0, 409, 429, 503, 504)
"""Statuses after which a caller repeats a create; 0 is none at all."""


async def crowd(fleet: Fleet, callers: int, seconds: float, seed: int, *, longest: float = 2.0) -> None:
    """So many callers for so long; their deadlines are up to ``longest`` seconds."""
    until = monotonic() + seconds
    async with asyncio.TaskGroup() as tasks:
        for number in range(callers):
            tasks.create_task(_Impatient(fleet, number, seed, longest).until(until))


class _Impatient:
    def __init__(self, fleet: Fleet, number: int, seed: int, longest: float) -> None:
        self._fleet = fleet
        self._dice = Random(seed * 1000 + number)
        self._name = f"{seed}-{number}"
        self._tenant = TENANTS[number % len(TENANTS)]
        self._longest = longest
        self._creates = 0
        self._unsettled: str | None = None

    async def until(self, end: float) -> None:
        dice = self._dice
        await asyncio.sleep(dice.uniform(0, 0.3))
        while monotonic() < end:
            how: dict[str, object] = {
                "gateway": dice.randrange(len(self._fleet.gateways)),
                "tenant": self._tenant,
                "client": "crowd",
                "deadline": dice.uniform(0.3, self._longest),
                "patience": dice.uniform(0.1, self._longest) if dice.random() < 0.3 else None,
            }
            answer = await (self._create(how) if dice.random() < 0.2 else self._fleet.read(**how))
            await asyncio.sleep(dice.uniform(0.01, 0.05) if answer.fine else dice.uniform(0.1, 0.4))

    async def _create(self, how: dict[str, object]) -> Answer:
        if self._unsettled is None:
            self._creates += 1
            self._unsettled = f"crowd-{self._name}-{self._creates}"
        answer = await self._fleet.create(self._unsettled, external=self._creates % 2 == 0, **how)
        if answer.status not in UNSETTLED:
            self._unsettled = None
        return answer
