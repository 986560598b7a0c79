"""The configuration is changed while the gateway runs: taken over whole, or refused whole."""

from __future__ import annotations

import asyncio
import io
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import msgspec
import pytest

from adapters.sandbox import Fault, Sandbox
from gateway.bootstrap import build, mistakes
from gateway.keys import hash_key
from gateway.process import Prepared
from gateway.reload import Reload
from gateway.settings import Settings, load_named
from tests.support.quota import ENVIRONMENT, STORE
from tests.support.servers import KEY, UPSTREAM_KEY, Served, eventually, serving

RECORD = "/v1/demo/objects/Vendor/2513"
OTHER_KEY = "other-test-key"
OLD = 1_000_000_000
Document = dict[str, dict[str, object]]


class House:
    """A gateway, its file on the disk, and a caller."""

    def __init__(self, file: Path, document: Document) -> None:
        self.file = file
        self.document = document
        self._moment = OLD
        self.key_file = file.parent / "upstream-key"
        self.give_key(UPSTREAM_KEY)
        self.write()

    def write(self, text: str | None = None) -> None:
        """Write the document, or something else; each time with another time, as a clock would."""
        self.file.write_text(text or msgspec.json.encode(self.document).decode())
        self._aged(self.file)

    def give_key(self, key: str) -> None:
        self.key_file.write_text(key)
        self._aged(self.key_file)

    def _aged(self, path: Path) -> None:
        self._moment += 1
        os.utime(path, (self._moment, self._moment))

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Running]:
        files: set[Path] = set()
        log = io.BytesIO()
        settings = load_named(self.file, {}, mistakes, files)
        gateway = build(settings, log=log)
        reload = Reload(
            self.file,
            {},
            files,
            settings,
            check=mistakes,
            prepare=gateway.prepare,
            take=gateway.take,
            lifecycle=gateway.lifecycle,
            events=gateway.events,
        )
        async with (
            serving(gateway.app) as url,
            httpx2.AsyncClient(base_url=url, headers={"X-API-Key": KEY}, timeout=20) as client,
        ):
            yield Running(Served(url, log, gateway, settings), reload, client)


class Running(msgspec.Struct, frozen=True):
    served: Served
    reload: Reload
    client: httpx2.AsyncClient

    async def status(self, path: str = RECORD, key: str = KEY) -> int:
        return (await self.client.get(path, headers={"X-API-Key": key})).status_code

    async def ready(self) -> dict[str, object]:
        found: dict[str, object] = (await self.client.get("/readyz")).json()
        return found

    async def metric(self, name: str) -> list[str]:
        lines = (await self.client.get("/metrics")).text.splitlines()
        return [
            line.removeprefix("ultimo_gateway_")
            for line in lines
            if line.startswith(f"ultimo_gateway_{name}")
        ]

    def events(self) -> list[object]:
        log = self.served.log.getvalue().splitlines()
        return [msgspec.json.decode(line)["event"] for line in log if b'"configuration ' in line]


@pytest.fixture
def house(sandbox: Sandbox, tmp_path: Path) -> House:
    plant = {"rest": sandbox.url + "/api/v1", "zone": "Europe/Amsterdam", **ENVIRONMENT}
    return House(
        tmp_path / "gateway.yaml",
        {
            "server": {"log": {"format": "json"}},
            "store": {**STORE},
            "environments": {"plant": plant},
            "tenants": {
                "demo": {"environment": "plant", "credentials": {"api_key": {"file": "upstream-key"}}}
            },
            "clients": {"tests": {"keys": [hash_key(KEY)], "scopes": ["read", "write"], "tenants": ["*"]}},
        },
    )


async def test_what_was_changed_serves_and_what_was_taken_out_is_gone(house: House) -> None:
    async with house.open() as running:
        before = (await running.ready())["config"]
        house.document["tenants"] = {"renamed": house.document["tenants"]["demo"]}
        house.document["clients"]["tests"] = {
            "keys": [hash_key(OTHER_KEY)], "scopes": ["read"], "tenants": ["renamed"],
        }  # fmt: skip
        house.write()
        assert await running.status() == 200, "nothing changes before somebody has looked"
        await running.reload.look()
        assert await running.status() == 401
        assert await running.status(key=OTHER_KEY) == 404
        assert await running.status("/v1/renamed/objects/Vendor/2513", OTHER_KEY) == 200
        ready = await running.ready()
        assert (ready["status"], ready["config"] == before) == ("ready", False)
        assert await running.metric("config_info") == [f'config_info{{hash="{ready["config"]}"}} 1.0']
        assert await running.metric("config_reloads_total") == ['config_reloads_total{outcome="taken"} 1.0']
        assert 'tenant="renamed"' in "".join(await running.metric("calls_total"))
        assert running.events() == ["configuration taken over"]


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


async def test_a_call_that_is_under_way_ends_as_it_began(house: House, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(action="delay", seconds=0.4))
    async with house.open() as running:
        slow = asyncio.create_task(running.client.get(RECORD))
        await eventually(lambda: sandbox.ledger.received)
        house.document["tenants"]["other"] = house.document["tenants"].pop("demo")
        house.write()
        await running.reload.look()
        assert await running.status() == 404
        assert (await slow).status_code == 200


async def test_what_was_counted_before_is_told_while_older_calls_go_on(
    house: House, sandbox: Sandbox
) -> None:
    async with house.open() as running:
        assert await running.status() == 200
        sandbox.faults.add(Fault(action="delay", seconds=0.4))
        slow = asyncio.create_task(running.client.get(RECORD))
        await eventually(lambda: sandbox.ledger.received == 2)
        house.document["clients"]["tests"] |= {"weight": 2}  # type: ignore[operator]
        house.write()
        await running.reload.look()
        usage = (await running.client.get("/v1/demo/usage")).json()
        assert (running.events(), usage["total"]["calls"], slow.done()) == (
            ["configuration taken over"], 1, False,
        )  # fmt: skip
        assert (await slow).status_code == 200


async def test_a_secret_that_was_replaced_is_used_and_is_in_no_line(house: House) -> None:
    async with house.open() as running:
        house.give_key("a-key-that-nobody-knows")
        await running.reload.look()
        assert await running.status() == 502
        house.give_key(UPSTREAM_KEY)
        await running.reload.look()
        assert await running.status() == 200
        running.served.gateway.logger.info("x", said="a-key-that-nobody-knows", old=UPSTREAM_KEY)
        log = running.served.log.getvalue().decode()
        assert "a-key-that-nobody-knows" not in log
        assert f'"{UPSTREAM_KEY}"' not in log


async def test_a_volume_that_is_swapped_by_a_link_is_seen(house: House, tmp_path: Path) -> None:
    """As Kubernetes updates a mounted ConfigMap: the files are links through ``..data``, which moves in one step."""
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    text = house.file.read_text()
    (tmp_path / "first" / "gateway.yaml").write_text(text)
    (tmp_path / "second" / "gateway.yaml").write_text(text.replace('"demo":', '"moved":'))
    (tmp_path / "..data").symlink_to("first")
    house.file.unlink()
    house.file.symlink_to("..data/gateway.yaml")
    async with house.open() as running:
        assert await running.status() == 200
        (tmp_path / "..next").symlink_to("second")
        (tmp_path / "..next").replace(tmp_path / "..data")
        await running.reload.look()
        assert await running.status() == 404
        assert await running.status("/v1/moved/objects/Vendor/2513") == 200


async def test_what_is_still_good_is_carried_on(house: House, sandbox: Sandbox) -> None:
    fresh = {"Cache-Control": "max-age=60"}

    async def how(running: Running) -> str:
        answer = await running.client.get(RECORD, headers=fresh)
        return answer.headers["Cache-Status"].split(";")[1].strip().split("=")[0]

    async with house.open() as running:
        assert [await how(running), await how(running)] == ["fwd", "hit"]
        house.document["tenants"]["second"] = house.document["tenants"]["demo"]
        house.write()
        await running.reload.look()
        assert await how(running) == "hit", "the tenant is as it was"
        house.document["tenants"]["demo"] = {**house.document["tenants"]["demo"], "company": "002"}  # type: ignore[dict-item]
        house.write()
        await running.reload.look()
        assert await how(running) == "fwd", "another company may have another record"
        quota = (await running.client.get("/v1/demo/quota")).json()["windows"]
        assert next(w["used"] for w in quota if w["window"] == "day") == 2, "the account is the process's"


async def test_a_circuit_stays_open(house: House, sandbox: Sandbox) -> None:
    house.document["environments"]["plant"] |= {"breaker": {"failures": 1, "pause": 60, "longest": 60}}  # type: ignore[operator]
    house.document["tenants"]["demo"] |= {"retry": {"attempts": 1}}  # type: ignore[operator]
    house.write()
    sandbox.faults.add(Fault(action="answer", status=503, body="down"))
    async with house.open() as running:
        house.document["environments"]["plant"] |= {"breaker": {"failures": 1, "pause": 61, "longest": 61}}  # type: ignore[operator]
        house.write()
        await running.reload.look()
        assert await running.status() == 502
        house.document["clients"]["tests"] |= {"weight": 2}  # type: ignore[operator]
        house.write()
        await running.reload.look()
        assert (await running.client.get(RECORD)).json()["code"] == "circuit_open"


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


async def test_without_its_store_it_goes_on_with_the_share_that_is_configured_now(house: House) -> None:
    broken = house.file.parent / "gateway.db"
    broken.write_bytes(b"this is no database" * 100)
    house.document["store"] = {"kind": "sqlite", "file": str(broken)}
    house.write()
    async with house.open() as running:
        quota: dict[str, object] = {"cold_start": "trust", "local_share": 0.3}
        house.document["environments"]["plant"] |= {"quota": quota}  # type: ignore[operator]
        house.write()
        await running.reload.look()
        await running.client.get(RECORD, headers={"Request-Timeout": "1"})
        parts = (await running.ready())["parts"]
    assert isinstance(parts, dict)
    assert "goes on with 30 % of every window" in parts["store"]
