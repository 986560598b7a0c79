"""From the segments of a path to the records that they mean."""

from collections.abc import Sequence

import msgspec

from adapters.sandbox.caller import Caller
from adapters.sandbox.errors import Refusal, bad_path, unknown_record, unknown_resource
from adapters.sandbox.model import Entity, Key, Model, Navigation, Property, lookup
from adapters.sandbox.paths import KeyPart, Segment
from adapters.sandbox.projection import visible
from adapters.sandbox.records import Store


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """The navigation that a path ends in: from the record ``key`` of ``parent``."""

    parent: Entity
    key: Key
    navigation: Navigation | None = None
    """``None`` for a navigation to a single record."""
    owned: bool = False
    """Whether all navigations of the path lead to records whose key begins with that of their parent."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What a path means: a set, or one record that need not exist.

    Of a set ``keys`` are the members. Of one record ``key`` is the key, ``None`` when an external id or an
    empty reference leads nowhere; ``external`` is the external id and data provider that named it.
    """

    entity: Entity
    keys: Sequence[Key] | None = None
    key: Key | None = None
    external: tuple[str, str] | None = None
    step: Step | None = None


class Addressing:
    """Walks the paths of one caller."""

    def __init__(self, store: Store, caller: Caller) -> None:
        self._store = store
        self._model: Model = store.model
        self._caller = caller

    def resolve(self, segments: Sequence[Segment]) -> Target:
        """What the segments mean.

        Records on the way must exist; the last one need not. Raises ``Refusal`` 404 ``ResourceNotFound``
        for names unknown or not granted, 404 ``EntityNotFound`` for records, 400 for keys that do not fit.
        """
        target = self._first(segments[0])
        for segment in segments[1:]:
            target = self._next(target, segment)
        return target

    def _granted(self, name: str) -> Entity:
        entity = self._model.find(name)
        if entity is None or self._caller.key.granted(entity) is None:
            raise unknown_resource(name)
        return entity

    def _first(self, segment: Segment) -> Target:
        entity = self._granted(segment.name)
        if not segment.key:
            return Target(entity=entity, keys=self._store.table(entity.name).order)
        return self._keyed(entity, segment, None, ())

    def _next(self, target: Target, segment: Segment) -> Target:
        if target.keys is not None:
            raise unknown_resource(segment.name)
        key = self.existing(target)
        entity = target.entity
        navigation = lookup(entity.navigations, segment.name)
        if navigation is None:
            return self._single(entity, key, segment)
        child = self._granted(navigation.target)
        so_far = target.step is None or target.step.owned
        owned = so_far and self._model.owned(entity, navigation)
        step = Step(parent=entity, key=key, navigation=navigation, owned=owned)
        members = self._store.children(entity, key, navigation)
        if not segment.key:
            return Target(entity=child, keys=members, step=step)
        prefix = key if self._model.owned(entity, navigation) else ()
        found = self._keyed(child, segment, step, prefix)
        if not owned and found.key is not None and found.key not in members:
            raise unknown_record(child.name)
        return found

    def existing(self, target: Target) -> Key:
        """The key of a record that must exist and be visible. Raises ``Refusal`` 404 ``EntityNotFound``."""
        record = self._store.get(target.entity.name, target.key) if target.key is not None else None
        if record is None or target.key is None or not visible(self._caller, target.entity, record):
            raise unknown_record(target.entity.name)
        return target.key

    def _single(self, entity: Entity, key: Key, segment: Segment) -> Target:
        """A navigation from one record to another one, by a reference or by a part of the key."""
        found = lookup(entity.properties, segment.name)
        part = next((name for name in entity.key_targets if name.lower() == segment.name.lower()), None)
        if found is not None and found.target is not None and self._sees(entity, found):
            other = self._granted(found.target)
            record = self._store.table(entity.name).rows[key]
            identity = record.get(found.name)
            reached = other.key_of(identity) if identity is not None else None
        elif part is not None:
            other = self._granted(entity.key_targets[part])
            reached = entity.owner_key(key, part, other)
        else:
            raise unknown_resource(segment.name)
        if segment.key:
            raise bad_path(f"'{segment.name}' leads to a single {other.name} and takes no identifier.")
        return Target(entity=other, key=reached, step=Step(parent=entity, key=key))

    def _sees(self, entity: Entity, found: Property) -> bool:
        return found.name in (self._caller.key.granted(entity) or ())

    def _keyed(self, entity: Entity, segment: Segment, step: Step | None, prefix: Key) -> Target:
        external = segment.external()
        if external is None:
            key = complete_key(entity, segment.key, prefix)
            return Target(entity=entity, key=key, step=step)
        provider = self._provider(external[1])
        found = self._store.table(entity.name).by_external(external[0], provider)
        return Target(entity=entity, key=found, external=(external[0], provider), step=step)

    def _provider(self, given: str | None) -> str:
        own = self._caller.key.provider
        if given is not None and own != "Rest" and given != own:
            raise Refusal(404, "EntityNotFound", f"The API key finds records of the provider '{own}' only.")
        return given if given is not None else own


def complete_key(entity: Entity, parts: Sequence[KeyPart], prefix: Key) -> Key:
    """The key that the parts state, completed by the key of the parent in the path.

    Raises ``Refusal`` 400 when parts are missing or unknown, 404 when they contradict the parent.
    """
    if parts[0].name is None:
        if len(prefix) + 1 != len(entity.key):
            raise bad_path(f"The key of {entity.name} consists of {', '.join(entity.key)}.")
        return (*prefix, parts[0].value)
    given = {str(part.name).lower(): part.value for part in parts}
    for name, value in zip(entity.key, prefix, strict=False):
        if given.setdefault(name.lower(), value) != value:
            raise unknown_record(entity.name)
    if given.keys() != {name.lower() for name in entity.key}:
        raise bad_path(f"The key of {entity.name} consists of {', '.join(entity.key)}.")
    return tuple(given[name.lower()] for name in entity.key)
