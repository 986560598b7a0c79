"""The loggers of the standard library (uvicorn, Litestar, aiohttp, asyncio) in the gateway's own lines."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager

from structlog.typing import FilteringBoundLogger

_CHATTY = "opentelemetry."
_SELDOM = 60.0


@contextmanager
def bridged(logger: FilteringBoundLogger) -> Iterator[None]:
    """Has every library log through ``logger`` while the context lasts; for the owner of a process alone.

    Only warnings and worse: at lower levels HTTP libraries write whole addresses and headers.
    """
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers[:] = [_Bridge(logger)]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        root.handlers[:] = handlers
        root.setLevel(level)


class _Bridge(logging.Handler):
    def __init__(self, logger: FilteringBoundLogger) -> None:
        super().__init__()
        self._logger = logger
        self._told = -math.inf

    def filter(self, record: logging.LogRecord) -> bool:
        """Without calls that were broken off at the end of the process: each has said so in its own line."""
        return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))

    def emit(self, record: logging.LogRecord) -> None:
        try:
            if self._repeats(record):
                return
            # A level between the usual ones counts as the one below it.
            level = min(record.levelno // 10 * 10, logging.CRITICAL)
            self._logger.log(level, record.getMessage(), logger=record.name, exc_info=record.exc_info or None)
        except Exception:
            # As the standard library has it: a log call never breaks what it tells about.
            self.handleError(record)

    def _repeats(self, record: logging.LogRecord) -> bool:
        """A collector of traces that is down is told of at every try to reach it: once a minute is enough."""
        if not record.name.startswith(_CHATTY):
            return False
        if record.created < self._told + _SELDOM:
            return True
        self._told = record.created
        return False
