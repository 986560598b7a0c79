"""The catalogue through the whole gateway, for every kind of call: what callers are told is held against the sandbox.

All calls of a test go at once, for two tenants, with the fault between the gateway and the sandbox. Then the fault
is healed, and what may be repeated is: with its idempotency key where it has one, until that is settled.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from tests.faults.checkers import GRACE, Answer, lateness, strayed
from tests.faults.errands import Errand
from tests.faults.fleet import CREDENTIALS
from tests.faults.relay_faults import FAULTS, Fault
from tests.faults.relayed import DEADLINE, Rig, rig
from tests.support.servers import eventually

STRIKES: Mapping[str, Collection[int]] = {
    "first": (1,),
    "second": (2,),
    "both": (1, 2),
    "always": range(1, 1000),
}
"""Which of a call's requests are struck."""
UNREACHABLE = ("refused", "expired", "wrong name", "unknown authority")
LOOKUPS = 3
"""How often one look-up may be sent."""

Reopen = Callable[[], Awaitable[None]]
Answers = Mapping[str, Answer]
"""By the marks of the errands."""


def untrue(running: Rig, asked: Sequence[Errand], answers: Answers, *, before: bool = False) -> Iterator[str]:
    """What was told, or done, that must not be. ``before`` says that there were calls for the same before these."""
    arrived = {arrival.request_id for arrival in running.arrivals()}
    sent = Counter(running.relay.arrivals)
    for errand in asked:
        answer, done = answers[errand.mark], errand.done(running.sandbox)
        what = f"{errand.mark} ({answer.status} {answer.code})"
        told = errand.told(answer)
        if max(done, default=0) > 1:
            yield f"{what} has taken effect {done} times"
        for (status, outcome), times in zip(told, done, strict=False):
            if status < 300 and times != 1:
                yield f"{what} is told to be done, and is {times} times"
            if outcome in ("not_sent", "refused") and times and not before:
                yield f"{what} is told to be {outcome}, and was carried out"
        if told[0][1] == "not_sent" and answer.request_id in arrived:
            yield f"{what} is told not to be sent, and has arrived"
        if answer.fine and errand.shows not in answer.body.decode():
            yield f"{what} is answered with something else"
        if any(other.mark in answer.body.decode() for other in asked if other.mark != errand.mark):
            yield f"{what} is answered with what belongs to another"
        mine = {request: times for request, times in sent.items() if request.call == answer.request_id}
        if answer.cost != sum(mine.values()):
            yield f"{what} is told to cost {answer.cost}, and took {sum(mine.values())}"
        for request, times in mine.items():
            if times > (errand.most if request.method != "GET" else LOOKUPS):
                yield f"{what} was sent {times} times as {request.method}"


async def untrue_in_the_end(running: Rig, asked: Sequence[Errand], first: Answers) -> list[str]:
    """Repeats what may be repeated, now that all is well; what must not be is told."""
    repeated = [errand for errand in asked if errand.keyed or errand.repeatable]
    second = await settled(running, repeated)
    wrong = list(untrue(running, asked, {**first, **second}, before=True))
    wrong += [
        what for errand in repeated for what in unsettled(errand, first[errand.mark], second[errand.mark])
    ]
    keyed = [errand for errand in repeated if errand.keyed]
    for mark, third in (await running.all(keyed)).items():
        if not same(second[mark], third):
            wrong.append(f"{mark} is replayed differently: {second[mark]} and then {third}")
    return wrong


async def settled(running: Rig, asked: Sequence[Errand]) -> dict[str, Answer]:
    """Each errand again, until no call before it is under way any more."""

    async def answered(errand: Errand) -> Answer:
        while (answer := await running.ask(errand)).status == 409:
            pass
        return answer

    async with asyncio.timeout(5):
        answers = await asyncio.gather(*(answered(errand) for errand in asked))
    return {errand.mark: answer for errand, answer in zip(asked, answers, strict=True)}


def unsettled(errand: Errand, first: Answer, second: Answer) -> Iterator[str]:
    """What is wrong with the answer to a repetition."""
    gone = errand.name == "delete" and second.code == "record_not_found"
    unknown = any(outcome == "unknown" for _, outcome in errand.told(first))
    if errand.keyed and first.fine and not same(first, second):
        yield f"{errand.mark} was answered {first} and is replayed as {second}"
    if not second.fine and not gone and (errand.settles or not unknown):
        yield f"{errand.mark} ({first.code}) stays {second.status} {second.code}"


def same(first: Answer, again: Answer) -> bool:
    """Whether the one is the other's replay, byte for byte."""
    kept = ("etag", "location", "content-type")
    return (
        (first.status, first.body) == (again.status, again.body)
        and [first.headers.get(name) for name in kept] == [again.headers.get(name) for name in kept]
        and again.headers.get("idempotency-replayed") == "true"
        and again.cost == 0
    )


async def healed(running: Rig, asked: Sequence[Errand], first: Answers) -> None:
    """Everything that must hold once the fault is over, and the figures of the whole test."""
    assert not await untrue_in_the_end(running, asked, first)
    assert not strayed(running.arrivals(), CREDENTIALS)
    await running.until_units(len(running.relay.arrivals))
    assert lateness(running.answers) <= GRACE


@pytest.mark.parametrize("strikes", STRIKES)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_what_is_told_is_true_and_nothing_is_done_twice(
    fault: Fault, strikes: str, tmp_path: Path
) -> None:
    async with rig(tmp_path) as running:
        asked = await running.prepare()
        if fault.kept:
            await running.all([errand for errand in asked if errand.method == "GET"] * 10)
        running.relay.arm(fault.strike, STRIKES[strikes], kept=fault.kept)
        to_the_end = strikes == "always" or not fault.passes
        first = await running.all(asked, fault.seconds if to_the_end else DEADLINE)
        running.relay.heal()
        assert running.relay.struck
        assert not list(untrue(running, asked, first))
        if fault.passes and strikes == "first":
            served = {errand.mark for errand in asked if errand.settles}
            assert {mark for mark in served if not first[mark].fine} == set()
        await healed(running, asked, first)


class Certificates:
    """What the upstream shows, and the authority that the gateway trusts; nothing is wrong with ``good``."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        self.file = folder / "ca.pem"
        authority.cert_pem.write_to_path(str(self.file))
        past = datetime(2020, 1, 1, tzinfo=UTC)
        self.good = _serving(authority.issue_cert("127.0.0.1"))
        self.bad = {
            "expired": _serving(authority.issue_cert("127.0.0.1", not_after=past)),
            "wrong name": _serving(authority.issue_cert("other.example")),
            "unknown authority": _serving(trustme.CA().issue_cert("127.0.0.1")),
        }


def _serving(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


@asynccontextmanager
async def unreachable(way: str, folder: Path, *, pause: float) -> AsyncIterator[tuple[Rig, Reopen]]:
    """An upstream to which no connection comes about, until it is reopened."""
    shown = None if way == "refused" else Certificates(folder)
    good, file = (None, None) if shown is None else (shown.good, shown.file)
    async with rig(folder, tls=good, ca=file, pause=pause) as running:

        async def reopen() -> None:
            await running.server.refuse()
            await running.server.listen(good)

        await running.server.refuse()
        if shown is not None:
            await running.server.listen(shown.bad[way])
        yield running, reopen


@pytest.mark.parametrize("way", UNREACHABLE)
async def test_what_reaches_nobody_costs_nothing_and_is_free_to_be_sent(way: str, tmp_path: Path) -> None:
    async with unreachable(way, tmp_path, pause=0.02) as (running, reopen):
        asked = await running.prepare()
        first = await running.all(asked)
        assert {answer.code for answer in first.values()} == {"upstream_unavailable"}
        assert {outcome for errand in asked for _, outcome in errand.told(first[errand.mark])} == {"not_sent"}
        assert len(running.served.lines("retry")) == 2 * len(asked)
        assert not running.arrivals()
        await running.until_units(0)
        assert not list(untrue(running, asked, first))
        await reopen()
        await healed(running, asked, first)


@pytest.mark.parametrize("way", UNREACHABLE)
async def test_what_reaches_nobody_for_a_moment_is_sent_a_moment_later(way: str, tmp_path: Path) -> None:
    async with unreachable(way, tmp_path, pause=0.3) as (running, reopen):
        asked = await running.prepare()
        calls = asyncio.ensure_future(running.all(asked))
        await eventually(lambda: running.served.lines("retry"))
        await reopen()
        first = await calls
        assert any(answer.fine for answer in first.values())
        assert not list(untrue(running, asked, first))
        await healed(running, asked, first)
