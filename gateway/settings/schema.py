"""The JSON Schema of the configuration file, for editors that check and complete while one types."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from gateway.settings.model import Settings
from gateway.settings.secret import Secret


def json_schema() -> dict[str, Any]:
    """A schema in the dialect of 2020-12; what needs two values at once (names that exist) is not in it."""
    schema = msgspec.json.schema(Settings, schema_hook=_CUSTOM.__getitem__)
    for definition in schema["$defs"].values():
        definition["description"] = inspect.cleandoc(definition["description"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of the Ultimo Gateway",
        **schema,
    }


_SECRET: dict[str, object] = {
    "description": "the name of an environment variable, or the path of a file, that holds the secret",
    "type": "object",
    "properties": {
        "env": {"type": "string", "minLength": 1},
        "file": {"type": "string", "minLength": 1},
    },
    "minProperties": 1,
    "maxProperties": 1,
    "additionalProperties": False,
}

_CUSTOM: Mapping[type, dict[str, object]] = {
    Secret: _SECRET,
    Path: {"type": "string", "minLength": 1, "description": "the path of a file, relative to this one"},
    ZoneInfo: {"type": "string", "description": "an IANA time zone such as 'Europe/Amsterdam'"},
    object: {"description": "an option of the adapter"},
}
