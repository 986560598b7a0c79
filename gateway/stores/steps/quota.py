"""Units taken, settled and given back: the steps of the quota's account over the rows of an environment."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import msgspec

from gateway.stores.ports import (
    UPSTREAM,
    Claim,
    Full,
    Limit,
    Period,
    Reserved,
    Spent,
    Standing,
    Taken,
    Throttled,
    WindowState,
)
from gateway.stores.steps import throttle as throttling
from gateway.stores.steps import windows
from gateway.stores.steps.rows import BUCKET, DAY, Books, Environment, Reservation

LINGER = 60_000
"""How long a reservation is remembered at least when it is over: what is asked about it late still counts once."""

LINGER_LONG = DAY
"""As long for one of which no end was told, or that was taken over: who lost the reply may lose the store for hours."""


def reserve(books: Books, now: int, claim: Claim) -> Reserved | Full:
    """As in the port.

    A reservation whose lease is over is asked for anew: others may have its slots by now, and its day stays spent.
    """
    period = windows.current(claim.periods, now)
    environment = known(books, now, claim.cold)
    before = _reservation(books, now, claim.reservation)
    if before is not None and (before.settled or before.lease_ends > now):
        if not before.settled:
            _hold(books, now, claim.reservation, before, claim.lease)
        return _reserved(books, now, environment, claim, period, before.over)
    closed = closed_for(books, now, environment.throttle)
    if closed:
        return Full(limit=UPSTREAM, opens_in=closed, epoch=environment.epoch)
    shut = [(limit, windows.opens_in(books, now, environment, limit, period)) for limit in claim.limits]
    waits = {limit.key: wait for limit, wait in shut if wait and limit.enforced}
    if waits:
        longest = max(waits, key=lambda key: waits[key])
        return Full(limit=longest, opens_in=waits[longest], epoch=environment.epoch)
    if environment.throttle.asking:
        asked = throttling.asks(environment.throttle, claim.reservation, now)
        environment = msgspec.structs.replace(environment, throttle=asked)
        books.keep_environment(environment)
    over = tuple(limit.key for limit, wait in shut if wait)
    _hold(books, now, claim.reservation, _count(books, now, claim, period, environment, over), claim.lease)
    return _reserved(books, now, environment, claim, period, over)


def renew(books: Books, now: int, reservations: Sequence[str], lease: int) -> frozenset[str]:
    """As in the port."""
    held = set()
    for reservation in reservations:
        row = _reservation(books, now, reservation)
        if row is not None and not row.settled and row.lease_ends > now:
            _hold(books, now, reservation, row, lease)
            held.add(reservation)
    return frozenset(held)


def settle(books: Books, now: int, reservation: str, throttled: Throttled | None) -> None:
    """As in the port. One whose lease is over takes its slots again: the upstream may have counted it only now."""
    environment = books.environment()
    row = _reservation(books, now, reservation)
    if environment is None or (row is not None and row.settled):
        return
    closings = -1 if row is None else row.closings
    if throttled is not None:
        after = throttling.refused(environment.throttle, throttled, closings, now)
    else:
        after = throttling.answered(environment.throttle, closings, now)
    if after is not environment.throttle:
        books.keep_environment(msgspec.structs.replace(environment, throttle=after))
    if row is not None:
        _keep(books, now, reservation, msgspec.structs.replace(row, settled=True, lease_ends=now))


def release(books: Books, now: int, reservation: str) -> None:
    """As in the port. The reservation is forgotten; one that is settled stays."""
    environment = books.environment()
    row = _reservation(books, now, reservation)
    if environment is None or row is None or row.settled:
        return
    for key in row.spans:
        books.give_back(key, reservation)
    for key in row.days:
        books.spend(key, row.starts, -1)
        books.pace(key, row.taken_at // BUCKET, -1)
    books.charge(row.label, row.account, -1)
    books.drop_reservation(reservation)
    after = throttling.spared(environment.throttle, reservation, now)
    if after is not environment.throttle:
        books.keep_environment(msgspec.structs.replace(environment, throttle=after))


def standing(books: Books, now: int, limits: Sequence[Limit], periods: Sequence[Period]) -> Standing:
    """As in the port."""
    environment = books.environment()
    period = windows.current(periods, now) if any(limit.daily for limit in limits) else None
    return Standing(
        windows=tuple(windows.looked_at(books, now, environment, limit, period) for limit in limits),
        closed_for=closed_for(books, now, environment.throttle) if environment else 0,
        strikes=environment.throttle.strikes if environment else 0,
        epoch=environment.epoch if environment else None,
    )


def restore(books: Books, now: int, cold: int, spent: Sequence[Spent], taken: Sequence[Taken]) -> str:
    """As in the port.

    A unit that was taken elsewhere counts in the period that is now, if its claim names it.
    ``held_for`` is told of its longest log: its slots in shorter ones come free so much sooner.
    """
    periods = [windows.current(unit.claim.periods, now) for unit in taken]
    environment = known(books, now, cold)
    for day in spent:
        missing = day.used - books.spent(day.key, day.starts)
        if missing > 0:
            books.spend(day.key, day.starts, missing)
    for unit, period in zip(taken, periods, strict=True):
        claim = unit.claim
        row = _reservation(books, now, claim.reservation)
        if row is None:
            row = _count(books, now, claim, period, environment, ())
        if not row.settled:
            ends = now + unit.held_for - max(row.spans.values(), default=0)
            told = msgspec.structs.replace(row, settled=unit.ended, lease_ends=ends)
            _keep(books, now, claim.reservation, told, LINGER_LONG)
    return environment.epoch


def known(books: Books, now: int, cold: int) -> Environment:
    """The environment, which begins anew when nothing is known of it."""
    environment = books.environment()
    if environment is None:
        environment = Environment(epoch=uuid.uuid4().hex, cold_until=now + cold)
        books.keep_environment(environment)
    return environment


def closed_for(books: Books, now: int, throttle: throttling.Throttle) -> int:
    """How long the upstream wants to be left alone, or one that asks is still under way."""
    if throttle.closed_until > now:
        return throttle.closed_until - now
    asker = _reservation(books, now, throttle.asker) if throttle.asking and throttle.asker else None
    return max(0, asker.lease_ends - now) if asker and not asker.settled else 0


def _reservation(books: Books, now: int, reservation: str) -> Reservation | None:
    row = books.reservation(reservation)
    return row if row is not None and row.forget_at > now else None


def _count(
    books: Books, now: int, claim: Claim, period: Period, environment: Environment, over: tuple[str, ...]
) -> Reservation:
    """Charge the unit to days and ledger; its slots are taken with its lease."""
    days = tuple(limit.key for limit in claim.limits if limit.daily)
    for key in days:
        books.spend(key, period.starts, 1)
        books.pace(key, now // BUCKET, 1)
    books.charge(period.label, claim.account, 1)
    return Reservation(
        account=claim.account,
        taken_at=now,
        closings=environment.throttle.closings,
        spans={limit.key: limit.length + limit.margin for limit in claim.limits if not limit.daily},
        days=days,
        starts=period.starts,
        label=period.label,
        over=over,
        lease_ends=now,
        forget_at=now,
    )


def _hold(books: Books, now: int, reservation: str, row: Reservation, lease: int) -> None:
    _keep(books, now, reservation, msgspec.structs.replace(row, lease_ends=now + lease), LINGER_LONG)


def _keep(books: Books, now: int, reservation: str, row: Reservation, linger: int = LINGER) -> None:
    """Keep the row; each of its slots stays taken for its span after the lease."""
    for key, span in row.spans.items():
        books.take(key, reservation, row.lease_ends + span, now)
    rest = max(linger, max(row.spans.values(), default=0))
    forget_at = max(now, row.lease_ends) + rest
    books.keep_reservation(reservation, msgspec.structs.replace(row, forget_at=forget_at))


def _reserved(
    books: Books, now: int, environment: Environment, claim: Claim, period: Period, over: tuple[str, ...]
) -> Reserved:
    states: tuple[WindowState, ...] = tuple(
        windows.state(books, now, environment, limit, period) for limit in claim.limits
    )
    return Reserved(windows=states, epoch=environment.epoch, over=over)
