"""The ledger summed, and the tables that the commands print of it and of the windows."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.call import Band
from gateway.quota.ledger import DIMENSIONS, Figures, grouped, total
from gateway.quota.windows import Windows
from gateway.settings import (
    ClientQuotaSettings,
    EnvironmentSettings,
    Settings,
    TenantQuotaSettings,
    TenantSettings,
)
from gateway.stores.memory import MemoryStore
from gateway.stores.ports import Account, Claim, LedgerEntry, Reserved
from gateway.usage import Asked, NothingToRead, quota_table, table, usage_table

NOON = 1_750_068_000.0  # 2025-06-16 12:00 in Amsterdam
SHARES = TenantQuotaSettings(day=400, clients={"erp": ClientQuotaSettings(day=100, shadow=("day",))})
SETTINGS = Settings(
    environments={
        "plant": EnvironmentSettings(zone=ZoneInfo("Europe/Amsterdam")),
        "spare": EnvironmentSettings(zone=ZoneInfo("Europe/Amsterdam")),
    },
    tenants={
        "demo": TenantSettings(environment="plant", quota=SHARES),
        "other": TenantSettings(environment="plant"),
        "third": TenantSettings(environment="spare"),
    },
    clients={},
)
ENTRIES = st.lists(
    st.builds(
        LedgerEntry,
        day=st.sampled_from(["2025-06-16", "2025-06-17"]),
        environment=st.just("plant"),
        tenant=st.sampled_from(["demo", "other"]),
        client=st.sampled_from(["erp", "portal"]),
        operation=st.sampled_from(["list", "create"]),
        adapter=st.sampled_from(["rest", "soap", "several"]),
        calls=st.integers(0, 9),
        units=st.integers(0, 9),
        records=st.integers(0, 9),
        saved=st.integers(0, 9),
        refusals=st.integers(0, 9),
        waits=st.integers(0, 9),
    )
)


class Clock:
    def now(self) -> float:
        return NOON

    def monotonic(self) -> float:
        return 1.0

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing here waits")


@given(ENTRIES, st.lists(st.sampled_from(DIMENSIONS), unique=True), st.booleans())
def test_however_it_is_grouped_nothing_is_lost_or_counted_twice(
    entries: list[LedgerEntry], by: list[str], only_demo: bool
) -> None:
    only = {"tenant": "demo"} if only_demo else {}
    counted = [entry for entry in entries if not only_demo or entry.tenant == "demo"]
    groups = grouped(entries, by, only)
    assert len({group.values for group in groups}) == len(groups)
    for group in groups:
        members = [entry for entry in counted if tuple(getattr(entry, name) for name in by) == group.values]
        assert group.figures == Figures(
            calls=sum(entry.calls for entry in members),
            units=sum(entry.units for entry in members),
            records=sum(entry.records for entry in members),
            units_saved=sum(entry.saved for entry in members),
            refusals=sum(entry.refusals for entry in members),
            waits=sum(entry.waits for entry in members),
        )
    assert [group.figures.units for group in groups] == sorted(
        (group.figures.units for group in groups), reverse=True
    )
    assert total(entries, only).units == sum(entry.units for entry in counted)
    assert total(entries, only).calls == sum(group.figures.calls for group in groups)


def test_columns_stand_below_each_other() -> None:
    printed = table(["client", "calls"], [["erp", "7"], ["a-long-name", "1234"]], texts=1)
    assert printed.splitlines() == [
        "client       calls",
        "erp              7",
        "a-long-name   1234",
    ]


async def noted(*entries: LedgerEntry) -> MemoryStore:
    store = MemoryStore(Clock())
    await store.ledger.add("1", entries)
    return store


def entry(
    tenant: str, client: str, *, environment: str = "plant", day: str = "2025-06-16", **figures: int
) -> LedgerEntry:
    return LedgerEntry(
        day=day,
        environment=environment,
        tenant=tenant,
        client=client,
        operation="list",
        adapter="rest",
        **figures,
    )


async def printed(asked: Asked) -> list[list[str]]:
    store = await noted(
        entry("demo", "erp", calls=2, records=50, waits=1),
        entry("demo", "portal", calls=7, refusals=3, saved=5),
        entry("other", "erp", calls=1),
        entry("third", "erp", environment="spare", calls=100),
        entry("demo", "erp", day="2025-06-15", calls=1000),
    )
    text = await usage_table(SETTINGS, store, Clock(), asked)
    return [line.split() for line in text.splitlines()]


async def test_usage_is_that_of_today_with_a_total() -> None:
    assert await printed(Asked(by=("environment", "client"))) == [
        ["environment", "client", "calls", "units", "records", "units", "saved", "refusals", "waits"],
        ["spare", "erp", "100", "0", "0", "0", "0", "0"],
        ["plant", "portal", "7", "0", "0", "5", "3", "0"],
        ["plant", "erp", "3", "0", "50", "0", "0", "1"],
        ["total", "110", "0", "50", "5", "3", "1"],
    ]


@pytest.mark.parametrize(
    ("asked", "calls"),
    [
        (Asked(by=("tenant",), tenant="demo"), "9"),
        (Asked(by=("tenant",), environment="spare"), "100"),
        (Asked(by=("tenant",), tenant="demo", first="2025-06-01"), "1009"),
        (Asked(by=("tenant",), tenant="demo", first="2025-06-15", last="2025-06-15"), "1000"),
        (Asked(by=("tenant",), tenant="demo", last="2025-06-15"), "1000"),
        (Asked(by=("tenant",), first="2025-06-01", last="2025-06-02"), "0"),
    ],
)
async def test_usage_of_what_is_asked_for(asked: Asked, calls: str) -> None:
    assert (await printed(asked))[-1][:2] == ["total", calls]


@pytest.mark.parametrize(
    "asked", [Asked(by=("tenant",), tenant="demi"), Asked(by=("tenant",), environment="x")]
)
async def test_a_name_that_is_not_configured_is_refused(asked: Asked) -> None:
    with pytest.raises(NothingToRead, match="there are:"):
        await printed(asked)


async def spend(store: MemoryStore, tenant: str, client: str, units: Sequence[int]) -> None:
    windows = Windows("plant", SETTINGS.environments["plant"], {"demo": SETTINGS.tenants["demo"]})
    for number in units:
        reserved = await store.quota.reserve(
            Claim(
                reservation=str(number),
                environment="plant",
                limits=windows.limits(tenant, client, Band.NORMAL),
                periods=windows.periods(NOON),
                account=Account(tenant=tenant, client=client, operation="list", adapter="rest"),
                lease=6000,
                cold=0,
            )
        )
        assert isinstance(reserved, Reserved)


async def test_the_windows_of_every_environment_tenant_and_client_stand_once_in_the_table() -> None:
    store = MemoryStore(Clock())
    await spend(store, "demo", "erp", range(40))
    await spend(store, "other", "", range(40, 50))
    lines = (await quota_table(SETTINGS, store, Clock())).splitlines()
    rows = [line.split() for line in lines]
    assert rows[0] == [
        "environment",
        "level",
        "name",
        "window",
        "resets",
        "forecast",
        "limit",
        "used",
        "remaining",
    ]
    assert [(row[0], *row[1:4], *row[-3:]) for row in rows[1:]] == [
        ("plant", "environment", "plant", "burst", "100", "50", "50"),
        ("plant", "environment", "plant", "day", "10000", "50", "9950"),
        ("plant", "tenant", "demo", "day", "400", "40", "360"),
        ("plant", "client", "demo:erp", "day", "100", "40", "60"),
        ("spare", "environment", "spare", "burst", "100", "0", "100"),
        ("spare", "environment", "spare", "day", "10000", "0", "10000"),
    ]
    assert "2025-06-17T00:00:00+02:00  at this rate exhausted at 21:00" in lines[3]
    assert "not enforced" in lines[4]
    ends = {len(line) for line in itertools.islice(lines, 1, None)}
    assert len(ends) == 1, "the last column ends at one place"
