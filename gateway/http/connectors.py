"""``/v1/{tenant}/exports/{connector}`` and ``/imports/{connector}``: connectors, run as they are."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from contextlib import aclosing
from decimal import Decimal
from typing import get_args

import msgspec

from contracts.errors import ConnectorNotFound, Fault, OperationNotSupported
from contracts.json_objects import pointer, refused
from contracts.operations import Format as Output
from contracts.operations import ImportAction, ImportObject, RunExport, RunImport
from contracts.results import ImportDone, Imported
from gateway.http import etags, queries
from gateway.http.answers import JSON, VARY, Answer, Streamed, json_answer
from gateway.http.bodies import items, read_body, strangers, text_fault
from gateway.http.exchange import Exchange
from gateway.http.negotiation import Format, accepted
from gateway.http.parameters import flag, parse_parameters
from gateway.http.plans import plan_answer
from gateway.http.streaming import records, stream_records

MOST_OBJECTS = 10_000
MOST_LEVELS = 32

_JSON_LEVELS = 2 * MOST_LEVELS + 8
"""Each object stands in a list, and the list in an object; deeper ones are told of with their place."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_OUTPUTS: tuple[str, ...] = get_args(Output)
_ACTIONS: tuple[str, ...] = get_args(ImportAction)


async def export(exchange: Exchange) -> Answer | Streamed:
    """POST: the records of an export, as JSON or as a stream."""
    parameters, wanted = _begin(exchange)
    operation = await read_body(
        exchange, exchange.services.limits.body, lambda body: _export(exchange, body), empty=b"{}"
    )
    if flag(parameters, "dry_run"):
        return plan_answer(exchange, operation)
    if wanted is Format.NDJSON:
        return await stream_records(exchange, operation)
    return Answer(200, await _whole(exchange, operation), (*JSON, VARY))


async def import_(exchange: Exchange) -> Answer:
    """POST: what became of each object, children after their parent."""
    parameters, _ = _begin(exchange)
    objects = await read_body(exchange, exchange.services.limits.batch, _objects, levels=_JSON_LEVELS)
    operation = RunImport(name=_name(exchange), objects=objects)
    exchange.asked = sum(map(_size, objects))
    if flag(parameters, "dry_run"):
        return plan_answer(exchange, operation)
    done = await exchange.tenant.perform(exchange.call(operation))
    if not isinstance(done, ImportDone):
        raise TypeError("an import answers for each object")
    # Each of thousands of refusals is searched for secrets.
    return await asyncio.to_thread(_imported, exchange, done)


def _imported(exchange: Exchange, done: ImportDone) -> Answer:
    return json_answer({"results": [_shown(exchange, result) for result in done.results]})


def _begin(exchange: Exchange) -> tuple[dict[str, str], Format]:
    """What both have in common: the query's parameters and the wanted answer."""
    wanted = accepted(exchange.headers.get(b"accept"))
    etags.refuse_conditions(exchange.headers, b"if-match", b"if-none-match")
    exchange.connector = _name(exchange)
    return parse_parameters(exchange.scope["query_string"], queries.COMMON), wanted


def _name(exchange: Exchange) -> str:
    name: str = exchange.scope["path_params"]["connector"]
    if not _NAME.fullmatch(name):
        raise ConnectorNotFound("a connector's name is letters, digits, '_', '.' and '-'")
    return name


async def _whole(exchange: Exchange, operation: RunExport) -> bytes:
    """The records in one document. Raises :class:`OperationNotSupported` for more than a tenant's limit of them."""
    most = exchange.tenant.settings.scan_limit
    encoder = msgspec.json.Encoder()
    parts: list[bytes] = []
    count = 0
    whole = await records(exchange, operation)
    async with aclosing(whole.pieces) as pieces:
        async for piece in pieces:
            count += len(piece)
            if count > most:
                raise OperationNotSupported(
                    f"the export has more than the {most:,} records that one JSON document may hold here; ask for "
                    "a stream with 'Accept: application/x-ndjson'"
                )
            if piece:
                parts.append(encoder.encode(piece)[1:-1])
    return b'{"items":[' + b",".join(parts) + b"]}"


def _export(exchange: Exchange, body: Mapping[str, object]) -> RunExport:
    """Raises InvalidBody with every fault."""
    if (error := refused(_export_faults(body))) is not None:
        raise error
    return msgspec.convert({**body, "name": _name(exchange)}, RunExport)


def _export_faults(body: Mapping[str, object]) -> Iterator[Fault]:
    yield from strangers(body, ("filter", "format"), "")
    given = body.get("filter", {})
    if not isinstance(given, Mapping):
        yield Fault("/filter", "an object of names and values is needed")
    else:
        for name, value in given.items():
            if not name:
                yield Fault(pointer("/filter", name), "the name of what is filtered by is needed")
            if not isinstance(value, str):
                yield Fault(pointer("/filter", name), "a string is needed: leading zeros count")
    if body.get("format") not in (None, *_OUTPUTS):
        yield Fault("/format", f"one of {', '.join(_OUTPUTS)} is needed")


def _shown(exchange: Exchange, done: Imported) -> dict[str, object]:
    begun: dict[str, object] = {"type": done.type, "action": done.action}
    if done.error is not None:
        return begun | {"error": exchange.part_failed(done.error)}
    return begun | {"key": done.key}


def _objects(body: dict[str, object]) -> tuple[ImportObject, ...]:
    """Raises InvalidBody with every fault."""
    if (error := refused(_faults(body))) is not None:
        raise error
    return _nested(body["objects"])


def _nested(given: object) -> tuple[ImportObject, ...]:
    """Objects that have no fault."""
    return tuple(
        ImportObject(
            type=item["type"],
            action=item["action"],
            properties={name: _exact(value) for name, value in (item.get("properties") or {}).items()},
            objects=_nested(item.get("objects")),
        )
        for item in (given if isinstance(given, list) else ())
    )


def _size(given: ImportObject) -> int:
    return 1 + sum(map(_size, given.objects))


def _exact(value: object) -> str | int | float | bool | None:
    """A number with a fraction as the text that it stands for: it goes out as text, and is not to be rounded."""
    if isinstance(value, Decimal):
        return format(value, "f")
    return value if isinstance(value, str | int | float) else None


def _faults(body: Mapping[str, object]) -> Iterator[Fault]:
    wrong = tuple(items(body, "objects", MOST_OBJECTS))
    yield from wrong
    given = body.get("objects")
    if not wrong and isinstance(given, list):
        yield from _list_faults(given, "/objects", 1)
        count = _count(given)
        if count > MOST_OBJECTS:
            yield Fault(
                "/objects", f"at most {MOST_OBJECTS:,} objects fit, children included; these are {count:,}"
            )


def _count(given: list[object]) -> int:
    children = [item["objects"] for item in given if isinstance(item, dict) and item.get("objects")]
    return len(given) + sum(_count(nested) for nested in children if isinstance(nested, list))


def _list_faults(given: list[object], at: str, level: int) -> Iterator[Fault]:
    if level > MOST_LEVELS:
        yield Fault(at, f"objects are nested at most {MOST_LEVELS} levels deep")
        return
    for index, item in enumerate(given):
        place = pointer(at, index)
        if isinstance(item, Mapping):
            yield from _object_faults(item, place, level)
        else:
            yield Fault(place, "an object is needed")


def _object_faults(given: Mapping[str, object], at: str, level: int) -> Iterator[Fault]:
    yield from strangers(given, ("type", "action", "properties", "objects"), at)
    yield from text_fault(given.get("type"), pointer(at, "type"))
    if given.get("action") not in _ACTIONS:
        yield Fault(pointer(at, "action"), f"one of {', '.join(_ACTIONS)} is needed")
    properties = given.get("properties")
    if isinstance(properties, Mapping):
        for name, value in properties.items():
            if isinstance(value, dict | list):
                yield Fault(
                    pointer(pointer(at, "properties"), name),
                    "a string, a number, true, false or null is needed",
                )
    elif properties is not None:
        yield Fault(pointer(at, "properties"), "an object of names and values is needed")
    children = given.get("objects")
    if isinstance(children, list):
        yield from _list_faults(children, pointer(at, "objects"), level + 1)
    elif children is not None:
        yield Fault(pointer(at, "objects"), "a list is needed")
