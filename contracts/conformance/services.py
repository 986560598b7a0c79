"""Scenarios of what is no record: workflows, meter readings, and connectors as they are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from decimal import Decimal

from contracts.conformance.plant import Plant
from contracts.conformance.scenario import TAKEN, Left, Scenario, Seen, failed, listed
from contracts.conformance.writes import equipment
from contracts.errors import ActionNotFound, ConnectorNotFound, UpstreamRejected
from contracts.operations import (
    ImportObject,
    Reading,
    RunAction,
    RunExport,
    RunImport,
    TakeReadings,
    Upload,
)

_PUMP: Seen = {"Context": 1, "Status": 2, "Description": "Pump"}


def services(plant: Plant) -> Iterator[Scenario]:
    yield from _actions(plant)
    yield from _readings()
    yield from _exports()
    yield from _imports(plant)
    yield from _imports_refused()


class _Parts:
    """A file and a field of a multipart action, which can be read again."""

    async def __aiter__(self) -> AsyncIterator[Upload]:
        yield Upload("JobId", b"0000001")
        yield Upload("ImageFile", b"\x89PNG\r\n", filename="conformance.png", content_type="image/png")


def _actions(plant: Plant) -> Iterator[Scenario]:
    own = equipment(plant, "CF-ACTION")
    track = "REST_Equipment_UpdateTrackAndTraceLocation"
    moved = {**_PUMP, "TrackAndTrace": False, "TrackAndTraceLocation": "Gate 1"}
    yield Scenario(
        name="action: a workflow",
        own=(own,),
        operation=RunAction(name=track, arguments={"EquipmentId": "CF-ACTION", "DynamicLocation": "Gate 1"}),
        expected={"result": {"EquipmentId": "CF-ACTION"}},
        left=(Left(own.place, plant.written("Equipment", "CF-ACTION", moved)),),
    )
    yield Scenario(
        name="action: with a file",
        operation=RunAction(name="REST_AttachImageToJob", parts=_Parts()),
        expected={"result": {"JobId": "0000001"}},
    )
    yield Scenario(
        name="action: refused by a rule",
        operation=RunAction(name=track, arguments={"EquipmentId": "nope", "DynamicLocation": "Gate 1"}),
        expected=failed(UpstreamRejected),
    )
    yield Scenario(
        name="action: that there is not",
        operation=RunAction(name="REST_NoSuchThing"),
        expected=failed(ActionNotFound),
    )


def _readings() -> Iterator[Scenario]:
    good = Reading(
        equipment="00001",
        point="RUNHOURS",
        at="2022-04-15T06:30:00+02:00",
        value=Decimal("120.50"),
        text="a & b",
    )
    unknown = Reading(equipment="00001", point="NOWHERE", at="2022-04-15T04:30:00Z", value=Decimal(1))
    yield Scenario(
        name="measurements: one that is taken and one that is refused",
        operation=TakeReadings(readings=(good, unknown)),
        expected={"readings": [TAKEN, failed(UpstreamRejected)]},
    )


def _exports() -> Iterator[Scenario]:
    centers = [
        _row(key, text) for key, text in (("01", "Production"), ("05", "Warehouse"), ("07", "Overhead"))
    ]
    numbers = {"Context": 1, "Status": 1}
    yield _exported("in XML", RunExport(name="EXP_COSTCENTER"), *centers)
    yield _exported("in CSV", RunExport(name="EXP_COSTCENTER_CSV", format="csv"), *centers)
    yield _exported(
        "in JSON", RunExport(name="EXP_COSTCENTER_JSON"), *({**row, **numbers} for row in centers)
    )
    narrowed = RunExport(name="EXP_COSTCENTER", filter={"Id": "05"}, format="xml")
    yield _exported("narrowed", narrowed, centers[1])
    yield Scenario(
        name="export: that is not active",
        operation=RunExport(name="EXP_INACTIVE"),
        expected=failed(ConnectorNotFound),
    )
    yield Scenario(
        name="export: that there is not",
        operation=RunExport(name="EXP_NO_SUCH_THING"),
        expected=failed(ConnectorNotFound),
    )


def _exported(what: str, operation: RunExport, *rows: Seen) -> Scenario:
    return Scenario(name=f"export: {what}", operation=operation, expected=listed(*rows))


def _row(key: str, text: str) -> Seen:
    """A cost center as a connector gives it: texts, times local to the environment."""
    return {
        "Id": key,
        "Context": "1",
        "Description": text,
        "Status": "1",
        "ExternalId": key,
        "DataProvider": "Rest",
        "RecordCreateDate": "2021-03-01T08:30:00",
        "RecordChangeDate": "2022-06-15T12:20:30.1234567",
    }


def _imports(plant: Plant) -> Iterator[Scenario]:
    part = ImportObject(
        type="BuildingPart",
        action="Insert",
        properties={"Id.Building.Id": "${Parent.Id}", "Id.Id": "1", "Context": 1, "Status": 1},
    )
    building = ImportObject(
        type="Building",
        action="InsertOrUpdate",
        properties={"Id": "CF-IMPORT", "Context": 1, "Status": 1, "Description": "Hall & <yard>"},
        objects=(part,),
    )
    key: Seen = {"Building": "CF-IMPORT", "Id": "1"}
    yield Scenario(
        name="import: a record within another",
        operation=RunImport(name="IMP_BUILDING", objects=(building,)),
        expected={
            "objects": [
                {"type": "Building", "action": "Insert", "key": "CF-IMPORT"},
                {"type": "BuildingPart", "action": "Insert", "key": key},
            ]
        },
        left=(
            Left(
                plant.place("Building/CF-IMPORT"),
                plant.written(
                    "Building", "CF-IMPORT", {"Context": 1, "Status": 1, "Description": "Hall & <yard>"}
                ),
            ),
        ),
    )


def _imports_refused() -> Iterator[Scenario]:
    wrong = ImportObject(type="Equipment", action="Update", properties={"Id": "CF-NOWHERE", "Model": "M"})
    right = ImportObject(type="Equipment", action="Insert", properties={**_scalars(_PUMP), "Id": "CF-STANDS"})
    yield Scenario(
        name="import: a record that is refused, and another that stands",
        operation=RunImport(name="IMP_EQUIPMENT", objects=(wrong, right)),
        expected={
            "objects": [
                {"type": "Equipment", "action": "Error", **failed(UpstreamRejected)},
                {"type": "Equipment", "action": "Insert", "key": "CF-STANDS"},
            ]
        },
    )
    yield Scenario(
        name="import: that there is not",
        operation=RunImport(name="IMP_NO_SUCH_THING", objects=(right,)),
        expected=failed(ConnectorNotFound),
    )


def _scalars(values: Seen) -> dict[str, str | int | float | bool | None]:
    return {name: value for name, value in values.items() if isinstance(value, str | int | float)}
