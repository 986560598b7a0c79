"""The objects of an import's answer → what became of each object that was sent.

An answer has one object for each that was sent, in order; nested ones stand inside their parent, or
behind it (vendor page "Inserting data", HTTP POST). Where the numbers differ, or a key that is told is not
the one that was sent, objects are told by their keys. Of what no object speaks for sure nobody can know.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from adapters._connectors.columns import Tables
from adapters._connectors.failures import refused_object
from adapters._connectors.imports import flattened
from adapters._connectors.records_xml import DataObject
from contracts.errors import (
    FailedDependency,
    GatewayError,
    OutcomeUnknown,
    UpstreamAnswer,
    UpstreamRejected,
)
from contracts.operations import DeleteRecord, Write
from contracts.results import Deleted, Imported, Stored
from contracts.schema import Schema

_DONE: Mapping[str, str] = {"insert": "Insert", "update": "Update", "skip": "Skip", "delete": "Delete"}


class Answered(msgspec.Struct, frozen=True):
    """The objects of an answer; ``broken`` says that more may have been on their way."""

    objects: list[DataObject]
    broken: bool = False


class Told(msgspec.Struct, frozen=True):
    """What became of one object: ``action`` as it was done, or the error; ``key`` is its Id."""

    action: str = "Error"
    key: object = None
    error: GatewayError | None = None


class Answers:
    """Reads the answers of imports."""

    def __init__(self, adapter: str, schema: Schema, tables: Tables) -> None:
        self._adapter = adapter
        self._schema = schema
        self._tables = tables

    def told(self, sent: Sequence[DataObject], answered: Answered, *, repeatable: bool) -> list[Told]:
        """One for each object that was sent, those nested in it behind it."""
        found = self._paired(sent, answered)
        told: list[Told] = []
        failed = self._below_refused(sent, found)
        for index, answer in enumerate(found):
            if answer is not None:
                told.append(self._one(answer, repeatable))
            elif index in failed:
                told.append(Told(error=FailedDependency("the object that this one is part of was refused")))
            else:
                told.append(Told(error=_unknown(answered.broken, repeatable)))
        return told

    def stored(self, write: Write, told: Told) -> Stored | Deleted | GatewayError:
        """What a write of one record comes to."""
        if told.error is not None:
            return told.error
        if (told.action == "Delete") is not isinstance(write, DeleteRecord) or told.action == "Skip":
            return self._otherwise(told.action)
        if isinstance(write, DeleteRecord):
            return Deleted()
        place = write.place
        key = told.key
        if key is None and place.key is not None:
            texts = self._tables.of(place.entity).key_texts(place.key)
            key = self._tables.identity(place.entity.name, texts)
        if key is None:
            return OutcomeUnknown(
                "the upstream says that it stored the record, but not under which key",
                retryable=write.idempotent,
            )
        record = {"Id": key}
        return Stored(
            record=record,
            created=told.action == "Insert",
            path=self._schema.path_of(place.entity, record),
            whole=False,
        )

    def _otherwise(self, action: str) -> GatewayError:
        """What a write comes to that was answered with another action: a connector's configuration can fix it."""
        if action == "Skip":
            said = UpstreamAnswer(self._adapter, 200)
            return UpstreamRejected("the upstream skipped this and changed nothing", upstream=said)
        return OutcomeUnknown(
            f"the upstream answered with the action {action}, which is not what it was asked for: "
            "check the action that the import connector is configured with"
        )

    def _one(self, answer: DataObject, repeatable: bool) -> Told:
        action = (answer.action or "").lower()
        key = self._tables.identity(answer.type, _without_messages(answer))
        if action == "error":
            return Told(key=key, error=refused_object(self._adapter, answer.properties))
        if action not in _DONE:
            return Told(key=key, error=_unknown(False, repeatable))
        return Told(_DONE[action], key)

    def _paired(self, sent: Sequence[DataObject], answered: Answered) -> list[DataObject | None]:
        """The object of the answer for each that was sent, as :func:`flattened` orders them."""
        wanted, given = list(flattened(sent)), list(flattened(answered.objects))
        if self._in_order(wanted, given, answered.broken):
            return [*given, *[None] * (len(wanted) - len(given))]
        if any(item.objects for item in sent) and self._in_order(sent, answered.objects, answered.broken):
            return self._nested(sent, answered)
        return self._by_key(wanted, given)

    def _nested(self, sent: Sequence[DataObject], answered: Answered) -> list[DataObject | None]:
        """Where all of the top level is there, each object's children are looked for in its own answer."""
        pairs: list[DataObject | None] = []
        objects: list[DataObject | None] = [*answered.objects]
        objects += [None] * (len(sent) - len(objects))
        for item, answer in zip(sent, objects, strict=True):
            inner = Answered([] if answer is None else answer.objects, answered.broken)
            pairs += [answer, *self._paired(item.objects, inner)]
        return pairs

    def _in_order(self, sent: Sequence[DataObject], given: Sequence[DataObject], broken: bool) -> bool:
        fits = len(given) <= len(sent) if broken else len(given) == len(sent)
        return fits and all(map(self._agree, sent, given))

    def _agree(self, sent: DataObject, answer: DataObject) -> bool:
        if answer.type and answer.type.lower() != sent.type.lower():
            return False
        wanted, told = self._identity(sent), self._identity(answer)
        return wanted is None or told is None or wanted == told

    def _by_key(self, sent: Sequence[DataObject], given: Sequence[DataObject]) -> list[DataObject | None]:
        def key(item: DataObject) -> object:
            identity = self._identity(item)
            return None if identity is None else (item.type.lower(), identity)

        by_key = {key(item): item for item in given}
        wanted, told = Counter(map(key, sent)), Counter(map(key, given))
        return [
            by_key[one] if one is not None and wanted[one] == told[one] == 1 else None
            for one in map(key, sent)
        ]

    def _identity(self, item: DataObject) -> str | None:
        """The whole key in one text, by which two objects are compared: case is the upstream's to choose."""
        if item.evaluated:
            return None
        identity = self._tables.identity(item.type, _without_messages(item))
        return (
            None if identity in (None, {}) else msgspec.json.encode(identity, order="sorted").decode().lower()
        )

    @staticmethod
    def _below_refused(sent: Sequence[DataObject], found: Sequence[DataObject | None]) -> set[int]:
        """The places of what was nested in an object that was refused."""
        below: set[int] = set()
        for index, (item, answer) in enumerate(zip(flattened(sent), found, strict=True)):
            if answer is not None and (answer.action or "").lower() == "error":
                below.update(range(index + 1, index + 1 + sum(1 for _ in flattened(item.objects))))
        return below


def imported(sent: Sequence[DataObject], told: Sequence[Told]) -> tuple[Imported, ...]:
    """What an import as it is comes to."""
    pairs: Iterator[tuple[DataObject, Told]] = zip(flattened(sent), told, strict=True)
    return tuple(
        Imported(type=item.type, action=one.action, key=one.key, error=one.error) for item, one in pairs
    )


def _without_messages(item: DataObject) -> dict[str, str | None]:
    return {
        name: value
        for name, value in item.properties.items()
        if name.lower() not in ("errormessage", "shorterrormessage")
    }


def _unknown(broken: bool, repeatable: bool) -> OutcomeUnknown:
    reason = (
        "the upstream's answer broke off"
        if broken
        else "the upstream's answer does not say what became of it"
    )
    return OutcomeUnknown(f"{reason}; it may have been carried out", retryable=repeatable)
