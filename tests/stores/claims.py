"""What the tests of the stores ask for: clocks, claims and windows with short names."""

from __future__ import annotations

from gateway.stores.ports import Account, Claim, LedgerEntry, Limit, Period

ENVIRONMENT = "acme"
DAY = 86_400_000
ACCOUNT = Account(tenant="north", client="portal", operation="get_record", adapter="rest")


class StoreClock:
    """A clock that stands still until it is moved; the wall can be set apart from the time that passes.

    It stands in the middle of a millisecond, where what floating point leaves out does not show.
    """

    def __init__(self, wall: float = 1_700_000_000.0005) -> None:
        self.wall = wall
        self.passed = 0.0

    def now(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.passed

    async def sleep(self, seconds: float) -> None:
        self.move(seconds)

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self.wall = round(self.wall + seconds, 4)
        self.passed = round(self.passed + seconds, 4)


def days(now: int) -> tuple[Period, ...]:
    """A day that began an hour ago, with those before and after it."""
    start = now - 3_600_000
    return tuple(
        Period(start + number * DAY, start + (number + 1) * DAY, f"2025-03-{10 + number}")
        for number in (-1, 0, 1)
    )


def burst(
    limit: int,
    *,
    key: str = "environment/acme/burst",
    upto: int | None = None,
    length: int = 60_000,
    margin: int = 0,
    adapts: bool = False,
    enforced: bool = True,
) -> Limit:
    """A log."""
    return Limit(
        key=key,
        limit=limit,
        upto=limit if upto is None else upto,
        length=length,
        margin=margin,
        adapts=adapts,
        enforced=enforced,
    )


def day(
    limit: int, *, key: str = "environment/acme/day", upto: int | None = None, enforced: bool = True
) -> Limit:
    """A daily window."""
    return Limit(
        key=key,
        limit=limit,
        upto=limit if upto is None else upto,
        length=DAY,
        daily=True,
        enforced=enforced,
    )


def claim(
    reservation: str,
    *limits: Limit,
    periods: tuple[Period, ...],
    lease: int = 30_000,
    cold: int = 0,
    account: Account = ACCOUNT,
    environment: str = ENVIRONMENT,
) -> Claim:
    """One unit of the environment."""
    return Claim(
        reservation=reservation,
        environment=environment,
        limits=limits,
        periods=periods,
        account=account,
        lease=lease,
        cold=cold,
    )


def entry(
    *,
    day: str = "2025-03-10",
    client: str = "portal",
    calls: int = 0,
    units: int = 0,
    records: int = 0,
    saved: int = 0,
    refusals: int = 0,
    waits: int = 0,
) -> LedgerEntry:
    """Figures of the account above, or of another client's."""
    return LedgerEntry(
        day=day,
        environment=ENVIRONMENT,
        tenant=ACCOUNT.tenant,
        client=client,
        operation=ACCOUNT.operation,
        adapter=ACCOUNT.adapter,
        calls=calls,
        units=units,
        records=records,
        saved=saved,
        refusals=refusals,
        waits=waits,
    )
