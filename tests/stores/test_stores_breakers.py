"""Every store alike: circuits that are open for all."""

from __future__ import annotations

from gateway.stores.ports import Closed, Open, Probe
from tests.stores.conftest import Subject

CIRCUIT = "acme/rest"
BASE = 300


async def trip(subject: Subject, *, base: int = BASE, longest: int = 300_000, jitter: float = 1.0) -> int:
    return (await subject.breakers.trip(CIRCUIT, base, longest, jitter)).opens_in


async def test_a_circuit_is_closed_until_it_trips(subject: Subject) -> None:
    assert await subject.breakers.probe(CIRCUIT, "me", 1000) == Closed()
    await subject.breakers.close(CIRCUIT)
    assert await trip(subject, base=60_000) == 60_000
    assert isinstance(await subject.breakers.probe(CIRCUIT, "me", 1000), Open)
    assert await subject.breakers.probe("acme/soap", "me", 1000) == Closed()


async def test_one_that_is_open_stays_as_it_is(subject: Subject) -> None:
    await trip(subject, base=60_000)
    if subject.exact:
        await subject.advance(1_000)
    assert subject.about(await trip(subject, base=60_000), 59_000 if subject.exact else 60_000)
    assert subject.about(await trip(subject, base=90_000), 59_000 if subject.exact else 60_000)


async def test_one_at_a_time_tries_it(subject: Subject) -> None:
    await trip(subject)
    await subject.advance(BASE + 10)
    assert await subject.breakers.probe(CIRCUIT, "me", 60_000) == Probe()
    assert await subject.breakers.probe(CIRCUIT, "me", 60_000) == Probe(), "a lost reply may be asked again"
    other = await subject.breakers.probe(CIRCUIT, "other", 60_000)
    assert isinstance(other, Open)
    assert subject.about(other.opens_in, 60_000)


async def test_who_tries_and_goes_silent_makes_room_for_another(subject: Subject) -> None:
    await trip(subject)
    await subject.advance(BASE + 10)
    assert await subject.breakers.probe(CIRCUIT, "me", 200) == Probe()
    await subject.advance(210)
    assert await subject.breakers.probe(CIRCUIT, "other", 60_000) == Probe()
    assert isinstance(await subject.breakers.probe(CIRCUIT, "me", 60_000), Open)


async def test_it_is_open_twice_as_long_each_time_up_to_the_longest(subject: Subject) -> None:
    assert await trip(subject, base=100, longest=350) == 100
    for expected in (200, 350, 350):
        await subject.advance(360)
        assert await subject.breakers.probe(CIRCUIT, "me", 60_000) == Probe()
        assert await trip(subject, base=100, longest=350) == expected
    await subject.advance(360)
    assert await subject.breakers.probe(CIRCUIT, "other", 60_000) == Probe(), (
        "it tripped: nobody tries it now"
    )


async def test_the_time_is_jittered_after_it_was_cut(subject: Subject) -> None:
    assert await trip(subject, base=90_000, longest=50_000, jitter=0.5) == 25_000


async def test_one_that_works_again_has_never_failed(subject: Subject) -> None:
    await trip(subject)
    await subject.advance(BASE + 10)
    await trip(subject)
    await subject.breakers.close(CIRCUIT)
    assert await subject.breakers.probe(CIRCUIT, "me", 1000) == Closed()
    assert await trip(subject) == BASE
