"""Inserting, updating and deleting records: which paths and bodies are accepted, and what a write leaves behind."""

from decimal import Decimal

import msgspec

from adapters.sandbox.addressing import Addressing, Step, Target
from adapters.sandbox.bodies import BodyReader
from adapters.sandbox.caller import Caller
from adapters.sandbox.errors import Refusal, bad_body, bad_path, business_rule, unknown_record, wrong_method
from adapters.sandbox.model import Entity, Key, Kind, Property, Record
from adapters.sandbox.options import SandboxOptions
from adapters.sandbox.projection import visible, whole_projection
from adapters.sandbox.records import Store
from adapters.sandbox.values import moment

IN_USE = "1403"
"""The code of the business rule that keeps a record that others refer to."""


class Written(msgspec.Struct, frozen=True):
    """What a write did: the answer carries everything that the key grants."""

    entity: Entity
    key: Key
    inserted: bool
    answer: Record

    @property
    def effect(self) -> str:
        """Such as ``Insert Equipment 00042``."""
        return f"{'Insert' if self.inserted else 'Update'} {self.entity.name} {','.join(self.key)}"


def decode_json(body: bytes) -> object:
    """The JSON value of a body, decimals exact. Raises ``Refusal`` 400."""
    try:
        return msgspec.json.Decoder(float_hook=Decimal).decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError, ArithmeticError) as error:
        raise bad_body("The request body is not valid JSON.") from error


def decode_object(body: bytes) -> Record:
    """The JSON object of a body. Raises ``Refusal`` 400, also for one without members."""
    return as_object(decode_json(body))


def as_object(value: object) -> Record:
    """``value``, a decoded body, when it is an object with members. Raises ``Refusal`` 400 otherwise."""
    if not isinstance(value, dict) or not value:
        raise bad_body("The request body must be a JSON object with at least one property.")
    return value


class Deleted(msgspec.Struct, frozen=True):
    """What a delete did."""

    entity: Entity
    key: Key

    @property
    def effect(self) -> str:
        """Such as ``Delete Equipment 00042``."""
        return f"Delete {self.entity.name} {','.join(self.key)}"


class Writer:
    """Writes records for one caller. Source of the rules: vendor page "Inserting data"."""

    def __init__(self, store: Store, caller: Caller, options: SandboxOptions) -> None:
        self._store = store
        self._caller = caller
        self._options = options
        self._bodies = BodyReader(store, caller, options.time_zone())

    def write(self, method: str, target: Target, body: Record) -> Written:
        """Insert or update what the target means; all of it or nothing.

        ``POST`` inserts into a set, ``PUT`` inserts or replaces a record, ``PATCH`` changes one. Raises
        ``Refusal`` 400 for what the body or the path may not say, 404 for a ``PATCH`` of a record that is
        not there, 405 for a method that does not fit the path, 403 for a key that may only read.
        """
        self.refuse_read_only()
        self._refuse_path(method, target)
        with self._store.transaction():
            if method == "POST":
                return self._insert(target, None, body)
            key = target.key
            found = self._store.get(target.entity.name, key) if key is not None else None
            if found is None or key is None:
                if method == "PATCH":
                    raise unknown_record(target.entity.name)
                return self._insert(target, key, body)
            return self._update(target, key, found, body, replace=method == "PUT")

    def delete(self, target: Target) -> Deleted:
        """Delete the record that the target means, with the links that join it to others.

        Raises ``Refusal`` 404 for a record that is not there, 405 for a set, 403 for a key that may only
        read. A record that others refer to, by a reference or as the owner of their key, is refused by a
        business rule: 400. That rule and its code are choices; the vendor's pages do not speak of it.
        """
        self.refuse_read_only()
        self._refuse_path("DELETE", target)
        key = Addressing(self._store, self._caller).existing(target)
        entity = target.entity
        with self._store.transaction():
            for other, found in self._store.referring(entity, key):
                if not other.link:
                    cause = f"It is in use by {other.name} {','.join(found)}."
                    raise business_rule(IN_USE, f"The {entity.name} cannot be deleted.", cause)
                self._store.delete(other.name, found)
            self._store.delete(entity.name, key)
        return Deleted(entity, key)

    def refuse_read_only(self) -> None:
        """Raise ``Refusal`` 403 for a key that may only read."""
        if self._caller.key.read_only:
            raise Refusal(403, "WriteNotAllowed", "The REST API of this environment is read-only.")

    def _refuse_path(self, method: str, target: Target) -> None:
        step = target.step
        if step is not None and step.navigation is None:
            raise bad_path(f"A {target.entity.name} cannot be written through a navigation to one record.")
        if method == "POST" and target.keys is None:
            raise wrong_method(method, "GET, PUT, PATCH")
        if method != "POST" and target.keys is not None:
            raise wrong_method(method, "GET, POST")
        if method == "PUT" and step is not None and not step.owned:
            raise bad_path(f"A {target.entity.name} cannot be put through a navigation to a collection.")

    def _insert(self, target: Target, key: Key | None, body: Record) -> Written:
        entity, step = target.entity, target.step
        values = self._bodies.read(entity, body)
        self._require_mandatory(entity, body)
        given = key is not None
        key = key if key is not None else self._new_key(target, body)
        record: Record = {"Id": entity.identity(key)}
        if entity.company:
            record["SystemCompany"] = self._caller.company or next(iter(self._options.companies))
        for name, value in values.items():
            record[name] = self._merged(entity.properties[name], None, value)
        self._add_external(entity, record, target, values)
        self._add_defaults(entity, record)
        if step is not None and step.navigation is not None and not given:
            self._link(entity, key, record, step)
        self._require_owner(entity, key)
        self._stamp(record, inserted=True)
        return self._store_it(entity, key, record, inserted=True)

    def _new_key(self, target: Target, body: Record) -> Key:
        entity, step = target.entity, target.step
        parent = step.key if step is not None and len(entity.key) > len(step.key) and step.owned else ()
        if target.external is not None and entity.composite:
            raise bad_path(f"A {entity.name} cannot be inserted by an external identifier alone.")
        if entity.automatic is None or len(parent) + 1 != len(entity.key):
            raise bad_path(f"A {entity.name} has no automatic key here; name the key and use PUT.")
        return self._store.next_key(entity, parent)

    def _update(self, target: Target, key: Key, found: Record, body: Record, *, replace: bool) -> Written:
        entity = target.entity
        if not visible(self._caller, entity, found):
            raise unknown_record(entity.name)
        values = self._bodies.read(entity, body)
        if replace:
            self._require_mandatory(entity, body)
        record = dict(found)
        for name, value in values.items():
            prop = entity.properties[name]
            if prop.insert_only and value != found.get(name):
                raise bad_body(f"The property '{name}' cannot be updated.", "PropertyInsertOnly")
            record[name] = self._merged(prop, found.get(name), value)
        if replace:
            self._empty_the_rest(entity, record, values, keep_external=target.external is not None)
        self._add_external(entity, record, target, values)
        self._stamp(record, inserted=False)
        return self._store_it(entity, key, record, inserted=False)

    def _empty_the_rest(self, entity: Entity, record: Record, given: Record, *, keep_external: bool) -> None:
        """A PUT sets what is granted and left out to default or null."""
        for name in self._caller.key.granted(entity) or ():
            prop = entity.properties.get(name)
            if prop is None or name in given or prop.read_only or prop.insert_only:
                continue
            if name == "ExternalId" and keep_external:
                continue
            record[name] = self._emptied(prop, record.get(name))
        self._add_defaults(entity, record)

    def _emptied(self, prop: Property, old: object) -> object:
        if not prop.multilingual or self._caller.key.multilingual:
            return None
        if self._caller.writes is None:
            return old
        return self._merged(prop, old, {self._caller.writes: None})

    def _merged(self, prop: Property, old: object, value: object) -> object:
        """A multilingual value keeps the languages that are left out."""
        if not prop.multilingual or not isinstance(value, dict):
            return value
        merged = {**(old if isinstance(old, dict) else {}), **value}
        return {code: text for code, text in merged.items() if text is not None} or None

    def _require_mandatory(self, entity: Entity, body: Record) -> None:
        for prop in entity.properties.values():
            if prop.mandatory and body.get(prop.name) is None:
                raise bad_body(f"The property '{prop.name}' is mandatory.", "PropertyMandatory")

    def _add_defaults(self, entity: Entity, record: Record) -> None:
        for prop in entity.properties.values():
            if record.get(prop.name) is not None:
                continue
            if prop.name == "Currency":
                company = str(record.get("SystemCompany", ""))
                record["Currency"] = self._options.companies.get(company)
            elif prop.kind is Kind.BOOLEAN:
                record[prop.name] = False

    def _add_external(self, entity: Entity, record: Record, target: Target, values: Record) -> None:
        """The external id of the path or the body with its provider, that of the key unless one is given.

        Together they must be unique; there is no provider without an external id.
        """
        named = dict(zip(("ExternalId", "DataProvider"), target.external or (), strict=False))
        for name, value in named.items():
            if values.get(name, value) != value:
                raise bad_body(f"The {name} of the body is not that of the path.")
            record[name] = value
        if record.get("ExternalId") is None:
            record.pop("DataProvider", None)
            return
        if not named and ("ExternalId" in values or record.get("DataProvider") is None):
            record["DataProvider"] = values.get("DataProvider") or self._caller.key.provider
        table = self._store.table(entity.name)
        other = table.by_external(str(record["ExternalId"]), str(record["DataProvider"]))
        if other is not None and entity.identity(other) != record["Id"]:
            raise bad_body("The ExternalId is in use by another record.", "ExternalIdNotUnique")

    def _link(self, entity: Entity, key: Key, record: Record, step: Step) -> None:
        """A record inserted through a navigation belongs to the record that it starts from."""
        navigation = step.navigation
        if navigation is None or (step.owned and len(entity.key) > len(step.key)):
            return
        if navigation.through is None:
            record[navigation.via] = step.parent.identity(step.key)
            return
        through = self._store.model[navigation.through]
        link: Record = {"Id": through.identity((*step.key, *key))}
        self._stamp(link, inserted=True)
        self._store.put(through.name, (*step.key, *key), link)

    def _require_owner(self, entity: Entity, key: Key) -> None:
        """The records that a composite key refers to must exist."""
        for name, target in entity.key_targets.items():
            if self._store.get(target, entity.owner_key(key, name, self._store.model[target])) is None:
                raise bad_body(f"The {target} of the key does not exist.", "ReferenceNotFound")

    def _stamp(self, record: Record, *, inserted: bool) -> None:
        now = moment(self._options.clock())
        record["RecordChangeDate"] = now
        if inserted:
            record["RecordCreateDate"] = now

    def _store_it(self, entity: Entity, key: Key, record: Record, *, inserted: bool) -> Written:
        stored = {name: value for name, value in record.items() if value is not None}
        self._store.put(entity.name, key, stored)
        answer = whole_projection(self._store, self._caller, entity).render(stored)
        return Written(entity, key, inserted, answer)
