"""The doctor at the store: whether it can be written, and whether it keeps what the quota relies on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.bootstrap import open_store
from gateway.clock import SystemClock
from gateway.doctor import Finding, Verdict
from gateway.doctor.storage import LEAST_FREE, file_system, space, storage, volume
from gateway.settings import StoreSettings
from tests.support.valkey import Valkey, valkey

OK, WRONG, UNKNOWN = Verdict.OK, Verdict.WRONG, Verdict.UNKNOWN


async def look(settings: StoreSettings, *, make: bool = True) -> dict[str, Finding]:
    clock = SystemClock()
    store = open_store(settings, clock)
    try:
        return {finding.about: finding for finding in await storage(settings, store, clock, make=make)}
    finally:
        await store.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Valkey]:
    with valkey() as running:
        yield running


async def test_a_server_tells_what_it_is_and_what_it_forgets(server: Valkey) -> None:
    settings = StoreSettings(kind="valkey", valkey=server.settings())
    server.command("CONFIG", "SET", "maxmemory-policy", "noeviction")
    it = await look(settings)
    assert {about: finding.verdict for about, finding in it.items()} == dict.fromkeys(
        ("store", "store server", "store eviction", "store persistence", "store clock"), OK
    )
    assert it["store server"].text.startswith("Valkey ")
    server.command("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    server.command("CONFIG", "SET", "appendonly", "no")
    it = await look(settings)
    assert (it["store eviction"].verdict, it["store persistence"].verdict) == (WRONG, UNKNOWN)
    assert "maxmemory-policy noeviction" in it["store eviction"].advice


async def test_a_server_that_does_not_tell_is_asked_no_further(server: Valkey) -> None:
    server.command("ACL", "SETUSER", "plain", "on", "nopass", "~*", "+@all", "-info")
    own = server.settings()
    settings = StoreSettings(kind="valkey", valkey=type(own)(address=own.address, username="plain"))
    it = await look(settings)
    assert (it["store"].verdict, it["store server"].verdict) == (OK, UNKNOWN)
    assert "let its user ask INFO" in it["store server"].advice


async def test_a_file_is_made_only_where_units_are_to_stand_in_it(tmp_path: Path) -> None:
    settings = StoreSettings(kind="sqlite", file=tmp_path / "kept.db")
    it = await look(settings, make=False)
    assert it["store"].verdict is UNKNOWN
    assert not settings.path.exists()
    it = await look(settings)
    assert (it["store"].verdict, it["store space"].verdict) == (OK, OK)
    assert it["store"].facts["write_ms"] is not None


async def test_a_file_that_cannot_be_a_store_says_why(tmp_path: Path) -> None:
    absent = await look(StoreSettings(kind="sqlite", file=tmp_path / "absent" / "kept.db"))
    assert absent["store folder"].verdict is WRONG
    assert "mount a volume there" in absent["store folder"].advice
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE somebodys (own INTEGER)")
    connection.close()
    it = await look(StoreSettings(kind="sqlite", file=other))
    assert it["store"].verdict is WRONG
    assert "a database of something else" in it["store"].text


async def test_a_memory_of_its_own_is_said_to_be_one() -> None:
    it = await look(StoreSettings(kind="memory"))
    assert it["store"].verdict is UNKNOWN
    assert "does not know of the units that are spent here" in it["store"].text


def test_a_volume_tells_whether_it_keeps_what_is_written() -> None:
    mounts = (
        "overlay / overlay rw 0 0\nserver:/data /var/lib nfs4 rw 0 0\n/dev/vdb /var/lib/a\\040b ext4 rw 0 0\n"
    )
    folders = {
        "/etc": ("overlay", UNKNOWN),
        "/var/lib/gateway": ("nfs4", WRONG),
        "/var/library": ("overlay", UNKNOWN),
        "/var/lib/a b/c": ("ext4", OK),
    }
    for folder, (kind, verdict) in folders.items():
        assert file_system(Path(folder), mounts) == kind
        assert volume(Path(folder), kind, lasting=kind != "overlay").verdict is verdict
    assert file_system(Path("/"), "") == "unknown"
    assert (space(LEAST_FREE - 1).verdict, space(LEAST_FREE).verdict) == (WRONG, OK)
