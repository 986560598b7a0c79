"""``make chart``: the JSON Schemas of the chart's values, and the table of them in its README, from ``values.yaml``.

The part ``config`` is the gateway's own JSON Schema, so that Helm refuses what the gateway would.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import cast

import msgspec

from gateway.registry import discover
from gateway.settings import json_schema
from tests.helm.documented import Schema, Value, read

CHART = Path(__file__).resolve().parents[2] / "helm"
VALKEY = CHART / "charts" / "valkey"
BEGIN, END = "<!-- values -->", "<!-- end of values -->"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
OWN_DEFINITIONS: Schema = {
    "SecretFolder": {
        "description": "the name of a folder under /run/secrets",
        "type": "string",
        "pattern": "^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$",
    },
    "Peer": {
        "description": "a peer, as in a NetworkPolicy",
        "type": "object",
        "properties": {
            "podSelector": {"type": "object"},
            "namespaceSelector": {"type": "object"},
            "ipBlock": {
                "type": "object",
                "properties": {
                    "cidr": {"type": "string"},
                    "except": {"type": "array", "items": {"type": "string"}},
                },
                "required": ["cidr"],
                "additionalProperties": False,
            },
        },
        "minProperties": 1,
        "additionalProperties": False,
    },
}


def main() -> int:
    """Write everything that is made; 0."""
    for path, text in generated().items():
        path.write_text(text)
        print(f"made {path.relative_to(CHART.parent)}")
    return 0


def generated() -> dict[Path, str]:
    """File → its whole text, as it should be."""
    chart, valkey = read(CHART / "values.yaml"), read(VALKEY / "values.yaml")
    readme = CHART / "README.md"
    return {
        CHART / "values.schema.json": _json(chart_schema(chart, valkey)),
        VALKEY / "values.schema.json": _json(valkey_schema(valkey)),
        readme: with_table(readme.read_text(), chart, valkey),
    }


def chart_schema(chart: Iterable[Value], valkey: Iterable[Value]) -> Schema:
    """The schema of all values, those of the sub chart among them."""
    schema = nested(chart)
    properties = cast("dict[str, Schema]", schema["properties"])
    own = cast("dict[str, object]", properties["valkey"]["properties"])
    own.update(cast("dict[str, object]", nested(valkey)["properties"]), **{"global": {"type": "object"}})
    properties["global"] = {"type": "object"}
    title = {"$schema": DIALECT, "title": "Values of the chart ultimo-gateway"}
    return {**title, **schema, "$defs": {**OWN_DEFINITIONS, **configuration_definitions()}}


def valkey_schema(valkey: Iterable[Value]) -> Schema:
    """The schema of the sub chart, which also sees the switch of its parent."""
    schema = nested(valkey)
    added: Schema = {"enabled": {"type": "boolean"}, "global": {"type": "object"}}
    cast("dict[str, object]", schema["properties"]).update(added)
    return {"$schema": DIALECT, "title": "Values of the sub chart valkey", **schema}


def nested(values: Iterable[Value]) -> Schema:
    """The schema of a mapping in which nothing else may stand."""
    root: Schema = {"type": "object", "properties": {}, "additionalProperties": False}
    for value in values:
        *groups, name = value.path.split(".")
        place = root
        for group in groups:
            inner = cast("dict[str, Schema]", place["properties"])
            place = inner.setdefault(
                group, {"type": "object", "properties": {}, "additionalProperties": False}
            )
        cast("dict[str, Schema]", place["properties"])[name] = {
            "description": value.description,
            **value.schema,
            "default": value.default,
        }
    return root


def configuration_definitions() -> dict[str, Schema]:
    """The parts of the gateway's own schema, with patterns that Helm can read."""
    schema = json_schema({name: spec.options for name, spec in discover().items()})
    return cast("dict[str, Schema]", _readable(schema["$defs"]))


def _readable(part: object) -> object:
    if isinstance(part, list):
        return [_readable(inner) for inner in part]
    if not isinstance(part, dict):
        return part
    pattern = part.get("pattern")
    changed = {"pattern": re2(pattern)} if isinstance(pattern, str) else {}
    return {key: _readable(inner) for key, inner in part.items()} | changed


def re2(pattern: str) -> str:
    """A pattern in the syntax of RE2, which is Helm's.

    It has no lookahead, and needs none: its ``$`` is the very end. It has no back reference: what the group takes
    stands there again, so that a little more is let through; the gateway itself still refuses that.
    """
    whole = pattern.replace(r"$(?!\n)", "$")
    group = re.search(r"\((?!\?)([^()]*)\)", whole)
    return whole if group is None else whole.replace(r"\1", group[1])


def with_table(readme: str, chart: Iterable[Value], valkey: Iterable[Value]) -> str:
    """``readme`` with the table between its marks made anew. Raises ``ValueError`` without the marks."""
    before, _, rest = readme.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError(f"the README has no '{BEGIN}' … '{END}' to write the table into")
    rows = [_row(value.path, value) for value in chart]
    rows += [_row(f"valkey.{value.path}", value) for value in valkey]
    table = "\n".join(["| value | what it is | default |", "|---|---|---|", *rows])
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def _row(path: str, value: Value) -> str:
    default = msgspec.json.encode(value.default).decode()
    return f"| `{path}` | {value.description} | `{default}` |".replace("\\|", "|")


def _json(schema: Schema) -> str:
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"


if __name__ == "__main__":
    sys.exit(main())
