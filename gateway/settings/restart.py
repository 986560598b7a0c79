"""What a process keeps from its start to its end, whatever becomes of the file."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.settings.model import Settings
from gateway.settings.problems import Problem

LASTING = (
    "host",
    "port",
    "operations_port",
    "drain_delay",
    "shutdown_timeout",
    "reload",
    "log",
    "tracing",
)
"""Of ``server``; and all of ``store``, for what has been counted stands there."""


def restart_needed(runs: Settings, wanted: Settings) -> Iterator[Problem]:
    """What another configuration says of these, as problems of taking it over while the process runs."""
    for name in LASTING:
        yield from _changed(f"server.{name}", getattr(runs.server, name), getattr(wanted.server, name))
    for name in type(wanted.store).__struct_fields__:
        yield from _changed(f"store.{name}", getattr(runs.store, name), getattr(wanted.store, name))


def _changed(path: str, runs: object, wanted: object) -> Iterator[Problem]:
    if runs != wanted:
        yield Problem(path, "changes only with a restart")
