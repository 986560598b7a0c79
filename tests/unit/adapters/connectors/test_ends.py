"""Where things end: a date that no calendar has there, an object that holds too many, a run that ends the others."""

from __future__ import annotations

from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from adapters._connectors.columns import local_time
from adapters._connectors.records_xml import DataReader
from adapters.connector.options import AshxOptions
from contracts.errors import Outcome
from contracts.operations import Reading, TakeReadings
from contracts.records import MalformedAnswer
from contracts.results import ReadingsTaken
from tests.unit.adapters.connectors.rig import an_adapter, http, performed, upstream


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-05:00"])
def test_a_time_that_no_calendar_has_in_the_zone_is_a_fault(text: str) -> None:
    with pytest.raises(ValueError, match="no calendar"):
        local_time(text, ZoneInfo("Europe/Amsterdam"))


def test_an_object_of_too_many_objects_is_refused_and_those_before_it_are_given() -> None:
    reader = DataReader()
    text = "<Data><Object Type='A'/><Object Type='B'>" + "<Object Type='C'/>" * 100_001
    assert [item.type for item in reader.feed(text)] == ["A"]
    with pytest.raises(MalformedAnswer, match="too many objects"):
        reader.feed("</Object></Data>")


def test_as_many_objects_as_are_allowed_are_read() -> None:
    reader = DataReader()
    item = "<Object Type='B'>" + "<Object Type='C'/>" * 1_000 + "</Object>"
    (first, second) = reader.feed(f"<Data>{item * 2}</Data>")
    assert len(first.objects) == len(second.objects) == 1_000


async def test_after_a_run_that_fails_as_a_whole_no_other_is_sent() -> None:
    options = AshxOptions(process_measurements="IOT-PROCESS-MEASUREMENT")
    at = "2022-06-15T12:00:00Z"
    readings = (
        Reading(equipment="00001", point="TEMP", at=at, value=Decimal(1)),
        Reading(process_function="0001", point="RUNHOURS", at=at, value=Decimal(2)),
    )
    async with upstream(http(b"", status=401)) as url:
        done = await performed(an_adapter(options), TakeReadings(readings=readings), url)
    assert isinstance(done, ReadingsTaken)
    ends = [(taken.error.code, taken.error.outcome) for taken in done.results if taken.error is not None]
    assert ends == [("upstream_auth_failed", Outcome.REFUSED), ("upstream_auth_failed", Outcome.NOT_SENT)]
