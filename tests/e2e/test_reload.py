"""The configuration is changed while the gateway runs: all of it is taken over, and what is still good goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path

from adapters.sandbox import Fault, Sandbox
from gateway.keys import hash_key
from tests.support.reloaded import OTHER_KEY, RECORD, House, Running
from tests.support.servers import UPSTREAM_KEY, eventually


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


async def test_what_served_before_is_given_back_when_its_last_call_is_over(house: House) -> None:
    arrived, release, gone = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        arrived.set()
        await release.wait()
        body = b'{"Id":"2513"}'
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n" + body
        )
        await reader.read()
        gone.set()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as upstream:
        port = upstream.sockets[0].getsockname()[1]
        house.document["environments"]["plant"] |= {"rest": f"http://127.0.0.1:{port}/api/v1"}  # type: ignore[operator]
        house.write()
        async with house.open() as running:
            slow = asyncio.create_task(running.client.get(RECORD))
            await asyncio.wait_for(arrived.wait(), 5)
            house.document["clients"]["tests"] |= {"weight": 2}  # type: ignore[operator]
            house.write()
            await running.reload.look()
            assert not gone.is_set(), "a call is under way over it"
            release.set()
            assert (await slow).status_code == 200
            # Long before a connection that nobody uses is closed for its age.
            await asyncio.wait_for(gone.wait(), 5)


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


async def test_a_generation_that_ends_keeps_nobody_waiting_and_asks_its_store_no_more(house: House) -> None:
    quota = {"cold_start": "trust", "burst": {"limit": 1, "seconds": 60}}
    house.document["environments"]["plant"] |= {"quota": quota}  # type: ignore[operator]
    house.write()
    async with house.open() as running:
        gateway = running.served.gateway
        prepared = gateway.prepare(running.served.settings)
        gateway.take(prepared)
        assert await running.status() == 200
        assert await running.metric("quota_used_units")
        waiting = asyncio.create_task(running.client.get(RECORD, headers={"Request-Timeout": "200"}))
        async with asyncio.timeout(5):
            while await running.metric("queue_waiting") != ['queue_waiting{environment="plant"} 1.0']:
                pass
        await prepared.generation.close()
        assert (await asyncio.wait_for(waiting, 5)).json()["code"] == "overloaded"
        assert await running.metric("quota_used_units") == []
