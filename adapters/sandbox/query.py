"""Query options: ``filter orderby select expand top skip count``, with ``$`` or without."""

from collections.abc import Callable, Sequence
from datetime import tzinfo
from urllib.parse import unquote_to_bytes

import msgspec

from adapters.sandbox.caller import Caller
from adapters.sandbox.errors import bad_filter, bad_option
from adapters.sandbox.filters import Predicate, parse_filter
from adapters.sandbox.model import Entity, Key, Record
from adapters.sandbox.properties import PropertyPath, find_path
from adapters.sandbox.records import Store

_OPTIONS = ("filter", "orderby", "select", "expand", "top", "skip", "count")
_OF_LISTS = ("filter", "orderby", "top", "skip", "count")
_LEVELS = 3

Tree = dict[str, "Tree"]
"""Names of properties, each with the names below it."""


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """The options of one request. ``select`` is ``None`` for everything granted."""

    options: dict[str, str]
    select: Tree | None = None
    expand: Tree = {}
    top: int | None = None
    skip: int = 0
    count: bool = False


class Page(msgspec.Struct, frozen=True):
    """The keys of one page; ``count`` is ``None`` when it was not asked for, ``more`` tells of a next one."""

    keys: Sequence[Key]
    count: int | None
    more: bool


def parse_query(raw: str) -> Query:
    """The options of a raw query string; ``+`` is a space.

    Raises ``Refusal`` 400 ``InvalidQueryOption`` for an unknown or repeated option (a choice: a typing
    error should not pass as an unfiltered list) and for a value that cannot be read.
    """
    options: dict[str, str] = {}
    for pair in filter(None, raw.split("&")):
        name, _, value = pair.partition("=")
        option = _decoded(name).removeprefix("$").lower()
        if option not in _OPTIONS:
            raise bad_option(f"The query option '{option}' is not supported.")
        if option in options:
            raise bad_option(f"The query option '{option}' is given more than once.")
        options[option] = _decoded(value)
    return Query(
        options=options,
        select=_tree(options["select"]) if options.get("select", "").strip() else None,
        expand=_tree(options.get("expand", ""), _LEVELS),
        top=_number(options, "top"),
        skip=_number(options, "skip") or 0,
        count=_flag(options.get("count", "false")),
    )


def _decoded(text: str) -> str:
    try:
        return unquote_to_bytes(text.replace("+", " ")).decode("utf-8")
    except UnicodeDecodeError as error:
        raise bad_option("The query is not encoded in UTF-8.") from error


def _tree(text: str, levels: int | None = None) -> Tree:
    tree: Tree = {}
    for path in text.split(",") if text.strip() else []:
        names = [name.strip() for name in path.split("/")]
        if not all(names):
            raise bad_option(f"The path '{path.strip()}' cannot be read.")
        if levels is not None and len(names) > levels:
            raise bad_option(f"The path '{path.strip()}' is deeper than {levels} levels.")
        branch = tree
        for name in names:
            branch = branch.setdefault(name.lower(), {})
    return tree


def _number(options: dict[str, str], name: str) -> int | None:
    text = options.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise bad_option(f"The value of '{name}' must be a number of zero or more.")
    return int(text)


def _flag(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise bad_option("The value of 'count' must be true or false.")
    return text.lower() == "true"


def refuse_list_options(query: Query) -> None:
    """Raise ``Refusal`` when a query for a single record carries options that only lists know."""
    for name in _OF_LISTS:
        if name in query.options:
            raise bad_option(f"The query option '{name}' can be used on lists only.")


def take_page(
    store: Store,
    caller: Caller,
    entity: Entity,
    keys: Sequence[Key],
    query: Query,
    page_size: int,
    zone: tzinfo,
    seen: Predicate | None,
) -> Page:
    """The page of ``keys`` that a query asks for.

    ``seen`` drops records that the key may not see. Without it, a filter or an order nothing but the page
    itself is touched. Raises ``Refusal`` 400.
    """

    def find(path: str) -> PropertyPath:
        try:
            return find_path(store, caller, entity, path)
        except LookupError as error:
            raise bad_filter(str(error.args[0])) from error

    rows = store.table(entity.name).rows
    tests = [seen] if seen else []
    if query.options.get("filter", "").strip():
        tests.append(parse_filter(query.options["filter"], find, zone))
    for test in tests:
        keys = [key for key in keys if test(rows[key])]
    if query.options.get("orderby", "").strip():
        keys = _sorted(store, caller, entity, keys, query.options["orderby"])
    size = page_size if query.top is None else min(query.top, page_size)
    end = query.skip + size
    last = len(keys) if query.top is None else min(len(keys), query.skip + query.top)
    return Page(keys[query.skip : end], len(keys) if query.count else None, end < last)


def _sorted(store: Store, caller: Caller, entity: Entity, keys: Sequence[Key], text: str) -> list[Key]:
    rows = store.table(entity.name).rows
    ordered = list(keys)
    for item in reversed(text.split(",")):
        words = item.split()
        if not words or len(words) > 2 or (len(words) == 2 and words[1].lower() not in ("asc", "desc")):
            raise bad_option(f"The order '{item.strip()}' cannot be read.")
        try:
            path = find_path(store, caller, entity, words[0])
        except LookupError as error:
            raise bad_option(str(error.args[0])) from error
        by = _rank(rows, path)
        ordered.sort(key=by, reverse=words[-1].lower() == "desc" and len(words) == 2)
    return ordered


def _rank(rows: dict[Key, Record], path: PropertyPath) -> Callable[[Key], tuple[bool, object]]:
    def rank(key: Key) -> tuple[bool, object]:
        value = path.get(rows[key])
        return (value is not None, 0 if value is None else value)

    return rank
