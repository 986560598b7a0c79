"""The commands that read the store, run as their users run them, beside what writes it."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from zoneinfo import ZoneInfo

from contracts.call import Band
from gateway.clock import SystemClock
from gateway.quota.windows import Windows
from gateway.settings import EnvironmentSettings
from gateway.stores.ports import Account, Claim, LedgerEntry, Reserved, Store
from gateway.stores.sqlite import SqliteStore
from gateway.stores.valkey import ValkeyStore
from tests.support.valkey import valkey

ROOT = Path(__file__).parents[2]
SMALL = ROOT / "tests" / "support" / "small.yaml"
WINDOWS = Windows("sandbox", EnvironmentSettings(zone=ZoneInfo("Europe/Amsterdam")), {})


async def command(*arguments: str, folder: Path) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway.cli",
        *arguments,
        cwd=folder,
        env={**os.environ, "SANDBOX_KEY": "sandbox-demo", "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def configured(folder: Path, store: str) -> str:
    """The path of a configuration with this store."""
    file = folder / "gateway.yaml"
    file.write_text(f"store: {store}\n{SMALL.read_text()}")
    return str(file)


async def fill(store: Store) -> str:
    """A call of one unit; the day that it is on."""
    now = time.time()
    day = WINDOWS.periods(now)[1].label
    account = Account(tenant="demo", client="erp", operation="list", adapter="rest")
    reserved = await store.quota.reserve(
        Claim(
            reservation="1",
            environment="sandbox",
            limits=WINDOWS.limits("demo", "erp", Band.NORMAL),
            periods=WINDOWS.periods(now),
            account=account,
            lease=6000,
            cold=0,
        )
    )
    assert isinstance(reserved, Reserved)
    await store.ledger.add(
        "1",
        [
            LedgerEntry(
                day=day,
                environment="sandbox",
                tenant="demo",
                client="erp",
                operation="list",
                adapter="rest",
                calls=1,
                records=25,
                waits=1,
            )
        ],
    )
    return day


async def reads_what_stands_there(file: str, folder: Path, day: str) -> None:
    code, out, err = await command("usage", "--config", file, "--by", "day,client", folder=folder)
    assert (code, err) == (0, "")
    assert [line.split() for line in out.splitlines()] == [
        ["day", "client", "calls", "units", "records", "units", "saved", "refusals", "waits"],
        [day, "erp", "1", "1", "25", "0", "0", "1"],
        ["total", "1", "1", "25", "0", "0", "1"],
    ]
    code, out, err = await command("quota", "--config", file, folder=folder)
    assert (code, err) == (0, "")
    rows = [line.split() for line in out.splitlines()[1:]]
    assert [(*row[:4], *row[-3:]) for row in rows] == [
        ("sandbox", "environment", "sandbox", "burst", "100", "1", "99"),
        ("sandbox", "environment", "sandbox", "day", "10000", "1", "9999"),
    ]


async def test_a_file_is_read_while_a_gateway_writes_it(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "kept.db", SystemClock())
    try:
        day = await fill(store)
        file = configured(tmp_path, f"{{kind: sqlite, file: {tmp_path / 'kept.db'}}}")
        await reads_what_stands_there(file, tmp_path, day)
        await store.ping()
    finally:
        await store.close()


async def test_a_server_is_read(tmp_path: Path) -> None:
    with valkey() as server:
        store = ValkeyStore(server.settings(prefix="cli"))
        try:
            day = await fill(store)
            address = f"{{kind: valkey, valkey: {{address: '127.0.0.1:{server.port}', prefix: cli}}}}"
            await reads_what_stands_there(configured(tmp_path, address), tmp_path, day)
        finally:
            await store.close()


async def test_where_there_is_nothing_to_read_it_says_why(tmp_path: Path) -> None:
    for name, store, why in (
        ("quota", "{kind: memory}", "a store of the kind 'memory' is known to its gateway alone"),
        ("usage", "{kind: sqlite}", "ultimo-gateway.db is not there"),
        ("usage", "{kind: valkey, valkey: {address: '127.0.0.1:1'}}", "the store cannot be read"),
    ):
        code, out, err = await command(name, "--config", configured(tmp_path, store), folder=tmp_path)
        assert (code, out) == (1, "")
        assert why in err
        assert err.count("\n") == 1, "one line, and no trace"
    assert [path.name for path in tmp_path.iterdir()] == ["gateway.yaml"], "looking makes no file"


async def test_what_is_wrong_with_the_question_is_said(tmp_path: Path) -> None:
    (tmp_path / "kept.db").touch()
    file = configured(tmp_path, f"{{kind: sqlite, file: {tmp_path / 'kept.db'}}}")
    for arguments, expected, why in (
        (("--by", "weekday"), 2, "expected some of day, environment"),
        (("--from", "yesterday"), 2, "expected a date"),
        (("--tenant", "demi"), 1, "there is no tenant 'demi'; there are: demo"),
    ):
        code, _, err = await command("usage", "--config", file, *arguments, folder=tmp_path)
        assert (code, why in err) == (expected, True), err
