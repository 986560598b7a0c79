"""Readings: the document that the IoT connectors take (vendor page "IoT", HTTP POST), and its answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from adapters._connectors.answers import Told
from adapters._connectors.records_xml import DECLARATION, DataObject, escaped, not_xml
from adapters._connectors.runs import ImportRun, Runs
from contracts.errors import Fault, GatewayError, InvalidBody, OperationNotSupported
from contracts.json_objects import pointer, refused
from contracts.operations import Reading, TakeReadings
from contracts.results import ReadingsTaken, ReadingTaken
from contracts.series import ENDS_THE_SERIES, not_sent
from contracts.values import to_text
from contracts.wire import Wire

_FRACTION = re.compile(r"\.[0-9]*[1-9]")


class Part(msgspec.Struct, frozen=True):
    """The readings that go to one connector together, by their places among those given."""

    places: tuple[int, ...]
    run: ImportRun


class Readings:
    """Hands readings over to the connectors that take them: many in one run."""

    def __init__(self, runs: Runs, *, equipment: str | None, process_functions: str | None) -> None:
        """The connectors' names; None where there is none."""
        self._runs = runs
        self._equipment = equipment
        self._process_functions = process_functions

    def parts(self, readings: Sequence[Reading]) -> tuple[list[Part], dict[int, GatewayError]]:
        """The runs that it takes, and why the others are not sent, by their places. Raises PayloadTooLarge."""
        errors: dict[int, GatewayError] = {}
        by_connector: dict[str, list[int]] = {}
        for place, reading in enumerate(readings):
            of_equipment = reading.process_function is None
            connector = self._equipment if of_equipment else self._process_functions
            if connector is None:
                errors[place] = _no_connector(reading)
            elif (error := _unsendable(reading, place)) is not None:
                errors[place] = error
            else:
                by_connector.setdefault(connector, []).append(place)
        return [self._part(name, places, readings) for name, places in by_connector.items()], errors

    async def take(self, operation: TakeReadings, wire: Wire) -> ReadingsTaken:
        """Each reading's own result; raises an error that all of them have in common.

        After a run that fails as a whole, for what is no matter of its readings, no other is sent.
        """
        parts, errors = self.parts(operation.readings)
        results = {place: ReadingTaken(error=error) for place, error in errors.items()}
        ended: GatewayError | None = None
        for part in parts:
            try:
                if ended is not None:
                    raise not_sent(ended, "call")
                told = await self._runs.perform(operation, part.run, wire)
            except GatewayError as error:
                if len(parts) == 1 and not errors:
                    raise
                if ended is None and isinstance(error, ENDS_THE_SERIES):
                    ended = error
                results |= {place: ReadingTaken(error=error) for place in part.places}
            else:
                results |= dict(zip(part.places, map(_taken, told), strict=True))
        return ReadingsTaken(results=tuple(results[place] for place in range(len(operation.readings))))

    def _part(self, connector: str, places: Sequence[int], readings: Sequence[Reading]) -> Part:
        chosen = [readings[place] for place in places]
        sent = [DataObject(_entity(reading)) for reading in chosen]
        document = _document(chosen)
        return Part(tuple(places), self._runs.of(connector, sent, repeatable=False, document=document))


def _entity(reading: Reading) -> str:
    """The entity that a reading becomes a record of."""
    owner = "Equipment" if reading.process_function is None else "ProcessFunction"
    return f"{owner}MeasurementPointValue"


def _taken(told: Told) -> ReadingTaken:
    line = told.key.get("LineId") if isinstance(told.key, dict) else None
    return ReadingTaken(line_id=line if isinstance(line, str) else None, error=told.error)


def _unsendable(reading: Reading, place: int) -> GatewayError | None:
    """Why no connector can be told of this reading; ``place`` is the one that it has among those given."""
    if reading.delta is not None:
        return OperationNotSupported(
            "a connector takes the value that a meter shows and no difference: give the value, or use a tenant "
            "whose readings go through REST"
        )
    at = pointer("/measurements", place)
    faults = (
        Fault(pointer(at, member), reason)
        for member, text in (
            ("processFunction", reading.process_function),
            ("equipment", reading.equipment),
            ("point", reading.point),
            ("text", reading.text),
        )
        if text is not None and (reason := not_xml(text)) is not None
    )
    return refused(faults) or _bad_time(reading.at, pointer(at, "at"))


def _document(readings: Iterable[Reading]) -> str:
    """The document that holds these readings; each is one that :func:`_unsendable` finds nothing in."""
    return f"{DECLARATION}<Measurements>{''.join(map(_measurement, readings))}</Measurements>"


def _measurement(reading: Reading) -> str:
    members: Mapping[str, str | None] = {
        "EquipmentId": reading.equipment,
        "ProcessFunctionId": reading.process_function,
        "MeasurementPointId": reading.point,
        "Value": None if reading.value is None else to_text(reading.value),
        "Date": _moment(reading.at),
        "Text": reading.text,
    }
    held = (f"<{name}>{escaped(text)}</{name}>" for name, text in members.items() if text is not None)
    return f"<Measurement>{''.join(held)}</Measurement>"


def _moment(at: str) -> str:
    """The one of the two documented forms that means one moment all year: UTC, ``yyyy-MM-ddThh:mm:ssZ``."""
    moment = datetime.fromisoformat(at).astimezone(UTC).replace(tzinfo=None, microsecond=0)
    fraction = _FRACTION.search(at)
    return f"{moment.isoformat()}{fraction[0] if fraction else ''}Z"


def _bad_time(at: str, where: str) -> InvalidBody | None:
    try:
        aware = datetime.fromisoformat(at).tzinfo is not None
    except ValueError:
        aware = False
    return None if aware else refused([Fault(where, "a date-time with its offset is expected")])


def _no_connector(reading: Reading) -> OperationNotSupported:
    owner = "equipment" if reading.process_function is None else "process functions"
    option = "measurements" if reading.process_function is None else "process_measurements"
    return OperationNotSupported(
        f"no connector of this tenant takes the readings of {owner}; one is named in its adapter's {option}"
    )
