"""The suite that every adapter must pass; shipped, so that those of others can use it.

It speaks of operations and records, never of a protocol: an operation of the gateway's vocabulary, and
what it ends in over the plant that the sandbox is seeded with. An adapter is put to all of it; what it does
not serve it refuses in a sentence, and that is told. Ten lines, with any upstream that behaves like the
sandbox (its clock at :data:`NOW`, its zone :data:`ZONE`) and any wire:

    import pytest
    from contracts.conformance import NOW, ZONE, Skipped, check, context, scenarios

    @pytest.mark.parametrize("scenario", scenarios(), ids=lambda scenario: scenario.name)
    async def test_the_adapter_conforms(scenario):
        async with Sandbox(SandboxOptions(limits="off", zone=ZONE, clock=lambda: NOW)) as upstream:
            wire = MyWire(upstream.url)
            adapter = MyAdapter(context(upstream.url, MyOptions()))
            done = await check(scenario, adapter, wire.bound)
            print(done.reason if isinstance(done, Skipped) else done.seen.decode())

Of every scenario that an adapter serves, these hold too: ``plan`` tells what is sent first; the requests of
what changes nothing are repeatable; and an answer that is HTML, empty, cut off or of another shape ends
in a :class:`~contracts.errors.GatewayError` that quotes nothing of it.

plant.py         the records that are there, and the time
scenario.py      what a scenario is, and how a result is seen
seeds.py         records that are read
reads.py, writes.py, batches.py, services.py    the scenarios, as data
claims.py        what an adapter says of itself
checks.py        one scenario put to one adapter
reading_back.py  reading with whatever an adapter reads with
faults.py        answers that no upstream should give
wires.py         wires that note, and that answer from memory
"""

from __future__ import annotations

from contracts.conformance.batches import batches
from contracts.conformance.checks import Served, Skipped, check
from contracts.conformance.claims import NotConforming, check_capabilities, unserved
from contracts.conformance.plant import NOW, ZONE, Plant, context
from contracts.conformance.reads import reads
from contracts.conformance.scenario import Scenario
from contracts.conformance.services import services
from contracts.conformance.wires import MemoryWire, NotingWire
from contracts.conformance.writes import writes

__all__ = [
    "NOW",
    "ZONE",
    "MemoryWire",
    "NotConforming",
    "NotingWire",
    "Scenario",
    "Served",
    "Skipped",
    "check",
    "check_capabilities",
    "context",
    "scenarios",
    "unserved",
]


def scenarios() -> tuple[Scenario, ...]:
    """Every scenario, made anew; they can be played in any order, once over a fresh plant."""
    plant = Plant()
    return (*reads(plant), *writes(plant), *batches(plant), *services(plant))
