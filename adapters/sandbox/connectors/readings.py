"""Taking measurements: one value of a measurement point for each, by the rules of the REST workflow."""

import asyncio
from collections.abc import Sequence

from adapters.sandbox.caller import Caller
from adapters.sandbox.connectors.columns import key_columns, key_texts
from adapters.sandbox.connectors.documents import Pair
from adapters.sandbox.connectors.results import Result
from adapters.sandbox.errors import Refusal
from adapters.sandbox.options import SandboxOptions
from adapters.sandbox.records import Store
from adapters.sandbox.uploads import Uploads
from adapters.sandbox.workflows import Run, all_workflows

_TAKEN = ("MeasurementPointId", "Value", "Date", "Text")
_BREATH = 50


class Readings:
    """Takes the measurements of one call, each a transaction of its own.

    A measurement with a ``ProcessFunctionId`` belongs to that, any other one to equipment.
    """

    def __init__(self, store: Store, caller: Caller, options: SandboxOptions) -> None:
        self._store = store
        self._caller = caller
        self._options = options
        self._zone = options.time_zone()
        self._workflows = all_workflows()

    async def run(self, measurements: Sequence[dict[str, str]]) -> list[Result]:
        """What became of each measurement. Refusals are results; nothing is raised."""
        results = []
        for number, measurement in enumerate(measurements, 1):
            results.append(self._take(measurement))
            if number % _BREATH == 0:
                await asyncio.sleep(0)
        return results

    def _take(self, measurement: dict[str, str]) -> Result:
        owner = "ProcessFunction" if "ProcessFunctionId" in measurement else "Equipment"
        entity = self._store.model[f"{owner}MeasurementPointValue"]
        workflow = self._workflows[f"rest_{entity.name}_import".lower()]
        wanted = (f"{owner}Id", *_TAKEN)
        run = Run(
            store=self._store,
            uploads=Uploads(),
            caller=self._caller,
            zone=self._zone,
            now=self._options.clock(),
            company=next(iter(self._options.companies)),
            parameters={name: measurement[name] for name in wanted if name in measurement},
            files=(),
        )
        given = (measurement.get(f"{owner}Id"), measurement.get("MeasurementPointId"))
        try:
            with self._store.transaction():
                outcome = workflow.run(run)
        except Refusal as refusal:
            columns = key_columns(self._store.model, entity)
            keys: list[Pair] = [pair for pair in zip(columns, given, strict=False) if pair[1] is not None]
            return Result(type=entity.name, action="Error", keys=keys, error=refusal)
        key = (str(given[0]), str(given[1]), str(outcome.properties["LineId"]))
        return Result(type=entity.name, action="Insert", keys=key_texts(self._store.model, entity, key))
