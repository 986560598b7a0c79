"""Meter readings: many in one request, each with its own result."""

from __future__ import annotations

from decimal import Decimal

import pytest

from adapters.connector.options import AshxOptions
from contracts.errors import UpstreamAuthFailed
from contracts.operations import Reading, TakeReadings
from contracts.results import ReadingsTaken
from tests.unit.adapters.connectors.rig import a_call, an_adapter, an_object, data, http, performed, upstream

AT = "2022-06-15T12:20:30+02:00"
VALUE = an_object(
    "EquipmentMeasurementPointValue",
    "Insert",
    Id__EquipmentMeasurementPoint__Id__Equipment__Id="00001",
    Id__EquipmentMeasurementPoint__Id__Id="TEMP",
    Id__LineId="00000000000007",
)
REFUSED = an_object(
    "EquipmentMeasurementPointValue", "Error", ShortErrorMessage="Message: 3095 No such point."
)


def reading(**given: object) -> Reading:
    return Reading(**{"point": "TEMP", "at": AT, "equipment": "00001", "value": Decimal("22"), **given})  # type: ignore[arg-type]


async def taken(answer: bytes, *readings: Reading, options: AshxOptions | None = None) -> list[str | None]:
    async with upstream(answer) as url:
        adapter = an_adapter(options or AshxOptions())
        done = await performed(adapter, TakeReadings(readings=readings), url)
    assert isinstance(done, ReadingsTaken)
    return [result.line_id if result.error is None else result.error.code for result in done.results]


async def test_each_reading_has_its_own_result() -> None:
    assert await taken(http(data(VALUE, REFUSED)), reading(), reading()) == [
        "00000000000007",
        "upstream_rejected",
    ]
    assert await taken(http(data(VALUE)), reading(), reading()) == ["outcome_unknown"] * 2
    assert await taken(http(data(VALUE)[:-3]), reading(), reading()) == ["00000000000007", "outcome_unknown"]


async def test_what_a_connector_cannot_take_is_not_sent() -> None:
    odd = [
        reading(delta=Decimal(1), value=None),
        reading(equipment=None, process_function="01"),
        reading(text="\x01"),
        reading(at="2022-06-15T12:20:30"),
    ]
    answers = await taken(http(data(VALUE)), odd[0], reading(), *odd[1:])
    assert answers == [
        "operation_not_supported",
        "00000000000007",
        "operation_not_supported",
        "invalid_body",
        "invalid_body",
    ]
    assert an_adapter().plan(a_call(TakeReadings(readings=tuple(odd)))) == ()


async def test_a_failure_that_all_have_in_common_is_raised() -> None:
    failed = http("Ultimo.GeneralException: login failed", 500, "text/plain")
    with pytest.raises(UpstreamAuthFailed):
        await taken(failed, reading())
    assert await taken(failed, reading(), reading(delta=Decimal(1))) == [
        "upstream_auth_failed",
        "operation_not_supported",
    ]


def test_one_connector_that_takes_both_kinds_is_called_once() -> None:
    both = TakeReadings(readings=(reading(), reading(equipment=None, process_function="01"), reading()))
    assert len(an_adapter(AshxOptions(process_measurements="PF")).plan(a_call(both))) == 2
    assert len(an_adapter(AshxOptions(process_measurements="IOT-MEASUREMENT")).plan(a_call(both))) == 1
