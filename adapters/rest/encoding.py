"""Operation → wire request, for objects. Pure: the same operation gives the same bytes."""

from __future__ import annotations

import re
from urllib.parse import quote

from adapters.rest.addressing import Route
from adapters.rest.paging import resumed
from contracts.adapter import TenantProfile
from contracts.bodies import encode_body, in_languages
from contracts.call import Call
from contracts.conditions import conjunction
from contracts.errors import Fault, InvalidRequest
from contracts.filters import print_filter, print_orderby, print_properties
from contracts.json_objects import pointer, refused
from contracts.operations import (
    ChangeRecord,
    CreateRecord,
    GetRecord,
    Query,
    ReplaceRecord,
)
from contracts.paths import ObjectPath, print_upstream_path
from contracts.schema import Schema
from contracts.wire import HeaderValue, Slot, WireRequest

Paths = tuple[tuple[str, ...], ...]
ObjectWrite = CreateRecord | ReplaceRecord | ChangeRecord
Headers = tuple[tuple[str, HeaderValue], ...]

_LANGUAGE = re.compile(r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*|\*)\s*(?:;\s*q=([01](?:\.\d{0,3})?))?\s*")
_QUERY_SAFE = "'(),/:*!~;@"
_TEMPLATE = "/object/{path}"


def common_headers(call: Call, profile: TenantProfile) -> Headers:
    """The headers that every request to the REST interface carries."""
    headers: list[tuple[str, HeaderValue]] = [("ApiKey", Slot.API_KEY), ("Accept", "application/json")]
    wanted = language(call.accept_language) or profile.language
    if wanted:
        headers.append(("Accept-Language", wanted))
    if profile.company:
        headers.append(("Ultimo-Company", profile.company))
    if profile.strip_html:
        headers.append(("Prefer", "strip-html"))
    return tuple(headers)


def write_headers(call: Call, profile: TenantProfile) -> Headers:
    """The headers of a request that writes: the body's type, and the language of what is multilingual in it."""
    headers: Headers = (*common_headers(call, profile), ("Content-Type", "application/json"))
    written = language(call.content_language) or profile.language
    if written and not profile.multilingual:
        headers = (*headers, ("Content-Language", written))
    return headers


def language(header: str | None) -> str | None:
    """The one language that the upstream is asked for: the first of the highest weight.

    The upstream takes a single tag, ``NL`` or ``en-US`` (vendor page "Inserting data"), and tells
    case apart; browsers and programs write ``nl``.
    """
    best: tuple[float, str] | None = None
    for item in (header or "").split(","):
        match = _LANGUAGE.fullmatch(item)
        if match is None or match[1] == "*":
            continue
        weight = float(match[2] or 1)
        if weight > 0 and (best is None or weight > best[0]):
            best = (weight, match[1])
    if best is None:
        return None
    primary, _, region = best[1].partition("-")
    return f"{primary.lower()}-{region.upper()}" if region else primary.upper()


def list_parameters(query: Query, route: Route) -> dict[str, str]:
    """The query options as the upstream spells them, by name, without ``$``."""
    parameters: dict[str, str] = {}
    condition = conjunction(route.filter, query.filter)
    if condition is not None:
        parameters["filter"] = print_filter(condition)
    if query.orderby:
        parameters["orderby"] = print_orderby(
            tuple((term.property, term.descending) for term in query.orderby)
        )
    parameters |= shape_parameters(query.select, query.expand)
    if query.limit is not None:
        parameters["top"] = str(query.limit)
    if query.skip:
        parameters["skip"] = str(query.skip)
    if query.count:
        parameters["count"] = "true"
    return resumed(parameters, query.continuation)


def shape_parameters(select: Paths, expand: Paths) -> dict[str, str]:
    """``select`` and ``expand``."""
    return {
        name: print_properties(paths) for name, paths in (("select", select), ("expand", expand)) if paths
    }


def get_parameters(operation: GetRecord, route: Route) -> dict[str, str]:
    """A record by path; by filter when its key cannot stand in one (two are asked for, to see that there is one)."""
    parameters = shape_parameters(operation.select, operation.expand)
    if route.filter is None:
        return parameters
    return {"filter": print_filter(route.filter), **parameters, "top": "2"}


def read_request(route: Route, parameters: dict[str, str], headers: Headers, longest: int) -> WireRequest:
    """A record or a page of a set.

    Raises InvalidRequest for a target of more than ``longest`` characters: servers answer a request
    line that is too long for them without saying so.
    """
    target = object_target(route.path, parameters)
    if len(target) > longest:
        name = max(parameters, key=lambda name: len(parameters[name]), default="path")
        detail = (
            f"the request to the upstream would have {len(target)} characters, encoded, and {longest} are the "
            f"most; the longest part of it is the {name}: split the question into several"
        )
        raise InvalidRequest(detail, faults=(Fault(name, detail),))
    return WireRequest(method="GET", target=target, headers=headers, repeatable=True, template=_TEMPLATE)


def write_request(
    call: Call,
    operation: ObjectWrite,
    schema: Schema,
    method: str,
    profile: TenantProfile,
) -> WireRequest:
    """A write; the method is given because an upsert writes the same body with two.

    Raises InvalidBody for a value in several languages where the tenant writes in one at a time.
    """
    check_languages(operation, profile)
    return WireRequest(
        method=method,
        repeatable=operation.idempotent,
        target=object_target(operation.place.path, {}),
        headers=write_headers(call, profile),
        content=encode_body(schema, operation.place.entity, operation.body),
        template=_TEMPLATE,
    )


def object_target(path: ObjectPath, parameters: dict[str, str]) -> str:
    """Path and query as they go on the line."""
    target = "/object/" + print_upstream_path(path)
    if not parameters:
        return target
    return (
        target
        + "?"
        + "&".join(f"{name}={quote(value, safe=_QUERY_SAFE)}" for name, value in parameters.items())
    )


def check_languages(operation: ObjectWrite, profile: TenantProfile) -> None:
    """Raises InvalidBody for a value in several languages where the tenant writes in one at a time."""
    if profile.multilingual:
        return
    detail = "this tenant's values are in one language at a time: give the text, and its language in Content-Language"
    names = in_languages(operation.place.entity, operation.body)
    if (error := refused(Fault(pointer("", name), detail) for name in names)) is not None:
        raise error
