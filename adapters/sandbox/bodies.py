"""Reading the body of a write: every property checked and turned into its stored value."""

from datetime import tzinfo

from adapters.sandbox.caller import LANGUAGES, Caller
from adapters.sandbox.errors import Refusal, bad_body
from adapters.sandbox.model import Entity, Kind, Property, Record
from adapters.sandbox.projection import visible
from adapters.sandbox.records import Store
from adapters.sandbox.values import stored_value

_EXTERNAL = {"ExternalId", "DataProvider"}


class BodyReader:
    """Reads bodies for one caller."""

    def __init__(self, store: Store, caller: Caller, zone: tzinfo) -> None:
        self._store = store
        self._caller = caller
        self._zone = zone

    def read(self, entity: Entity, body: Record) -> Record:
        """The stored values of a body; null stays ``None``, a multilingual value is an object of languages.

        Raises ``Refusal`` 400 for properties that are unknown, not granted, read-only or never in a body,
        and for values of another type. Source: vendor page "Inserting data".
        """
        granted = self._caller.key.granted(entity) or ()
        return {
            name: self._value(self._writable(entity, name, granted), value) for name, value in body.items()
        }

    def _writable(self, entity: Entity, name: str, granted: tuple[str, ...]) -> Property:
        if name in ("Id", "SystemCompany") or name in entity.key:
            raise bad_body(f"The property '{name}' is not allowed in the request body.", "PropertyNotAllowed")
        found = entity.properties.get(name)
        if found is None or name not in granted:
            raise bad_body(f"The property '{name}' of {entity.name} is unknown.", "PropertyNotFound")
        if found.read_only:
            raise bad_body(f"The property '{name}' is read-only.", "PropertyReadOnly")
        return found

    def _value(self, prop: Property, value: object) -> object:
        if prop.multilingual:
            return self._multilingual(prop, value)
        if value is None:
            return None
        if prop.kind is Kind.REFERENCE:
            return self._reference(prop, value)
        return self._scalar(prop, value)

    def _scalar(self, prop: Property, value: object) -> object:
        try:
            stored = stored_value(prop.kind, value, self._zone)
        except ValueError as error:
            raise _wrong_value(prop, str(error)) from error
        if prop.length is not None and isinstance(stored, str) and len(stored) > prop.length:
            raise _wrong_value(prop, f"it is longer than {prop.length} characters")
        return stored

    def _multilingual(self, prop: Property, value: object) -> object:
        if self._caller.key.multilingual:
            if value is None:
                return None
            if not isinstance(value, dict):
                raise _wrong_value(prop, "an object of language codes is expected")
            unknown = next((code for code in value if code not in LANGUAGES), None)
            if unknown is not None:
                raise _wrong_value(prop, f"the language '{unknown}' is not available")
            return {code: None if text is None else self._scalar(prop, text) for code, text in value.items()}
        if self._caller.writes is None:
            message = f"The header 'Content-Language' is required to write '{prop.name}'."
            raise bad_body(message, "ContentLanguageRequired")
        return {self._caller.writes: None if value is None else self._scalar(prop, value)}

    def _reference(self, prop: Property, value: object) -> object:
        target = self._store.model[str(prop.target)]
        if isinstance(value, dict) and "ExternalId" in value:
            return self._external_reference(prop, target, value)
        if target.composite:
            if not isinstance(value, dict) or value.keys() != set(target.key):
                raise _wrong_value(prop, f"an object of {', '.join(target.key)} is expected")
            if not all(isinstance(part, str) for part in value.values()):
                raise _wrong_value(prop, "the parts of a key are texts")
        elif not isinstance(value, str):
            raise _wrong_value(prop, "a text is expected")
        key = target.key_of(value)
        found = self._store.get(target.name, key)
        if found is None or not visible(self._caller, target, found):
            raise _no_such(prop, target)
        return target.identity(key)

    def _external_reference(self, prop: Property, target: Entity, value: Record) -> object:
        if value.keys() - _EXTERNAL:
            raise _wrong_value(prop, "an external identifier cannot be combined with other properties")
        if not all(isinstance(part, str) for part in value.values()):
            raise _wrong_value(prop, "an external identifier is a text, not more than one level deep")
        provider = str(value.get("DataProvider", self._caller.key.provider))
        key = self._store.table(target.name).by_external(str(value["ExternalId"]), provider)
        found = self._store.get(target.name, key) if key is not None else None
        if key is None or found is None or not visible(self._caller, target, found):
            raise _no_such(prop, target)
        return target.identity(key)


def _wrong_value(prop: Property, reason: str) -> Refusal:
    return bad_body(f"The value of '{prop.name}' is not valid: {reason}.", "InvalidPropertyValue")


def _no_such(prop: Property, target: Entity) -> Refusal:
    return bad_body(f"The {target.name} that '{prop.name}' refers to does not exist.", "ReferenceNotFound")
