"""POST on measurements: each reading its own result; what is wrong with one is told with its place."""

import json
from decimal import Decimal

import pytest

from contracts.operations import Reading, TakeReadings
from tests.unit.http.serving import Served

MEASUREMENTS = "/v1/demo/measurements"
READING = {"equipment": "00001", "point": "RUNHOURS", "at": "2022-06-15T12:20:30Z", "value": 1}


def without(name: str, **further: object) -> dict[str, object]:
    return {key: value for key, value in READING.items() if key != name} | further


async def test_each_reading_has_its_result_in_the_order_given(api: Served) -> None:
    given = [READING, {**READING, "point": "NONE"}, {**READING, "point": "SILENT"}]
    reply = await api.send("POST", MEASUREMENTS, body={"measurements": given})
    assert reply.status == 200
    taken, refused, silent = json.loads(reply.content)["results"]
    assert taken == {"status": 201, "lineId": "00000000000001"}
    assert silent == {"status": 201}
    assert (refused["status"], refused["error"]["code"]) == (422, "upstream_rejected")
    assert refused["error"]["instance"] == reply.headers["x-request-id"]
    (line,) = api.lines
    assert line["operation"] == "measurements"
    assert (line["asked"], line["records"], line["failed"]) == (3, 3, {"upstream_rejected": 1})


async def test_readings_arrive_exactly_as_they_were_given(api: Served) -> None:
    body = (
        b'{"measurements":[{"equipment":"00001","point":"P","at":"2022-06-15T12:20:30.1234567+02:00",'
        b'"value":12345678901234567890.10},{"processFunction":"F","point":"P","at":"2022-06-15T12:20-05:00",'
        b'"delta":-0.1,"text":"","equipment":null}]}'
    )
    assert (await api.send("POST", MEASUREMENTS, body=body)).status == 200
    operation = api.adapter.calls[0].operation
    assert operation == TakeReadings(
        readings=(
            Reading(
                point="P",
                at="2022-06-15T12:20:30.1234567+02:00",
                equipment="00001",
                value=Decimal("12345678901234567890.10"),
            ),
            Reading(
                point="P", at="2022-06-15T12:20-05:00", process_function="F", delta=Decimal("-0.1"), text=""
            ),
        )
    )


@pytest.mark.parametrize(
    ("reading", "pointers"),
    [
        (without("equipment"), {""}),
        ({**READING, "processFunction": "F"}, {""}),
        ({**READING, "delta": 1}, {""}),
        (without("value"), {""}),
        ({**READING, "value": "1"}, {"/value"}),
        ({**READING, "value": True}, {"/value"}),
        ({**READING, "equipment": 1}, {"/equipment"}),
        ({**READING, "equipment": ""}, {"/equipment"}),
        (without("point"), {"/point"}),
        (without("at"), {"/at"}),
        ({**READING, "at": "2022-06-15T12:20:30"}, {"/at"}),
        ({**READING, "at": "2022-06-31T12:20:30Z"}, {"/at"}),
        ({**READING, "at": "2022-06-15"}, {"/at"}),
        ({**READING, "at": "0001-01-01T00:00:00+14:00"}, {"/at"}),
        ({**READING, "at": "9999-12-31T23:59:59-01:00"}, {"/at"}),
        ({**READING, "text": 1}, {"/text"}),
        ({**READING, "pont": "P"}, {"/pont"}),
        ("reading", {""}),
        (without("point", value="x", at=1), {"/point", "/value", "/at"}),
    ],
)
async def test_what_is_wrong_is_told_with_its_place(api: Served, reading: object, pointers: set[str]) -> None:
    reply = await api.send("POST", MEASUREMENTS, body={"measurements": [READING, reading]})
    assert (reply.status, reply.code) == (400, "invalid_body")
    errors = reply.json["errors"]
    assert isinstance(errors, list)
    assert {error["pointer"] for error in errors} == {f"/measurements/1{pointer}" for pointer in pointers}
    assert api.adapter.calls == []


async def test_a_moment_without_an_offset_is_explained(api: Served) -> None:
    body = {"measurements": [{**READING, "at": "2022-06-15T12:20:30"}]}
    assert "clocks are changed" in str((await api.send("POST", MEASUREMENTS, body=body)).json["detail"])


async def test_a_moment_that_there_is_not_is_told_apart_from_one_written_wrongly(api: Served) -> None:
    body = {"measurements": [{**READING, "at": "2022-02-30T12:20:30Z"}]}
    reply = await api.send("POST", MEASUREMENTS, body=body)
    assert str(reply.json["detail"]).endswith("there is no moment 2022-02-30T12:20:30Z")


@pytest.mark.parametrize("count", [0, 10_001])
async def test_there_are_one_to_ten_thousand_readings(api: Served, count: int) -> None:
    reply = await api.send("POST", MEASUREMENTS, body={"measurements": [READING] * count})
    assert reply.code == "invalid_body"
    assert "10,000" in str(reply.json["detail"])


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"measurements":{}}', b'{"measurements":[],"more":1}'])
async def test_a_body_that_holds_no_readings_is_refused(api: Served, body: bytes) -> None:
    assert (await api.send("POST", MEASUREMENTS, body=body)).code == "invalid_body"


async def test_a_dry_run_sends_nothing(api: Served) -> None:
    reply = await api.send("POST", MEASUREMENTS + "?dry_run=true", body={"measurements": [READING]})
    assert (reply.status, reply.json["adapter"]) == (200, "memory")
    assert api.adapter.calls == []
