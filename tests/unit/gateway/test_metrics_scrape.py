"""How often the store is asked for a scrape, for how long, and what becomes of its answers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from contracts.call import Call
from gateway.carried import Carried
from gateway.environments import Shared, environments
from gateway.expiry import Expiry, Shown
from gateway.keys import hash_key
from gateway.scrape import FRESH, Scrape
from gateway.settings import Settings, parse
from gateway.stores.memory import MemoryStore
from gateway.stores.ports import Account, Limit, Period, QuotaStore, Standing, StoreLost, WindowState
from gateway.telemetry.standing import EnvironmentNow, families
from tests.support.metrics import Sample, samples
from tests.unit.gateway.admission_rig import SimClock, Watched
from tests.unit.gateway.policy_rig import GET, Heard

NOON = datetime(2026, 3, 10, 12, tzinfo=ZoneInfo("Europe/Amsterdam")).timestamp()
DAY = {"level": "environment", "window": "day"}


class Asked(Watched):
    """Counts how often it was asked how things stand; of the environment ``stuck`` it says nothing, and never ends."""

    def __init__(self, store: QuotaStore) -> None:
        super().__init__(store)
        self.looks: list[str] = []
        self.lost = False

    async def standing(
        self, environment: str, limits: Sequence[Limit], periods: Sequence[Period]
    ) -> Standing:
        self.looks.append(environment)
        await asyncio.sleep(0)
        if environment == "stuck":
            await asyncio.Event().wait()
        if self.lost:
            raise StoreLost("gone")
        return await super().standing(environment, limits, periods)


class Rig:
    """A scrape over environments of these names, without adapters."""

    def __init__(self, *names: str, tenants: dict[str, dict[str, object]] | None = None) -> None:
        self.clock = SimClock()
        self.clock.time = NOON
        self.trouble: str | None = None
        settings = settings_of(names, tenants or {})
        store = MemoryStore(self.clock)
        self.store = Asked(store.quota)
        heard = Heard()
        shared = Shared(self.store, store.breakers, self.clock, heard.events, Carried())
        self.environments = environments(settings, shared)
        expiry = Expiry(settings, Shown(), self.clock)
        self.scrape = Scrape(heard.metrics, self.environments, expiry, lambda: self.trouble, self.clock)

    async def samples(self) -> dict[Sample, float]:
        return samples((await self.scrape.text()).decode())

    async def use(self, tenant: str, client: str = "erp", environment: str = "plant") -> None:
        account = Account(tenant=tenant, client=client, operation="get", adapter="rest")
        deadline = self.clock.time + 9
        asking = Call(operation=GET, tenant=tenant, client=client, request_id="r", deadline=deadline)
        admission = self.environments[environment].admission
        slot = await admission.enter(asking, account, counts=True, barred=lambda _: None)
        slot.leave(departed=True, status=200, retry_after=None)


def settings_of(names: Sequence[str], tenants: dict[str, dict[str, object]]) -> Settings:
    quota = {"cold_start": "trust", "burst": {"limit": 50}, "day": {"limit": 100}}
    key = {"credentials": {"api_key": {"env": "KEY"}}}
    document = {
        "environments": {
            name: {"rest": "https://up.example/api/v1", "zone": "Europe/Amsterdam", "quota": quota}
            for name in names
        },
        "tenants": {
            name: {"environment": names[0], **key, **it} for name, it in (tenants or {"demo": {}}).items()
        },
        "clients": {
            name: {"keys": [hash_key(name)], "scopes": ["read"], "tenants": ["*"]} for name in ("erp", "bi")
        },
    }
    return parse(msgspec.json.encode(document).decode(), {"KEY": "x"}, Path())


def quota(what: str, name: str, environment: str = "plant", **labels: str) -> Sample:
    return f"quota_{what}_units", frozenset({"environment": environment, "name": name, **labels}.items())


async def test_scrapes_at_once_share_one_look() -> None:
    rig = Rig("plant", "mill")
    texts = await asyncio.gather(*(rig.scrape.text() for _ in range(9)))
    assert len(set(texts)) == 1
    assert sorted(rig.store.looks) == ["mill", "plant"]


async def test_it_looks_once_a_second_however_often_it_is_scraped() -> None:
    rig = Rig("plant")
    for _ in range(5):
        await rig.scrape.text()
    assert len(rig.store.looks) == 1
    rig.clock.time += FRESH / 2
    await rig.scrape.text()
    assert len(rig.store.looks) == 1
    rig.clock.time += FRESH / 2
    await rig.scrape.text()
    assert len(rig.store.looks) == 2


async def test_a_store_that_does_not_answer_keeps_nobody_waiting_and_no_other_environment_back() -> None:
    rig = Rig("plant", "stuck")
    async with asyncio.timeout(5):
        shown = await rig.samples()
    assert shown[quota("used", "plant", **DAY)] == 0
    assert quota("used", "stuck", "stuck", **DAY) not in shown
    assert shown["queue_waiting", frozenset({("environment", "stuck")})] == 0


async def test_what_was_known_before_a_loss_is_not_told_during_it() -> None:
    rig, day = Rig("plant"), quota("used", "plant", **DAY)
    await rig.use("demo")
    assert (await rig.samples())[day] == 1
    rig.trouble = "lost"
    assert day not in await rig.samples()
    rig.clock.time += FRESH
    assert day not in await rig.samples()
    assert len(rig.store.looks) == 1
    rig.trouble, rig.store.lost = None, True
    assert day not in await rig.samples()
    rig.store.lost = False
    rig.clock.time += FRESH
    assert (await rig.samples())[day] == 1


async def test_a_store_that_is_about_to_close_is_asked_no_more() -> None:
    rig = Rig("plant")
    await rig.scrape.text()
    await rig.scrape.aclose()
    rig.clock.time += FRESH
    shown = await rig.samples()
    assert (len(rig.store.looks), quota("used", "plant", **DAY) in shown) == (1, False)
    assert shown["queue_waiting", frozenset({("environment", "plant")})] == 0


async def test_an_idle_replica_shows_the_new_day() -> None:
    rig, ends = Rig("plant"), ("quota_day_ends_timestamp_seconds", frozenset({("environment", "plant")}))
    await rig.use("demo")
    shown = await rig.samples()
    assert (shown[quota("used", "plant", **DAY)], shown[ends]) == (1, NOON + 12 * 3600)
    rig.clock.time += 12 * 3600
    shown = await rig.samples()
    assert (shown[quota("used", "plant", **DAY)], shown[ends]) == (0, NOON + 36 * 3600)
    assert shown[quota("remaining", "plant", **DAY)] == 100


async def test_each_clients_share_has_a_name_of_its_own_and_shadows_have_none() -> None:
    clients = {"erp": {"day": 5}, "bi": {"day": 3}}
    rig = Rig("plant", tenants={"demo": {"quota": {"burst": 9, "clients": clients, "shadow": ["burst"]}}})
    await rig.use("demo", "erp")
    await rig.use("demo", "erp")
    await rig.use("demo", "bi")
    shown = await rig.samples()
    left = {labels: value for (name, labels), value in shown.items() if name == "quota_remaining_units"}
    assert {dict(labels)["name"]: value for labels, value in left.items() if ("window", "day") in labels} == {
        "plant": 97,
        "demo:erp": 3,
        "demo:bi": 2,
    }
    assert {dict(labels)["name"] for labels in left if ("window", "burst") in labels} == {"plant"}


def test_more_than_a_window_holds_leaves_nothing_and_not_less() -> None:
    windows = (WindowState(key="environment/plant/burst", limit=45, used=60, resets_in=9),)
    now = EnvironmentNow(
        name="plant",
        day_ends=0.0,
        waiting=3,
        refusing={"rest": True, "batch": False},
        quota=Standing(windows=windows, closed_for=1500, strikes=1, epoch="e"),
    )
    shown = samples(Heard().metrics.render(families((now,), ())).decode())
    assert shown[quota("remaining", "plant", level="environment", window="burst")] == 0
    plant = ("environment", "plant")
    assert shown["upstream_closed_seconds", frozenset({plant})] == 1.5
    assert shown["queue_waiting", frozenset({plant})] == 3
    assert [shown["circuit_open", frozenset({plant, ("adapter", name)})] for name in ("rest", "batch")] == [
        1,
        0,
    ]
