"""Circuits that are open: the steps of tripping, trying and closing one."""

from __future__ import annotations

import msgspec

from gateway.stores.ports import Closed, Open, Probe
from gateway.stores.steps.rows import Circuit, Rows


def trip(rows: Rows, now: int, circuit: str, base: int, longest: int, jitter: float) -> Open:
    """As in the port."""
    row = rows.circuit(circuit)
    if row is not None and row.open_until > now:
        return Open(row.open_until - now)
    times = 1 if row is None else row.times + 1
    pause = int(min(base * 2 ** min(times - 1, 30), longest) * jitter)
    rows.keep_circuit(circuit, Circuit(times=times, open_until=now + pause))
    return Open(pause)


def probe(rows: Rows, now: int, circuit: str, holder: str, lease: int) -> Closed | Open | Probe:
    """As in the port."""
    row = rows.circuit(circuit)
    if row is None:
        return Closed()
    if row.open_until > now:
        return Open(row.open_until - now)
    if row.holder not in (None, holder) and row.held_until > now:
        return Open(row.held_until - now)
    rows.keep_circuit(circuit, msgspec.structs.replace(row, holder=holder, held_until=now + lease))
    return Probe()


def close(rows: Rows, now: int, circuit: str) -> None:
    """As in the port."""
    rows.drop_circuit(circuit)
