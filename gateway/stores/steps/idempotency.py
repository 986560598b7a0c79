"""Writes that run once: the steps of an idempotency key."""

from __future__ import annotations

import msgspec

from gateway.stores.ports import Begun, Done, Doubtful, Mismatch, Running
from gateway.stores.steps.rows import KeyRow, Rows


def begin(
    rows: Rows, now: int, key: str, fingerprint: bytes, lease: int, keep: int
) -> Begun | Running | Mismatch | Doubtful | Done:
    """As in the port."""
    row = _row(rows, now, key)
    if row is None:
        return _begun(rows, now, key, fingerprint, lease, keep)
    if row.fingerprint != fingerprint:
        return Mismatch()
    if row.running and row.lease_ends > now:
        return Running(row.lease_ends - now)
    if not row.running and not row.doubtful:
        return Done(row.answer or b"")
    if not row.departed and not row.doubtful:
        return _begun(rows, now, key, fingerprint, lease, keep)
    fence = rows.fence()
    taken_over = msgspec.structs.replace(
        row, fence=fence, lease_ends=now + lease, running=True, departed=False, doubtful=True
    )
    rows.keep_key(key, taken_over)
    return Doubtful(fence, row.answer)


def renew(rows: Rows, now: int, key: str, fence: int, lease: int) -> bool:
    """As in the port. What has ended is not revived by it."""
    row = _held(rows, now, key, fence)
    if row is not None:
        rows.keep_key(key, msgspec.structs.replace(row, lease_ends=now + lease))
    return row is not None


def depart(rows: Rows, now: int, key: str, fence: int) -> bool:
    """As in the port."""
    row = _held(rows, now, key, fence)
    if row is None or not row.running or row.lease_ends <= now:
        return False
    rows.keep_key(key, msgspec.structs.replace(row, departed=True))
    return True


def finish(rows: Rows, now: int, key: str, fence: int, answer: bytes, settled: bool) -> bool:
    """As in the port."""
    row = _held(rows, now, key, fence)
    if row is None:
        return False
    rows.keep_key(key, msgspec.structs.replace(row, running=False, doubtful=not settled, answer=answer))
    return True


def forget(rows: Rows, now: int, key: str, fence: int) -> None:
    """As in the port. What an earlier run may have done stays doubtful, and is free to be looked up again."""
    row = _held(rows, now, key, fence)
    if row is None or not row.running:
        return
    if row.doubtful:
        rows.keep_key(key, msgspec.structs.replace(row, running=False, departed=False))
    else:
        rows.drop_key(key)


def _row(rows: Rows, now: int, key: str) -> KeyRow | None:
    row = rows.key(key)
    return row if row is not None and row.forget_at > now else None


def _held(rows: Rows, now: int, key: str, fence: int) -> KeyRow | None:
    row = _row(rows, now, key)
    return row if row is not None and row.fence == fence else None


def _begun(rows: Rows, now: int, key: str, fingerprint: bytes, lease: int, keep: int) -> Begun:
    fence = rows.fence()
    row = KeyRow(fingerprint=fingerprint, fence=fence, lease_ends=now + lease, forget_at=now + keep)
    rows.keep_key(key, row)
    return Begun(fence)
