"""Query parameters of reads to the :class:`~contracts.operations.Query` they ask for, checked against the schema."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from contracts.filters import parse_filter, parse_orderby, parse_properties
from contracts.operations import OrderBy, Query
from contracts.queries import Paths, check_query, check_shape
from contracts.schema import Entity, Schema
from gateway.http.parameters import flag, whole_number

COMMON = ("dry_run",)
SHAPING = ("select", "expand")
LIST = ("filter", "orderby", *SHAPING, "limit", "skip", "count", "cursor", *COMMON)
RECORD = (*SHAPING, *COMMON)

MAX_LIMIT = 1000
MAX_SKIP = 10**9

_BOUND = ("filter", "orderby", "select", "expand", "skip", "count")


def list_query(parameters: dict[str, str], schema: Schema, entity: Entity) -> Query:
    """The query of a list, its continuation left out.

    Raises :class:`~contracts.errors.InvalidFilter` and :class:`~contracts.errors.InvalidRequest`.
    """
    select, expand = _shape(parameters)
    text = parameters.get("filter")
    order = parameters.get("orderby")
    query = Query(
        filter=None if text is None else parse_filter(text),
        orderby=() if order is None else tuple(OrderBy(*term) for term in parse_orderby(order)),
        select=select,
        expand=expand,
        limit=whole_number(parameters, "limit", 1, MAX_LIMIT),
        skip=whole_number(parameters, "skip", 0, MAX_SKIP) or 0,
        count=flag(parameters, "count"),
    )
    return check_query(schema, entity, query)


def shape(parameters: dict[str, str], schema: Schema, entity: Entity) -> tuple[Paths, Paths]:
    """``select`` and ``expand`` of one record. Raises :class:`~contracts.errors.InvalidRequest`."""
    select, expand = _shape(parameters)
    return check_shape(schema, entity, select, expand) if select or expand else (select, expand)


def binding(tenant: str, path: str, parameters: Mapping[str, str]) -> tuple[str, ...]:
    """What a cursor is bound to: everything that decides which list it is a place in."""
    return (tenant, path, *(parameters.get(name, "") for name in _BOUND))


def next_link(target: str, parameters: Mapping[str, str], cursor: str) -> str:
    """The ``Link`` header to the next page (RFC 8288): the same query with another cursor."""
    query = urlencode({**parameters, "cursor": cursor}, quote_via=quote)
    return f'<{target}?{query}>; rel="next"'


def _shape(parameters: dict[str, str]) -> tuple[Paths, Paths]:
    select, expand = parameters.get("select"), parameters.get("expand")
    return (
        () if select is None else parse_properties(select, "select"),
        () if expand is None else parse_properties(expand, "expand"),
    )
