"""When the files of a configuration are looked at, and that a wrong one is refused whole: what ran before runs on."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.bootstrap import mistakes
from gateway.process import Prepared
from gateway.reload import Reload
from gateway.settings import Settings
from tests.support.reloaded import House
from tests.support.servers import UPSTREAM_KEY, eventually


async def test_what_has_not_changed_is_not_taken_over(house: House) -> None:
    async with house.open() as running:
        for _ in range(2):
            await running.reload.look()
        assert running.events() == []
        house.give_key(UPSTREAM_KEY)
        for _ in range(2):
            await running.reload.look()
        assert running.events() == ["configuration taken over"], "who writes a file wants it read"
        times, text = house.file.stat(), house.file.read_text()
        other = house.file.with_name("other.yaml")
        other.write_text(text.replace('"demo"', '"omed"'))
        os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
        other.replace(house.file)
        for _ in range(2):
            await running.reload.look()
        assert len(running.events()) == 2, "another file of that size and time"


async def test_a_file_that_was_written_just_before_the_start_is_read_once_more(house: House) -> None:
    now = time.time()
    os.utime(house.file, (now, now))
    async with house.open() as running:
        await running.reload.look()
        assert running.events() == [], "it says the same"
    text = house.file.read_text()
    async with house.open() as running:
        house.file.write_text(text.replace('"demo"', '"omed"'))
        os.utime(house.file, (now, now))
        await running.reload.look()
        assert running.events() == ["configuration taken over"], "neither its time nor its size tells"


async def test_looking_is_by_the_clock_or_when_asked(house: House) -> None:
    async with house.open() as running:
        watching = asyncio.create_task(running.reload.watch(0))
        house.document["clients"]["tests"] |= {"weight": 2}  # type: ignore[operator]
        house.write()
        running.reload.look_now()
        await eventually(running.events)
        watching.cancel()
        watching = asyncio.create_task(running.reload.watch(0.01))
        house.document["clients"]["tests"] |= {"weight": 3}  # type: ignore[operator]
        house.write()
        await eventually(lambda: len(running.events()) == 2)
        watching.cancel()
        assert running.events() == ["configuration taken over"] * 2


async def test_who_asked_once_is_not_looked_for_all_the_time(house: House) -> None:
    async with house.open() as running:
        watching = asyncio.create_task(running.reload.watch(0))
        house.document["clients"]["tests"] |= {"weight": 2}  # type: ignore[operator]
        house.write()
        running.reload.look_now()
        await eventually(running.events)
        house.document["clients"]["tests"] |= {"weight": 3}  # type: ignore[operator]
        house.write()
        with pytest.raises(TimeoutError):
            await eventually(lambda: len(running.events()) == 2, seconds=0.2)
        watching.cancel()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda house: house.write("tenants: ["), "not valid YAML"),
        (lambda house: house.write("{}"), "environments: is missing"),
        (lambda house: house.file.unlink(), "the file cannot be read"),
        (lambda house: house.key_file.unlink(), "the file upstream-key cannot be read"),
        (lambda house: house.give_key(""), "upstream-key is empty"),
        (
            lambda house: house.write(house.file.read_text().replace("upstream-key", r"\ud800")),
            "cannot be read: not a path",
        ),
        (
            lambda house: house.document["tenants"].update(demo={"environment": "palnt"}) or house.write(),
            "did you mean 'plant'",
        ),
        (
            lambda house: house.document["server"].update(port=9999) or house.write(),
            "server.port: changes only with a restart",
        ),
        (
            lambda house: house.document.update(store={"kind": "sqlite"}) or house.write(),
            "store.kind: changes only with a restart",
        ),
        (
            lambda house: house.document["tenants"]["demo"].update(adapters={"rest": {"actoins": {}}})
            or house.write(),
            "actoins",
        ),
    ],
    ids=[
        "YAML", "empty", "gone", "secret gone", "secret empty", "no path", "reference", "port", "store",
        "adapter option",
    ],
)  # fmt: skip
async def test_a_wrong_file_is_refused_whole_and_said_once(
    house: House, spoil: Callable[[House], object], said: str
) -> None:
    written = house.file.read_text()
    async with house.open() as running:
        config = (await running.ready())["config"]
        spoil(house)
        for _ in range(2):
            await running.reload.look()
        assert await running.status() == 200
        response = await running.client.get("/readyz")
        ready = response.json()
        assert (response.status_code, ready["status"], ready["config"]) == (200, "degraded", config)
        assert said in ready["parts"]["configuration"]
        assert UPSTREAM_KEY not in response.text
        assert await running.metric("config_stale") == ["config_stale 1.0"]
        assert await running.metric("config_info") == [f'config_info{{hash="{config}"}} 1.0']
        assert running.events() == ["configuration refused"]
        house.give_key(UPSTREAM_KEY)
        house.write(written)
        await running.reload.look()
        assert (await running.ready())["status"] == "ready"
        assert await running.metric("config_stale") == ["config_stale 0.0"]


async def test_a_file_that_is_named_before_it_is_there_is_waited_for(house: House, tmp_path: Path) -> None:
    async with house.open() as running:
        house.document["tenants"]["demo"] |= {"credentials": {"api_key": {"file": "later"}}}  # type: ignore[operator]
        house.write()
        await running.reload.look()
        assert running.events() == ["configuration refused"]
        # That what runs says the same is no reason to go on saying that it was refused.
        (tmp_path / "later").write_text(UPSTREAM_KEY)
        await running.reload.look()
        assert running.events() == ["configuration refused", "configuration taken over"]
        assert (await running.ready())["status"] == "ready"
        assert await running.status() == 200
        (tmp_path / "later").write_text("another-key")
        await running.reload.look()
        assert await running.status() == 502
        house.document["tenants"]["demo"] |= {"credentials": {"api_key": {"file": "upstream-key"}}}  # type: ignore[operator]
        house.document["clients"]["tests"] |= {"weight": 2}  # type: ignore[operator]
        house.write()
        for _ in range(2):
            await running.reload.look()
        assert len(running.events()) == 4, "a file that is looked at for the first time has not changed"


async def test_whatever_goes_wrong_what_runs_runs_on_and_says_so_without_secrets(house: House) -> None:
    def broken(settings: Settings) -> Prepared:
        raise RuntimeError(f"it broke over {UPSTREAM_KEY}")

    async with house.open() as running:
        gateway, files = running.served.gateway, {house.file}
        reload = Reload(
            house.file,
            {},
            files,
            running.served.settings,
            check=mistakes,
            prepare=broken,
            take=gateway.take,
            lifecycle=gateway.lifecycle,
            events=gateway.events,
        )
        house.write()
        await reload.look()
        ready = await running.ready()
        assert ready["parts"] == {
            "configuration": "degraded: the file was changed and refused: it could not be put together "
            "(RuntimeError: it broke over ***)",
            "store": "ok",
            "upstream plant": "ok",
        }
        assert await running.status() == 200
