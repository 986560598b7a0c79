"""Which paths can be written to, and how. Source: vendor page "Inserting data", resource paths.

A record is made (``create``) where the upstream gives the key: in a set of an entity with an automatic
key, or in a collection of one. It is replaced, changed and deleted at its own key; a path through a
collection will do where the child's key begins with its owner's, as
``Building/0001/BuildingParts/001``. An entity with a composite key can be replaced by external id
only where the record exists already, which the upstream decides.
"""

from __future__ import annotations

from typing import Literal

from contracts.addressing import Resolved, key_form, resolve
from contracts.errors import InvalidPath, OperationNotSupported
from contracts.paths import ObjectPath, Segment, print_path
from contracts.schema import PropertyType, Schema

WriteKind = Literal["create", "replace", "change", "delete"]


def check_write_path(schema: Schema, path: ObjectPath, kind: WriteKind) -> Resolved:
    """Where the path leads, when it can be written to.

    Raises EntityNotFound, InvalidPath, and OperationNotSupported for a record that the upstream
    gives no key to; the detail says what to do instead.
    """
    resolved = resolve(schema, path)
    entity, last = resolved.entity, resolved.path.last
    if resolved.single and last.key is None:
        raise InvalidPath(
            f"nothing is written through the reference {last.name}: write the record itself, {entity.name}/<key>"
        )
    if kind == "create":
        _check_create(schema, resolved)
    elif last.key is None:
        raise InvalidPath(f"{print_path(resolved.path)} is a set: say which record, as {last.name}/<key>")
    elif resolved.owner is not None and not _owned_all_the_way(schema, resolved):
        raise InvalidPath(
            f"a record is written at its own key, not through {last.name} of another: "
            f"write {_own_address(resolved)}"
        )
    return resolved


def _check_create(schema: Schema, resolved: Resolved) -> None:
    entity = resolved.entity
    if resolved.path.last.key is not None:
        raise InvalidPath(
            f"a path with a key is written by PUT or PATCH; {entity.name} is created without its key"
        )
    if entity.unknown:
        return
    if not entity.automatic_key:
        raise OperationNotSupported(
            f"{entity.name} has no automatic key: choose a key and PUT {key_form(entity)}"
        )
    if entity.composite and not (resolved.owner and entity.owned_by(resolved.owner)):
        owner = schema.target(entity.key[-2])
        collections = (item for item in owner.properties.values() if item.type is PropertyType.COLLECTION)
        through = next((item.name for item in collections if item.target == entity.name), entity.name)
        raise InvalidPath(
            f"{entity.name} is created within its {owner.name}: POST {owner.name}/<key>/{through}"
        )


def _owned_all_the_way(schema: Schema, resolved: Resolved) -> bool:
    """Whether each step of the path adds one part to the key of the entity that the path begins with."""
    entity, owner, steps = resolved.entity, resolved.owner, len(resolved.path.segments) - 1
    if entity.unknown:
        return True
    first = schema.target(resolved.path.entity)
    return owner is not None and entity.owned_by(owner) and len(entity.key) - len(first.key) == steps


def _own_address(resolved: Resolved) -> str:
    if resolved.key is None:
        return key_form(resolved.entity)
    return print_path(ObjectPath((Segment(resolved.entity.name, resolved.key),)))
