"""The chart's values as ``values.yaml`` documents them: each with its description, its default and its JSON Schema.

Above each value stands a comment; ``# --`` begins its description, and ``# @schema`` says what its default does not
show: the name of a shape in :data:`SHAPES`, or a part of a JSON Schema.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import cast

import msgspec
import yaml

Schema = dict[str, object]

SHAPES: Mapping[str, Schema] = MappingProxyType(
    {
        "map": {"type": "object", "additionalProperties": {"type": "string"}},
        "object": {"type": "object"},
        "objects": {"type": "array", "items": {"type": "object"}},
        "texts": {"type": "array", "items": {"type": "string", "minLength": 1}},
        "quantity": {"type": "string", "pattern": "^[1-9][0-9]*(Ki|Mi|Gi|Ti)$"},
        "port": {"type": "integer", "minimum": 1, "maximum": 65535},
        "ports": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "integer", "minimum": 1, "maximum": 65535},
        },
        "peers": {"type": "array", "items": {"$ref": "#/$defs/Peer"}},
        "config": {"type": "object", "if": {"minProperties": 1}, "then": {"$ref": "#/$defs/Settings"}},
    }
)


class Value(msgspec.Struct, frozen=True):
    """One value: where it stands, as ``image.tag``, and what is said of it. ``schema`` is whole."""

    path: str
    default: object
    description: str
    schema: Schema


def read(file: Path) -> list[Value]:
    """The values of a ``values.yaml`` in its order. Raises ``ValueError`` for one without a description."""
    text = file.read_text()
    root = cast("yaml.MappingNode", yaml.compose(text, Loader=yaml.SafeLoader))
    return list(_values(root, yaml.safe_load(text), "", text.splitlines()))


def _values(
    node: yaml.MappingNode, values: Mapping[str, object], above: str, lines: list[str]
) -> Iterator[Value]:
    for key, inner in node.value:
        path, value = above + key.value, values[key.value]
        description, shape = _comment(lines, key.start_mark.line)
        if isinstance(inner, yaml.MappingNode) and isinstance(value, dict) and not shape:
            yield from _values(inner, value, f"{path}.", lines)
        elif not description:
            raise ValueError(f"line {key.start_mark.line + 1}: {path} has no description ('# -- …')")
        else:
            yield Value(path, value, description, _schema(value, shape))


def _comment(lines: list[str], line: int) -> tuple[str, str]:
    """What is written right above a line: the description, and what follows ``@schema``."""
    start = line
    while start > 0 and lines[start - 1].lstrip().startswith("#"):
        start -= 1
    told = [text.strip().removeprefix("#").strip() for text in lines[start:line]]
    shapes = [text.removeprefix("@schema").strip() for text in told if text.startswith("@schema")]
    description = " ".join(text for text in told if not text.startswith("@schema"))
    return (description.removeprefix("--").strip() if description.startswith("--") else ""), "".join(shapes)


def _schema(value: object, shape: str) -> Schema:
    if shape in SHAPES:
        return dict(SHAPES[shape])
    given: Schema = yaml.safe_load(shape) if shape else {}
    return given if {"enum", "type"} & given.keys() else {**_type(value), **given}


def _type(value: object) -> Schema:
    if isinstance(value, bool):
        return {"type": "boolean"}
    if isinstance(value, int):
        return {"type": "integer", "minimum": 0}
    if isinstance(value, str):
        return {"type": "string"}
    raise ValueError(f"the default {value!r} does not show what the value may be; say it with '# @schema …'")
