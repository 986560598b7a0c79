"""Running an import: each object a transaction of its own, under the rules that hold for REST."""

import asyncio
import re
from collections.abc import Mapping, Sequence

from adapters.sandbox.addressing import Step, Target
from adapters.sandbox.caller import Caller
from adapters.sandbox.connectors.columns import key_texts
from adapters.sandbox.connectors.definitions import ImportConnector
from adapters.sandbox.connectors.documents import Pair, SentObject, SentProperty
from adapters.sandbox.connectors.properties import Meaning, Reader
from adapters.sandbox.connectors.results import Result
from adapters.sandbox.errors import Refusal, bad_body, unknown_record, unknown_resource
from adapters.sandbox.model import Entity, Key
from adapters.sandbox.options import SandboxOptions
from adapters.sandbox.records import Store
from adapters.sandbox.writing import Writer

_EXPRESSION = re.compile(r"\$\{([^}]*)\}")
_ACTIONS = {name.lower(): name for name in ("Insert", "Update", "InsertOrUpdate", "InsertOrSkip", "Delete")}
_BREATH = 50

Scope = Mapping[str, str]
"""What ``${...}`` may name, in lower case: ``parent.id`` and so on."""


class Importer:
    """Imports the objects of one call.

    An object is found by its key columns when they are given, else by ``ExternalId``. Names are matched
    without regard to case and an object without an action is inserted or updated: choices. A child whose
    parent was refused is refused too.
    """

    def __init__(
        self, store: Store, caller: Caller, options: SandboxOptions, connector: ImportConnector
    ) -> None:
        self._store = store
        self._caller = caller
        self._connector = connector
        self._writer = Writer(store, caller, options)
        self._readers: dict[str, Reader] = {}

    async def run(self, objects: Sequence[SentObject]) -> list[Result]:
        """What became of each object. Refusals are results; nothing is raised."""
        results = []
        for number, sent in enumerate(objects, 1):
            results.append(self._import(sent, {}, nested=False))
            if number % _BREATH == 0:
                await asyncio.sleep(0)
        return results

    def _import(self, sent: SentObject, above: Scope | None, *, nested: bool) -> Result:
        entity = self._store.model.find(sent.type)
        keys: Sequence[Pair] = ()
        scope: Scope | None = None
        error: Refusal | None = None
        action = "Error"
        try:
            if entity is None or not (nested or entity.name == self._connector.entity):
                raise unknown_resource(sent.type)
            reader = self._reader(entity)
            if above is None:
                plain = [(item.name, item.value) for item in sent.properties if not item.evaluate]
                keys = reader.key_of(plain)
                raise bad_body("The object was not imported because its parent was not.", "ParentRefused")
            given = [_evaluated(item, above) for item in sent.properties]
            keys = reader.key_of(given)
            action, key = self._perform(entity, reader.read(given), self._action(sent))
            keys = key_texts(self._store.model, entity, key)
            scope = _scope(above, keys)
        except Refusal as refusal:
            action, error = "Error", refusal
        return Result(
            type=entity.name if entity is not None else sent.type,
            action=action,
            keys=keys,
            error=error,
            results=[self._import(child, scope, nested=True) for child in sent.objects],
        )

    def _reader(self, entity: Entity) -> Reader:
        if entity.name not in self._readers:
            self._readers[entity.name] = Reader(self._store.model, entity)
        return self._readers[entity.name]

    def _action(self, sent: SentObject) -> str:
        wanted = self._connector.action or sent.action or "InsertOrUpdate"
        found = _ACTIONS.get(wanted.lower())
        if found is None:
            raise bad_body(f"The action '{wanted}' is unknown.", "UnknownAction")
        return found

    def _perform(self, entity: Entity, meaning: Meaning, action: str) -> tuple[str, Key]:
        """Do it; the action that was done, and the key of the record."""
        key = self._find(entity, meaning)
        found = key if key is not None and self._store.get(entity.name, key) is not None else None
        if action in ("Update", "Delete") and found is None:
            raise unknown_record(entity.name)
        if action == "Insert" and found is not None:
            raise bad_body(f"The {entity.name} exists already.", "RecordExists")
        if found is None:
            return "Insert", self._insert(entity, key, meaning)
        if action == "InsertOrSkip":
            return "Skip", found
        if action == "Delete":
            self._writer.delete(Target(entity=entity, key=found))
            return "Delete", found
        self._writer.write("PATCH", Target(entity=entity, key=found), meaning.body)
        return "Update", found

    def _find(self, entity: Entity, meaning: Meaning) -> Key | None:
        """The key that the object states, or that of the record with its external id."""
        if all(meaning.key):
            return tuple(str(part) for part in meaning.key)
        external = meaning.body.get("ExternalId")
        if not external:
            return None
        provider = meaning.body.get("DataProvider") or self._caller.key.provider
        key = self._store.table(entity.name).by_external(str(external), str(provider))
        stated = zip(meaning.key, key or (), strict=False)
        return key if all(part in (None, own) for part, own in stated) else None

    def _insert(self, entity: Entity, key: Key | None, meaning: Meaning) -> Key:
        if key is not None:
            return self._writer.write("PUT", Target(entity=entity, key=key), meaning.body).key
        if meaning.key[-1] is not None or (any(meaning.key) and not all(meaning.key[:-1])):
            raise bad_body(f"The key of {entity.name} is not complete.", "KeyIncomplete")
        step = self._owner(entity, tuple(str(part) for part in meaning.key[:-1])) if meaning.key[0] else None
        return self._writer.write("POST", Target(entity=entity, keys=(), step=step), meaning.body).key

    def _owner(self, entity: Entity, key: Key) -> Step | None:
        """The step from the record whose key begins that of the new one."""
        model = self._store.model
        for name in entity.key_targets.values():
            for navigation in model[name].navigations.values():
                fits = len(model[name].key) == len(key) and model.owned(model[name], navigation)
                if fits and navigation.target == entity.name:
                    return Step(parent=model[name], key=key, navigation=navigation, owned=True)
        return None


def _evaluated(item: SentProperty, scope: Scope) -> Pair:
    """Name and value, with expressions replaced. Raises ``Refusal`` 400 for one that means nothing here."""
    if not item.evaluate or item.value is None:
        return item.name, item.value

    def value(match: re.Match[str]) -> str:
        found = scope.get(match.group(1).strip().lower())
        if found is None:
            message = f"The expression '{match.group()}' cannot be evaluated."
            raise bad_body(message, "UnknownExpression")
        return found

    return item.name, _EXPRESSION.sub(value, item.value)


def _scope(above: Scope, keys: Sequence[Pair]) -> Scope:
    """What the children of an object may name: its key columns, and what it may name itself."""
    own = {f"parent.{name.lower()}": str(value) for name, value in keys}
    return {**own, **{f"parent.{name}": value for name, value in above.items()}}
