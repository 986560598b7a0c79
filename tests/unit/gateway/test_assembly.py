"""What building finds wrong: addresses, credentials and options that adapters need; and what they share."""

from __future__ import annotations

import asyncio
import gc
import io
import ssl
from pathlib import Path

import msgspec
import pytest

from contracts.adapter import API_VERSION, AdapterContext, AdapterSpec, Capabilities
from contracts.call import Call
from contracts.entities import standard_schema
from contracts.operations import GetRecord, Operation
from contracts.results import ActionDone, Result
from contracts.wire import Slot, Wire, WireRequest
from gateway.assembly import Assembly
from gateway.bootstrap import mistakes
from gateway.carried import Carried
from gateway.clock import SystemClock
from gateway.environments import Shared, environments
from gateway.expiry import Shown
from gateway.keys import hash_key
from gateway.settings import ConfigurationError, LogSettings, Settings, advice, parse
from gateway.stores.memory import MemoryStore
from gateway.telemetry.events import Events
from gateway.telemetry.log import build_logger
from gateway.telemetry.metrics import Metrics
from gateway.tenants import Tenants
from tests.faults.wires import a_call
from tests.support.quota import plain

KEY = "an upstream key"


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    loud: bool = False


class Caller:
    """An adapter that asks for something, and gives nothing of the answer."""

    capabilities = Capabilities(operations=frozenset({"action"}))

    def __init__(self, context: AdapterContext) -> None:
        self.context = context

    def refusal(self, operation: Operation) -> str | None:
        return None

    def plan(self, call: Call) -> tuple[WireRequest, ...]:
        return (WireRequest(method="GET", target="/x", repeatable=True),)

    async def perform(self, call: Call, wire: Wire) -> Result:
        await wire.send(*self.plan(call))
        return ActionDone(result={})


def spec(name: str, interface: str, *credentials: Slot) -> AdapterSpec:
    return AdapterSpec(
        name=name,
        api_version=API_VERSION,
        interface=interface,
        summary="",
        options=Options,
        open=Caller,
        credentials=credentials,
    )


SPECS = {
    item.name: item
    for item in (
        spec("one", "rest", Slot.API_KEY),
        spec("two", "rest", Slot.API_KEY),
        spec("three", "site", Slot.USERNAME, Slot.PASSWORD),
        spec("four", "letterbox"),
    )
}


def settings(tenant: dict[str, object], **environment: object) -> Settings:
    document = {
        "environments": {"plant": {"zone": "Europe/Amsterdam", **environment}},
        "tenants": {"erp": {"environment": "plant", **tenant}},
        "clients": {"c": {"keys": [hash_key("k")], "scopes": ["read"], "tenants": ["*"]}},
    }
    return parse(msgspec.json.encode(document).decode(), {"KEY": KEY}, Path())


def assembled(given: Settings) -> Tenants:
    metrics = Metrics(version="0", config_hash="0", tenants=[], environments=[], adapters=[])
    schemas = {"plant": standard_schema()}
    clock = SystemClock()
    events = Events(build_logger(LogSettings(), io.BytesIO()), metrics)
    store = MemoryStore(clock)
    shared = environments(plain(given), Shared(store.quota, store.breakers, clock, events, Carried()))
    return Assembly(given, SPECS, schemas, shared, clock, metrics, Carried(), Shown()).tenants()


def told(given: Settings) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        assembled(given)
    return [str(problem) for problem in caught.value.problems]


REST, SITE = {"rest": "https://plant.example/api/v1"}, {"site": "https://plant.example"}
WITH_KEY: dict[str, object] = {"credentials": {"api_key": {"env": "KEY"}}}


@pytest.mark.parametrize(
    ("adapter", "place"), [("one", "rest"), ("three", "site"), ("four", "addresses.letterbox")]
)
def test_an_interface_without_an_address_is_told_with_the_place_for_it(adapter: str, place: str) -> None:
    interface = SPECS[adapter].interface
    credentials = {"api_key": {"env": "KEY"}, "username": "u", "password": {"env": "KEY"}}
    assert told(settings({"adapters": [adapter], "credentials": credentials})) == [
        f"tenants.erp.adapters[0]: the environment 'plant' has no address for '{interface}'; "
        f"set environments.plant.{place}"
    ]


def test_credentials_that_an_adapter_needs_are_told_all_at_once() -> None:
    assert told(settings({"adapters": ["one", "three"]}, **REST, **SITE)) == [
        "tenants.erp.credentials.api_key: is missing; the adapter 'one' needs it",
        "tenants.erp.credentials.username: is missing; the adapter 'three' needs it",
        "tenants.erp.credentials.password: is missing; the adapter 'three' needs it",
    ]


def test_what_no_adapter_needs_can_be_left_out() -> None:
    given = settings({"adapters": ["four"]}, addresses={"letterbox": "https://letters.example"})
    assert len(assembled(given).visible(given.clients["c"])) == 1


def test_a_missing_credential_is_a_mistake_of_the_file_too() -> None:
    (problem,) = mistakes(settings({"adapters": ["rest"]}, **REST))
    assert str(problem) == "tenants.erp.credentials.api_key: is missing; the adapter 'rest' needs it"


def test_an_adapter_that_there_is_not_and_options_that_it_does_not_take() -> None:
    given = settings({"adapters": {"one": {"lout": True}, "tree": {}}, **WITH_KEY}, **REST)
    assert set(told(given)) == {
        "tenants.erp.adapters.one.lout: unknown key, did you mean 'loud'? (line 1)",
        "tenants.erp.adapters.tree: no adapter of this name is installed, did you mean 'three'?",
    }


async def test_adapters_with_one_address_share_its_connections() -> None:
    connections = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while await reader.readline():
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        given = settings(
            {
                "adapters": ["one", "two", "four"],
                "routes": {"Job": ["two"], "Vendor": ["four"]},
                **WITH_KEY,
            },
            rest=address,
            addresses={"letterbox": address + "/letters"},
        )
        tenants = assembled(given)
        (tenant,) = tenants.visible(given.clients["c"])
        for entity, shared in (("Equipment", 1), ("Job", 1), ("Vendor", 2)):
            operation = GetRecord(place=tenant.place(f"{entity}/1"))
            await tenant.perform(msgspec.structs.replace(a_call(), operation=operation))
            assert connections == shared
        await tenants.close()
        await tenants.close()


def test_tenants_with_one_upstream_share_what_is_trusted() -> None:
    """A megabyte of authorities each, and 20 ms to read it, would be much for hundreds of tenants."""

    def contexts() -> int:
        return sum(isinstance(it, ssl.SSLContext) for it in gc.get_objects())

    one = settings({"adapters": ["one"], **WITH_KEY}, **REST)
    given = msgspec.structs.replace(one, tenants=dict.fromkeys(("erp", "mes", "web"), one.tenants["erp"]))
    gc.collect()
    before = contexts()
    tenants = assembled(given)
    assert (len(tenants.visible(given.clients["c"])), contexts() - before) == (3, 1)


def test_a_rest_address_that_looks_like_none_is_advised_against() -> None:
    def advised(**environment: object) -> list[str]:
        return [
            problem.path for problem in advice(settings({"adapters": ["one"], **WITH_KEY}, **environment))
        ]

    assert advised(**REST, **SITE) == []
    assert advised(rest="https://plant.example") == ["environments.plant.rest"]
    assert advised(rest="https://plant.example/API/v1/") == []
