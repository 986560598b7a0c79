"""How full a window is, and when there is room in it again."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gateway.stores.ports import Limit, Period, WindowState
from gateway.stores.steps import throttle as throttling
from gateway.stores.steps.rows import BUCKET, HOUR, Books, Environment


def current(periods: Sequence[Period], now: int) -> Period:
    """The period that contains ``now``, else the one in the middle; ValueError when there is none at all.

    The store's clock may be days from the asker's, e.g. after somebody has set the machine's; the day is the asker's
    then. So it is for a unit that is told days after it was spent.
    """
    if not periods:
        raise ValueError("no period is named")
    middle = periods[len(periods) // 2]
    return next((period for period in periods if period.starts <= now < period.ends), middle)


def ends_in(period: Period, now: int) -> int:
    """How long the period goes on; all of it where ``now`` is beside it."""
    return period.ends - (now if period.starts <= now < period.ends else period.starts)


def opens_in(books: Books, now: int, environment: Environment, limit: Limit, period: Period) -> int:
    """How long there is no room for one more unit below ``upto``; 0 when there is.

    A slot that is held may come free as if it were settled now, so that is the longest that a log is known to be full.
    """
    if limit.daily:
        return ends_in(period, now) if books.spent(limit.key, period.starts) >= limit.upto else 0
    if environment.cold_until > now:
        return environment.cold_until - now
    upto = _upto(environment, limit, now)
    if upto <= 0:
        lowered = limit.adapts and limit.upto > 0
        return throttling.rises_in(environment.throttle, now) if lowered else limit.length + limit.margin
    excess = books.slots(limit.key, now) - upto + 1
    return _comes_free(books, now, limit, excess) if excess > 0 else 0


def state(
    books: Books, now: int, environment: Environment | None, limit: Limit, period: Period | None
) -> WindowState:
    """The window as it stands; ``period`` is asked for of a daily one."""
    if limit.daily and period is not None:
        return WindowState(
            key=limit.key,
            limit=limit.limit,
            used=books.spent(limit.key, period.starts),
            resets_in=ends_in(period, now),
            recent=books.recent(limit.key, (now - HOUR) // BUCKET + 1),
        )
    if environment is None:
        return WindowState(key=limit.key, limit=limit.limit, used=0, resets_in=0)
    holds = throttling.holds(environment.throttle, limit.limit, now) if limit.adapts else limit.limit
    if environment.cold_until > now:
        return WindowState(key=limit.key, limit=holds, used=holds, resets_in=environment.cold_until - now)
    used = books.slots(limit.key, now)
    resets_in = _comes_free(books, now, limit, 1) if used else 0
    return WindowState(key=limit.key, limit=holds, used=used, resets_in=resets_in)


def looked_at(
    books: Books, now: int, environment: Environment | None, limit: Limit, period: Period | None
) -> WindowState:
    """The window as it stands, for those who ask; of a long log it takes longer to count what it took in the last hour.

    Those are the slots that come free in the last hour of its span, and those that are held.
    """
    found, span = state(books, now, environment, limit, period), limit.length + limit.margin
    if limit.daily or span < HOUR:
        return found
    return msgspec.structs.replace(found, recent=books.slots(limit.key, now + span - HOUR))


def _upto(environment: Environment, limit: Limit, now: int) -> int:
    if not limit.adapts:
        return limit.upto
    return limit.upto * throttling.holds(environment.throttle, limit.limit, now) // limit.limit


def _comes_free(books: Books, now: int, limit: Limit, nth: int) -> int:
    return min(books.comes_free(limit.key, nth, now) - now, limit.length + limit.margin)
