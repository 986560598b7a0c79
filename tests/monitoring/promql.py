"""Expressions of Prometheus, held against the series that there are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import promql_parser

from tests.monitoring.exported import VALUES

Series = Mapping[str, frozenset[str]]
"""Series name → its labels."""


def parse(expression: str) -> promql_parser.Expr:
    """The tree of an expression, a dashboard's too. ValueError says what is wrong with it."""
    parsed: promql_parser.Expr = promql_parser.parse(expression.replace("$__rate_interval", "5m"))
    return parsed


def faults(expression: str, known: Series) -> list[str]:
    """What an expression asks for that does not exist: series, labels, values of labels."""
    tree = parse(expression)
    found = [fault for selector in selectors(tree) for fault in _of_selector(selector, known)]
    for node in _nodes(tree):
        there = labels(node, known)
        found += [f"nothing under it has the label {name}" for name in _grouped(node) if name not in there]
    return found


def selectors(tree: promql_parser.Expr) -> list[promql_parser.VectorSelector]:
    """Everything that is read from Prometheus."""
    return [node for node in _nodes(tree) if isinstance(node, promql_parser.VectorSelector)]


def matched(selector: promql_parser.VectorSelector) -> dict[str, str]:
    """Label → what it is matched with."""
    return {matcher.name: matcher.value for matcher in selector.matchers.matchers}


def labels(tree: promql_parser.Expr, known: Series) -> set[str]:
    """The labels that something under it has, or gets from label_replace."""
    there = {name for selector in selectors(tree) for name in known.get(selector.name or "", ())}
    for node in _nodes(tree):
        if isinstance(node, promql_parser.Call) and node.func.name == "label_replace":
            there.add(node.args[1].val)
    return there


def _nodes(tree: promql_parser.Expr) -> list[promql_parser.Expr]:
    found: list[promql_parser.Expr] = []
    promql_parser.walk(tree, lambda node: found.append(node))
    return found


def _grouped(node: promql_parser.Expr) -> list[str]:
    """The labels that are summed by, or matched on."""
    if isinstance(node, promql_parser.AggregateExpr) and node.modifier is not None:
        return node.modifier.labels
    if isinstance(node, promql_parser.BinaryExpr) and node.modifier is not None:
        matching = node.modifier.matching
        return [*(matching.labels if matching else ()), *(node.modifier.group_labels or ())]
    return []


def _of_selector(selector: promql_parser.VectorSelector, known: Series) -> Iterator[str]:
    name = selector.name or ""
    if name not in known:
        yield f"there is no series {name}"
        return
    for matcher in selector.matchers.matchers:
        if matcher.name not in known[name]:
            yield f"{name} has no label {matcher.name}"
        elif matcher.name in VALUES and not set(_alternatives(matcher)) <= VALUES[matcher.name]:
            yield f"{name} is never {matcher.name}={matcher.value!r}"


def _alternatives(matcher: promql_parser.Matcher) -> list[str]:
    exact = matcher.op in (promql_parser.MatchOp.Equal, promql_parser.MatchOp.NotEqual)
    return [matcher.value] if exact else re.split(r"\|", matcher.value)
