"""Every adapter that is installed, opened over a sandbox of its own, by real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec

from adapters.sandbox import Sandbox, SandboxOptions
from contracts.adapter import Adapter, AdapterSpec
from contracts.call import Call
from contracts.conformance import NOW, ZONE, context
from contracts.entities import STANDARD_ENTITIES
from contracts.wire import Slot, Wire
from gateway.clock import SystemClock
from gateway.wire import UpstreamWire, WireSettings
from tests.support.servers import UPSTREAM_KEY, UPSTREAM_PASSWORD, UPSTREAM_USER

CREDENTIAL = {
    Slot.API_KEY: UPSTREAM_KEY,
    Slot.USERNAME: UPSTREAM_USER,
    Slot.PASSWORD: UPSTREAM_PASSWORD,
}


class Rig(msgspec.Struct, frozen=True):
    adapter: Adapter
    bind: Callable[[Call], Wire]


def addresses(sandbox: str) -> Mapping[str, str]:
    """Where each interface of a sandbox is."""
    return {"rest": f"{sandbox}/api/v1", "site": sandbox}


def options() -> Mapping[str, Mapping[str, object]]:
    """What each adapter is told of the sandbox. One that is installed and has no row here is not tested."""
    return {"rest": {}, "batch": {}, "connector": _connectors(), "soap": _connectors()}


def _connectors() -> Mapping[str, object]:
    """A connector for each entity, in all three formats; not one can filter but by the key."""
    formats = {"Vendor": "csv", "Employee": "csv", "Space": "json", "EquipmentSparePart": "json"}
    names = [entity.name for entity in STANDARD_ENTITIES]
    exports: dict[str, object] = {}
    for name in names:
        form = formats.get(name)
        suffix = f"_{form.upper()}" if form else ""
        exports[name] = {
            "connector": f"EXP_{name.upper()}{suffix}",
            "filters": ["Id"],
            "format": form or "xml",
        }
    return {"exports": exports, "imports": {name: {"connector": f"IMP_{name.upper()}"} for name in names}}


def opened(spec: AdapterSpec, sandbox: str) -> Adapter:
    """The adapter, set up for a sandbox."""
    told = msgspec.convert(options()[spec.name], spec.options)
    return spec.open(context(addresses(sandbox)[spec.interface], told))


@asynccontextmanager
async def rigged(specs: Mapping[str, AdapterSpec]) -> AsyncIterator[Mapping[str, Rig]]:
    """Each adapter over a fresh plant."""
    async with AsyncExitStack() as stack:
        rigs = {}
        for name, spec in specs.items():
            plant = SandboxOptions(limits="off", zone=ZONE, clock=lambda: NOW)
            sandbox = await stack.enter_async_context(Sandbox(plant))
            wire = UpstreamWire(
                WireSettings(base_url=addresses(sandbox.url)[spec.interface]),
                credential=CREDENTIAL,
                clock=SystemClock(),
            )
            stack.push_async_callback(wire.close)
            rigs[name] = Rig(opened(spec, sandbox.url), wire.bound)
        yield rigs
