"""``/v1/{tenant}/measurements``: meter readings, many in one call.

The moment of a reading has an offset (or ``Z``). One without is refused: the same hour passes twice a year
where clocks are changed, and a reading that is an hour off is worse than one that is asked for again.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal

from contracts.errors import Fault
from contracts.json_objects import pointer, refused
from contracts.operations import Reading, TakeReadings
from contracts.results import ReadingsTaken, ReadingTaken
from gateway.http import etags, queries
from gateway.http.answers import Answer, json_answer
from gateway.http.bodies import items, read_body, strangers, text_fault
from gateway.http.exchange import Exchange
from gateway.http.negotiation import accepted
from gateway.http.parameters import flag, parse_parameters
from gateway.http.plans import plan_answer

MOST = 10_000

_MEMBERS = ("equipment", "processFunction", "point", "at", "value", "delta", "text")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,7})?)?(?:Z|[+-]\d{2}:\d{2})", re.ASCII)
_MOMENT_FORM = (
    "a moment is written 2022-06-15T12:20:30Z, or with an offset such as +02:00: without one it would be "
    "two moments when clocks are changed"
)


async def take(exchange: Exchange) -> Answer:
    """POST: what became of each reading, in their order."""
    accepted(exchange.headers.get(b"accept"))
    etags.refuse_conditions(exchange.headers, b"if-match", b"if-none-match")
    parameters = parse_parameters(exchange.scope["query_string"], queries.COMMON)
    readings = await read_body(exchange, exchange.services.limits.batch, _readings)
    operation = TakeReadings(readings=readings)
    exchange.asked = len(readings)
    if flag(parameters, "dry_run"):
        return plan_answer(exchange, operation)
    taken = await exchange.tenant.perform(exchange.call(operation))
    if not isinstance(taken, ReadingsTaken):
        raise TypeError("readings are answered one by one")
    # Each of thousands of refusals is searched for secrets.
    return await asyncio.to_thread(_answer, exchange, taken)


def _answer(exchange: Exchange, taken: ReadingsTaken) -> Answer:
    return json_answer({"results": [_shown(exchange, done) for done in taken.results]})


def _shown(exchange: Exchange, done: ReadingTaken) -> dict[str, object]:
    if done.error is not None:
        document = exchange.part_failed(done.error)
        return {"status": document.status, "error": document}
    return {"status": 201} if done.line_id is None else {"status": 201, "lineId": done.line_id}


def _readings(body: dict[str, object]) -> tuple[Reading, ...]:
    """Raises InvalidBody with every fault."""
    if (error := refused(_faults(body))) is not None:
        raise error
    given = body["measurements"]
    return tuple(_reading(item) for item in given) if isinstance(given, list) else ()


def _reading(given: Mapping[str, object]) -> Reading:
    """A reading that has no fault."""
    return Reading(
        point=str(given["point"]),
        at=str(given["at"]),
        equipment=_text(given.get("equipment")),
        process_function=_text(given.get("processFunction")),
        value=_number(given.get("value")),
        delta=_number(given.get("delta")),
        text=_text(given.get("text")),
    )


def _faults(body: Mapping[str, object]) -> Iterator[Fault]:
    wrong = tuple(items(body, "measurements", MOST))
    yield from wrong
    given = body.get("measurements")
    if wrong or not isinstance(given, list):
        return
    for index, item in enumerate(given):
        at = pointer("/measurements", index)
        if isinstance(item, Mapping):
            yield from _reading_faults(item, at)
        else:
            yield Fault(at, "an object is needed")


def _reading_faults(given: Mapping[str, object], at: str) -> Iterator[Fault]:
    yield from strangers(given, _MEMBERS, at)
    yield from _one_of(given, "equipment", "processFunction", at)
    for name in ("equipment", "processFunction"):
        yield from text_fault(given.get(name), pointer(at, name), needed=False)
    yield from text_fault(given.get("point"), pointer(at, "point"))
    if (wrong := _moment_wrong(given.get("at"))) is not None:
        yield Fault(pointer(at, "at"), wrong)
    yield from _one_of(given, "value", "delta", at)
    for name in ("value", "delta"):
        number = given.get(name)
        if number is not None and (isinstance(number, bool) or not isinstance(number, int | Decimal)):
            yield Fault(pointer(at, name), "a number is needed")
    if given.get("text") is not None and not isinstance(given["text"], str):
        yield Fault(pointer(at, "text"), "a string is needed")


def _one_of(given: Mapping[str, object], one: str, other: str, at: str) -> Iterator[Fault]:
    if (given.get(one) is None) == (given.get(other) is None):
        yield Fault(at, f"either '{one}' or '{other}' is needed, and not both")


def _moment_wrong(value: object) -> str | None:
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        return _MOMENT_FORM
    try:
        # In UTC it is written to the upstream, and there it must still be one.
        datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        return f"there is no moment {value}"
    return None


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _number(value: object) -> Decimal | None:
    return Decimal(value) if isinstance(value, int | Decimal) else None
