"""YAML to plain values that know the lines they stand in; only what a configuration needs of YAML.

Refused: duplicate keys, keys that are no text, anchors and aliases (a small file must not become a
large one), tags, more than one document, deep nesting and large files.
"""

from __future__ import annotations

import re

import yaml
from yaml.constructor import ConstructorError, SafeConstructor

from gateway.settings.problems import ConfigurationError, Problem

MAX_CHARACTERS = 1_000_000
MAX_DEPTH = 32


class Mapping(dict[str, object]):
    """A mapping of the file; ``lines`` is the line of each key, counted from 1."""

    lines: dict[str, int]


class Sequence(list[object]):
    """A list of the file; ``lines`` is the line of each item, counted from 1."""

    lines: list[int]


def read_document(text: str) -> tuple[object, list[Problem]]:
    """The value of a YAML document and what is wrong with its keys.

    Raises :class:`ConfigurationError` when it is not YAML or is more than a configuration needs.
    """
    if len(text) > MAX_CHARACTERS:
        raise ConfigurationError([Problem("", f"the file has more than {MAX_CHARACTERS} characters")])
    try:
        node = _Loader(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise ConfigurationError([Problem("", f"not valid YAML: {error.problem}", line)]) from None
    except yaml.YAMLError as error:
        reason = getattr(error, "reason", "it cannot be read")
        raise ConfigurationError([Problem("", f"not valid YAML: {reason}")]) from None
    builder = _Builder()
    return (None if node is None else builder.value(node, "")), builder.problems


def line_of(document: object, path: str) -> int | None:
    """The line of the entry at ``path``, or of the nearest one around it."""
    line = None
    for name, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
        if isinstance(document, Mapping) and name in document:
            line, document = document.lines[name], document[name]
        elif isinstance(document, Sequence) and index and int(index) < len(document):
            line, document = document.lines[int(index)], document[int(index)]
        else:
            break
    return line


class _Loader(yaml.SafeLoader):
    """Composes nodes; refuses aliases and depth while it does, before anything can grow."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.composer.ComposerError(
                None, None, "anchors and aliases are not used here; write the value out", event.start_mark
            )
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise yaml.composer.ComposerError(
                None, None, f"nested more than {MAX_DEPTH} levels deep", event.start_mark
            )
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


class _Builder:
    """Nodes to values."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._scalars = SafeConstructor()

    def value(self, node: yaml.Node, path: str) -> object:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return self._sequence(node, path)
        return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: str) -> Mapping:
        found = Mapping()
        found.lines = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = self._scalar(key_node, path) if isinstance(key_node, yaml.ScalarNode) else None
            if not isinstance(key, str):
                self.problems.append(Problem(path, "a key must be a text; put it in quotes", line))
                continue
            place = f"{path}.{key}" if path else key
            if key in found:
                self.problems.append(
                    Problem(place, f"this key stands in line {found.lines[key]} already", line)
                )
                continue
            found.lines[key] = line
            found[key] = self.value(value_node, place)
        return found

    def _sequence(self, node: yaml.SequenceNode, path: str) -> Sequence:
        found = Sequence(self.value(item, f"{path}[{index}]") for index, item in enumerate(node.value))
        found.lines = [item.start_mark.line + 1 for item in node.value]
        return found

    def _scalar(self, node: yaml.Node, path: str) -> object:
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        if kind in ("null", "bool", "int", "float"):
            try:
                return self._scalars.construct_object(node)
            except (ConstructorError, ValueError):
                kind = "broken"
        if kind in ("str", "timestamp", "merge", "value"):
            return node.value
        self.problems.append(Problem(path, "a tag such as '!x' is not used here", node.start_mark.line + 1))
        return node.value
