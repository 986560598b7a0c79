"""The suite finds what is wrong: an adapter that passes, and what it is told of each mistake that is put in."""

from __future__ import annotations

import msgspec
import pytest

from contracts.adapter import Capabilities
from contracts.call import Call
from contracts.conformance import (
    MemoryWire,
    NotConforming,
    Scenario,
    Served,
    Skipped,
    check,
    scenarios,
)
from contracts.errors import (
    EntityNotFound,
    Outcome,
    RecordNotFound,
    UpstreamInvalidResponse,
    UpstreamUnavailable,
)
from contracts.operations import CreateRecord, GetRecord, ListRecords, Operation
from contracts.paths import Key, print_path
from contracts.results import Found, Page, Result, Stored
from contracts.wire import Wire, WireRequest, WireResponse

SCENARIOS = {scenario.name: scenario for scenario in scenarios()}
GET = SCENARIOS["get: by its key"]
ABSENT = SCENARIOS["get: of what is absent"]
CREATE = SCENARIOS["create: a record"]
LIST = SCENARIOS["list: in pages of one"]
REPLACE = SCENARIOS["replace: of what is absent"]


class Letterbox:
    """The least that an adapter can be, with one ``mistake`` or none."""

    def __init__(self, mistake: str = "") -> None:
        self._mistake = mistake
        operations = frozenset({"get", "create", "list"})
        self.capabilities = Capabilities(operations=operations, query=frozenset({"limit"}))

    def refusal(self, operation: Operation) -> str | None:
        if operation.kind in self.capabilities.operations or self._mistake == "refuses nothing":
            return None
        return "no" if self._mistake == "refuses in a word" else "a letterbox takes letters and nothing else"

    def plan(self, call: Call) -> tuple[WireRequest, ...]:
        if self._mistake == "plans nothing":
            return ()
        return (self._request(call.operation),)

    async def perform(self, call: Call, wire: Wire) -> Result:
        operation = call.operation
        answer = await wire.send(self._request(operation))
        try:
            return self._result(operation, answer)
        except msgspec.MsgspecError as error:
            if self._mistake == "raises what it meets":
                raise
            raise UpstreamInvalidResponse(
                answer.content.decode(errors="replace") if self._mistake == "quotes" else "no letter",
                outcome=Outcome.NOT_SENT if self._mistake == "denies" else Outcome.UNKNOWN,
                retryable=self._mistake == "repeats",
            ) from error

    def _request(self, operation: Operation) -> WireRequest:
        assert isinstance(operation, GetRecord | CreateRecord | ListRecords)
        repeatable = operation.safe and self._mistake != "cannot repeat"
        at = operation.query.continuation or "" if isinstance(operation, ListRecords) else ""
        target = f"/{print_path(operation.place.path)}?{at}"
        return WireRequest(method="GET" if operation.safe else "POST", target=target, repeatable=repeatable)

    def _result(self, operation: Operation, answer: WireResponse) -> Result:
        if answer.status == 404:
            known = self._mistake != "takes one for another"
            raise (RecordNotFound if known else EntityNotFound)("there is none", outcome=Outcome.REFUSED)
        if answer.status >= 500:
            raise UpstreamUnavailable("it failed", outcome=Outcome.UNKNOWN, retryable=operation.idempotent)
        content = answer.content
        if self._mistake == "takes nothing for something":
            content = content or b"{}"
        if isinstance(operation, ListRecords):
            letters = msgspec.json.decode(content, type=Letters)
            return Page(items=[*letters.items], next="on" if self._mistake == "never ends" else letters.next)
        record = msgspec.json.decode(content, type=dict[str, object])
        if self._mistake == "has another form":
            record["Status"] = float(str(record["Status"]))
        if isinstance(operation, CreateRecord):
            path = operation.place.path.keyed(Key.single(str(record["Id"])))
            return Stored(record=record, created=True, path=path)
        return Found(record=record)


class Letters(msgspec.Struct):
    items: list[dict[str, object]]
    next: str | None


def answers(scenario: Scenario) -> tuple[WireResponse, ...]:
    """What an upstream answers that does as the scenario expects."""
    expected = scenario.expected
    if "error" in expected:
        return (WireResponse(404, {}, b"there is none"),)
    if "items" not in expected:
        return (WireResponse(200, {}, msgspec.json.encode(expected["record"])),)
    items = expected["items"]
    assert isinstance(items, list)
    pages = [Letters([item], f"at={at}" if at < len(items) else None) for at, item in enumerate(items, 1)]
    return tuple(WireResponse(200, {}, msgspec.json.encode(page)) for page in pages)


async def put(scenario: Scenario, mistake: str = "") -> Served | Skipped:
    wire = MemoryWire(*answers(scenario))
    return await check(scenario, Letterbox(mistake), lambda call: wire)


@pytest.mark.parametrize("scenario", [GET, ABSENT, CREATE], ids=lambda scenario: scenario.name)
async def test_an_adapter_without_a_mistake_passes(scenario: Scenario) -> None:
    assert await put(scenario) == Served(msgspec.json.encode(scenario.expected))


@pytest.mark.parametrize(
    ("scenario", "mistake", "told"),
    [
        (GET, "has another form", r'expected .*"Status":2,.*\nfound .*"Status":2.0,'),
        (GET, "raises what it meets", "HTML in place of an answer: DecodeError is no GatewayError"),
        (GET, "quotes", "HTML in place of an answer: upstream_invalid_response quotes"),
        (GET, "denies", "says that nothing was sent"),
        (GET, "takes nothing for something", "an empty answer: taken for an answer"),
        (GET, "cannot repeat", "not repeatable"),
        (GET, "plans nothing", r"plan\(\) is not what is sent first"),
        (ABSENT, "takes one for another", "expected .*record_not_found.*\nfound .*entity_not_found"),
        (CREATE, "repeats", "retryable what could then be done twice"),
        (REPLACE, "refuses nothing", r"not among the capabilities, and refusal\(\) does not say why"),
        (REPLACE, "refuses in a word", "no sentence: 'no'"),
        (LIST, "never ends", "goes on after 100 pages"),
    ],
)  # fmt: skip
async def test_a_mistake_is_found(scenario: Scenario, mistake: str, told: str) -> None:
    with pytest.raises(NotConforming, match=told):
        await put(scenario, mistake)
