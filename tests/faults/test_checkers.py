"""The checkers see what they are for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faults.checkers import (
    Answer,
    Arrival,
    busiest,
    doubled,
    inserted,
    lateness,
    repeated,
    strayed,
    told_lateness,
    utilisation,
)


def arrival(
    number: int, request_id: str = "a-1", *, key: str = "key-a", body: str = "x", effect: str | None = None
) -> Arrival:
    return Arrival(number, float(number), "POST", "/", key, {"X-Request-Id": request_id}, body, 201, effect)


@given(st.lists(st.integers(0, 200)), st.integers(1, 40))
def test_the_busiest_stretch_is_that_of_all_stretches(moments: list[int], seconds: int) -> None:
    stretches = ([moment for moment in moments if start <= moment < start + seconds] for start in moments)
    assert busiest(moments, seconds) == max(map(len, stretches), default=0)


def test_a_window_is_over_when_it_is_over() -> None:
    assert busiest([0.0, 9.99], 10) == 2
    assert busiest([0.0, 10.0], 10) == 1


def test_the_part_that_is_used_is_that_of_all_windows() -> None:
    full = [float(moment) for moment in range(100) for _ in range(10)]
    assert utilisation(full, limit=40, seconds=4, begin=10, end=90) == pytest.approx(1)
    assert utilisation(full[::2], limit=40, seconds=4, begin=10, end=90) == pytest.approx(0.5)
    assert utilisation([0.0], limit=1, seconds=4, begin=2, end=6) == pytest.approx(0.5)


def test_an_effect_that_took_place_twice() -> None:
    once, again = arrival(1, effect="Insert Job 1"), arrival(2, effect="Insert Job 2")
    assert doubled([once, arrival(3, body="y", effect="Insert Job 3"), arrival(4)]) == {}
    assert doubled([once, again]) == {"x": ["Insert Job 1", "Insert Job 2"]}
    assert inserted([once, again, arrival(3, effect="Update Job 1")]) == {"1": 1, "2": 1}


def test_a_request_with_the_credential_of_another() -> None:
    credentials = {"a": "key-a", "b": "key-b"}
    right, wrong, nobody = arrival(1), arrival(2, "b-1"), arrival(3, "c-1")
    assert strayed([right, wrong, nobody], credentials) == [wrong, nobody]


def test_a_call_that_is_late_by_either_clock() -> None:
    timely = Answer(request_id="a-1", deadline=1, begun=0, seconds=0.9, status=504)
    tardy = Answer(request_id="a-2", deadline=1, begun=0, seconds=1.25, status=504)
    gone = Answer(request_id="a-3", deadline=1, begun=0, seconds=2.0, left=True)
    assert lateness([timely, gone]) == pytest.approx(-0.1)
    assert lateness([timely, tardy, gone]) == pytest.approx(0.25)
    lines: list[dict[str, object]] = [
        {"event": "call", "request_id": "a-1", "ms": 1001.0, "status": 504},
        {"event": "call", "request_id": "a-2", "ms": 1003.0, "status": 504},
        {"event": "call", "request_id": "a-3", "ms": 1009.0, "status": 499},
        {"event": "call", "request_id": "a-4", "ms": 1009.0, "status": 200},
        {"event": "retry", "request_id": "a-1"},
    ]
    assert told_lateness(lines, [timely, tardy, gone]) == pytest.approx([0.001, 0.003])


def test_requests_that_were_sent_again() -> None:
    looked_up = Arrival(4, 4.0, "GET", "/", "key-a", {"X-Request-Id": "a-1"}, "", 200)
    assert repeated([arrival(1), arrival(2), arrival(3, "a-2"), looked_up]) == 1
