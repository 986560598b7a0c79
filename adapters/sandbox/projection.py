"""From a stored record to its JSON: what is granted, selected and expanded, in the caller's language."""

import html
import re
from collections.abc import Callable

from adapters.sandbox.caller import Caller
from adapters.sandbox.errors import bad_option
from adapters.sandbox.model import Entity, Kind, Record, lookup
from adapters.sandbox.properties import translated
from adapters.sandbox.query import Query, Tree
from adapters.sandbox.records import Store

Renderer = Callable[[Record], object]

_BREAK = re.compile(r"<(?:br|/p|/div)\s*/?>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")


class Projection:
    """How the records of one entity are answered to one caller."""

    def __init__(self, names: list[str], special: dict[str, Renderer]) -> None:
        self._names = tuple(names)
        self._special = special

    def render(self, record: Record) -> Record:
        """The JSON object of a record; null where it has no value."""
        get = record.get
        answer: Record = {name: get(name) for name in self._names}
        for name, renderer in self._special.items():
            answer[name] = renderer(record)
        return answer


def visible(caller: Caller, entity: Entity, record: Record) -> bool:
    """Whether the company of the call may see a record."""
    return caller.company is None or not entity.company or record.get("SystemCompany") == caller.company


def build_projection(store: Store, caller: Caller, entity: Entity, query: Query) -> Projection:
    """The projection that a query asks for. Raises ``Refusal`` 400 for names unknown or not granted."""
    return _build(store, caller, entity, query.select, query.expand)


def whole_projection(store: Store, caller: Caller, entity: Entity) -> Projection:
    """Everything that the key grants: the answer of every write."""
    return _build(store, caller, entity, None, {})


def _build(store: Store, caller: Caller, entity: Entity, select: Tree | None, expand: Tree) -> Projection:
    granted = caller.key.granted(entity) or ()
    names = [name for name in granted if select is None or name.lower() in select]
    special: dict[str, Renderer] = {}
    for name in names:
        renderer = _scalar_renderer(entity, name, caller)
        if renderer is not None:
            special[name] = renderer
    _refuse_unknown(entity, granted, select)
    for folded, below in expand.items():
        name = _expandable(store, caller, entity, granted, folded)
        if select is None or folded in select:
            inner = (select or {}).get(folded) or None
            special[name] = _expansion(store, caller, entity, name, inner, below)
            names = [*names, name] if name not in names else names
    return Projection(names, special)


def _scalar_renderer(entity: Entity, name: str, caller: Caller) -> Renderer | None:
    found = entity.properties.get(name)
    if found is None or found.kind is not Kind.STRING:
        return None
    language = caller.language
    strip = strip_html if caller.strip_html else _as_it_is
    if found.multilingual and caller.key.multilingual:
        return lambda record: _all_languages(record.get(name), strip)
    if found.multilingual:
        return lambda record: strip(translated(record.get(name), language))
    return (lambda record: strip(record.get(name))) if caller.strip_html else None


def _all_languages(value: object, strip: Callable[[object], object]) -> object:
    return {code: strip(text) for code, text in value.items()} if isinstance(value, dict) else value


def _as_it_is(value: object) -> object:
    return value


def strip_html(value: object) -> object:
    """A text without markup: breaks become line feeds, entities become characters."""
    if not isinstance(value, str) or not ("<" in value or "&" in value):
        return value
    return html.unescape(_TAG.sub("", _BREAK.sub("\n", value))).replace("\xa0", " ")


def _refuse_unknown(entity: Entity, granted: tuple[str, ...], select: Tree | None) -> None:
    known = {name.lower() for name in (*granted, *entity.navigations, *entity.key_targets)}
    for name in select or ():
        if name not in known:
            raise bad_option(f"The property '{name}' of {entity.name} is unknown.")


def _expandable(store: Store, caller: Caller, entity: Entity, granted: tuple[str, ...], folded: str) -> str:
    found = lookup(entity.properties, folded)
    navigation = lookup(entity.navigations, folded)
    part = lookup(entity.key_targets, folded)
    if found is not None and found.target is not None and found.name in granted:
        name, target = found.name, found.target
    elif navigation is not None:
        name, target = navigation.name, navigation.target
    elif part is not None:
        name, target = next(key for key in entity.key_targets if key.lower() == folded), part
    else:
        raise bad_option(f"'{folded}' of {entity.name} cannot be expanded.")
    if caller.key.granted(store.model[target]) is None:
        raise bad_option(f"'{folded}' of {entity.name} cannot be expanded.")
    return name


def _expansion(
    store: Store, caller: Caller, entity: Entity, name: str, select: Tree | None, below: Tree
) -> Renderer:
    navigation = entity.navigations.get(name)
    found = entity.properties.get(name)
    if navigation is not None:
        target = store.model[navigation.target]
        many = _build(store, caller, target, select, below)
        rows = store.table(target.name).rows

        def collection(record: Record) -> object:
            keys = store.children(entity, entity.key_of(record["Id"]), navigation)
            return [many.render(rows[key]) for key in keys if visible(caller, target, rows[key])]

        return collection
    target = store.model[str(found.target) if found is not None else entity.key_targets[name]]
    one = _build(store, caller, target, select, below)
    others = store.table(target.name).rows

    def reference(record: Record) -> object:
        if found is None:
            key = entity.owner_key(entity.key_of(record["Id"]), name, target)
        elif record.get(name) is None:
            return None
        else:
            key = target.key_of(record[name])
        other = others.get(key)
        return one.render(other) if other is not None and visible(caller, target, other) else None

    return reference
