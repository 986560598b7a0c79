"""One value: its one form, and the text of it."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.schema import PropertyType
from contracts.values import normalize_value, to_text

AMSTERDAM = ZoneInfo("Europe/Amsterdam")

STRING, INTEGER, DECIMAL, BOOLEAN, DATE, DATETIME = (
    PropertyType.STRING,
    PropertyType.INTEGER,
    PropertyType.DECIMAL,
    PropertyType.BOOLEAN,
    PropertyType.DATE,
    PropertyType.DATETIME,
)


@pytest.mark.parametrize(
    ("kind", "given", "form"),
    [
        (STRING, "", ""),
        (STRING, 12, "12"),
        (STRING, " a ", " a "),
        (INTEGER, 9007199254740993, 9007199254740993),
        (INTEGER, "-9223372036854775808", -9223372036854775808),
        (INTEGER, "007", 7),
        (INTEGER, "5.00", 5),
        (INTEGER, 5.0, 5),
        (INTEGER, 5.5, 5.5),
        (INTEGER, "", None),
        (INTEGER, "٣", "٣"),
        (INTEGER, "1_0", "1_0"),
        (INTEGER, "nan", "nan"),
        (INTEGER, "1e400", "1e400"),
        (DECIMAL, 5, 5.0),
        (DECIMAL, "5.00", 5.0),
        (DECIMAL, "0.1", 0.1),
        (DECIMAL, "-1.5E-3", -0.0015),
        (DECIMAL, Decimal("12.50"), 12.5),
        (DECIMAL, "1,5", "1,5"),
        (DECIMAL, "inf", "inf"),
        (DECIMAL, "1e999", "1e999"),
        (DECIMAL, "", None),
        (BOOLEAN, "True", True),
        (BOOLEAN, "false", False),
        (BOOLEAN, 1, True),
        (BOOLEAN, "0", False),
        (BOOLEAN, "yes", "yes"),
        (BOOLEAN, "", None),
        (DATE, "2018-03-09", "2018-03-09"),
        (DATE, "2018-03-09T00:00:00", "2018-03-09"),
        (DATE, "2018-03-08T23:00:00Z", "2018-03-09"),
        (DATE, "", None),
        (DATE, "9 March", "9 March"),
        (DATETIME, "2018-03-09T15:33:51.1355081Z", "2018-03-09T15:33:51.1355081Z"),
        (DATETIME, "2018-03-09T15:33:51.1350000Z", "2018-03-09T15:33:51.135Z"),
        (DATETIME, "2018-03-09T15:33:50.000Z", "2018-03-09T15:33:50Z"),
        (DATETIME, "2018-03-09T15:33:51+01:00", "2018-03-09T14:33:51Z"),
        (DATETIME, "2018-03-09T15:33:51+00:00", "2018-03-09T15:33:51Z"),
        (DATETIME, "2018-03-09T15:33:51-00:00", "2018-03-09T15:33:51Z"),
        (DATETIME, "2018-03-09 15:33:51z", "2018-03-09T15:33:51Z"),
        (DATETIME, "2018-03-09T15:33Z", "2018-03-09T15:33:00Z"),
        (DATETIME, "2018-03-09T15:33", "2018-03-09T14:33:00Z"),
        (DATETIME, "2018-07-09T15:33:51.50", "2018-07-09T13:33:51.5Z"),
        (DATETIME, "2018-07-09T15:33:51.1355081", "2018-07-09T13:33:51.1355081Z"),
        (DATETIME, "2018-07-09T15:33:51+0530", "2018-07-09T10:03:51Z"),
        (DATETIME, "2018-07-09T22:33:51-05", "2018-07-10T03:33:51Z"),
        (DATETIME, "2018-07-09", "2018-07-08T22:00:00Z"),
        (DATETIME, "0900-07-09T12:00:00+01:00", "0900-07-09T11:00:00Z"),
        (DATETIME, "2018-10-28T02:30:00", "2018-10-28T00:30:00Z"),
        (DATETIME, "2018-03-25T02:30:00", "2018-03-25T01:30:00Z"),
        (DATETIME, "0001-01-01T00:00:00", "0001-01-01T00:00:00"),
        (DATETIME, "2018-03-09T15:33:51+99:00", "2018-03-09T15:33:51+99:00"),
        (DATETIME, "", None),
        (DATETIME, "2018-02-30T00:00:00", "2018-02-30T00:00:00"),
        (DATETIME, "soon", "soon"),
    ],
)
def test_a_value_has_one_form(kind: PropertyType, given: object, form: object) -> None:
    made = normalize_value(kind, given, AMSTERDAM)
    assert (type(made), made) == (type(form), form)
    assert normalize_value(kind, made, AMSTERDAM) == made


@pytest.mark.parametrize("kind", PropertyType)
@pytest.mark.parametrize("value", [None, True, [1], {"a": 1}])
def test_what_cannot_be_read_stays_as_it_came(kind: PropertyType, value: object) -> None:
    assert normalize_value(kind, value, AMSTERDAM) is value


@given(st.integers(0, 2**42), st.integers(-14 * 60, 14 * 60))
def test_one_moment_is_one_text_in_whatever_zone_it_is_told(milliseconds: int, minutes: int) -> None:
    at = datetime(1970, 1, 2, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    form = normalize_value(DATETIME, at.isoformat(), AMSTERDAM)
    assert datetime.fromisoformat(str(form)) == at
    assert form == normalize_value(
        DATETIME, at.astimezone(timezone(timedelta(minutes=minutes))).isoformat(), AMSTERDAM
    )
    local = at.astimezone(AMSTERDAM)
    if not local.fold:
        naive = local.replace(tzinfo=None).isoformat(timespec="microseconds")
        assert form == normalize_value(DATETIME, naive, AMSTERDAM)


@pytest.mark.parametrize("kind", [INTEGER, DECIMAL, BOOLEAN, DATE, DATETIME])
def test_no_text_is_null_but_in_a_string(kind: PropertyType) -> None:
    assert normalize_value(kind, "", AMSTERDAM) is None
    assert normalize_value(STRING, "", AMSTERDAM) == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (False, "false"),
        (12, "12"),
        (1.5, "1.5"),
        (100.0, "100"),
        (1e21, "1000000000000000000000"),
        (1e-7, "0.0000001"),
        (Decimal("1.10"), "1.10"),
        (Decimal("1E+5"), "100000"),
        ("a\n<b>", "a\n<b>"),
    ],
)
def test_a_value_has_a_text(value: object, text: str) -> None:
    assert to_text(value) == text


@pytest.mark.parametrize("value", [{"NL": "x"}, ["x"]])
def test_an_object_has_no_text(value: object) -> None:
    with pytest.raises(ValueError, match="no text"):
        to_text(value)


typed = st.one_of(
    st.tuples(st.just(STRING), st.text(min_size=1)),
    st.tuples(st.just(INTEGER), st.integers(-(2**63), 2**63 - 1)),
    st.tuples(st.just(DECIMAL), st.floats(allow_nan=False, allow_infinity=False, width=32)),
    st.tuples(st.just(BOOLEAN), st.booleans()),
    st.tuples(st.just(DATE), st.dates().map(str)),
    st.tuples(st.just(DATETIME), st.datetimes(timezones=st.just(AMSTERDAM)).map(lambda at: at.isoformat())),
)


@given(typed)
def test_a_value_and_its_text_say_the_same(value: tuple[PropertyType, object]) -> None:
    kind, given_value = value
    form = normalize_value(kind, given_value, AMSTERDAM)
    assert normalize_value(kind, to_text(form), AMSTERDAM) == form


@given(st.sampled_from(PropertyType), st.text(max_size=40))
def test_any_text_has_a_form_that_does_not_change_again(kind: PropertyType, text: str) -> None:
    form = normalize_value(kind, text, AMSTERDAM)
    assert normalize_value(kind, form, AMSTERDAM) == form
