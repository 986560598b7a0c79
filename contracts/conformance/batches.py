"""Scenarios of many writes in one request: alone, in groups, on each other, and failing."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.conformance.plant import Plant
from contracts.conformance.scenario import DELETED, NEW, Left, Scenario, Seen, failed, stored
from contracts.conformance.writes import equipment
from contracts.errors import FailedDependency, RecordNotFound, UpstreamRejected
from contracts.operations import ChangeRecord, CreateRecord, DeleteRecord, Member, WriteBatch

_PUMP: Seen = {"Context": 1, "Status": 2, "Description": "Pump"}
_PUMP_MADE: Seen = {**_PUMP, "TrackAndTrace": False}
_INVOICE: Seen = {"Context": 2, "Status": 1, "Vendor": "2513", "Site": "23"}
_INVOICE_MADE: Seen = {**_INVOICE, "Currency": "EUR"}
_LINE: Seen = {"Context": 2, "Status": 1, "Description": "Line"}


def batches(plant: Plant) -> Iterator[Scenario]:
    yield _plain(plant)
    yield _failing(plant)
    yield _depending(plant)
    yield _following(plant)
    yield _grouped(plant)
    yield _undone(plant)


def _done(**members: Seen) -> Seen:
    return {"members": [{"id": name, **result} for name, result in members.items()]}


def _change(plant: Plant, id: str, key: str, body: Seen, depends_on: tuple[str, ...] = ()) -> Member:
    write = ChangeRecord(place=plant.place(f"Equipment/{key}"), body=body)
    return Member(id=id, write=write, depends_on=depends_on)


def _plain(plant: Plant) -> Scenario:
    """Of one entity, so that one import connector can take them."""
    first, second = equipment(plant, "CF-BATCH-1"), equipment(plant, "CF-BATCH-2")
    changed = plant.written("Equipment", "CF-BATCH-1", {**_PUMP_MADE, "Model": "M"})
    return Scenario(
        name="batch: create, change and delete",
        own=(first, second),
        operation=WriteBatch(
            members=(
                Member(id="made", write=CreateRecord(place=plant.place("Equipment"), body=_PUMP)),
                _change(plant, "changed", "CF-BATCH-1", {"Model": "M"}),
                Member(id="gone", write=DeleteRecord(place=second.place)),
            )
        ),
        expected=_done(
            made=stored(plant.written("Equipment", NEW, _PUMP_MADE), created=True),
            changed=stored(changed, created=False),
            gone=DELETED,
        ),
        left=(Left(second.place, None),),
    )


def _failing(plant: Plant) -> Scenario:
    changed = plant.written("Equipment", "CF-BATCH-3", {**_PUMP_MADE, "Model": "M"})
    return Scenario(
        name="batch: a member that fails, and others that stand",
        own=(equipment(plant, "CF-BATCH-3"),),
        operation=WriteBatch(
            members=(
                _change(plant, "absent", "CF-NOWHERE", {"Model": "M"}),
                _change(plant, "refused", "CF-BATCH-3", {"Vendor": "nope"}),
                _change(plant, "stands", "CF-BATCH-3", {"Model": "M"}),
            )
        ),
        expected=_done(
            absent=failed(RecordNotFound),
            refused=failed(UpstreamRejected),
            stands=stored(changed, created=False),
        ),
    )


def _depending(plant: Plant) -> Scenario:
    own = equipment(plant, "CF-BATCH-4")
    return Scenario(
        name="batch: a member that depends on one that fails",
        own=(own,),
        operation=WriteBatch(
            members=(
                _change(plant, "absent", "CF-NOWHERE", {"Model": "M"}),
                _change(plant, "waits", "CF-BATCH-4", {"Model": "M"}, depends_on=("absent",)),
            )
        ),
        expected=_done(absent=failed(RecordNotFound), waits=failed(FailedDependency)),
        left=(Left(own.place, plant.written("Equipment", "CF-BATCH-4", _PUMP_MADE)),),
    )


def _lines(plant: Plant, group: str | None, body: Seen) -> tuple[Member, ...]:
    """An invoice, and a line of it by its id; the key in the line's path is a stand-in."""
    return (
        Member(id="owner", group=group, write=CreateRecord(place=plant.place("Invoice"), body=_INVOICE)),
        Member(
            id="line",
            group=group,
            depends_on=("owner",),
            origin="owner",
            write=CreateRecord(place=plant.place("Invoice/owner/Lines"), body=body),
        ),
    )


def _line_made(plant: Plant) -> Seen:
    return _done(
        owner=stored(plant.written("Invoice", NEW, _INVOICE_MADE), created=True),
        line=stored(plant.written("InvoiceLine", {"Invoice": NEW, "LineId": NEW}, _LINE), created=True),
    )


def _following(plant: Plant) -> Scenario:
    return Scenario(
        name="batch: a line of what the batch makes",
        operation=WriteBatch(members=_lines(plant, None, _LINE)),
        expected=_line_made(plant),
    )


def _grouped(plant: Plant) -> Scenario:
    return Scenario(
        name="batch: a group",
        operation=WriteBatch(members=_lines(plant, "all", _LINE)),
        expected=_line_made(plant),
    )


def _undone(plant: Plant) -> Scenario:
    own = equipment(plant, "CF-BATCH-5")
    grouped = (
        _change(plant, "first", "CF-BATCH-5", {"Model": "M"}),
        _change(plant, "second", "CF-NOWHERE", {"Model": "M"}),
    )
    members = tuple(Member(id=member.id, write=member.write, group="all") for member in grouped)
    return Scenario(
        name="batch: a group that one member undoes",
        own=(own,),
        operation=WriteBatch(members=members),
        expected=_done(first=failed(FailedDependency), second=failed(RecordNotFound)),
        left=(Left(own.place, plant.written("Equipment", "CF-BATCH-5", _PUMP_MADE)),),
    )
