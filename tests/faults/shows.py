"""What the gateway is trusted for, shown over real processes: each show takes its scale and tells its figures.

The tests run them scaled down, the proof (``python -m tests.faults.proof``) at full size.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from time import time
from typing import Literal

import msgspec

from tests.faults.checkers import Answer, busiest, inserted, utilisation
from tests.faults.crowd import crowd
from tests.faults.findings import Findings, invariants
from tests.faults.fleet import Fleet, Plan, fleet

NEVER_OPEN = {"failures": 1_000_000, "least": 1_000_000}
"""A breaker for shows in which callers give up so early that it would take that for the upstream's failure."""

CRASHES = 0.05
"""The part of the upstream's answers that never come; half of those requests have been carried out."""


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """How large a show is: the burst, and what else is worth making smaller for a test.

    ``used`` is the part of a window that is used at least: of short windows the margin and the upstream's delays
    are a larger part.
    """

    limit: int = 30
    seconds: int = 3
    used: float = 0.7
    callers: int = 24
    longest_delay: float = 0.3
    load: float = 8.0
    daily: int = 60
    creates: int = 45
    queued: int = 500
    pause: float = 0.6
    reads: int = 75
    outage: float = 10.0


FULL = Scale(
    limit=100,
    seconds=10,
    used=0.8,
    callers=64,
    longest_delay=1.5,
    load=60.0,
    daily=500,
    creates=200,
    queued=5_000,
    pause=1.0,
    reads=300,
    outage=30.0,
)


@asynccontextmanager
async def unreliable(scale: Scale, plan: Plan, folder: Path, seed: int) -> AsyncIterator[Fleet]:
    """A fleet over an upstream that takes its time, and breaks off now and then."""
    async with fleet(plan, folder) as running:
        up = running.upstream
        await up.fault(action="reset", chance=CRASHES / 2, seed=seed, count=None)
        await up.fault(action="reset", after=True, chance=CRASHES / 2, seed=seed + 1, count=None)
        await up.fault(action="delay", longest=scale.longest_delay, seed=seed + 2, count=None)
        yield running


async def shared_quota(
    scale: Scale, folder: Path, seed: int, *, store: Literal["sqlite", "valkey"], gateways: int
) -> Findings:
    """An impatient crowd at gateways of which one is killed: never more than the window, and most of it."""
    plan = Plan(
        gateways=gateways,
        store=store,
        limit=scale.limit,
        seconds=scale.seconds,
        environment={"breaker": NEVER_OPEN},
    )
    async with unreliable(scale, plan, folder, seed) as running:
        load = asyncio.create_task(
            crowd(running, scale.callers, scale.load, seed, longest=max(2.0, scale.seconds / 2))
        )
        await asyncio.sleep(scale.load / 3)
        if gateways > 1:
            running.gateways[-1].kill()
            await running.gateways[-1].start()
        await load
        end = time()
        found = await invariants(running, plan)
        moments = [arrival.at for arrival in await running.upstream.arrivals()]
        used = utilisation(moments, plan.limit, plan.seconds, moments[0] + plan.seconds, end)
        found.at_least("part of the window that is used", used, scale.used)
        found.told("requests that arrived", len(moments))
        found.told("calls that were made", len(running.answers))
        day = (await running.windows())["environment/day"]
        found.at_least("units of the day, at least those that arrived", float(str(day["used"])), len(moments))
    return found


async def shared_day(
    scale: Scale, folder: Path, seed: int, *, store: Literal["sqlite", "valkey"], gateways: int
) -> Findings:
    """The same crowd until the day is used up: not one more, and nearly all of it."""
    plan = Plan(
        gateways=gateways,
        store=store,
        limit=scale.limit,
        seconds=scale.seconds,
        daily=scale.daily,
        environment={"breaker": NEVER_OPEN},
    )
    seconds = scale.seconds * (scale.daily / scale.limit + 2)
    async with unreliable(scale, plan, folder, seed) as running:
        await crowd(running, scale.callers, seconds, seed, longest=max(2.0, scale.seconds / 2))
        found = await invariants(running, plan)
        found.at_least(
            "part of the day that is used", len(await running.upstream.arrivals()) / plan.daily, 0.8
        )
        refused = await running.read()
        found.exactly("status once the day is used up", refused.status, 429)
        found.at_least("its Retry-After, in hours", refused.retry_after / 3600, 11.5)
        found.at_most("seconds that the refusal took", refused.seconds, 1)
    return found


async def killed_creates(scale: Scale, folder: Path, seed: int) -> Findings:
    """``kill -9`` amid creates with idempotency keys, and all of them repeated: each record is there once."""
    plan = Plan(limit=scale.limit, seconds=scale.seconds)
    tokens = [f"create-{seed}-{number}" for number in range(scale.creates)]
    async with fleet(plan, folder) as running:
        await running.upstream.fault(action="delay", longest=scale.longest_delay, seed=seed, count=None)
        first = asyncio.gather(*(running.create(token) for token in tokens))
        await running.upstream.until_received(scale.creates // 2, seconds=60)
        await asyncio.sleep(scale.longest_delay / 2)
        running.gateways[0].kill()
        before = Counter(answer.status for answer in await first)
        await running.gateways[0].start()
        settled = await asyncio.gather(*(settle(running, token) for token in tokens))
        again = await asyncio.gather(*(running.create(token) for token in tokens))
        found = await invariants(running, plan)
        records = inserted(await running.upstream.arrivals())
    found.told("creates that were answered before the kill", before[201])
    found.at_least("creates that were not", before[0], scale.creates // 10)
    found.exactly("records", len(records), scale.creates)
    found.exactly("inserts", sum(records.values()), scale.creates)
    found.exactly(
        "creates that are settled with 201", sum(answer.status == 201 for answer in settled), scale.creates
    )
    found.exactly(
        "records that callers were told of",
        len({identity(answer) for answer in settled} & set(records)),
        scale.creates,
    )
    same = sum(one.body == other.body for one, other in zip(settled, again, strict=True))
    found.exactly("answers that are the same when repeated once more", same, scale.creates)
    found.exactly("units that this took", sum(answer.cost for answer in again), 0)
    return found


def identity(answer: Answer) -> str:
    """The key of the record that a call was answered with, empty where there is none."""
    return str(msgspec.json.decode(answer.body).get("Id", "")) if answer.fine else ""


async def settle(running: Fleet, token: str, **how: object) -> Answer:
    """Repeat a create until it is known what became of it."""
    for _ in range(20):
        answer = await running.create(token, **how)  # type: ignore[arg-type]
        if answer.status not in (0, 409, 429, 502, 503, 504):
            return answer
        await asyncio.sleep(answer.retry_after if "retry-after" in answer.headers else 0.1)
    return answer


async def fair_shares(scale: Scale, folder: Path, seed: int) -> Findings:
    """One client with thousands of queued calls, and one with a call now and then, which hardly waits."""
    plan = Plan(
        limit=scale.limit,
        seconds=scale.seconds,
        server={"max_timeout": 3600, "limits": {"calls": 2 * scale.queued}},
    )
    async with fleet(plan, folder) as running:
        bulk = [
            asyncio.create_task(
                running.read(client="bulk", deadline=3600, headers={"Priority": "u=7"}, patience=scale.load)
            )
            for _ in range(scale.queued)
        ]
        await running.upstream.until_received(scale.limit // 2, seconds=30)
        desk = []
        for _ in range(int((scale.load - 2) / scale.pause)):
            desk.append(asyncio.create_task(running.read(headers={"Priority": "u=0"})))
            await asyncio.sleep(scale.pause)
        answers = await asyncio.gather(*desk)
        await asyncio.gather(*bulk)
        lines = [line for line in running.lines("call") if line["client"] == "desk"]
        found = await invariants(running, plan)
        served = len(await running.upstream.arrivals()) - len(desk)
    waits = [float(str(line["queue_ms"])) / 1000 for line in lines]
    found.exactly("interactive calls that were served", sum(answer.fine for answer in answers), len(desk))
    found.at_most("interactive p99 wait, in seconds", p99(waits), 2.0 * scale.seconds / 10)
    found.told("interactive p99 answer, in seconds", p99(answer.seconds for answer in answers))
    found.told("bulk calls that were served meanwhile", served)
    return found


def p99(figures: Iterable[float]) -> float:
    """The 99th percentile."""
    ordered = sorted(figures)
    return ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]


async def lost_store(scale: Scale, folder: Path, seed: int, *, forgets: bool) -> Findings:
    """The Valkey of two gateways is killed under load, and starts again with its data or without."""
    local = 0.2
    plan = Plan(
        gateways=2,
        store="valkey",
        limit=scale.limit,
        seconds=scale.seconds,
        quota={"local_share": local},
        environment={"breaker": NEVER_OPEN},
    )
    # It takes a second until they find it again, and a window until an emptied one opens.
    opens = scale.seconds + 1.5
    seconds = scale.seconds + scale.outage + opens + 2 * scale.seconds
    async with fleet(plan, folder) as running:
        await running.upstream.fault(action="delay", longest=scale.longest_delay, seed=seed, count=None)
        load = asyncio.create_task(
            crowd(running, scale.callers, seconds, seed, longest=max(2.0, scale.seconds / 2))
        )
        await asyncio.sleep(scale.seconds)
        running.valkey.kill()
        lost = time()
        await asyncio.sleep(scale.outage)
        if forgets:
            running.valkey.wipe()
        back = time()
        running.valkey.start()
        await load
        end = time()
        found = await invariants(running, plan)
        arrivals = await running.upstream.arrivals()
        day = (await running.windows())["environment/day"]
    # What had its unit when the store went may arrive a little later.
    outage = [arrival for arrival in arrivals if lost + 0.5 <= arrival.at < back]
    for number in range(plan.gateways):
        moments = [arrival.at for arrival in outage if f"-g{number}-" in arrival.request_id]
        found.at_most(
            f"requests of gateway {number} in any {plan.seconds} s of the outage",
            busiest(moments, plan.seconds),
            int(local * plan.limit),
        )
    found.at_least("requests during the outage", len(outage), 1)
    used = utilisation([arrival.at for arrival in arrivals], plan.limit, plan.seconds, back + opens, end)
    found.at_least("part of the window that is used when it is back", used, 0.5)
    found.told("requests that arrived", len(arrivals))
    missing = len(arrivals) - float(str(day["used"]))
    # Of an emptied store no replica knows more than it saw itself.
    found.at_most("requests that the day does not know of", missing, 3 * plan.gateways if forgets else 0)
    return found


async def all_at_once(scale: Scale, folder: Path, seed: int) -> Findings:
    """Many reads at once, with the default deadline: all are served, and all accounts agree on what they cost."""
    plan = Plan(limit=scale.limit, seconds=scale.seconds)
    async with fleet(plan, folder) as running:
        return await agreed(running, plan, scale.reads)


async def agreed(running: Fleet, plan: Plan, reads: int, **who: object) -> Findings:
    """The same over what runs already, as a certain tenant and client."""
    answers = await asyncio.gather(*(running.read(**who) for _ in range(reads)))
    arrivals = await running.upstream.arrivals()
    day = (await running.windows(**who))["environment/day"]
    usage = await running.call("usage", **who)  # type: ignore[arg-type]
    lines = running.lines("call")
    found = Findings()
    found.at_most(
        f"requests in any {plan.seconds} s",
        busiest([arrival.at for arrival in arrivals], plan.seconds),
        plan.limit,
    )
    found.exactly("reads that were served", sum(answer.fine for answer in answers), reads)
    found.told("seconds that the last of them took", max(answer.seconds for answer in answers))
    found.exactly("requests that arrived", len(arrivals), reads)
    found.exactly("units by Quota-Cost", sum(answer.cost for answer in answers), len(arrivals))
    found.exactly("units by /quota", float(str(day["used"])), len(arrivals))
    found.exactly("units by /usage", msgspec.json.decode(usage.body)["total"]["units"], len(arrivals))
    found.exactly("units by the log", sum(int(str(line["units"])) for line in lines), len(arrivals))
    return found
