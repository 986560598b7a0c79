"""What a process says of an environment without asking the store: that it refuses, that its day is used up."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from contracts.errors import QuotaExceeded
from gateway.quota.closures import RECHECK
from gateway.quota.view import shut_text
from gateway.settings.traffic import BurstSettings, CeilingSettings, DaySettings, QuotaSettings
from gateway.stores.memory import MemoryStore
from tests.unit.gateway.admission_rig import Rig, settled

DAY = QuotaSettings(cold_start="trust", burst=BurstSettings(limit=90), day=DaySettings(limit=10))


def said(rig: Rig) -> list[str]:
    return list(shut_text(rig.admission, rig.windows, rig.clock))


async def send(rig: Rig, status: int = 200, retry_after: float | None = None, band: str = "normal") -> None:
    slot = await rig.enter(rig.call(band=band))
    slot.leave(departed=True, status=status, retry_after=retry_after)
    await settled()


async def refused(rig: Rig, band: str = "normal") -> None:
    with pytest.raises(QuotaExceeded):
        await rig.enter(rig.call(seconds=1, band=band))


async def by_others(rig: Rig, units: int) -> None:
    """Units that another replica takes."""
    for number in range(units):
        await rig.store.store.reserve(replace(rig.store.claims[-1], reservation=f"other-{number}"))


async def test_nothing_is_said_while_nothing_is_wrong() -> None:
    async with Rig(DAY) as rig:
        assert said(rig) == []
        await send(rig)
        assert said(rig) == []


async def test_an_upstream_that_refused_is_closed_until_it_opens() -> None:
    async with Rig(DAY) as rig:
        await send(rig, 429, 100)
        assert said(rig) == ["nothing is sent for 100 s since it refused for its own quota"]
        # Longer than the store is left unasked, which is no reason to take it for open.
        rig.clock.time += 60
        assert said(rig) == ["nothing is sent for 40 s since it refused for its own quota"]
        rig.clock.time += 40
        assert said(rig) == []


async def test_a_unit_that_is_taken_shows_that_it_is_open_again() -> None:
    async with Rig(DAY) as rig:
        await send(rig, 429, 100)
        # As if another replica had been answered meanwhile.
        rig.store.store = MemoryStore(rig.clock).quota
        rig.clock.time += RECHECK
        await send(rig)
        assert said(rig) == []


async def test_a_day_is_used_up_with_its_last_unit() -> None:
    async with Rig(DAY) as rig:
        for _ in range(10):
            assert said(rig) == []
            await send(rig)
        assert said(rig) == ["the day is used up until 00:00"]
        rig.clock.time += 86_400
        assert said(rig) == []


async def test_what_others_have_used_up_is_known_from_a_refusal() -> None:
    async with Rig(DAY) as rig:
        await send(rig)
        await by_others(rig, 9)
        assert said(rig) == []
        await refused(rig)
        assert said(rig) == ["the day is used up until 00:00"]


async def test_what_is_kept_from_bulk_is_not_used_up() -> None:
    quota = QuotaSettings(
        cold_start="trust",
        burst=BurstSettings(limit=90),
        day=DaySettings(limit=10),
        ceilings=CeilingSettings(bulk=0.2),
    )
    async with Rig(quota) as rig:
        await send(rig)
        await send(rig)
        await refused(rig, band="bulk")
        assert said(rig) == []


async def test_a_day_in_the_shadow_is_never_used_up() -> None:
    quota = QuotaSettings(
        cold_start="trust", burst=BurstSettings(limit=90), day=DaySettings(limit=2), shadow=("day",)
    )
    async with Rig(quota) as rig:
        for _ in range(4):
            await send(rig)
        assert said(rig) == []
