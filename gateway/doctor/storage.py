"""Looks at the store: whether it can be written, how fast, and whether it keeps what the quota relies on."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from gateway.clock import Clock
from gateway.doctor.answers import SKEW
from gateway.doctor.findings import Finding, ok, unknown, wrong
from gateway.settings import StoreSettings
from gateway.stores.ports import ServerState, Store, StoreLost, StoreServer

LEAST_FREE = 100 * 1024 * 1024
"""Bytes: what the account of a year and its journal need, many times over."""

SHARED = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.glusterfs", "fuse.s3fs"})
"""File systems over a network, whose locks SQLite's write-ahead log cannot rely on (sqlite.org/wal.html)."""

_MOUNTS = Path("/proc/self/mounts")


async def storage(settings: StoreSettings, store: Store, clock: Clock, *, make: bool) -> list[Finding]:
    """The findings; a file that is not there yet is made only where one may (``make``)."""
    if settings.kind == "memory":
        return [
            unknown(
                "store",
                "of the kind 'memory': each process counts for itself, and forgets when it ends. A gateway that "
                "runs does not know of the units that are spent here",
                "store.kind sqlite for one replica, valkey for several",
            )
        ]
    if settings.kind == "sqlite":
        path = settings.path.absolute()
        if (reason := _unwritable(path)) is not None:
            return [reason]
        if not make and not path.is_file():
            return [*_volume(path.parent), unknown("store", f"{path} is not there yet; a gateway makes it")]
        return [*_volume(path.parent), await _written(settings, store, clock)]
    return [await _written(settings, store, clock), *await _server(store, clock)]


async def _written(settings: StoreSettings, store: Store, clock: Clock) -> Finding:
    began = clock.monotonic()
    try:
        await store.ping()
    except StoreLost as error:
        advice = "check store.file: what it is, whose it is, and that its disk is not full"
        if settings.kind == "valkey":
            advice = "check store.valkey, and whether a NetworkPolicy or firewall lets this pod out to it"
        return wrong("store", f"nothing can be written: {error}", advice)
    milliseconds = round((clock.monotonic() - began) * 1000, 1)
    return ok("store", f"{settings.kind}: opened, and written in {milliseconds} ms", write_ms=milliseconds)


def _unwritable(path: Path) -> Finding | None:
    """Why no store can be in a file, if there is a reason."""
    if not path.parent.is_dir():
        advice = "make it, or mount a volume there (store.file)"
        return wrong("store folder", f"{path.parent} is not there", advice)
    # The journal stands beside the file, so that the folder must be writable as well.
    if not all(os.access(place, os.W_OK) for place in (path.parent, path) if place.exists()):
        advice = "let the user of the gateway write there (in a pod: fsGroup), or change store.file"
        return wrong("store folder", f"this user cannot write {path}, or the journal beside it", advice)
    return None


def _volume(folder: Path) -> Iterator[Finding]:
    """Whether there is room, and whether what is kept there lasts."""
    mounts = _MOUNTS.read_text() if _MOUNTS.exists() else ""
    lasting = folder.stat().st_dev != Path("/").stat().st_dev
    yield space(shutil.disk_usage(folder).free)
    yield volume(folder, file_system(folder, mounts), lasting=lasting)


def space(free: int) -> Finding:
    """Whether so many bytes are enough."""
    megabytes = free // (1024 * 1024)
    if free < LEAST_FREE:
        return wrong("store space", f"{megabytes} MB are free", "make room, or the quota's account stops")
    return ok("store space", f"{megabytes:,} MB are free", free_mb=megabytes)


def volume(folder: Path, kind: str, *, lasting: bool) -> Finding:
    """Whether a file system of this kind keeps a store; ``lasting`` is one that is not that of ``/``."""
    if kind in SHARED:
        text = f"{folder} is on {kind}: SQLite's journal is not safe over a network"
        return wrong("store volume", text, "use a volume of one machine, or store.kind valkey")
    if lasting:
        return ok("store volume", f"{folder} is on a file system of its own ({kind})")
    text = f"{folder} is on the file system of '/', which in a container ends with it"
    return unknown("store volume", text, "in a container, mount a volume there that lasts")


def file_system(folder: Path, mounts: str) -> str:
    """Its type, as ``/proc/self/mounts`` names it; ``unknown`` where that does not."""
    best = ("", "unknown")
    for line in mounts.splitlines():
        _, mounted, kind, *_ = line.split(" ")
        if len(mounted) >= len(best[0]) and folder.is_relative_to(mounted.replace("\\040", " ")):
            best = (mounted, kind)
    return best[1]


async def _server(store: Store, clock: Clock) -> list[Finding]:
    if not isinstance(store, StoreServer):
        return []
    before = clock.now()
    try:
        state = await store.state()
    except StoreLost as error:
        return [unknown("store server", f"it does not tell about itself: {error}", "let its user ask INFO")]
    after = clock.now()
    return [
        ok("store server", state.product, product=state.product),
        _eviction(state),
        _lasting(state),
        _clock(state.clock - (before + after) / 2, (after - before) / 2),
    ]


def _eviction(state: ServerState) -> Finding:
    if state.eviction is None:
        advice = "make sure of 'maxmemory-policy noeviction'"
        return unknown("store eviction", "the server does not tell what it does when it is full", advice)
    text = f"maxmemory-policy {state.eviction}"
    if state.eviction == "noeviction":
        return ok("store eviction", text)
    advice = "set 'maxmemory-policy noeviction': an account that is evicted unseen lets too much through"
    return wrong("store eviction", text, advice)


def _lasting(state: ServerState) -> Finding:
    if state.appends:
        return ok("store persistence", "each change is appended to a file (appendonly yes)")
    return unknown(
        "store persistence",
        "no append-only file: a server that restarts forgets what came after its last snapshot",
        "set 'appendonly yes', or accept that a restart may forget units of the day and idempotency keys",
    )


def _clock(ahead: float, blur: float) -> Finding:
    """The store's clock decides when a window and a day begin."""
    text = f"its clock is {abs(ahead):.2f} s {'ahead of' if ahead > 0 else 'behind'} ours, give or take {blur:.2f} s"
    if abs(ahead) - blur <= SKEW:
        return ok("store clock", text, ahead_seconds=round(ahead, 2))
    return wrong("store clock", text, "have both machines keep time by NTP", ahead_seconds=round(ahead, 2))
