"""The JSON Schema of the configuration file, for editors that check and complete while one types."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from gateway.settings.model import Settings, TenantSettings
from gateway.settings.secret import Secret


def json_schema(options: Mapping[str, type[msgspec.Struct]] = MappingProxyType({})) -> dict[str, Any]:
    """A schema in the dialect of 2020-12; what needs two values at once (names that exist) is not in it.

    ``options`` are the types of the adapters' options, by adapter; those of others may be anything.
    """
    (schema, *of_adapters), definitions = msgspec.json.schema_components(
        (Settings, *options.values()), schema_hook=_CUSTOM.__getitem__, ref_template="#/$defs/{name}"
    )
    for definition in definitions.values():
        definition["description"] = inspect.cleandoc(definition["description"])
    adapters = definitions[TenantSettings.__name__]["properties"]["adapters"]
    with_options = {
        name: {"anyOf": [own, {"type": "null"}]} for name, own in zip(options, of_adapters, strict=True)
    }
    listed, by_name = (_form(adapters["anyOf"], kind) for kind in ("array", "object"))
    alone = _form(listed["items"]["anyOf"], "object")
    alone |= {"minProperties": 1, "maxProperties": 1}
    by_name["properties"] = alone["properties"] = with_options
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of the Ultimo Gateway",
        **schema,
        "$defs": definitions,
    }


def _form(forms: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    return next(form for form in forms if form["type"] == kind)


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
