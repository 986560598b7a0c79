"""What an adapter claims: that its claims make sense, and that it says why it does not serve a scenario."""

from __future__ import annotations

from contracts.adapter import Adapter, Batching
from contracts.conformance.scenario import Own, Scenario
from contracts.operations import (
    OPERATIONS,
    ChangeRecord,
    ListRecords,
    Member,
    Operation,
    ReplaceRecord,
    WriteBatch,
)

_QUERY = frozenset({"filter", "orderby", "select", "expand", "limit", "skip", "count"})
_LONGEST_SENTENCE = 600


class NotConforming(AssertionError):
    """What an adapter did that no adapter may do; the text begins with the scenario's name."""


def check_capabilities(adapter: Adapter) -> None:
    """What an adapter says of itself makes sense. Raises :class:`NotConforming`."""
    said = adapter.capabilities
    kinds = {operation.kind for operation in OPERATIONS}
    claims = {
        "operations that there are not": said.operations - kinds,
        "parts of a query that there are not": said.query - _QUERY,
        "operations as missing that it serves": said.operations & said.missing.keys(),
        "entities of operations that it does not serve": said.entities.keys() - said.operations,
    }
    for what, names in claims.items():
        if names:
            raise NotConforming(f"capabilities: {what}: {', '.join(sorted(names))}")
    if "batch" in said.operations and not isinstance(adapter, Batching):
        raise NotConforming("capabilities: batch is served, and there is no pack()")


def unserved(scenario: Scenario, adapter: Adapter) -> str | None:
    """Why an adapter does not serve a scenario, which it must say itself; None when it does.

    Raises :class:`NotConforming` when it does not say, or says it of what it does serve.
    """
    said, operation, kind = adapter.capabilities, scenario.operation, scenario.kind
    refusal = adapter.refusal(operation)
    if refusal is not None:
        if not _is_sentence(refusal):
            raise NotConforming(f"{scenario.name}: the refusal is no sentence: {refusal!r}")
        return refusal
    only = said.entities.get(kind)
    lacking = scenario.parts - said.query
    if isinstance(operation, ListRecords) and said.scans:
        lacking -= {"filter"}
        if lacking:
            return f"{', '.join(sorted(lacking))}: the gateway's to do"
    elsewhere = only is not None and not scenario.entities <= set(only)
    if kind not in said.operations or lacking or elsewhere:
        raise NotConforming(f"{scenario.name}: not among the capabilities, and refusal() does not say why")
    if isinstance(operation, WriteBatch) and not _in_one_request(operation, adapter):
        return "it takes more than one request"
    if any(way_to_make(adapter, own) is None for own in scenario.own):
        return "it needs a record of its own, and there is no way to make one"
    return None


def way_to_make(adapter: Adapter, own: Own) -> Operation | None:
    """An operation that makes such a record here; None when there is none."""
    upsert = ChangeRecord(place=own.place, body=own.body, upsert=True)
    replace = ReplaceRecord(place=own.place, body=own.body)
    alone = (WriteBatch(members=(Member(id="own", write=write),)) for write in (replace, upsert))
    return next((way for way in (upsert, replace, *alone) if adapter.refusal(way) is None), None)


def _in_one_request(operation: WriteBatch, adapter: Adapter) -> bool:
    return not isinstance(adapter, Batching) or adapter.pack(operation.members) == len(operation.members)


def _is_sentence(text: str) -> bool:
    return " " in text.strip() and "\n" not in text and len(text) <= _LONGEST_SENTENCE
