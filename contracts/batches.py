"""The normalized batch: its body, checked whole, to the members of a :class:`~contracts.operations.WriteBatch`.

    {"operations": [{"id", "method", "path", "body"?, "atomicityGroup"?, "dependsOn"?}]}

The rules are the upstream's (vendor page "Inserting data in batch"), but for the number of operations and
the form of paths. A path may begin at the record of an operation named in ``dependsOn``: ``$a1/Lines``. What the
page leaves open is decided here:

* Of two operations one of which depends on the other, both are in the same group or both in none.
* ``null`` is the same as leaving a member out.
* Ids and group names are told apart by case, and have at most 128 characters.
* A deleted record is no beginning for a path.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator, Mapping
from itertools import groupby
from types import MappingProxyType
from typing import TypeVar

import msgspec

from contracts.addressing import Resolved, resolve
from contracts.bodies import check_body
from contracts.errors import Fault, GatewayError, InvalidBody
from contracts.json_objects import pointer, refused
from contracts.operations import ChangeRecord, CreateRecord, DeleteRecord, Member, ReplaceRecord, Write
from contracts.paths import Key, KeyPart, ObjectPath, Segment, parse_path
from contracts.schema import Entity, Schema, suggestion
from contracts.writing import WriteKind, check_write_path

T = TypeVar("T")
Checked = Generator[Fault, None, T]
"""Gives the faults of something, and at the end what is right about it."""

MAX_OPERATIONS = 10_000
"""The most operations of one batch; how many of them one upstream request takes is its adapter's to say."""

_KINDS: Mapping[str, WriteKind] = MappingProxyType(
    {"PUT": "replace", "POST": "create", "PATCH": "change", "DELETE": "delete"}
)
_MEMBERS = ("id", "method", "path", "body", "atomicityGroup", "dependsOn")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,128}")
_NAME_FORM = "a string of 1 to 128 letters, digits, dashes, dots and underscores is needed"


def check_batch(schema: Schema, body: Mapping[str, object]) -> tuple[Member, ...]:
    """The writes of a batch in the order given. Costs some 30 µs for each: a large one is best checked in a thread.

    Raises InvalidBody with a pointer to each violation, of 50 at most.
    """
    batch = _Batch(schema, _operations(body))
    if (error := refused(batch.faults())) is not None:
        raise error
    return tuple(batch.members.values())


def rebased(schema: Schema, member: Member, made: ObjectPath) -> Member:
    """The member with the path of the record that its origin made, or named, in place of the stand-in.

    Raises InvalidPath where a key further on in the path contradicts it.
    """
    steps = member.write.place.path.segments[1:]
    place = resolve(schema, ObjectPath((*made.segments, *steps)))
    return msgspec.structs.replace(
        member, write=msgspec.structs.replace(member.write, place=place), origin=None
    )


def units(members: Iterable[Member]) -> Iterator[tuple[Member, ...]]:
    """What cannot be parted, in order: each group whole, every other member by itself."""
    for group, together in groupby(members, key=lambda member: member.group):
        if group is None:
            yield from ((member,) for member in together)
        else:
            yield tuple(together)


def _operations(body: Mapping[str, object]) -> list[object]:
    """Raises InvalidBody for a body that is no list of operations."""
    unknown = (
        Fault(pointer("", name), "a batch has nothing but its operations")
        for name in body
        if name != "operations"
    )
    operations = body.get("operations")
    if (error := refused(unknown)) is not None:
        raise error
    if not isinstance(operations, list):
        raise InvalidBody(
            'a batch is {"operations": [...]}',
            faults=(Fault("/operations", "a list of operations is needed"),),
        )
    if not 1 <= len(operations) <= MAX_OPERATIONS:
        told = f"a batch has 1 to {MAX_OPERATIONS} operations, and this one has {len(operations)}"
        raise InvalidBody(told, faults=(Fault("/operations", told),))
    return operations


class _Batch:
    """One batch while it is checked; ``members`` are by id, those that have no fault."""

    def __init__(self, schema: Schema, operations: list[object]) -> None:
        self.members: dict[str, Member] = {}
        self._schema = schema
        self._operations = operations
        self._positions: dict[object, int] = {}
        for index, item in enumerate(operations):
            if isinstance(item, Mapping) and isinstance(item.get("id"), str):
                self._positions.setdefault(item["id"], index)
        self._groups: dict[int, str | None] = {}
        self._last_of_group: dict[str, int] = {}

    def faults(self) -> Iterator[Fault]:
        for index, item in enumerate(self._operations):
            at = pointer("/operations", index)
            if isinstance(item, Mapping):
                yield from self._operation(index, item, at)
            else:
                yield Fault(at, "an operation is an object with an id, a method and a path")

    def _operation(self, index: int, item: Mapping[str, object], at: str) -> Iterator[Fault]:
        for name in item:
            if name not in _MEMBERS:
                yield Fault(pointer(at, name), f"an operation has no such member{suggestion(name, _MEMBERS)}")
        id = yield from self._id(index, item.get("id"), pointer(at, "id"))
        group = yield from self._group(index, item.get("atomicityGroup"), pointer(at, "atomicityGroup"))
        depends_on = yield from self._depends_on(index, item.get("dependsOn"), pointer(at, "dependsOn"))
        kind = yield from _kind(item.get("method"), pointer(at, "method"))
        begun = yield from self._path(item, depends_on, pointer(at, "path"))
        place = yield from self._place(kind, begun, pointer(at, "path"))
        body = yield from self._body(kind, place, item.get("body"), pointer(at, "body"))
        if id is not None and kind is not None and place is not None and begun is not None:
            write = _write(kind, place, body)
            self.members[id] = Member(
                id=id, write=write, group=group, depends_on=depends_on, origin=begun.origin
            )

    def _id(self, index: int, id: object, at: str) -> Checked[str | None]:
        if not isinstance(id, str) or not _NAME.fullmatch(id):
            yield Fault(at, _NAME_FORM)
            return None
        if (first := self._positions[id]) != index:
            yield Fault(at, f"operation {first} has this id already")
            return None
        return id

    def _group(self, index: int, group: object, at: str) -> Checked[str | None]:
        if group is None:
            return None
        if not isinstance(group, str) or not _NAME.fullmatch(group):
            yield Fault(at, _NAME_FORM)
            return None
        last = self._last_of_group.get(group)
        if last is None and group in self._positions:
            yield Fault(at, "an operation has this name as its id; a group needs a name of its own")
        if last is not None and last != index - 1:
            yield Fault(at, f"the operations of a group stand together, and the last one of it was {last}")
        self._groups[index] = group
        self._last_of_group[group] = index
        return group

    def _depends_on(self, index: int, ids: object, at: str) -> Checked[tuple[str, ...]]:
        if ids is None:
            return ()
        if not isinstance(ids, list):
            yield Fault(at, "a list of ids is needed")
            return ()
        good: dict[str, None] = {}
        for number, id in enumerate(ids):
            reason = self._no_dependency(index, id)
            if reason is not None:
                yield Fault(pointer(at, number), reason)
            elif isinstance(id, str):
                good[id] = None
        return tuple(good)

    def _no_dependency(self, index: int, id: object) -> str | None:
        """Why the operation cannot depend on that one; None when it can."""
        position = self._positions.get(id) if isinstance(id, str) else None
        if position is None:
            return "no operation of this batch has this id"
        if position >= index:
            return "an operation can depend on earlier ones only"
        if self._groups.get(position) != self._groups.get(index):
            return "only operations of one group, or two outside of any, can depend on each other"
        return None

    def _path(
        self, item: Mapping[str, object], depends_on: tuple[str, ...], at: str
    ) -> Checked[_Begun | None]:
        raw = item.get("path")
        if not isinstance(raw, str):
            yield Fault(at, "an object path is needed, as in Equipment/00001")
            return None
        try:
            if not raw.startswith("$"):
                return _Begun(parse_path(raw))
            id, _, rest = raw[1:].partition("/")
            origin = self.members.get(id)
            if origin is not None and id in depends_on:
                return _Begun(_path_from(origin, rest), id)
        except GatewayError as error:
            yield Fault(at, error.detail)
            return None
        listed = item.get("dependsOn")
        if not isinstance(listed, list) or id not in listed:
            yield Fault(
                at, "a path can begin at the record of another operation only if dependsOn names that one"
            )
        return None

    def _place(self, kind: WriteKind | None, begun: _Begun | None, at: str) -> Checked[Resolved | None]:
        if kind is None or begun is None:
            return None
        if begun.origin is not None and isinstance(self.members[begun.origin].write, DeleteRecord):
            yield Fault(at, "the operation that the path begins at deletes its record")
            return None
        try:
            return check_write_path(self._schema, begun.path, kind)
        except GatewayError as error:
            yield Fault(at, error.detail)
            return None

    def _body(
        self, kind: WriteKind | None, place: Resolved | None, body: object, at: str
    ) -> Checked[dict[str, object]]:
        if kind is None or (kind == "delete" and body is None):
            return {}
        if kind == "delete":
            yield Fault(at, "a DELETE has no body")
        elif not isinstance(body, dict):
            yield Fault(at, "a body is needed: an object of properties")
        elif place is not None:
            try:
                check_body(self._schema, place, kind, body)
            except InvalidBody as error:
                yield from (Fault(at + fault.pointer, fault.detail) for fault in error.faults)
            return body
        return {}


class _Begun(msgspec.Struct, frozen=True):
    """A path, and the id of the operation whose record it begins at."""

    path: ObjectPath
    origin: str | None = None


def _kind(method: object, at: str) -> Checked[WriteKind | None]:
    kind = _KINDS.get(method.upper()) if isinstance(method, str) else None
    if kind is None:
        yield Fault(at, f"one of {', '.join(_KINDS)} is needed")
    return kind


def _path_from(origin: Member, rest: str) -> ObjectPath:
    """The path that goes on from the record that ``origin`` makes or names. Raises InvalidPath."""
    place = origin.write.place
    begin = Segment(place.entity.name, place.key or _stand_in(place.entity, f"${origin.id}"))
    steps = parse_path(f"{place.entity.name}/0/{rest}").segments[1:] if rest else ()
    return ObjectPath((begin, *steps))


def _stand_in(entity: Entity, name: str) -> Key:
    """A key for a record whose key is not known yet: ``name``, or 0 where a number is needed."""
    parts = (entity.key_part(part, name) for part in entity.key)
    filled = tuple(KeyPart(part.name, "0", True) if part.numeric else part for part in parts)
    return Key(filled if entity.composite else (KeyPart(None, filled[0].value, filled[0].numeric),))


def _write(kind: WriteKind, place: Resolved, body: dict[str, object]) -> Write:
    match kind:
        case "create":
            return CreateRecord(place=place, body=body)
        case "replace":
            return ReplaceRecord(place=place, body=body)
        case "change":
            return ChangeRecord(place=place, body=body)
        case "delete":
            return DeleteRecord(place=place)
