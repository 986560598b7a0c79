"""What the gateway is trusted for, scaled down; ``python -m tests.faults.proof`` shows the same at full size."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from tests.faults import shows
from tests.faults.shows import Scale

SMALL = Scale()
FAST = Scale(seconds=1)
SHORT = Scale(limit=20, seconds=2, reads=50)
STORES = pytest.mark.parametrize(("store", "gateways"), [("valkey", 4), ("sqlite", 1)])


@STORES
async def test_never_more_than_the_window_holds_and_most_of_it(
    tmp_path: Path, seed: int, store: Literal["sqlite", "valkey"], gateways: int
) -> None:
    (await shows.shared_quota(SMALL, tmp_path, seed, store=store, gateways=gateways)).held()


@STORES
async def test_never_more_than_the_day_holds(
    tmp_path: Path, seed: int, store: Literal["sqlite", "valkey"], gateways: int
) -> None:
    (await shows.shared_day(FAST, tmp_path, seed, store=store, gateways=gateways)).held()


async def test_creates_that_a_kill_cuts_off_take_place_once(tmp_path: Path, seed: int) -> None:
    (await shows.killed_creates(SMALL, tmp_path, seed)).held()


async def test_a_client_with_a_queue_does_not_keep_another_waiting(tmp_path: Path, seed: int) -> None:
    (await shows.fair_shares(SMALL, tmp_path, seed)).held()


@pytest.mark.parametrize("forgets", [False, True], ids=["it has kept its data", "it has lost its data"])
async def test_a_lost_store_leaves_the_local_share_until_it_is_back(
    tmp_path: Path, seed: int, *, forgets: bool
) -> None:
    (await shows.lost_store(SHORT, tmp_path, seed, forgets=forgets)).held()


async def test_all_at_once_are_served_and_all_accounts_agree(tmp_path: Path, seed: int) -> None:
    (await shows.all_at_once(SHORT, tmp_path, seed)).held()
