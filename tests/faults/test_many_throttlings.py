"""The upstream refuses for its quota, in every form: all wait until it opens, and hardly anyone asks in between."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path

from tests.faults.checkers import Arrival
from tests.faults.crowd import crowd
from tests.faults.findings import invariants
from tests.faults.fleet import Plan, fleet

WINDOW = 1
FORMS: dict[str, tuple[dict[str, object], float]] = {
    "seconds": ({"action": "too_many", "retry_after": 2}, 2.0),
    "a date": ({"action": "too_many", "retry_after": 3, "as_date": True}, 2.0),
    "zero": ({"action": "too_many", "retry_after": 0}, WINDOW),
    "absurd": ({"action": "too_many", "retry_after": 9_999_999}, WINDOW),
    "missing": ({"action": "too_many"}, WINDOW),
    "a text": ({"action": "answer", "status": 429, "headers": {"Retry-After": "soon"}}, WINDOW),
}
"""The refusal, and for how many seconds the environment is closed by it at least."""


def throttled(arrivals: list[Arrival]) -> list[Arrival]:
    return [arrival for arrival in arrivals if arrival.status == 429]


async def test_whatever_a_429_says_all_wait_until_it_opens_and_are_served(tmp_path: Path) -> None:
    plan = Plan(store="memory", limit=400, seconds=WINDOW)
    async with fleet(plan, tmp_path) as running:
        for name, (refusal, closed) in FORMS.items():
            before = len(await running.upstream.arrivals())
            await running.upstream.fault(count=2, **refusal)
            answers = await asyncio.gather(*(running.read(deadline=15) for _ in range(4)))
            assert [answer.status for answer in answers] == [200] * 4, name
            arrivals = (await running.upstream.arrivals())[before:]
            assert len(throttled(arrivals)) == 2, name
            assert len(arrivals) == 6, name
            for refused in throttled(arrivals):
                # What is under way already arrives all the same.
                pauses = [arrival.at - refused.at for arrival in arrivals if arrival.at > refused.at + 0.3]
                assert min(pauses, default=closed) >= closed - 0.05, name


async def test_who_cannot_wait_so_long_is_told_at_once_and_nobody_asks_again(tmp_path: Path) -> None:
    plan = Plan(store="memory")
    async with fleet(plan, tmp_path) as running:
        await running.upstream.fault(action="too_many", retry_after=30)
        for _ in range(3):
            answer = await running.read(deadline=3)
            assert (answer.status, answer.code) == (429, "quota_exceeded")
            assert 25 <= answer.retry_after <= 31
            assert answer.seconds < 1
        assert await running.upstream.received() == 1


async def test_others_in_the_same_environment_make_no_storm(tmp_path: Path, seed: int) -> None:
    plan = Plan(store="memory", limit=20, seconds=2)
    async with fleet(plan, tmp_path) as running:

        async def others() -> None:
            while True:
                await running.upstream.use_up(1)
                await asyncio.sleep(0.2)

        using = asyncio.create_task(others())
        await crowd(running, 16, 7, seed)
        using.cancel()
        arrivals = [arrival for arrival in await running.upstream.arrivals() if not arrival.others]
        refused = throttled(arrivals)
        assert len(refused) <= len(arrivals) / 4
        closings = 1 + sum(later.at - former.at > 0.5 for former, later in pairwise(refused))
        assert closings <= 6
        (await invariants(running, plan, refused=len(refused))).held()
