"""Log lines: their form, their level, where they come from."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import warnings
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.typing import FilteringBoundLogger

from contracts.paths import parse_path
from gateway.settings import LogSettings, Secret
from gateway.telemetry.bridge import bridged
from gateway.telemetry.log import build_logger
from gateway.telemetry.masking import mask_key, mask_path

NOW = 1_750_000_000.25


def logger(settings: LogSettings | None = None) -> tuple[FilteringBoundLogger, io.BytesIO]:
    stream = io.BytesIO()
    return build_logger(settings or LogSettings(format="json"), stream, now=lambda: NOW), stream


def lines(stream: io.BytesIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_begins_with_time_level_and_event() -> None:
    log, stream = logger()
    log.info("call", tenant="demo", sends=[{"status": 200}])
    assert stream.getvalue() == (
        b'{"timestamp":"2025-06-15T15:06:40.250Z","level":"info","event":"call","tenant":"demo",'
        b'"sends":[{"status":200}]}\n'
    )


def test_the_time_goes_on() -> None:
    moments = iter([NOW, NOW + 0.5, NOW + 60])
    stream = io.BytesIO()
    log = build_logger(LogSettings(format="json"), stream, now=lambda: next(moments))
    for _ in range(3):
        log.info("x")
    assert [line["timestamp"][14:] for line in lines(stream)] == ["06:40.250Z", "06:40.750Z", "07:40.250Z"]


def test_what_is_bound_stands_in_every_line() -> None:
    log, stream = logger()
    log.bind(request_id="r1").warning("slow", ms=12.5)
    assert lines(stream)[0].items() >= {"level": "warning", "request_id": "r1", "ms": 12.5}.items()


@pytest.mark.parametrize(("level", "heard"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_lower_levels_are_left_out(level: Any, heard: int) -> None:
    log, stream = logger(LogSettings(format="json", level=level))
    for write in (log.debug, log.info, log.warning, log.error):
        write("x")
    assert len(lines(stream)) == heard


def test_an_exception_stands_in_its_line() -> None:
    log, stream = logger()
    try:
        raise ValueError("the reason")
    except ValueError:
        log.exception("failed")
    (line,) = lines(stream)
    assert line["level"] == "error"
    assert line["exception"].startswith("Traceback")
    assert line["exception"].endswith("ValueError: the reason")


def test_text_is_for_people_and_cannot_drive_a_terminal() -> None:
    log, stream = logger(LogSettings(format="text"))
    log.info(
        "call done",
        tenant="demo",
        path="a b",
        evil="\x1b[2J\n",
        empty="",
        count=3,
        none=None,
        sends=[{"a": 1}],
    )
    assert stream.getvalue().decode() == (
        '15:06:40.250 info    call done  tenant=demo path="a b" evil="\\u001b[2J\\n" empty="" count=3 none=None '
        'sends=[{"a": 1}]\n'
    )


def test_text_puts_an_exception_below_its_line() -> None:
    log, stream = logger(LogSettings(format="text"))
    log.error("failed", exc_info=ValueError("x"), code=1)
    assert stream.getvalue() == b"15:06:40.250 error   failed  code=1\nValueError: x\n"


def test_auto_is_json_where_no_terminal_is() -> None:
    log, stream = logger(LogSettings())
    log.info("x")
    assert lines(stream)[0]["event"] == "x"


@given(
    st.dictionaries(
        st.text(min_size=1),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.binary(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
            max_leaves=5,
        ),
    ),
    st.sampled_from(["json", "text"]),
)
def test_every_event_comes_out_as_one_line(fields: dict[str, Any], format_: Any) -> None:
    log, stream = logger(LogSettings(format=format_))
    log = log.bind(
        **{name: value for name, value in fields.items() if name not in ("event", "exc_info", "exception")}
    )
    log.info("x")
    assert stream.getvalue().count(b"\n") == 1
    if format_ == "json":
        assert lines(stream)[0]["event"] == "x"


@pytest.mark.parametrize("odd", ["\ud800", 2**70, {("a", 1): 2}, {1.5: 2}, {"a"}, float("nan")])
def test_the_oddest_value_does_not_cost_the_line(odd: object) -> None:
    log, stream = logger()
    log.info("x", odd=odd, kept=1)
    assert lines(stream)[0].items() >= {"event": "x", "kept": 1}.items()


def test_things_of_other_types_are_printed_and_secrets_are_not() -> None:
    class Struct(msgspec.Struct):
        secret_free: Secret

    log, stream = logger()
    log.info("x", struct=Struct(Secret("hunter2")), error=ValueError("y"))
    assert lines(stream)[0]["struct"] == {"secret_free": "***"}
    assert lines(stream)[0]["error"] == "y"


def test_libraries_log_in_the_same_lines_while_bridged() -> None:
    log, stream = logger()
    root = logging.getLogger()
    before = root.handlers[:], root.level
    with warnings.catch_warnings(action="always"), bridged(log):
        logging.getLogger("uvicorn.error").info("not worth a line")
        logging.getLogger("asyncio").warning("slow %s", "task")
        logging.getLogger("litestar").log(35, "between two levels")
        warnings.warn("deprecated", UserWarning, stacklevel=1)
        try:
            raise ValueError("the reason")
        except ValueError:
            logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
    assert (root.handlers, root.level) == before
    written = lines(stream)
    assert [(line["level"], line["event"], line["logger"]) for line in written[:2]] == [
        ("warning", "slow task", "asyncio"),
        ("warning", "between two levels", "litestar"),
    ]
    assert written[2]["logger"] == "py.warnings"
    assert written[3]["exception"].endswith("ValueError: the reason")


def test_a_collector_of_traces_that_is_down_has_a_line_a_minute() -> None:
    log, stream = logger()
    with bridged(log):
        for moment in (1000.0, 1059.9, 1060.0, 1061.0):
            record = logging.LogRecord(
                "opentelemetry.sdk.trace", logging.WARNING, "", 0, "%s", (moment,), None
            )
            record.created = moment
            logging.getLogger("opentelemetry.sdk.trace").handle(record)
        for _ in range(2):
            logging.getLogger("asyncio").warning("another")
    assert [line["event"] for line in lines(stream)] == ["1000.0", "1060.0", "another", "another"]


def test_a_line_that_cannot_be_made_breaks_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    log, _ = logger()
    with bridged(log):
        logging.getLogger("x").warning("%d", "no number")
    assert "no number" in capsys.readouterr().err


async def test_lines_of_many_tasks_do_not_mix() -> None:
    log, stream = logger()

    async def write(number: int) -> None:
        log.info("x", number=number)

    await asyncio.gather(*(write(number) for number in range(50)))
    assert sorted(line["number"] for line in lines(stream)) == list(range(50))


@pytest.mark.parametrize(
    ("key", "shown"), [("00001", "0…1"), ("1234", "1…4"), ("123", "…"), ("1", "…"), ("a/b/c", "a…c")]
)
def test_a_key_is_named_by_its_ends(key: str, shown: str) -> None:
    assert mask_key(key) == shown


def test_a_path_keeps_its_names_and_hides_its_keys() -> None:
    assert mask_path(parse_path("Department/0001/Jobs")) == "Department/0…1/Jobs"
    assert (
        mask_path(parse_path("EquipmentSparePart/Equipment=00001,Article=0191"))
        == "EquipmentSparePart/0…1,0…1"
    )
