"""``/v1/{tenant}/objects/{path}``: records, read and written."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import msgspec

from contracts.addressing import Resolved
from contracts.bodies import check_body
from contracts.errors import InvalidPath, PreconditionFailed, RecordNotFound
from contracts.json_objects import decode_body
from contracts.operations import (
    ChangeRecord,
    CreateRecord,
    DeleteRecord,
    Found,
    GetRecord,
    ListRecords,
    Operation,
    Page,
    ReplaceRecord,
    Stored,
)
from contracts.paths import ObjectPath, parse_path, print_path
from contracts.writing import WriteKind, check_write_path
from gateway.http import etags, queries
from gateway.http.answers import JSON, Answer, Header, Streamed
from gateway.http.context import minimal
from gateway.http.exchange import Exchange
from gateway.http.negotiation import Format, accepted, require_json
from gateway.http.parameters import flag, parse_parameters
from gateway.http.plans import plan_answer
from gateway.http.streaming import stream_list

_VARY: Header = (b"vary", b"accept, accept-language, prefer")


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

    def operation(target: Resolved, body: dict[str, object], upsert: bool) -> Operation:
        return CreateRecord(place=target, body=body)

    return await _write(exchange, "create", operation)


async def replace(exchange: Exchange) -> Answer:
    """PUT."""

    def operation(target: Resolved, body: dict[str, object], upsert: bool) -> Operation:
        return ReplaceRecord(place=target, body=body)

    return await _write(exchange, "replace", operation)


async def change(exchange: Exchange) -> Answer:
    """PATCH."""

    def operation(target: Resolved, body: dict[str, object], upsert: bool) -> Operation:
        return ChangeRecord(place=target, body=body, upsert=upsert)

    return await _write(exchange, "change", operation, parameters=("upsert", *queries.COMMON))


async def delete(exchange: Exchange) -> Answer:
    """DELETE."""
    path = parse_path(_path(exchange))
    accepted(exchange.headers.get(b"accept"))
    parameters = parse_parameters(exchange.scope["query_string"], queries.COMMON)
    target = check_write_path(exchange.tenant.schema, path, "delete")
    _note(exchange, target)
    operation = DeleteRecord(place=target)
    condition = _condition(exchange, target)
    if flag(parameters, "dry_run"):
        return plan_answer(exchange, *condition, operation)
    await _check_condition(exchange, *condition)
    await exchange.tenant.perform(exchange.call(operation))
    return Answer(204)


async def _read_list(exchange: Exchange, target: Resolved, wanted: Format) -> Answer | Streamed:
    parameters = parse_parameters(exchange.scope["query_string"], queries.LIST)
    query = queries.list_query(parameters, exchange.tenant.schema, target.entity)
    place = print_path(target.path)
    bound = queries.binding(exchange.tenant.name, place, parameters)
    cursors = exchange.services.cursors
    if "cursor" in parameters:
        query = msgspec.structs.replace(query, continuation=cursors.open(parameters["cursor"], bound))
    operation = ListRecords(place=target, query=query)
    if flag(parameters, "dry_run"):
        return plan_answer(exchange, operation)
    if wanted is Format.NDJSON:
        return await stream_list(exchange, operation)
    page = await exchange.tenant.perform(exchange.call(operation))
    if not isinstance(page, Page):
        raise TypeError("a list answers with a page")
    cursor = None if page.next is None else cursors.seal(page.next, bound)
    document: dict[str, object] = {"items": page.items, "next": cursor}
    if query.count:
        document["count"] = page.count
    headers = [*JSON, _VARY, *_language(page.content_language)]
    if cursor is not None:
        link = queries.next_link(_location(exchange, target.path), parameters, cursor)
        headers.append((b"link", link.encode("ascii")))
    return Answer(200, msgspec.json.encode(document), tuple(headers))


async def _read_record(exchange: Exchange, target: Resolved) -> Answer:
    parameters = parse_parameters(exchange.scope["query_string"], queries.RECORD)
    select, expand = queries.shape(parameters, exchange.tenant.schema, target.entity)
    operation = GetRecord(place=target, select=select, expand=expand)
    if flag(parameters, "dry_run"):
        return plan_answer(exchange, operation)
    found = await _found(exchange, operation)
    body = msgspec.json.encode(found.record)
    tag = etags.entity_tag(body)
    headers = (*JSON, _VARY, (b"etag", tag.encode()), *_language(found.content_language))
    known = exchange.headers.get(b"if-none-match")
    if known is not None and etags.matches(known.decode("latin-1"), tag, weak=True):
        return Answer(304, headers=headers[1:])
    return Answer(200, body, headers)


async def _write(
    exchange: Exchange,
    kind: WriteKind,
    make: Callable[[Resolved, dict[str, object], bool], Operation],
    parameters: tuple[str, ...] = queries.COMMON,
) -> Answer:
    path = parse_path(_path(exchange))
    accepted(exchange.headers.get(b"accept"))
    given = parse_parameters(exchange.scope["query_string"], parameters)
    target = check_write_path(exchange.tenant.schema, path, kind)
    _note(exchange, target)
    require_json(exchange.headers.get(b"content-type"), exchange.headers.get(b"content-encoding"))
    limit = exchange.services.limits.body
    body = decode_body(await exchange.body(limit), limit)
    upsert = flag(given, "upsert")
    check_body(exchange.tenant.schema, target, kind, body, upsert=upsert)
    operation = make(target, body, upsert)
    condition = _condition(exchange, target)
    if flag(given, "dry_run"):
        return plan_answer(exchange, *condition, operation)
    await _check_condition(exchange, *condition)
    stored = await exchange.tenant.perform(exchange.call(operation))
    if not isinstance(stored, Stored):
        raise TypeError("a write answers with the record as stored")
    return _stored(exchange, stored)


def _stored(exchange: Exchange, stored: Stored) -> Answer:
    headers = [*JSON, _VARY, *_language(stored.content_language)]
    if stored.created:
        headers.append((b"location", _location(exchange, stored.path).encode("ascii")))
    if minimal(exchange.headers):
        body = msgspec.json.encode({"Id": _own_key(stored)})
        headers.append((b"preference-applied", b"return=minimal"))
    else:
        body = msgspec.json.encode(stored.record)
        headers.append((b"etag", etags.entity_tag(body).encode()))
    return Answer(201 if stored.created else 200, body, tuple(headers))


def _own_key(stored: Stored) -> object:
    """The record's ``Id``, or the key of its path when the upstream does not show it."""
    record = stored.record
    own = record.get("Id") if isinstance(record, dict) else getattr(record, "Id", None)
    if own is not None and own is not msgspec.UNSET:
        return own
    parts = stored.path.last.key.parts if stored.path.last.key is not None else ()
    if len(parts) == 1 and parts[0].name is None:
        return parts[0].value
    return {part.name: part.value for part in parts}


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


async def _found(exchange: Exchange, operation: GetRecord) -> Found:
    found = await exchange.tenant.perform(exchange.call(operation))
    if not isinstance(found, Found):
        raise TypeError("a read of one record answers with the record")
    return found


def _condition(exchange: Exchange, target: Resolved) -> tuple[GetRecord, ...]:
    """The read that ``If-Match`` and ``If-None-Match`` make necessary before a write."""
    if target.single and (b"if-match" in exchange.headers or b"if-none-match" in exchange.headers):
        return (GetRecord(place=target),)
    return ()


async def _check_condition(exchange: Exchange, *condition: GetRecord) -> None:
    """Raises :class:`PreconditionFailed`.

    The upstream knows no conditional writes: between this read and the write another may come.
    """
    for operation in condition:
        tag: str | None = None
        with suppress(RecordNotFound):
            tag = etags.entity_tag(msgspec.json.encode((await _found(exchange, operation)).record))
        must, must_not = exchange.headers.get(b"if-match"), exchange.headers.get(b"if-none-match")
        if must is not None and not etags.matches(must.decode("latin-1"), tag):
            raise PreconditionFailed(
                "the record is not the version that If-Match names"
                if tag is not None
                else "the record that If-Match speaks of does not exist"
            )
        if must_not is not None and etags.matches(must_not.decode("latin-1"), tag, weak=True):
            raise PreconditionFailed("the record exists in the version that If-None-Match excludes")


def _location(exchange: Exchange, path: ObjectPath) -> str:
    return f"/v1/{exchange.tenant.name}/objects/{print_path(path)}"


def _language(language: str | None) -> tuple[Header, ...]:
    return () if language is None else ((b"content-language", language.encode("latin-1", "replace")),)
