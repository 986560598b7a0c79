"""Workflows on measurement points and their values. Source: vendor pages "API key templates", IoT."""

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal

from adapters.sandbox.errors import business_rule
from adapters.sandbox.model import Record
from adapters.sandbox.workflows.run import Outcome, Run, Workflow, invalid

_VALUES_A_DAY = 25
_DAYS_WITH_VALUES = 3
_WINDOW_DAYS = 10


def workflows() -> list[Workflow]:
    return [
        Workflow(
            "REST_EquipmentMeasurementPointValue_Import",
            "e57ecb14-6c6f-46ff-fbf7-e65c22a3df61",
            _import_value("Equipment"),
        ),
        Workflow(
            "REST_ProcessFunctionMeasurementPointValue_Import",
            "7dc5815c-1cce-470f-9656-02113d13e635",
            _import_value("ProcessFunction"),
        ),
        Workflow(
            "REST_CreateEquipmentMeasurementPoint",
            "a90b326b-ff33-421a-a3a8-7d674e37ae22",
            _create_point("Equipment"),
        ),
        Workflow(
            "REST_CreateProcessFunctionMeasurementPoint",
            "59275fff-2bcb-425c-a933-90513542c212",
            _create_point("ProcessFunction"),
        ),
    ]


def _create_point(owner: str) -> Callable[[Run], Outcome]:
    def create(run: Run) -> Outcome:
        """Add a point; refuses an unknown owner with ``3395``, a point that is there with ``0687``."""
        key, point = run.text(f"{owner}Id"), run.text("MeasurementPointId")
        entity = f"{owner}MeasurementPoint"
        if run.record(owner, key) is None:
            raise business_rule("3395", "The point cannot be added.", f"{owner} '{key}' is not known.")
        if run.record(entity, key, point) is not None:
            raise business_rule("0687", "The point is already linked.", f"'{point}' belongs to '{key}'.")
        run.insert(entity, (key, point), {"Description": run.optional("Description")})
        return Outcome({"MeasurementPointId": point}, f"Insert {entity} {key},{point}")

    return create


def _import_value(owner: str) -> Callable[[Run], Outcome]:
    def import_value(run: Run) -> Outcome:
        """Add a value, given itself or as the difference to the last one; ``3095`` for an unknown point."""
        key, point = run.text(f"{owner}Id"), run.text("MeasurementPointId")
        entity = f"{owner}MeasurementPointValue"
        if run.record(owner, key) is None or run.record(f"{owner}MeasurementPoint", key, point) is None:
            raise business_rule(
                "3095", "The measurement point was not found.", f"{owner} '{key}' has no '{point}'."
            )
        table = run.store.table(entity)
        earlier = [table.rows[found] for found in table.beginning_with((key, point))]
        at = run.time("Date")
        _refuse_too_many(run, earlier, at)
        value, difference = _value(run, earlier)
        made = run.store.next_key(run.store.model[entity], (key, point))
        values = {"Value": value, "Difference": difference, "Date": at, "Text": run.optional("Text")}
        run.insert(entity, made, values)
        return Outcome({"LineId": made[-1]}, f"Insert {entity} {','.join(made)}")

    return import_value


def _value(run: Run, earlier: list[Record]) -> tuple[Decimal, Decimal]:
    value, delta = run.number("Value"), run.number("Delta")
    last = Decimal(str(earlier[-1]["Value"])) if earlier else Decimal(0)
    if value is not None and delta is None:
        return value, value - last if earlier else Decimal(0)
    if delta is not None and value is None:
        return last + delta, delta
    raise invalid("Value", "either Value or Delta is expected")


def _refuse_too_many(run: Run, earlier: list[Record], at: str) -> None:
    """At most 25 values a day, on at most 3 of the last 10 days; the code of this refusal is a choice."""
    days = Counter(_day(run, str(record["Date"])) for record in earlier)
    today, day = _day(run, run.now), _day(run, at)
    recent = {found for found in days if today - timedelta(days=_WINDOW_DAYS) < found <= today}
    new_day = today - timedelta(days=_WINDOW_DAYS) < day <= today and day not in recent
    if days[day] >= _VALUES_A_DAY or (new_day and len(recent) >= _DAYS_WITH_VALUES):
        cause = f"At most {_VALUES_A_DAY} values a day on {_DAYS_WITH_VALUES} of {_WINDOW_DAYS} days."
        raise business_rule("3096", "The value cannot be added.", cause)


def _day(run: Run, at: str) -> date:
    return datetime.fromisoformat(f"{at[:19]}+00:00").astimezone(run.zone).date()
