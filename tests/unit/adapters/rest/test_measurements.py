"""Readings over REST: what each is sent as, what its answer says, and what a failure says of the ones after it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from adapters.rest.measurements import Taking, reading_action
from contracts.errors import (
    DeadlineExceeded,
    GatewayError,
    Outcome,
    OutcomeUnknown,
    QuotaExceeded,
    UpstreamAuthFailed,
    UpstreamInvalidResponse,
    UpstreamRejected,
    UpstreamUnavailable,
)
from contracts.operations import Reading, TakeReadings
from contracts.results import ActionDone, ReadingTaken

READING = Reading(
    point="RUNHOURS", at="2022-04-15T08:00:00+02:00", equipment="00001", value=Decimal("120.50")
)
EQUIPMENT = "REST_EquipmentMeasurementPointValue_Import"
PROCESS_FUNCTION = "REST_ProcessFunctionMeasurementPointValue_Import"


def taking(count: int) -> Taking:
    return Taking(TakeReadings(readings=(READING,) * count))


def told(over: Taking) -> list[ReadingTaken]:
    return [*over.result().results]


def error_of(taken: ReadingTaken) -> GatewayError:
    assert taken.error is not None
    return taken.error


def test_a_reading_is_a_workflow_with_what_is_given_and_no_more() -> None:
    action = reading_action(READING)
    assert action.name == EQUIPMENT
    assert action.arguments == {
        "EquipmentId": "00001",
        "MeasurementPointId": "RUNHOURS",
        "Date": "2022-04-15T06:00:00Z",
        "Value": Decimal("120.50"),
    }


def test_a_difference_at_a_process_function_with_a_text_of_two_lines() -> None:
    reading = Reading(
        point="01",
        at="2022-04-15T06:00:00.9999999Z",
        process_function="P1",
        delta=Decimal(0),
        text="one\r\ntwo",
    )
    action = reading_action(reading)
    assert action.name == PROCESS_FUNCTION
    assert action.arguments == {
        "ProcessFunctionId": "P1",
        "MeasurementPointId": "01",
        "Date": "2022-04-15T06:00:00Z",
        "Delta": Decimal(0),
        "Text": "one\r\ntwo",
    }


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        ({"LineId": "00000000000003"}, "00000000000003"),
        ({"LINEID": "3", "Other": 1}, "3"),
        ({"LineId": 3}, "3"),
        ({"Output": {"lineId": "4"}}, "4"),
        ({"LineId": " 5\r\n"}, "5"),
        ({"LineId": ""}, None),
        ({"LineId": None}, None),
        ({"LineId": True}, None),
        ({"LineId": 3.5}, None),
        ({"LineId": {"Id": "1"}}, None),
        ({"Output": "done"}, None),
        ({}, None),
    ],
)
def test_the_line_that_a_reading_became(answer: dict[str, object], line: str | None) -> None:
    over = taking(1)
    over.done(ActionDone(result=answer))
    assert told(over) == [ReadingTaken(line_id=line)]


def test_a_refused_reading_is_that_ones_matter() -> None:
    over = taking(3)
    over.done(ActionDone(result={"LineId": "1"}))
    assert over.failed(UpstreamRejected("no such point"))
    over.done(ActionDone(result={"LineId": "2"}))
    first, second, third = told(over)
    assert (first.line_id, error_of(second).code, third.line_id) == ("1", "upstream_rejected", "2")


@pytest.mark.parametrize(
    ("error", "after"),
    [
        (OutcomeUnknown("broken"), UpstreamUnavailable),
        (UpstreamInvalidResponse("HTML"), UpstreamUnavailable),
        (UpstreamUnavailable("down", outcome=Outcome.UNKNOWN, retryable=False), UpstreamUnavailable),
        (DeadlineExceeded("late", outcome=Outcome.UNKNOWN, retryable=False), DeadlineExceeded),
        (QuotaExceeded("full", retry_after=9), QuotaExceeded),
        (UpstreamAuthFailed("key"), UpstreamAuthFailed),
    ],
)
@pytest.mark.parametrize("taken", [1, 2])
def test_a_failure_on_the_way_is_the_last_thing_that_is_sent(
    taken: int, error: GatewayError, after: type[GatewayError]
) -> None:
    over = taking(taken + 3)
    for _ in range(taken):
        over.done(ActionDone(result={}))
    assert not over.failed(error)
    results = told(over)
    assert len(results) == taken + 3
    assert results[taken].error is error
    for unsent in results[taken + 1 :]:
        assert type(error_of(unsent)) is after
        assert error_of(unsent).outcome is Outcome.NOT_SENT
        assert error_of(unsent).retry_after == error.retry_after


def test_a_first_reading_that_may_have_been_taken_is_told_by_itself() -> None:
    over = taking(2)
    assert not over.failed(OutcomeUnknown("broken"))
    first, second = map(error_of, told(over))
    assert (first.outcome, first.retryable, second.outcome) == (Outcome.UNKNOWN, False, Outcome.NOT_SENT)


@pytest.mark.parametrize("error", [QuotaExceeded("full"), UpstreamUnavailable("no connection")])
def test_a_first_reading_that_was_not_taken_is_the_failure_of_the_call(error: GatewayError) -> None:
    with pytest.raises(type(error)):
        taking(2).failed(error)


def test_after_a_refused_one_such_a_failure_is_not() -> None:
    over = taking(3)
    assert over.failed(UpstreamRejected("no"))
    assert not over.failed(UpstreamUnavailable("no connection"))
    assert [error_of(item).code for item in told(over)] == [
        "upstream_rejected",
        *["upstream_unavailable"] * 2,
    ]
