"""What tests of the policies around one adapter share: calls, upstreams that say what they are told to, events read."""

from __future__ import annotations

import io
from collections.abc import AsyncGenerator

import msgspec

from contracts.call import Call
from contracts.operations import (
    ChangeRecord,
    CreateRecord,
    DeleteRecord,
    GetRecord,
    ListRecords,
    Operation,
    ReplaceRecord,
)
from contracts.results import Deleted, Result, Scan
from contracts.schema import Record
from gateway.settings import LogSettings
from gateway.telemetry.events import Events
from gateway.telemetry.log import build_logger
from gateway.telemetry.metrics import Metrics
from tests.faults.wires import ManualClock
from tests.unit.gateway.plants import place

BODY: dict[str, object] = {"Context": 1, "Status": 2}
GET = GetRecord(place=place("Equipment/00001"))
LIST = ListRecords(place=place("Equipment"))
CREATE = CreateRecord(place=place("Equipment"), body=BODY)
REPLACE = ReplaceRecord(place=place("Equipment/00001"), body=BODY)
CHANGE = ChangeRecord(place=place("Equipment/00001"), body=BODY)
DELETE = DeleteRecord(place=place("Equipment/00001"))

Told = Result | BaseException


class Heard:
    """Events, and what came out of them."""

    def __init__(self) -> None:
        self._stream = io.BytesIO()
        metrics = Metrics(
            version="1", config_hash="x", tenants=["demo"], environments=["plant"], adapters=["rest"]
        )
        self.events = Events(build_logger(LogSettings(format="json"), self._stream), metrics)
        self.metrics = metrics

    def lines(self, event: str) -> list[dict[str, object]]:
        """The log lines of one event, oldest first."""
        lines = [
            msgspec.json.decode(line, type=dict[str, object]) for line in self._stream.getvalue().splitlines()
        ]
        return [line for line in lines if line["event"] == event]


class Upstream:
    """A handler that ends in what it is told, in turn, and in the last of it for ever; ``at`` is when it was asked."""

    def __init__(self, *told: Told, clock: ManualClock | None = None) -> None:
        self.told = list(told)
        self.at: list[float] = []
        self.calls: list[Call] = []
        self._clock = clock

    async def __call__(self, call: Call) -> Result:
        told = self.told[min(len(self.calls), len(self.told) - 1)]
        self.calls.append(call)
        if self._clock is not None:
            self.at.append(self._clock.monotonic())
        if isinstance(told, BaseException):
            raise told
        return told


DONE = Deleted()


def asking(operation: Operation, clock: ManualClock, *, seconds: float = 60.0) -> Call:
    """A call with so many seconds left on that clock."""
    return Call(
        operation=operation,
        tenant="demo",
        client="tests",
        request_id="r",
        deadline=clock.monotonic() + seconds,
    )


class Pieces:
    """Scans of so many pieces; one that ``breaks`` ends in that error after them. ``open`` counts the unclosed."""

    def __init__(self) -> None:
        self.open = 0

    def scan(self, count: int, breaks: BaseException | None = None) -> Scan:
        """A scan that opens with its first piece."""
        return Scan(pieces=self._pieces(count, breaks))

    async def _pieces(self, count: int, breaks: BaseException | None) -> AsyncGenerator[list[Record], None]:
        self.open += 1
        try:
            for number in range(count):
                yield [{"Id": str(number)}]
            if breaks is not None:
                raise breaks
        finally:
            self.open -= 1
