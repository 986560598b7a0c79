"""When an answer came and how long it took: from its request's first byte, not from what came before that."""

from __future__ import annotations

import httpx2

from gateway.wire.observed import Answer, Observed
from gateway.wire.transport import SENDING
from tests.unit.gateway.admission_rig import SimClock


class Slow(httpx2.AsyncBaseTransport):
    """Takes three seconds to connect, and two to be answered."""

    def __init__(self, clock: SimClock) -> None:
        self._clock = clock

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self._clock.time += 3
        await request.extensions["trace"](SENDING, {})
        self._clock.time += 2
        return httpx2.Response(204, headers={"Date": "today"})


async def test_an_answers_time_is_in_the_middle_between_its_request_and_its_first_byte() -> None:
    clock, told = SimClock(), []
    began = clock.now()

    async def trace(event: str, _: object) -> None:
        told.append(event)

    observed = Observed(Slow(clock), clock)
    await observed.handle_async_request(
        httpx2.Request("GET", "http://plant-a.example", extensions={"trace": trace})
    )
    assert observed.answer == Answer(204, {"date": "today"}, began + 4, 2)
    assert told == [SENDING], "whoever listened before still hears it"
