"""Work that is given up: at its deadline, when its caller has gone, and when the gateway stops."""

from __future__ import annotations

import asyncio
import time
from typing import cast

import pytest
from litestar.types import HTTPReceiveMessage, HTTPScope, Message

from contracts.addressing import resolve
from contracts.errors import DeadlineExceeded
from contracts.operations import DeleteRecord, GetRecord
from contracts.paths import parse_path
from gateway.http.answers import Answer
from gateway.http.boundary import Boundary, Endpoint, Needs, Route
from gateway.http.exchange import Exchange, Limits
from gateway.http.keyrun import KeyRun
from gateway.http.live import Generation, Live
from gateway.http.presence import LATE, PATIENCE
from tests.unit.http.memory_adapter import MemoryAdapter
from tests.unit.http.serving import KEY, Log, services


class House:
    """A route whose work is the test's, called without a socket."""

    def __init__(self, run: object, *headers: tuple[bytes, bytes]) -> None:
        self.log = Log()
        self.sent: list[Message] = []
        self.gone = asyncio.Event()
        self.headers = [(b"x-api-key", KEY.encode()), *headers]
        built, _ = services(MemoryAdapter(), self.log, Limits())
        self._boundary = Boundary(Live(Generation(built)))
        self._route = Route("/v1/{tenant}/x", Needs.TENANT, {"POST": Endpoint("x", run)})  # type: ignore[arg-type]

    async def call(self) -> None:
        scope: HTTPScope = {  # type: ignore[typeddict-item]
            "type": "http", "method": "POST", "path": "/v1/demo/x", "raw_path": b"/v1/demo/x",
            "query_string": b"", "headers": self.headers, "path_params": {"tenant": "demo"},
        }  # fmt: skip
        await self._boundary.serve(self._route, scope, self._receive, self._send)

    async def _receive(self) -> HTTPReceiveMessage:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        self.sent.append(message)
        await asyncio.sleep(0)

    @property
    def status(self) -> object:
        """What the log says."""
        assert self.log.getvalue().count(b'"event":"call"') == 1
        return next(
            int(word.partition(b":")[2])
            for word in self.log.getvalue().split(b",")
            if word.startswith(b'"status":')
        )


async def for_ever(exchange: Exchange) -> Answer:
    await asyncio.Event().wait()
    return Answer(204)


SOON = (b"request-timeout", b"0.1")


async def test_work_that_nothing_else_ends_is_ended_at_the_deadline() -> None:
    house = House(for_ever, SOON)
    began = time.monotonic()
    await house.call()
    assert 0.1 <= time.monotonic() - began < 1
    assert house.status == 504
    assert b'"outcome":"not_sent"' in house.sent[1]["body"]  # type: ignore[typeddict-item]


async def test_work_that_ends_by_itself_right_after_the_deadline_says_why_itself() -> None:
    async def own(exchange: Exchange) -> Answer:
        await asyncio.sleep(0.1 + LATE / 5)
        raise DeadlineExceeded("of its own")

    house = House(own, SOON)
    await house.call()
    assert b"of its own" in house.sent[1]["body"]  # type: ignore[typeddict-item]


async def test_once_a_write_was_let_go_the_outcome_is_not_known() -> None:
    async def writing(exchange: Exchange) -> Answer:
        exchange.departed = True
        return await for_ever(exchange)

    house = House(writing, SOON)
    await house.call()
    assert b'"outcome":"unknown"' in house.sent[1]["body"]  # type: ignore[typeddict-item]


@pytest.mark.parametrize(("requests", "outcome"), [(0, b'"not_sent"'), (1, b'"unknown"')])
async def test_a_read_of_which_something_was_sent_is_not_told_to_be_unsent(
    requests: int, outcome: bytes
) -> None:
    async def reading(exchange: Exchange) -> Answer:
        exchange.reads, exchange.journal.requests = True, requests
        return await for_ever(exchange)

    house = House(reading, SOON)
    await house.call()
    assert b'"outcome":' + outcome in house.sent[1]["body"]  # type: ignore[typeddict-item]


async def test_a_deadline_that_moves_is_kept() -> None:
    async def patient(exchange: Exchange) -> Answer:
        exchange._circumstances = None
        exchange.headers = {**exchange.headers, b"request-timeout": b"0.4"}
        await asyncio.sleep(0.25)
        return Answer(204)

    house = House(patient, SOON)
    await house.call()
    assert house.status == 204


async def test_nobody_is_answered_who_has_gone() -> None:
    house = House(for_ever)
    house.gone.set()
    await house.call()
    assert (house.status, house.sent) == (499, [])


@pytest.mark.parametrize("keyed", [False, True])
async def test_a_write_that_is_on_its_way_is_awaited_and_under_a_key_the_whole_call(keyed: bool) -> None:
    ended: list[bool] = []

    async def writing(exchange: Exchange) -> Answer:
        exchange.journal.writing = int(not keyed)
        if keyed:
            exchange.run, exchange.departed = cast(KeyRun, object()), True
        while not exchange.journal.left:  # noqa: ASYNC110 - what is waited for is a flag
            await asyncio.sleep(0.01)
        exchange.journal.writing = 0
        ended.append(True)
        return Answer(204)

    house = House(writing)
    house.gone.set()
    await house.call()
    assert (house.status, house.sent, ended) == (499, [], [True])


async def test_a_write_that_goes_on_for_ever_is_given_up_at_the_deadline_all_the_same() -> None:
    async def writing(exchange: Exchange) -> Answer:
        exchange.journal.writing = 1
        return await for_ever(exchange)

    house = House(writing, (b"request-timeout", b"0.4"))
    house.gone.set()
    await house.call()
    assert (house.status, house.sent) == (499, [])


async def test_a_server_that_stops_cancels_as_ever() -> None:
    house = House(for_ever)
    call = asyncio.create_task(house.call())
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert house.status == 499


async def test_a_caller_that_leaves_as_the_work_ends_stops_nothing_that_comes_after() -> None:
    async def done(exchange: Exchange) -> Answer:
        await asyncio.sleep(PATIENCE + 0.05)
        house.gone.set()
        await asyncio.sleep(0)
        return Answer(204)

    house = House(done)
    await house.call()
    assert (house.status, len(house.sent)) == (204, 2)


async def test_for_a_caller_that_has_gone_no_write_leaves() -> None:
    async def leaving(exchange: Exchange) -> Answer:
        place = resolve(exchange.tenant.schema, parse_path("Equipment/00001"))
        assert exchange.call(GetRecord(place=place)).departing is None
        departing = exchange.call(DeleteRecord(place=place)).departing
        assert departing is not None
        await departing()
        assert exchange.departed
        exchange.journal.left = True
        await departing()
        raise AssertionError("it was let go")

    house = House(leaving)
    await house.call()
    assert b'"deadline_exceeded","outcome":"not_sent"' in house.log.getvalue()


async def test_work_that_is_over_leaves_nothing_behind() -> None:
    async def done(exchange: Exchange) -> Answer:
        await asyncio.sleep(0.3)
        return Answer(204)

    house = House(done)
    await house.call()
    house.gone.set()
    await asyncio.sleep(0)
    assert house.status == 204
    assert asyncio.all_tasks() == {asyncio.current_task()}
