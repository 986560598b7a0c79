"""What is different about a server: it is somewhere else, it goes away, and others use it at the same time."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest
import trustme
from msgspec.structs import replace

from gateway.settings import Secret, ValkeySettings
from gateway.stores.ports import Begun, Full, Probe, Reserved, Standing, StoreLost, Throttled
from gateway.stores.valkey import ValkeyStore
from tests.stores.claims import ENVIRONMENT, burst, claim, day, days, entry
from tests.stores.valkeys import ServerTime, valkey_store
from tests.support.relay import relay
from tests.support.servers import eventually
from tests.support.valkey import Valkey, valkey

BURST = burst(50, length=10_000)
DAY = day(1_000)
PERIODS = days(round(time.time() * 1000))
SECRET = "s3cret-of-the-store"


@asynccontextmanager
async def store_on(settings: ValkeySettings) -> AsyncIterator[ValkeyStore]:
    store = ValkeyStore(settings)
    try:
        yield store
    finally:
        await store.close()


async def reserve(store: ValkeyStore, name: str, *, cold: int = 0) -> Reserved | Full:
    return await store.quota.reserve(claim(name, BURST, DAY, periods=PERIODS, cold=cold))


async def standing(store: ValkeyStore) -> Standing:
    return await store.quota.standing(ENVIRONMENT, (BURST, DAY), PERIODS)


async def every_step(store: ValkeyStore) -> None:
    await store.ping()
    for name in ("r1", "r2", "r3"):
        assert isinstance(await reserve(store, name), Reserved)
    await store.quota.renew(ENVIRONMENT, ["r1"], 1_000)
    await store.quota.release(ENVIRONMENT, "r2")
    await store.quota.release(ENVIRONMENT, "unknown")
    await store.quota.settle(ENVIRONMENT, "r1", Throttled(retry_after=None, window=10_000, limit=50))
    await store.quota.restore(ENVIRONMENT, 0, (), ())
    await standing(store)
    begun = await store.idempotency.begin("key", b"body", 1_000, 10_000)
    assert isinstance(begun, Begun)
    await store.idempotency.depart("key", begun.fence)
    await store.idempotency.finish("key", begun.fence, b"answer", settled=True)
    await store.breakers.trip("acme/rest", 1, 1, 1.0)
    await asyncio.sleep(0.01)
    assert isinstance(await store.breakers.probe("acme/rest", "me", 1_000), Probe)
    await store.ledger.add("e1", [entry(calls=1)])
    assert await store.ledger.usage(ENVIRONMENT, "0", "9")


async def test_every_key_expires_by_itself(server: Valkey) -> None:
    store = valkey_store(server)
    await every_step(store)
    await store.close()
    names = cast("list[bytes]", server.command("KEYS", "*"))
    assert len(names) >= 10
    assert [name for name in names if cast("int", server.command("TTL", name.decode())) < 0] == []


async def test_a_step_touches_one_slot_of_a_cluster() -> None:
    with valkey(**{"cluster-enabled": "yes"}) as node:
        node.command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        await eventually(lambda: "cluster_state:ok" in _text(node.command("CLUSTER", "INFO")), 20)
        async with store_on(node.settings()) as store:
            await every_step(store)


async def test_replicas_share_exactly(server: Valkey) -> None:
    stores = [valkey_store(server) for _ in range(4)]
    answers = await asyncio.gather(
        *(reserve(store, f"{number}-{unit}") for number, store in enumerate(stores) for unit in range(40))
    )
    assert sum(isinstance(answer, Reserved) for answer in answers) == BURST.limit
    assert [state.used for state in (await standing(stores[0])).windows] == [50, 50]
    for store in stores:
        await store.close()


async def test_a_step_whose_reply_is_lost_is_asked_again_and_counts_once(server: Valkey) -> None:
    server.command("FLUSHALL")
    async with relay(server.port) as between, store_on(server.settings(port=between.port)) as store:
        await reserve(store, "r1")
        for step in range(3):
            between.swallowing = 1
            if step == 0:
                assert isinstance(await reserve(store, "r2"), Reserved)
            elif step == 1:
                await store.ledger.add("e1", [entry(calls=1)])
            else:
                assert isinstance(await store.idempotency.begin("key", b"body", 60_000, 60_000), Begun)
            assert between.swallowed == step + 1
        assert [state.used for state in (await standing(store)).windows] == [2, 2]
        assert [one.calls for one in await store.ledger.usage(ENVIRONMENT, "2025-03-10", "2025-03-10")] == [1]


async def test_a_unit_is_remembered_as_long_as_its_longest_slot(server: Valkey) -> None:
    store, time_there = valkey_store(server), ServerTime(server)
    rolling = burst(10, key="environment/acme/day", length=86_400_000)
    await store.quota.reserve(claim("late", BURST, rolling, periods=PERIODS, lease=1_000))
    await time_there.advance(3_600_000)
    assert [state.used for state in (await standing(store)).windows] == [0, 0]
    await store.quota.settle(ENVIRONMENT, "late")
    assert (await standing(store)).windows[0].used == 1
    await store.close()


async def test_time_goes_on_when_the_clock_of_the_server_was_set_back(server: Valkey) -> None:
    """Nothing goes out early, and nobody waits for the hour to come again."""
    store, time_there = valkey_store(server), ServerTime(server)
    log = burst(3, length=1_500)
    asked = [claim(f"r{number}", log, periods=PERIODS) for number in range(200)]
    await store.quota.reserve(asked[0])
    await store.quota.settle(ENVIRONMENT, "r0")
    time_there.stand(ENVIRONMENT, time_there.now() + 3_600_000)
    began, taken = time.monotonic(), []
    for number in range(1, 200):
        if isinstance(await store.quota.reserve(asked[number]), Reserved):
            taken.append(time.monotonic())
            await store.quota.settle(ENVIRONMENT, f"r{number}")
        if len(taken) == 4:
            break
        await asyncio.sleep(0.02)
    assert len(taken) == 4
    assert taken[3] - taken[0] >= 1.4
    assert time.monotonic() - began < 4
    await store.close()


async def test_what_was_given_back_before_it_was_taken_is_not_taken(server: Valkey) -> None:
    """The reserving was still on its way, on a connection that nobody listens to any more."""
    store = valkey_store(server)
    await store.quota.release(ENVIRONMENT, "late")
    assert isinstance(await reserve(store, "late"), Full)
    assert [state.used for state in (await standing(store)).windows] == [0, 0]
    await store.close()


async def test_a_server_that_was_started_again_may_lack_its_last_moments() -> None:
    with valkey() as server:
        async with store_on(server.settings()) as store:
            before = await reserve(store, "r1")
            assert isinstance(before, Reserved)
            server.stop()
            with pytest.raises(StoreLost):
                await store.ping()
            server.start()
            refused = await reserve(store, "r2", cold=5_000)
            assert isinstance(refused, Full)
            assert refused.epoch != before.epoch
            assert 0 < refused.opens_in <= 5_000
            assert (await standing(store)).windows[1].used == 1, "what it still knows is kept"


async def fails(settings: ValkeySettings, reason: str) -> None:
    """Every part says that the store is lost, and why, and names neither hosts nor secrets."""
    async with store_on(settings) as store:
        for step in (
            store.ping(),
            reserve(store, "r1"),
            store.quota.settle(ENVIRONMENT, "r1"),
            store.idempotency.begin("key", b"body", 1_000, 1_000),
            store.breakers.probe("acme/rest", "me", 1_000),
            store.breakers.close("acme/rest"),
            store.ledger.add("e1", [entry(calls=1)]),
            store.ledger.usage(ENVIRONMENT, "0", "9"),
        ):
            with pytest.raises(StoreLost, match=reason) as lost:
                await step
            said = str(lost.value)
            assert "127.0.0.1" not in said
            assert settings.address.rpartition(":")[2] not in said
            assert SECRET not in said


async def test_nobody_is_there(server: Valkey) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
    await fails(server.settings(port=port), "cannot be reached")


async def test_nobody_answers(server: Valkey) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        await fails(server.settings(timeout=0.02, port=int(listener.getsockname()[1])), "in time")


async def test_it_is_something_else(server: Valkey) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    other = await asyncio.start_server(serve, "127.0.0.1", 0)
    await fails(server.settings(port=other.sockets[0].getsockname()[1]), "Valkey: it")
    other.close()
    await other.wait_closed()


async def test_a_login_that_is_refused() -> None:
    with valkey() as server:
        server.command("CONFIG", "SET", "requirepass", SECRET)
        settings = server.settings()
        await fails(settings, "refused the login")
        await fails(replace(settings, password=Secret("wrong")), "refused the login")
        async with store_on(replace(settings, password=Secret(SECRET))) as store:
            await every_step(store)
        async with store_on(replace(settings, username="default", password=Secret(SECRET))) as store:
            await store.ping()


async def test_a_cluster_that_is_down() -> None:
    with valkey(**{"cluster-enabled": "yes"}) as node:
        await fails(node.settings(), "refused the step")


async def test_a_key_of_somebody_elses(server: Valkey) -> None:
    store = valkey_store(server)
    server.command("SET", f"{{test:{ENVIRONMENT}}}", "no hash")
    with pytest.raises(StoreLost, match="refused the step"):
        await reserve(store, "r1")
    await store.close()


async def test_a_script_that_is_not_known_any_more_is_sent_along(server: Valkey) -> None:
    store = valkey_store(server)
    await reserve(store, "r1")
    server.command("SCRIPT", "FLUSH")
    assert isinstance(await reserve(store, "r2"), Reserved)
    await store.close()


async def test_the_server_is_known_by_its_certificate(server: Valkey, tmp_path: Path) -> None:
    server.command("FLUSHALL")
    authority, stranger = trustme.CA(), trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    for name, issuer in (("ours", authority), ("another", stranger)):
        issuer.cert_pem.write_to_path(str(tmp_path / name))
    async with relay(server.port, tls=context) as between:
        settings = replace(server.settings(port=between.port), tls=True, ca_file=tmp_path / "ours")
        async with store_on(settings) as store:
            await every_step(store)
        await fails(replace(settings, ca_file=tmp_path / "another"), "cannot be reached")
        await fails(replace(settings, ca_file=tmp_path / "absent"), "cannot be reached")
        await fails(replace(settings, tls=False), "Valkey: it")


async def test_whoever_leaves_while_waiting_leaves_at_once(server: Valkey) -> None:
    store = valkey_store(server)
    for turn in range(400):
        step = asyncio.create_task(store.ping())
        for _ in range(turn % 20):
            await asyncio.sleep(0)
        if not step.done():
            step.cancel()
            with pytest.raises(asyncio.CancelledError):
                await step
    await store.ping()
    await store.close()


def _text(reply: object) -> str:
    return reply.decode() if isinstance(reply, bytes) else str(reply)
