"""Processes that are killed, stopped and held still between reserving, sending, answering and storing."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from tests.faults.checkers import inserted
from tests.faults.crowd import crowd
from tests.faults.findings import invariants
from tests.faults.fleet import Fleet, Plan, fleet
from tests.faults.shows import identity, settle

CREATES = r"object/Job"


async def restart(running: Fleet, number: int = 0) -> None:
    running.gateways[number].kill()
    await running.gateways[number].start()


async def used(running: Fleet) -> object:
    return (await running.windows())["environment/day"]["used"]


async def test_killed_while_it_waits_for_its_turn_a_create_was_never_sent(tmp_path: Path) -> None:
    plan = Plan(limit=4, seconds=4)
    async with fleet(plan, tmp_path) as running:
        assert all([(await running.read()).fine for _ in range(plan.limit)])
        waiting = asyncio.create_task(running.create("waits"))
        await asyncio.sleep(0.3)
        assert not waiting.done()
        await restart(running)
        assert (await waiting).status == 0
        assert await running.upstream.received() == plan.limit == await used(running)
        assert (await settle(running, "waits")).status == 201
        assert list(inserted(await running.upstream.arrivals()).values()) == [1]
        (await invariants(running, plan)).held()


@pytest.mark.parametrize(
    "fault",
    [
        {"action": "delay", "seconds": 1.0},
        {"action": "slow", "seconds": 2.0},
    ],
    ids=["it was sent", "its answer was on the way"],
)
@pytest.mark.parametrize("external", [True, False], ids=["external id", "no external id"])
async def test_killed_when(tmp_path: Path, fault: dict[str, object], *, external: bool) -> None:
    plan = Plan()
    async with fleet(plan, tmp_path) as running:
        await running.upstream.fault(path=CREATES, method="POST", **fault)
        first = asyncio.create_task(running.create("token", external=external))
        await running.upstream.until_received(1)
        await asyncio.sleep(0.2)
        await restart(running)
        assert (await first).status == 0
        known = await running.create("token", external=external)
        while known.code == "idempotency_in_flight":
            assert known.retry_after <= 2
            await asyncio.sleep(known.retry_after)
            known = await running.create("token", external=external)
        assert (known.status, known.code) == ((201, None) if external else (502, "outcome_unknown"))
        again = await running.create("token", external=external)
        assert (again.status, again.code) == (known.status, known.code)
        assert list(inserted(await running.upstream.arrivals()).values()) == [1]
        (await invariants(running, plan)).held()


async def test_killed_when_the_answer_is_there_and_the_store_does_not_take_it(tmp_path: Path) -> None:
    plan = Plan(store="valkey")
    async with fleet(plan, tmp_path) as running:
        await running.upstream.fault(path=CREATES, action="delay", seconds=0.5)
        first = asyncio.create_task(running.create("token"))
        await running.upstream.until_received(1)
        running.valkey.pause()
        assert len(inserted(await running.upstream.arrivals())) == 1
        await asyncio.sleep(0.2)
        running.gateways[0].kill()
        running.valkey.resume()
        await running.gateways[0].start()
        assert (await first).status == 0
        assert (await settle(running, "token")).status == 201
        assert list(inserted(await running.upstream.arrivals()).values()) == [1]
        (await invariants(running, plan)).held()


async def test_killed_when_all_is_done_it_answers_the_same_once_more(tmp_path: Path) -> None:
    async with fleet(Plan(), tmp_path) as running:
        first = await running.create("token", external=False)
        await restart(running)
        again = await running.create("token", external=False)
        assert (again.status, again.body) == (first.status, first.body) == (201, first.body)
        assert again.headers["idempotency-replayed"] == "true"
        assert again.cost == 0
        assert await running.upstream.received() == 1 == await used(running)


async def test_asked_to_end_it_answers_what_is_under_way(tmp_path: Path) -> None:
    plan = Plan()
    async with fleet(plan, tmp_path) as running:
        await running.upstream.fault(action="delay", seconds=1.0, count=None)
        calls = [asyncio.create_task(running.read()) for _ in range(6)]
        calls += [asyncio.create_task(running.create(f"token-{number}")) for number in range(6)]
        await running.upstream.until_received(12)
        assert await running.gateways[0].stop() == 0
        assert sorted([answer.status for answer in await asyncio.gather(*calls)]) == [200] * 6 + [201] * 6
        await running.upstream.heal()
        await running.gateways[0].start()
        assert await used(running) == 12
        again = [await running.create(f"token-{number}") for number in range(6)]
        assert {answer.headers.get("idempotency-replayed") for answer in again} == {"true"}
        (await invariants(running, plan)).held()


@pytest.mark.parametrize("external", [True, False], ids=["external id", "no external id"])
async def test_held_still_for_longer_than_its_lease_a_create_takes_place_once(
    tmp_path: Path, *, external: bool
) -> None:
    """The first request is on its way for so long that another replica takes the key over."""
    plan = Plan(gateways=2, store="valkey")
    async with fleet(plan, tmp_path) as running:
        await running.upstream.fault(path=CREATES, method="POST", action="delay", seconds=2.5)
        first = asyncio.create_task(running.create("token", external=external))
        await running.upstream.until_received(1)
        running.gateways[0].signal(signal.SIGSTOP)
        await asyncio.sleep(1.3)
        other = await settle(running, "token", external=external, gateway=1)
        await asyncio.sleep(1.5)
        running.gateways[0].signal(signal.SIGCONT)
        mine = await first
        arrivals = await running.upstream.arrivals()
        assert list(inserted(arrivals).values()) == [1]
        if external:
            assert {identity(other), identity(mine) or identity(other)} == set(inserted(arrivals))
        else:
            assert other.code == "outcome_unknown"
        last = [await running.create("token", external=external, gateway=number) for number in (0, 1)]
        assert last[0].body == last[1].body or not external


async def test_held_still_for_longer_than_the_lease_of_its_slots_nothing_is_too_much(
    tmp_path: Path, seed: int
) -> None:
    plan = Plan(gateways=2, store="valkey", limit=20, seconds=2)
    async with fleet(plan, tmp_path) as running:
        await running.upstream.fault(action="delay", longest=0.3, seed=seed, count=None)
        load = asyncio.create_task(crowd(running, 16, 11.0, seed))
        await asyncio.sleep(1.0)
        running.gateways[0].signal(signal.SIGSTOP)
        await asyncio.sleep(7.5)
        running.gateways[0].signal(signal.SIGCONT)
        await load
        (await invariants(running, plan, held_still=True)).held()
        assert {answer.request_id.split("-")[1] for answer in running.answers if answer.fine} == {"g0", "g1"}
