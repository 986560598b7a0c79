"""Meter readings over REST: one workflow, and so one request, for each reading.

Source: vendor pages "API key templates", IoT.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from contracts.errors import GatewayError, Outcome
from contracts.operations import Reading, RunAction, TakeReadings
from contracts.results import ActionDone, ReadingsTaken, ReadingTaken
from contracts.series import ENDS_THE_SERIES, not_sent

_EQUIPMENT = "REST_EquipmentMeasurementPointValue_Import"
_PROCESS_FUNCTION = "REST_ProcessFunctionMeasurementPointValue_Import"


def reading_action(reading: Reading) -> RunAction:
    """The workflow that takes this reading. Its moment goes to the second, which is all that the workflow takes."""
    moment = datetime.fromisoformat(reading.at).astimezone(UTC)
    of_equipment = reading.equipment is not None
    arguments: dict[str, object] = {
        "EquipmentId" if of_equipment else "ProcessFunctionId": reading.equipment or reading.process_function,
        "MeasurementPointId": reading.point,
        "Date": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "Value": reading.value,
        "Delta": reading.delta,
        "Text": reading.text,
    }
    given = {name: value for name, value in arguments.items() if value is not None}
    return RunAction(name=_EQUIPMENT if of_equipment else _PROCESS_FUNCTION, arguments=given)


class Taking:
    """The readings of one call, taken one after the other.

    The first failure that says nothing of its reading ends the series: the ones after it are not sent. When
    none has been answered by then, it is the failure of the call.
    """

    def __init__(self, operation: TakeReadings) -> None:
        self.actions = [reading_action(reading) for reading in operation.readings]
        self._taken: list[ReadingTaken] = []

    def done(self, result: ActionDone) -> None:
        """Note an answer."""
        self._taken.append(ReadingTaken(line_id=_line_id(result.result)))

    def failed(self, error: GatewayError) -> bool:
        """Note a failure; answers whether to go on. Raises it when it is the failure of the call."""
        ends = isinstance(error, ENDS_THE_SERIES)
        if ends and not self._taken and error.outcome is not Outcome.UNKNOWN:
            raise error
        self._taken.append(ReadingTaken(error=error))
        if ends:
            rest = len(self.actions) - len(self._taken)
            self._taken += [ReadingTaken(error=not_sent(error, "call"))] * rest
        return not ends

    def result(self) -> ReadingsTaken:
        """One result for each reading."""
        return ReadingsTaken(results=tuple(self._taken))


def _line_id(result: Mapping[str, object]) -> str | None:
    """The line that an answer names, beside its ``Output`` or in it; None for what is no name of one."""
    named = {name.lower(): value for name, value in result.items()}
    line = named.get("lineid")
    if isinstance(line, int) and not isinstance(line, bool):
        return str(line)
    if isinstance(line, str):
        return line.strip() or None
    output = named.get("output")
    return _line_id(output) if isinstance(output, Mapping) else None
