"""What a workflow is, and what it has at hand while it runs."""

from collections.abc import Callable, Sequence
from datetime import tzinfo
from decimal import Decimal

import msgspec

from adapters.sandbox.caller import Caller
from adapters.sandbox.errors import Refusal
from adapters.sandbox.model import Key, Kind, Record
from adapters.sandbox.projection import visible
from adapters.sandbox.records import Store
from adapters.sandbox.uploads import Upload, Uploads
from adapters.sandbox.values import moment, parse_time, stored_value


class ReceivedFile(msgspec.Struct, frozen=True):
    """A file of a multipart body: the form field, the file's name and its measures."""

    field: str
    name: str
    size: int
    sha256: str


class Outcome(msgspec.Struct, frozen=True):
    """What a workflow answers under ``properties``, and what the ledger notes."""

    properties: dict[str, object] = {}
    effect: str | None = None


class Run:
    """One run of a workflow: its parameters, read without regard to case, and the records."""

    def __init__(
        self,
        *,
        store: Store,
        uploads: Uploads,
        caller: Caller,
        zone: tzinfo,
        now: float,
        company: str,
        parameters: Record,
        files: Sequence[ReceivedFile],
    ) -> None:
        self.store = store
        self.caller = caller
        self.zone = zone
        self.now = moment(now)
        self.parameters = parameters
        self.files = files
        self._uploads = uploads
        self._company = company
        self._folded = {name.lower(): value for name, value in parameters.items()}

    def scoped(self, parameters: Record) -> "Run":
        """The same run with other parameters: one element of a list."""
        run = object.__new__(Run)
        run.__dict__.update(self.__dict__)
        run.parameters = parameters
        run._folded = {name.lower(): value for name, value in parameters.items()}
        return run

    def value(self, name: str) -> object:
        """A parameter as it stands, ``None`` when it is absent, null or empty."""
        found = self._folded.get(name.lower())
        return None if found == "" else found

    def optional(self, name: str, kind: Kind = Kind.STRING) -> object:
        """A parameter as a stored value. Raises ``Refusal`` 400 when it is of another type."""
        found = self.value(name)
        if found is None:
            return None
        try:
            return stored_value(kind, found, self.zone)
        except ValueError as error:
            raise invalid(name, str(error)) from error

    def text(self, name: str) -> str:
        """A text that must be given. Raises ``Refusal`` 400."""
        found = self.optional(name)
        if not isinstance(found, str):
            raise invalid(name, "it is mandatory")
        return found

    def time(self, name: str) -> str:
        """A date-time that must be given, without offset local to the environment."""
        try:
            return parse_time(self.text(name), self.zone)
        except ValueError as error:
            raise invalid(name, str(error)) from error

    def number(self, name: str) -> Decimal | None:
        """A number, also as a text; ``None`` when it is absent."""
        found = self.optional(name, Kind.DECIMAL)
        return found if isinstance(found, Decimal) else None

    def record(self, entity: str, *key: str) -> Record | None:
        """A record that the caller may see, or ``None``."""
        found = self.store.get(entity, key)
        return found if found is not None and visible(self.caller, self.store.model[entity], found) else None

    def reference(self, name: str, entity: str) -> str | None:
        """The key that a parameter refers to, ``None`` when it is absent.

        Raises ``Refusal`` 400 when there is no such record.
        """
        found = self.optional(name)
        if found is None:
            return None
        if self.record(entity, str(found)) is None:
            raise invalid(name, f"there is no {entity} '{found}'")
        return str(found)

    def insert(self, entity: str, key: Key, values: Record) -> None:
        """Store a new record with what every record of the entity has."""
        shape = self.store.model[entity]
        record: Record = {"Id": shape.identity(key), "Context": 1, "Status": 1, **values}
        if shape.company:
            record["SystemCompany"] = self.caller.company or self._company
        for prop in shape.properties.values():
            if prop.kind is Kind.BOOLEAN:
                record.setdefault(prop.name, False)
        record["RecordCreateDate"] = record["RecordChangeDate"] = self.now
        self.store.put(entity, key, {name: value for name, value in record.items() if value is not None})

    def change(self, entity: str, key: Key, values: Record) -> None:
        """Change properties of a record that exists."""
        record = {**self.store.table(entity).rows[key], **values, "RecordChangeDate": self.now}
        self.store.put(entity, key, {name: value for name, value in record.items() if value is not None})

    def keep(self, owner: str, name: str, size: int, sha256: str) -> None:
        """Keep the measures of a file; the same name again overwrites."""
        self._uploads.keep(Upload(owner, name, size, sha256))


class Workflow(msgspec.Struct, frozen=True):
    """A workflow; ``element`` is its ``ApplicationElementId``, ``None`` where the vendor names none."""

    name: str
    element: str | None
    run: Callable[[Run], Outcome]


def invalid(name: str, reason: str) -> Refusal:
    """A parameter that is missing or cannot be used."""
    return Refusal(400, "InvalidParameter", f"The parameter '{name}' is not valid: {reason}.")
