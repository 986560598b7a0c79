"""Workflows on reservations of spaces. Source: vendor pages "API key templates", reservations.

The id that they speak of is that of the reservation line.
"""

from adapters.sandbox.errors import business_rule
from adapters.sandbox.model import Record
from adapters.sandbox.workflows.run import Outcome, Run, Workflow, invalid

_CANCELLED = 4
_MOST = 100


def workflows() -> list[Workflow]:
    return [
        Workflow("REST_CreateReservation", "0167a94a-5dae-4efe-bf13-029a47728b97", create),
        Workflow("REST_UpdateReservation", "3736d834-fa5e-4edc-9abd-f38962ff8afd", update),
        Workflow("REST_CancelReservation", "5d5a10ee-7b14-4dd4-8683-33822ea56f12", cancel),
        Workflow("REST_GetReservationsForSpace", "860ea091-4d76-47d9-a733-c3bb18440dde", for_space),
    ]


def create(run: Run) -> Outcome:
    """Reserve a space; refuses the past with ``1166`` and a space that is taken with ``1015``."""
    space = run.reference("SpaceId", "Space") or run.text("SpaceId")
    applicant = run.reference("ApplicantId", "Employee")
    external = run.optional("ExternalId")
    start, end = _period(run)
    provider = run.caller.key.provider
    if external and run.store.table("ReservationLine").by_external(str(external), provider):
        raise invalid("ExternalId", "it is in use by another reservation")
    _refuse_taken(run, space, start, end, None)
    key = run.store.next_key(run.store.model["ReservationLine"])
    description = run.optional("Description")
    run.insert("Reservation", key, {"Description": description, "Employee": applicant})
    line: Record = {"Description": description, "Space": space, "StartTime": start, "EndTime": end}
    if external:
        line |= {"ExternalId": external, "DataProvider": provider}
    run.insert("ReservationLine", key, {**line, "Reservation": key[0]})
    return Outcome({"UltimoId": key[0]}, f"Insert ReservationLine {key[0]}")


def update(run: Run) -> Outcome:
    """Move a reservation; the same refusals as for a new one."""
    key, line = _line(run)
    start, end = _period(run)
    _refuse_taken(run, str(line.get("Space")), start, end, key)
    run.change("ReservationLine", (key,), {"StartTime": start, "EndTime": end})
    return Outcome({"UltimoId": key}, f"Update ReservationLine {key}")


def cancel(run: Run) -> Outcome:
    """Cancel a reservation; its space is free again."""
    key, _ = _line(run)
    run.change("ReservationLine", (key,), {"Status": _CANCELLED})
    return Outcome({"UltimoId": key}, f"Update ReservationLine {key}")


def for_space(run: Run) -> Outcome:
    """The reservations of a space that overlap a period, by start; at most 100."""
    space = run.reference("SpaceId", "Space") or run.text("SpaceId")
    start, end = run.time("From"), run.time("Till")
    lines = sorted(_overlapping(run, space, start, end), key=lambda line: str(line["StartTime"])[:-1])
    return Outcome({"Output": {"collection": [_shown(run, line) for line in lines[:_MOST]]}})


def _shown(run: Run, line: Record) -> Record:
    reservation = run.store.get("Reservation", (str(line.get("Reservation")),)) or {}
    return {
        "UltimoId": line["Id"],
        "ExternalId": line.get("ExternalId"),
        "Description": line.get("Description"),
        "SpaceId": line.get("Space"),
        "StartTime": line.get("StartTime"),
        "EndTime": line.get("EndTime"),
        "ApplicantId": reservation.get("Employee"),
    }


def _line(run: Run) -> tuple[str, Record]:
    key = run.text("UltimoId")
    line = run.record("ReservationLine", key)
    if line is None:
        raise invalid("UltimoId", f"there is no reservation '{key}'")
    return key, line


def _period(run: Run) -> tuple[str, str]:
    start, end = run.time("StartTime"), run.time("EndTime")
    if end[:-1] <= start[:-1]:
        raise invalid("EndTime", "it is not after the start")
    if start[:-1] < run.now[:-1]:
        raise business_rule("1166", "The reservation is not allowed.", "It lies in the past.")
    return start, end


def _refuse_taken(run: Run, space: str, start: str, end: str, own: str | None) -> None:
    if any(line["Id"] != own for line in _overlapping(run, space, start, end)):
        raise business_rule("1015", "The reservation is not allowed.", f"Space '{space}' is already taken.")


def _overlapping(run: Run, space: str, start: str, end: str) -> list[Record]:
    table = run.store.table("ReservationLine")
    lines = [table.rows[key] for key in table.referring("Space", space)]
    return [
        line
        for line in lines
        if line.get("Status") != _CANCELLED
        and str(line["StartTime"])[:-1] < end[:-1]
        and str(line["EndTime"])[:-1] > start[:-1]
    ]
