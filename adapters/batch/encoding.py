"""Members → the bytes of a batch request, and how many of them fit in one. Pure.

The ``url`` of a member is percent-encoded, as every URL is. One that begins at the record of another member of the
same request begins with that one's id: ``Object/$a1/Lines``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import msgspec

from adapters.batch.options import BatchOptions
from contracts.batches import units
from contracts.bodies import encode_body
from contracts.errors import PayloadTooLarge
from contracts.operations import DeleteRecord, Member
from contracts.paths import ObjectPath, print_upstream_path
from contracts.schema import Schema

_METHODS: Mapping[str, str] = MappingProxyType(
    {"create": "POST", "replace": "PUT", "change": "PATCH", "delete": "DELETE"}
)
_HEAD, _BETWEEN, _TAIL = b'{"requests":[', b",", b"]}"


class _Request(msgspec.Struct, kw_only=True, omit_defaults=True, rename="camel"):
    id: str
    method: str
    atomicity_group: str | None = None
    depends_on: tuple[str, ...] = ()
    url: str
    body: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


def encode_batch(schema: Schema, members: Iterable[Member]) -> bytes:
    """The body of the request that carries these members."""
    return _HEAD + _BETWEEN.join(_encoded(schema, member) for member in members) + _TAIL


def packed(schema: Schema, members: Sequence[Member], options: BatchOptions) -> int:
    """How many members, from the first one on, one request takes; a group is taken whole.

    Raises PayloadTooLarge where it takes not even the first of them, or the group that this one is of.
    """
    count, size = 0, len(_HEAD) + len(_TAIL) - len(_BETWEEN)
    for unit in units(members):
        size += sum(len(_encoded(schema, member)) + len(_BETWEEN) for member in unit)
        if count + len(unit) > options.count or size > options.bytes:
            if count == 0:
                raise _too_large(unit, size, options)
            break
        count += len(unit)
    return count


def _encoded(schema: Schema, member: Member) -> bytes:
    write = member.write
    request = _Request(
        id=member.id,
        method=_METHODS[write.kind],
        atomicity_group=member.group,
        depends_on=member.depends_on,
        url=_url(member),
    )
    if not isinstance(write, DeleteRecord):
        request.body = msgspec.Raw(encode_body(schema, write.place.entity, write.body))
    return msgspec.json.encode(request)


def _url(member: Member) -> str:
    path = member.write.place.path
    if member.origin is None:
        return "Object/" + print_upstream_path(path)
    steps = ObjectPath(path.segments[1:])
    return "/".join(filter(None, (f"Object/${member.origin}", print_upstream_path(steps))))


def _too_large(unit: tuple[Member, ...], size: int, options: BatchOptions) -> PayloadTooLarge:
    first = unit[0]
    if len(unit) > options.count:
        return PayloadTooLarge(
            f"the group {first.group} has {len(unit)} operations, and one request to the upstream takes at most "
            f"{options.count}: it could not be one transaction"
        )
    what = f"the operation {first.id}" if first.group is None else f"the group {first.group}"
    return PayloadTooLarge(
        f"{what} makes a request of {size} bytes, and the upstream takes at most {options.bytes}"
    )
