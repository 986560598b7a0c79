"""A rollout under load: no call fails, nothing is lost or done twice, and no window is overrun."""

from __future__ import annotations

from pathlib import Path

from tests.faults.rolling import rolling_restart


async def test_gateways_are_restarted_one_by_one_and_no_caller_notices(tmp_path: Path, seed: int) -> None:
    (await rolling_restart(tmp_path, seed)).held()
