"""The records: what every face of the look-alike reads and writes, with transactions over all entities."""

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from adapters.sandbox.archive import Archive
from adapters.sandbox.model import Entity, Key, Model, Navigation, Record

Change = tuple[str, Key, Record | None]
"""Entity name, key, and the record as it was before, or ``None`` when there was none."""


class Table:
    """The records of one entity, ordered by key."""

    def __init__(self, entity: Entity) -> None:
        self.entity = entity
        self.rows: dict[Key, Record] = {}
        self.order: list[Key] = []
        self._externals: dict[tuple[object, object], Key] = {}

    def put(self, key: Key, record: Record) -> Record | None:
        """Store a record; answers what stood there before."""
        before = self.rows.get(key)
        if before is None:
            if self.order and key < self.order[-1]:
                insort(self.order, key)
            else:
                self.order.append(key)
        else:
            self._forget(before)
        self.rows[key] = record
        external = record.get("ExternalId")
        if external is not None:
            self._externals[external, record.get("DataProvider")] = key
        return before

    def remove(self, key: Key) -> Record | None:
        """Delete a record; answers what it was."""
        before = self.rows.pop(key, None)
        if before is not None:
            del self.order[bisect_left(self.order, key)]
            self._forget(before)
        return before

    def _forget(self, record: Record) -> None:
        if record.get("ExternalId") is not None:
            self._externals.pop((record["ExternalId"], record.get("DataProvider")), None)

    def by_external(self, external_id: str, provider: str) -> Key | None:
        """The key of the record with that external id, or ``None``."""
        return self._externals.get((external_id, provider))

    def beginning_with(self, prefix: Key) -> Sequence[Key]:
        """The keys whose first parts are ``prefix``, in order."""
        start = bisect_left(self.order, prefix)
        end = start
        while end < len(self.order) and self.order[end][: len(prefix)] == prefix:
            end += 1
        return self.order[start:end]

    def referring(self, name: str, identity: object) -> Sequence[Key]:
        """The keys of the records whose reference ``name`` is ``identity``, in order."""
        rows = self.rows
        return [key for key in self.order if rows[key].get(name) == identity]


class Store:
    """All tables. The memory is the truth; with an archive each transaction is written through."""

    def __init__(self, model: Model, archive: Archive | None = None) -> None:
        self.model = model
        self._archive = archive
        self._tables = {entity.name: Table(entity) for entity in model}
        self._counters: dict[tuple[str, Key], int] = {}
        self._changes: list[Change] | None = None

    def table(self, entity: str) -> Table:
        """The table of the entity of exactly that name."""
        return self._tables[entity]

    def get(self, entity: str, key: Key) -> Record | None:
        return self._tables[entity].rows.get(key)

    def put(self, entity: str, key: Key, record: Record) -> None:
        """Store a record; inside a transaction it can still be undone."""
        self._noted(entity, key, self._tables[entity].put(key, record))

    def delete(self, entity: str, key: Key) -> None:
        """Delete a record; inside a transaction it can still be undone. Its key is not handed out again."""
        kind = self.model[entity]
        if kind.automatic is not None:
            self._last_number(kind, key[:-1])
        self._noted(entity, key, self._tables[entity].remove(key))

    def _noted(self, entity: str, key: Key, before: Record | None) -> None:
        if self._changes is not None:
            self._changes.append((entity, key, before))
        elif self._archive is not None:
            self._archive.write([(entity, key, self.get(entity, key))])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All changes inside happen, or none when an exception leaves. An inner transaction is part of the
        outer one's fate, but can be undone by itself."""
        outer, self._changes = self._changes, []
        try:
            yield
        except BaseException:
            for entity, key, before in reversed(self._changes):
                self._restore(entity, key, before)
            self._changes = outer
            raise
        changes, self._changes = self._changes, outer
        if outer is not None:
            outer.extend(changes)
        elif self._archive is not None and changes:
            touched = dict.fromkeys((entity, key) for entity, key, _ in changes)
            self._archive.write((entity, key, self.get(entity, key)) for entity, key in touched)

    def _restore(self, entity: str, key: Key, before: Record | None) -> None:
        if before is None:
            self._tables[entity].remove(key)
        else:
            self._tables[entity].put(key, before)

    def next_key(self, entity: Entity, parent: Key = ()) -> Key:
        """The next automatic key of an entity, below ``parent`` when the key is composite.

        Keys once handed out do not come again, and a key in use is passed over.
        """
        if entity.automatic is None:
            raise ValueError(f"{entity.name} has no automatic key")
        rows = self._tables[entity.name].rows
        number = self._last_number(entity, parent)
        while True:
            number += 1
            key = (*parent, str(number).zfill(entity.automatic))
            if key not in rows:
                self._counters[entity.name, parent] = number
                return key

    def _last_number(self, entity: Entity, parent: Key) -> int:
        """The number of the last automatic key; it counts on from the highest key in use when first asked."""
        scope = (entity.name, parent)
        if scope not in self._counters:
            table = self._tables[entity.name]
            used = table.beginning_with(parent) if parent else table.order
            last = (key[-1] for key in used if len(key[-1]) == entity.automatic)
            numbers = (int(part) for part in last if part.isascii() and part.isdigit())
            self._counters[scope] = max(numbers, default=0)
        return self._counters[scope]

    def children(self, parent: Entity, key: Key, navigation: Navigation) -> Sequence[Key]:
        """The keys of the records that a to-many navigation leads to, in order."""
        if navigation.through is not None:
            links = self._tables[navigation.through].beginning_with(key)
            target = self._tables[navigation.target].rows
            return [link[len(key) :] for link in links if link[len(key) :] in target]
        table = self._tables[navigation.target]
        if self.model.owned(parent, navigation):
            return table.beginning_with(key)
        return table.referring(navigation.via, parent.identity(key))

    def referring(self, entity: Entity, key: Key) -> list[tuple[Entity, Key]]:
        """The other records that refer to one, by a reference or because it owns the beginning of their key.

        Every record of the entities concerned is looked at; the records of links are among the answers.
        """
        identity = entity.identity(key)
        found: dict[tuple[str, Key], Entity] = {}
        for other in self.model:
            table = self._tables[other.name]
            for prop in other.properties.values():
                if prop.target == entity.name:
                    found.update(((other.name, row), other) for row in table.referring(prop.name, identity))
            for part, owner in other.key_targets.items():
                if owner == entity.name:
                    rows = (row for row in table.order if other.owner_key(row, part, entity) == key)
                    found.update(((other.name, row), other) for row in rows)
        return [(other, row) for (name, row), other in found.items() if (name, row) != (entity.name, key)]

    def fill(self, records: Iterator[tuple[str, Key, Record]]) -> None:
        """Add many records, written through in one go."""
        with self.transaction():
            for entity, key, record in records:
                self.put(entity, key, record)

    def load(self) -> bool:
        """Take over what the archive holds; tells whether it held anything."""
        if self._archive is None:
            return False
        loaded = sorted(self._archive.load(), key=lambda row: (row[0], row[1]))
        for entity, key, record in loaded:
            if entity in self._tables:
                self._tables[entity].put(key, record)
        return bool(loaded)

    def clear(self) -> None:
        """Forget all records and the automatic keys handed out."""
        if self._archive is not None:
            self._archive.clear()
        self._counters.clear()
        self._tables = {entity.name: Table(entity) for entity in self.model}

    def counts(self) -> dict[str, int]:
        """How many records each entity has; links are not counted."""
        tables = self._tables.items()
        return {name: len(table.rows) for name, table in tables if not table.entity.link}
