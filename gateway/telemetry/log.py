"""The logger: one line an event, JSON for machines or text for a terminal, never a secret.

It is built once and handed to whoever logs; nothing is configured globally.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from typing import BinaryIO

import msgspec
import structlog
from structlog.typing import EventDict, FilteringBoundLogger

from gateway.settings import LogSettings
from gateway.telemetry.redaction import Redactor

Renderer = Callable[[Mapping[str, object]], bytes]


def build_logger(
    settings: LogSettings,
    stream: BinaryIO,
    redactor: Redactor | None = None,
    now: Callable[[], float] = time.time,
) -> FilteringBoundLogger:
    """A logger that writes to ``stream``; ``now`` answers Unix seconds.

    Each line begins with ``timestamp`` (UTC), ``level`` and ``event``. What ``redactor`` hides appears in none.
    """
    text = settings.format == "text" or (settings.format == "auto" and stream.isatty())
    logger: FilteringBoundLogger = structlog.wrap_logger(
        structlog.BytesLogger(stream),
        processors=[
            structlog.processors.format_exc_info,
            _Stamp(now),
            _Line(redactor or Redactor(()), _text if text else _json_renderer()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[settings.level.upper()]
        ),
        context_class=dict,
    ).bind()
    return logger


class _Stamp:
    """Puts first what every line begins with."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._second = -1
        self._text = ""

    def __call__(self, logger: object, name: str, event: EventDict) -> EventDict:
        milliseconds = int(self._now() * 1000)
        second = milliseconds // 1000
        if second != self._second:
            # Formatting a date costs more than the rest of the line: once a second is enough.
            self._second, self._text = second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        moment = f"{self._text}.{milliseconds % 1000:03d}Z"
        return {"timestamp": moment, "level": name, "event": event.pop("event", ""), **event}


class _Line:
    """An event to its line; made again without secrets in the rare case that one got in."""

    def __init__(self, redactor: Redactor, render: Renderer) -> None:
        self._redactor = redactor
        self._render = render

    def __call__(self, logger: object, name: str, event: EventDict) -> bytes:
        shown = self._redactor.hide_named(event)
        line = self._render(shown)
        if not self._redactor.suspects(line):
            return line
        return self._render(self._redactor.scrub(shown))


def _json_renderer() -> Renderer:
    encode = msgspec.json.Encoder(enc_hook=str).encode

    def render(event: Mapping[str, object]) -> bytes:
        try:
            return encode(event)
        except (UnicodeEncodeError, OverflowError, TypeError):
            # A log line must come out whatever is in it: lone surrogates, endless integers, odd keys.
            return json.dumps(event, default=str, skipkeys=True).encode()

    return render


def _text(event: Mapping[str, object]) -> bytes:
    """``12:00:01.250 info    call  tenant=demo status=200``, an exception on lines of its own."""
    rest = dict(event)
    moment, level, name = str(rest.pop("timestamp")), rest.pop("level"), rest.pop("event")
    exception = rest.pop("exception", None)
    fields = " ".join(f"{_value(key)}={_value(value)}" for key, value in rest.items())
    line = f"{moment[11:-1]} {level:<7} {_value(name, spaces=True)}  {fields}".rstrip()
    if exception is not None:
        line += f"\n{exception}"
    return line.encode(errors="backslashreplace")


def _value(value: object, *, spaces: bool = False) -> str:
    """A value as it is where that is plain, else as JSON: no caller may write escape sequences to a terminal."""
    if isinstance(value, str):
        plain = value and value.isprintable() and '"' not in value and (spaces or " " not in value)
        return value if plain else json.dumps(value)
    if value is None or isinstance(value, bool | int | float):
        return str(value)
    return json.dumps(msgspec.to_builtins(value, enc_hook=str, str_keys=True))
