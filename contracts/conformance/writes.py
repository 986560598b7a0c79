"""Scenarios of writing one record: create, change, upsert, replace, delete, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.conformance.plant import Plant
from contracts.conformance.scenario import DELETED, NEW, Left, Own, Scenario, Seen, failed, stored
from contracts.errors import InvalidBody, RecordNotFound, UpstreamRejected
from contracts.operations import ChangeRecord, CreateRecord, DeleteRecord, ReplaceRecord

_PUMP: Seen = {"Context": 1, "Status": 2, "Description": "Pump"}
_PUMP_MADE: Seen = {**_PUMP, "TrackAndTrace": False}
_ODD = " a & b <c> \"d\" 'e' ]]> \t\r\n Ω 空 ${Parent.Id} "


def writes(plant: Plant) -> Iterator[Scenario]:
    yield from _creates(plant)
    yield from _changes(plant)
    yield from _changed_times(plant)
    yield from _changes_refused(plant)
    yield from _upserts(plant)
    yield from _upserts_refused(plant)
    yield from _replaces(plant)
    yield from _deletes(plant)


def equipment(plant: Plant, key: str, **values: object) -> Own:
    """A piece of equipment of a scenario's own."""
    return Own(plant.place(f"Equipment/{key}"), {**_PUMP, **values})


def _creates(plant: Plant) -> Iterator[Scenario]:
    yield Scenario(
        name="create: a record",
        operation=CreateRecord(place=plant.place("Equipment"), body=_PUMP),
        expected=stored(plant.written("Equipment", NEW, _PUMP_MADE), created=True),
    )
    line: Seen = {"Context": 2, "Status": 1, "Description": "Line"}
    yield Scenario(
        name="create: a line of its owner",
        own=(Own(plant.place("Invoice/CF-CREATE"), {"Context": 2, "Status": 1, "Vendor": "2513"}),),
        operation=CreateRecord(place=plant.place("Invoice/CF-CREATE/Lines"), body=line),
        expected=stored(
            plant.written("InvoiceLine", {"Invoice": "CF-CREATE", "LineId": NEW}, line), created=True
        ),
    )
    job: Seen = {"Context": 1, "Status": 1, "Description": "Sweep"}
    made = {**job, "Canceled": False, "Department": "05"}
    yield Scenario(
        name="create: in a collection",
        operation=CreateRecord(place=plant.place("Department/05/Jobs"), body=job),
        expected=stored(plant.written("Job", NEW, made), created=True),
    )
    yield Scenario(
        name="create: with a reference to what is absent",
        operation=CreateRecord(place=plant.place("Equipment"), body={**_PUMP, "Vendor": "nope"}),
        expected=failed(UpstreamRejected),
    )


def _changes(plant: Plant) -> Iterator[Scenario]:
    def changed(key: str, what: str, body: Seen, made: Seen, **before: object) -> Scenario:
        own = equipment(plant, key, **before)
        record = plant.written("Equipment", key, {**_PUMP_MADE, **before, **made})
        return Scenario(
            name=f"change: {what}",
            own=(own,),
            operation=ChangeRecord(place=own.place, body=body),
            expected=stored(record, created=False),
            left=(Left(own.place, record),),
        )

    typed: Seen = {
        "Status": 4,
        "ManufactureYear": 2013,
        "PurchasePrice": 1234567.25,
        "InstallDate": "2022-04-07",
        "TrackAndTrace": True,
        "Department": "01",
        "BuildingPart": {"Building": "0001", "Id": "001"},
    }
    yield changed("CF-TYPES", "of every type", typed, typed)
    yield changed("CF-TEXT", "of a text that needs care", {"Description": _ODD}, {"Description": _ODD})
    empty: Seen = {"Model": "", "Vendor": None, "SerialNumber": None, "PurchasePrice": None}
    full: Seen = {"Model": "M", "Vendor": "2513", "SerialNumber": "7", "PurchasePrice": 1.5}
    yield changed("CF-EMPTY", "to nothing", empty, empty, **full)
    external: Seen = {"Department": {"ExternalId": "01"}}
    yield changed("CF-EXTERNAL", "of a reference by external id", external, {"Department": "01"})
    named = equipment(plant, "CF-NAMED", ExternalId="cf-named")
    known = {**_PUMP_MADE, "ExternalId": "cf-named", "DataProvider": "Rest", "Model": "M"}
    yield Scenario(
        name="change: by an external id",
        own=(named,),
        operation=ChangeRecord(place=plant.place("Equipment/ExternalId=cf-named"), body={"Model": "M"}),
        expected=stored(plant.written("Equipment", "CF-NAMED", known), created=False),
    )


def _changes_refused(plant: Plant) -> Iterator[Scenario]:
    own = equipment(plant, "CF-RULE")
    yield Scenario(
        name="change: to a reference to what is absent",
        own=(own,),
        operation=ChangeRecord(place=own.place, body={"Vendor": "nope"}),
        expected=failed(UpstreamRejected),
        left=(Left(own.place, plant.written("Equipment", "CF-RULE", _PUMP_MADE)),),
    )
    yield Scenario(
        name="change: of what is absent",
        operation=ChangeRecord(place=plant.place("Equipment/CF-ABSENT"), body={"Model": "M"}),
        expected=failed(RecordNotFound),
        left=(Left(plant.place("Equipment/CF-ABSENT"), None),),
    )


def _changed_times(plant: Plant) -> Iterator[Scenario]:
    """Times with an offset, without one, and on both sides of a change of the clocks."""
    base: Seen = {"Context": 1, "Status": 1}
    body: Seen = {
        "StartTime": "2022-03-26T23:30:00.25+01:00",
        "EndTime": "2022-03-27T10:00:00",
    }
    made: Seen = {"StartTime": "2022-03-26T22:30:00.25Z", "EndTime": "2022-03-27T08:00:00Z"}
    place = plant.place("ReservationLine/CF-TIME")
    yield Scenario(
        name="change: of times",
        own=(Own(place, base),),
        operation=ChangeRecord(place=place, body=body),
        expected=stored(plant.written("ReservationLine", "CF-TIME", {**base, **made}), created=False),
    )


def _upserts(plant: Plant) -> Iterator[Scenario]:
    place = plant.place("Equipment/CF-UPSERT")
    yield Scenario(
        name="upsert: of what is absent",
        operation=ChangeRecord(place=place, body=_PUMP, upsert=True),
        expected=stored(plant.written("Equipment", "CF-UPSERT", _PUMP_MADE), created=True),
    )
    own = equipment(plant, "CF-THERE", SerialNumber="7")
    yield Scenario(
        name="upsert: of what is there, which it does not empty",
        own=(own,),
        operation=ChangeRecord(place=own.place, body={"Model": "M"}, upsert=True),
        expected=stored(
            plant.written("Equipment", "CF-THERE", {**_PUMP_MADE, "SerialNumber": "7", "Model": "M"}),
            created=False,
        ),
    )
    building = Own(plant.place("Building/CF-UPSERT"), {"Context": 1, "Status": 1})
    part: Seen = {"Context": 1, "Status": 1, "Description": "Wing"}
    yield Scenario(
        name="upsert: by a composite key",
        own=(building,),
        operation=ChangeRecord(
            place=plant.place("BuildingPart/Building=CF-UPSERT,Id=1"), body=part, upsert=True
        ),
        expected=stored(
            plant.written("BuildingPart", {"Building": "CF-UPSERT", "Id": "1"}, part), created=True
        ),
    )
    hall: Seen = {"Context": 1, "Status": 1, "Description": "Hall"}
    yield Scenario(
        name="upsert: by a key that not every protocol can address",
        operation=ChangeRecord(place=plant.place("Building/CF%3F%2F%26"), body=hall, upsert=True),
        expected=stored(plant.written("Building", "CF?/&", hall), created=True),
    )


def _upserts_refused(plant: Plant) -> Iterator[Scenario]:
    absent = plant.place("Equipment/CF-LACKING")
    yield Scenario(
        name="upsert: of what is absent, by a body that cannot make it",
        operation=ChangeRecord(place=absent, body={"Model": "M"}, upsert=True),
        expected=failed(InvalidBody),
        left=(Left(absent, None),),
    )


def _replaces(plant: Plant) -> Iterator[Scenario]:
    yield Scenario(
        name="replace: of what is absent",
        operation=ReplaceRecord(place=plant.place("Equipment/CF-REPLACE"), body=_PUMP),
        expected=stored(plant.written("Equipment", "CF-REPLACE", _PUMP_MADE), created=True),
    )
    own = equipment(plant, "CF-EMPTIED", Model="M", Vendor="2513")
    yield Scenario(
        name="replace: of what is there, which it empties",
        own=(own,),
        operation=ReplaceRecord(place=own.place, body=_PUMP),
        expected=stored(plant.written("Equipment", "CF-EMPTIED", _PUMP_MADE), created=False),
    )


def _deletes(plant: Plant) -> Iterator[Scenario]:
    own = equipment(plant, "CF-DELETE")
    yield Scenario(
        name="delete: a record",
        own=(own,),
        operation=DeleteRecord(place=own.place),
        expected=DELETED,
        left=(Left(own.place, None),),
    )
    building = Own(plant.place("Building/CF-DELETE"), {"Context": 1, "Status": 1})
    part = Own(plant.place("BuildingPart/Building=CF-DELETE,Id=1"), {"Context": 1, "Status": 1})
    yield Scenario(
        name="delete: by a composite key",
        own=(building, part),
        operation=DeleteRecord(place=part.place),
        expected=DELETED,
        left=(Left(part.place, None),),
    )
    yield Scenario(
        name="delete: of what is absent",
        operation=DeleteRecord(place=plant.place("Equipment/CF-GONE")),
        expected=failed(RecordNotFound),
    )
    owner = equipment(plant, "CF-OWNER")
    child = equipment(plant, "CF-OWNED", PartOfEquipment="CF-OWNER")
    yield Scenario(
        name="delete: of what another record refers to",
        own=(owner, child),
        operation=DeleteRecord(place=owner.place),
        expected=failed(UpstreamRejected),
        left=(Left(owner.place, plant.written("Equipment", "CF-OWNER", _PUMP_MADE)),),
    )
