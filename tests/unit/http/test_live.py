"""Generations of the services: which one a call gets, and when an older one is given back."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Awaitable, Callable

from gateway.http.exchange import Limits, Services
from gateway.http.live import Generation, Live
from tests.unit.http.memory_adapter import MemoryAdapter
from tests.unit.http.serving import Log, services


class Closed:
    """Counts how often each generation was given back."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def generation(self, name: str) -> Generation:
        return Generation(made(), self._noting(name))

    def _noting(self, name: str) -> Callable[[], Awaitable[None]]:
        async def close() -> None:
            self.names.append(name)

        return close


def made() -> Services:
    return services(MemoryAdapter(), Log(), Limits())[0]


async def test_a_call_keeps_to_its_generation_and_the_last_one_takes_it_along() -> None:
    closed = Closed()
    live = Live(first := closed.generation("first"))
    one, other = live.enter(), live.enter()
    live.follow(second := closed.generation("second"))
    assert (one, other, live.enter()) == (first, first, second)
    assert live.services is second.services
    live.leave(one)
    await asyncio.sleep(0)
    assert closed.names == []
    live.leave(other)
    await asyncio.sleep(0)
    assert closed.names == ["first"]
    live.leave(second)
    await asyncio.sleep(0)
    assert closed.names == ["first"], "what serves is not given back when nobody calls"


async def test_a_generation_that_nobody_calls_goes_at_once() -> None:
    closed = Closed()
    live = Live(closed.generation("first"))
    live.follow(closed.generation("second"))
    live.follow(closed.generation("third"))
    await asyncio.sleep(0)
    assert closed.names == ["first", "second"]


async def test_what_nobody_needs_is_in_no_memory() -> None:
    """Parts of a generation hold on to each other, and the process has the collector look seldom."""

    class Circle(Generation):
        def __init__(self) -> None:
            super().__init__(made(), self.end)

        async def end(self) -> None: ...

    live = Live(Circle())
    call = live.enter()
    first = weakref.ref(call)
    live.follow(Closed().generation("second"))
    gc.disable()
    try:
        live.leave(call)
        del call
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert first() is None
    finally:
        gc.enable()


async def test_in_the_end_everything_is_given_back_once() -> None:
    closed = Closed()
    live = Live(closed.generation("first"))
    call = live.enter()
    live.follow(closed.generation("second"))
    await live.aclose()
    assert sorted(closed.names) == ["first", "second"]
    live.leave(call)
    await asyncio.sleep(0)
    assert sorted(closed.names) == ["first", "second"]
