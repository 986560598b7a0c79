"""What the doctor spends: one unit for a tenant at most, counted beside a gateway that runs, or nothing."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from asyncio.subprocess import PIPE
from contextlib import closing
from pathlib import Path

from adapters.sandbox import Sandbox, SandboxOptions
from gateway.clock import SystemClock
from gateway.doctor import Verdict, rendered
from gateway.quota.ledger import grouped
from gateway.stores.memory import MemoryStore
from gateway.stores.ports import Reserved
from gateway.stores.sqlite import SqliteStore
from tests.stores.claims import ENVIRONMENT, claim
from tests.stores.sharing import ALWAYS
from tests.support.examined import SECRETS, configured, demo, examined, found

OK, WRONG, UNKNOWN = Verdict.OK, Verdict.WRONG, Verdict.UNKNOWN


async def busy(store: SqliteStore, ended: asyncio.Event) -> int:
    """Reserve and settle as a gateway under load does, until the event; how often."""
    units = 0
    while not ended.is_set():
        taken = await store.quota.reserve(claim(f"beside-{units}", periods=ALWAYS))
        assert isinstance(taken, Reserved)
        await store.quota.settle(ENVIRONMENT, f"beside-{units}")
        units += 1
        await asyncio.sleep(0.005)  # leaves the processor to the other process
    return units


async def test_of_four_tenants_each_spends_one_unit_and_a_busy_gateway_on_the_same_file_goes_on(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    file, kept, ended = demo(tmp_path, sandbox.url), tmp_path / "kept.db", asyncio.Event()
    store = SqliteStore(kept, SystemClock())
    try:
        async with asyncio.timeout(60), asyncio.TaskGroup() as beside:
            gateway = beside.create_task(busy(store, ended))
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "gateway.cli", "doctor", "--config", file, stdout=PIPE, stderr=PIPE
            )
            printed, complained = await process.communicate()
            ended.set()
        spent = await store.ledger.usage("sandbox", "2000-01-01", "2999-12-31")
        own = await store.ledger.usage(ENVIRONMENT, "2000-01-01", "2999-12-31")
    finally:
        await store.close()
    out = printed.decode()
    assert (process.returncode, complained) == (0, b"")
    assert "WRONG" not in out
    assert out.count("1 request sent, 1 unit spent") == 4
    assert "4 of the quota's units spent; they stand in its account, of the client 'doctor'." in out
    assert sandbox.ledger.received == 4
    assert {call.effect for call in sandbox.ledger.since(0)} == {None, "Export EXP_EQUIPMENT 0 records"}
    for secret in SECRETS.values():
        assert secret not in out
    groups = {group.values: group.figures for group in grouped(spent, ("tenant", "client"))}
    assert {values: (it.calls, it.units) for values, it in groups.items()} == {
        (name, "doctor"): (1, 1) for name in ("demo", "demo-connector", "demo-onprem", "demo-soap")
    }
    assert sum(entry.units for entry in own) == gateway.result() > 10
    with closing(sqlite3.connect(kept)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_beside_a_gateway_on_the_same_file_it_counts_in_the_same_account(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    file = tmp_path / "kept.db"
    running = SqliteStore(file, SystemClock())
    try:
        await running.ping()
        quota = {"cold_start": "trust", "day": {"limit": 1}}
        settings = configured(
            sandbox.url + "/api/v1",
            environment={"quota": quota},
            store={"kind": "sqlite", "file": str(file)},
        )
        report = await examined(settings)
        assert report.units == 1
        assert {finding.about: finding.verdict for finding in report.store}["store"] is OK
        # The day of one unit is used up, for the gateway too.
        again = await examined(settings, kept=running)
        assert (again.units, sandbox.ledger.received) == (0, 1)
        await running.ping()
    finally:
        await running.close()


async def test_when_the_quota_is_used_up_nothing_is_sent(sandbox: Sandbox) -> None:
    clock = SystemClock()
    store = MemoryStore(clock)
    quota = {"cold_start": "trust", "day": {"limit": 1}}
    settings = configured(sandbox.url + "/api/v1", environment={"quota": quota})
    first = await examined(settings, kept=store)
    second = await examined(settings, kept=store)
    assert (first.units, second.units, sandbox.ledger.received) == (1, 0, 1)
    it = found(second)
    assert it["request"].verdict is WRONG
    assert (
        "nothing was sent over rest: the day of this environment (1 requests) is used up"
        in it["request"].text
    )
    assert "no request sent, no unit spent" in rendered(second)
    await store.close()


async def test_when_the_store_is_lost_nothing_is_sent(sandbox: Sandbox) -> None:
    store = {"kind": "valkey", "valkey": {"address": "127.0.0.1:1"}}
    report = await examined(configured(sandbox.url + "/api/v1", store=store))
    assert {finding.about: finding.verdict for finding in report.store} == {
        "store": WRONG,
        "store server": UNKNOWN,
    }
    assert found(report)["request"].verdict is WRONG
    assert (report.units, sandbox.ledger.received) == (0, 0)


async def test_an_upstream_that_refuses_for_its_own_quota_is_used_by_others() -> None:
    async with Sandbox(SandboxOptions(rate=1)) as sandbox:
        settings = configured(sandbox.url + "/api/v1", {"demo": {}, "other": {}})
        report = await examined(settings)
    refused = [it for it in report.tenants if any(f.facts.get("status") == 429 for f in it.findings)]
    assert len(refused) == 1
    (request, credential) = refused[0].findings[:2]
    assert (request.verdict, credential.verdict) == (WRONG, UNKNOWN)
    assert "others use this environment beside the gateway" in request.advice
