"""What the gateway is trusted for, scaled down; ``python -m tests.faults.proof`` shows the same at full size."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Literal

import pytest

from tests.faults import shows
from tests.faults.findings import Findings
from tests.faults.shows import Scale

SMALL = Scale()
FAST = Scale(seconds=1)
SHORT = Scale(limit=20, seconds=2, reads=50)


@pytest.mark.parametrize(("store", "gateways"), [("valkey", 4), ("sqlite", 1)])
async def test_never_more_than_the_window_holds_and_most_of_it(
    tmp_path: Path, seed: int, store: Literal["sqlite", "valkey"], gateways: int
) -> None:
    (await shows.shared_quota(SMALL, tmp_path, seed, store=store, gateways=gateways)).held()


@pytest.mark.parametrize(("store", "gateways"), [("valkey", 2), ("sqlite", 1)])
async def test_never_more_than_the_day_holds(
    tmp_path: Path, seed: int, store: Literal["sqlite", "valkey"], gateways: int
) -> None:
    (await shows.shared_day(FAST, tmp_path, seed, store=store, gateways=gateways)).held()


async def test_creates_that_a_kill_cuts_off_take_place_once(tmp_path: Path, seed: int) -> None:
    (await shows.killed_creates(SMALL, tmp_path, seed)).held()


async def test_a_client_with_a_queue_does_not_keep_another_waiting(tmp_path: Path, seed: int) -> None:
    (await shows.fair_shares(SMALL, tmp_path, seed)).held()


async def test_a_lost_store_leaves_the_local_share_until_it_is_back(tmp_path: Path, seed: int) -> None:
    async def lost(*, forgets: bool) -> Findings:
        folder = tmp_path / ("forgets" if forgets else "keeps")
        folder.mkdir()
        return await shows.lost_store(SHORT, folder, seed, forgets=forgets)

    for found in await asyncio.gather(lost(forgets=False), lost(forgets=True)):
        found.held()


async def test_all_at_once_are_served_and_all_accounts_agree(tmp_path: Path, seed: int) -> None:
    (await shows.all_at_once(SHORT, tmp_path, seed)).held()
