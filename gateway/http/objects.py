"""``/v1/{tenant}/objects/{path}``: records, read and written."""

from __future__ import annotations

from contextlib import suppress

import msgspec

from contracts.addressing import Resolved
from contracts.bodies import check_body
from contracts.call import Call
from contracts.errors import InvalidPath, RecordNotFound
from contracts.json_objects import decode_body
from contracts.operations import (
    ChangeRecord,
    CreateRecord,
    DeleteRecord,
    GetRecord,
    ListRecords,
    ReplaceRecord,
    Write,
)
from contracts.paths import ObjectPath, parse_path, print_path
from contracts.results import Found, Page, Result, Stored
from contracts.writing import WriteKind, check_write_path
from gateway.http import etags, queries
from gateway.http.answers import JSON, VARY, Answer, Streamed, language
from gateway.http.context import minimal
from gateway.http.exchange import Exchange
from gateway.http.negotiation import Format, accepted, require_json
from gateway.http.parameters import flag, parse_parameters, refused
from gateway.http.plans import plan_answer
from gateway.http.stored import MINIMAL, shown
from gateway.http.streaming import stream_records


async def read(exchange: Exchange) -> Answer | Streamed:
    """GET: a list or one record, as the path says."""
    target = _target(exchange)
    wanted = accepted(exchange.headers.get(b"accept"))
    exchange.operation = GetRecord.kind if target.single else ListRecords.kind
    if target.single:
        return await _read_record(exchange, target)
    return await _read_list(exchange, target, wanted)


async def create(exchange: Exchange) -> Answer:
    """POST."""
    etags.refuse_conditions(exchange.headers, b"if-match", b"if-none-match")
    return await _write(exchange, "create", CreateRecord)


async def replace(exchange: Exchange) -> Answer:
    """PUT."""
    return await _write(exchange, "replace", ReplaceRecord)


async def change(exchange: Exchange) -> Answer:
    """PATCH."""
    return await _write(exchange, "change", ChangeRecord, "upsert")


async def delete(exchange: Exchange) -> Answer:
    """DELETE."""
    path = parse_path(_path(exchange))
    accepted(exchange.headers.get(b"accept"))
    parameters = parse_parameters(exchange.scope["query_string"], queries.COMMON)
    target = check_write_path(exchange.tenant.schema, path, "delete")
    _note(exchange, target)
    done = await _guarded(exchange, DeleteRecord(place=target), dry_run=flag(parameters, "dry_run"))
    return done if isinstance(done, Answer) else Answer(204)


async def _read_list(exchange: Exchange, target: Resolved, wanted: Format) -> Answer | Streamed:
    etags.refuse_conditions(exchange.headers, b"if-match", b"if-none-match")
    parameters = parse_parameters(exchange.scope["query_string"], queries.LIST)
    streamed = wanted is Format.NDJSON
    if streamed and "limit" in parameters:
        raise refused("limit", "'limit' is the records of a page; a stream has all records, so leave it out")
    query = queries.list_query(parameters, exchange.tenant.schema, target.entity)
    place = print_path(target.path)
    bound = queries.binding(exchange.tenant.name, place, parameters)
    cursors = exchange.services.cursors
    if "cursor" in parameters:
        query = msgspec.structs.replace(query, continuation=cursors.open(parameters["cursor"], bound))
    operation = ListRecords(place=target, query=query, whole=streamed)
    if flag(parameters, "dry_run"):
        return plan_answer(exchange, operation)
    if streamed:
        return await stream_records(exchange, operation)
    page = await exchange.tenant.perform(exchange.call(operation))
    if not isinstance(page, Page):
        raise TypeError("a list answers with a page")
    cursor = None if page.next is None else cursors.seal(page.next, bound)
    document: dict[str, object] = {"items": page.items, "next": cursor}
    if query.count:
        document["count"] = page.count
    headers = [*JSON, VARY, *language(page.content_language)]
    if cursor is not None:
        link = queries.next_link(_location(exchange, target.path), parameters, cursor)
        headers.append((b"link", link.encode("ascii")))
    return Answer(200, msgspec.json.encode(document), tuple(headers))


async def _read_record(exchange: Exchange, target: Resolved) -> Answer:
    etags.refuse_conditions(exchange.headers, b"if-match")
    known = etags.parse_tags(exchange.headers.get(b"if-none-match"))
    parameters = parse_parameters(exchange.scope["query_string"], queries.RECORD)
    select, expand = queries.shape(parameters, exchange.tenant.schema, target.entity)
    operation = GetRecord(place=target, select=select, expand=expand)
    if flag(parameters, "dry_run"):
        return plan_answer(exchange, operation)
    found = await _found(exchange, exchange.call(operation))
    body = msgspec.json.encode(found.record)
    tag = etags.entity_tag(body)
    headers = (*JSON, VARY, (b"etag", tag.encode()), *language(found.content_language))
    if known is not None and known.match(tag, weak=True):
        return Answer(304, headers=headers[1:])
    return Answer(200, body, headers)


async def _write(
    exchange: Exchange,
    kind: WriteKind,
    make: type[CreateRecord | ReplaceRecord | ChangeRecord],
    *flags: str,
) -> Answer:
    """``flags`` are the parameters of true and false that the operation has beside its place and its body."""
    path = parse_path(_path(exchange))
    accepted(exchange.headers.get(b"accept"))
    given = parse_parameters(exchange.scope["query_string"], (*flags, *queries.COMMON))
    target = check_write_path(exchange.tenant.schema, path, kind)
    _note(exchange, target)
    require_json(exchange.headers.get(b"content-type"), exchange.headers.get(b"content-encoding"))
    limit = exchange.services.limits.body
    body = decode_body(await exchange.body(limit), limit)
    check_body(exchange.tenant.schema, target, kind, body, upsert=flag(given, "upsert"))
    operation = make(place=target, body=body, **{name: flag(given, name) for name in flags})
    stored = await _guarded(exchange, operation, dry_run=flag(given, "dry_run"))
    if isinstance(stored, Answer):
        return stored
    if not isinstance(stored, Stored):
        raise TypeError("a write answers with the record as stored")
    return _stored(exchange, stored)


async def _guarded(exchange: Exchange, operation: Write, *, dry_run: bool) -> Result | Answer:
    """Carry a write out if its condition holds, or plan it. Raises :class:`PreconditionFailed`.

    The upstream knows no conditional writes: between this read and the write another may come.
    """
    condition = etags.condition(exchange.headers)
    reading = GetRecord(place=operation.place)
    if dry_run:
        return plan_answer(exchange, *(() if condition is None else (reading,)), operation)
    if condition is None:
        return await exchange.tenant.perform(exchange.call(operation))
    read, write = exchange.call(reading), exchange.call(operation)
    # What can be told of the write without sending it is told before the read is paid for.
    exchange.tenant.plan(write)
    tag: str | None = None
    with suppress(RecordNotFound):
        tag = etags.entity_tag(msgspec.json.encode((await _found(exchange, read)).record))
    condition.check(tag)
    return await exchange.tenant.perform(write)


def _stored(exchange: Exchange, stored: Stored) -> Answer:
    headers = [*JSON, VARY, *language(stored.content_language)]
    if stored.created:
        headers.append((b"location", _location(exchange, stored.path).encode("ascii")))
    key_alone = minimal(exchange.headers)
    body = msgspec.json.encode(shown(stored, minimal=key_alone))
    if key_alone:
        headers.append(MINIMAL)
    elif stored.whole:
        headers.append((b"etag", etags.entity_tag(body).encode()))
    return Answer(201 if stored.created else 200, body, tuple(headers))


def _path(exchange: Exchange) -> str:
    """The object path exactly as it stands on the line, so that ``%2F`` is a character of a key.

    Raises :class:`InvalidPath`.
    """
    raw: bytes = exchange.scope["raw_path"]
    prefix = f"/v1/{exchange.tenant.name}/objects/".encode()
    rest = raw[len(prefix) :]
    if not raw.startswith(prefix) or not rest:
        raise InvalidPath(
            f"write /v1/{exchange.tenant.name}/objects/ and an entity after it, as in "
            f"/v1/{exchange.tenant.name}/objects/Equipment/00001"
        )
    if b"%" in rest and b"%2f" in rest.partition(b"/")[0].lower():
        raise InvalidPath(
            "the slashes between segments stay as they are, as in Equipment/00001; only a slash inside a key is %2F"
        )
    try:
        return rest.decode("ascii")
    except UnicodeDecodeError as error:
        raise InvalidPath("a path is ASCII; percent-encode everything else as UTF-8") from error


def _target(exchange: Exchange) -> Resolved:
    """Where the path leads, for a read. Raises :class:`InvalidPath` and EntityNotFound."""
    target = exchange.tenant.place(_path(exchange))
    _note(exchange, target)
    return target


def _note(exchange: Exchange, target: Resolved) -> None:
    exchange.path, exchange.entity = target.path, target.entity.name


async def _found(exchange: Exchange, call: Call) -> Found:
    found = await exchange.tenant.perform(call)
    if not isinstance(found, Found):
        raise TypeError("a read of one record answers with the record")
    return found


def _location(exchange: Exchange, path: ObjectPath) -> str:
    return f"/v1/{exchange.tenant.name}/objects/{print_path(path)}"
