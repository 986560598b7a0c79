"""The first adapter that can serves, in the tenant's order or the entity's own; the table says which that is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from contracts.adapter import Capabilities
from contracts.call import Call
from contracts.errors import OperationNotSupported
from contracts.operations import (
    OPERATIONS,
    ChangeRecord,
    GetRecord,
    ListRecords,
    Member,
    Operation,
    RunAction,
    WriteBatch,
)
from contracts.results import Deleted, Result
from contracts.wire import Wire, WireRequest
from gateway.capabilities import ONE_BY_ONE, Served
from gateway.routing import Routing
from tests.unit.gateway.plants import SCHEMA, Exporter, Pager, place

ACTION = RunAction(name="x")


class Fixed:
    """An adapter that can do some kinds, for all entities or for few."""

    def __init__(
        self,
        kinds: Iterable[str],
        *,
        entities: Mapping[str, tuple[str, ...]] | None = None,
        reason: str = "no",
    ) -> None:
        kinds = frozenset(kinds)
        others = {kind.kind for kind in OPERATIONS} - kinds
        self.capabilities = Capabilities(
            operations=kinds, entities=entities or {}, missing=dict.fromkeys(others, reason)
        )

    def refusal(self, operation: Operation) -> str | None:
        kind = operation.kind
        at = getattr(operation, "place", None)
        if at is not None and at.entity.name not in self.capabilities.entities.get(kind, (at.entity.name,)):
            return f"no {at.entity.name}"
        return self.capabilities.missing.get(kind)

    def plan(self, call: Call) -> tuple[WireRequest, ...]:
        return ()

    async def perform(self, call: Call, wire: Wire) -> Result:
        return Deleted()


def chosen(routing: Routing, operation: Operation) -> tuple[str, bool]:
    found = routing.choose(operation, SCHEMA)
    return found.name, found.scanned


def reading(path: str) -> GetRecord | ListRecords:
    at = place(path)
    return GetRecord(place=at) if at.single else ListRecords(place=at)


def change(path: str) -> ChangeRecord:
    return ChangeRecord(place=place(path), body={})


def test_the_first_adapter_that_can_is_chosen() -> None:
    routing = Routing({"one": Fixed([]), "two": Fixed(["action"]), "three": Fixed(["action"])})
    assert chosen(routing, ACTION) == ("two", False)


def test_every_adapter_says_why_it_cannot() -> None:
    routing = Routing({"one": Fixed([], reason="no files"), "two": Fixed([], reason="no actions")})
    with pytest.raises(OperationNotSupported, match=r"one: no files; two: no actions"):
        routing.choose(ACTION, SCHEMA)
    with pytest.raises(OperationNotSupported, match="has no adapter"):
        Routing({}).choose(ACTION, SCHEMA)


def test_those_say_why_that_serve_others_of_the_kind() -> None:
    few = Fixed(["change"], entities={"change": ("Job",)})
    routing = Routing({"none": Fixed([], reason="Never."), "few": few})
    with pytest.raises(OperationNotSupported, match=r"^few: no Site$"):
        routing.choose(change("Site/1"), SCHEMA)
    exporter = Exporter({"Job": []})
    with pytest.raises(OperationNotSupported, match=r"^exporter: Site is not exported$"):
        Routing({"none": Fixed([]), "exporter": exporter}).choose(reading("Site/1"), SCHEMA)


def test_where_none_does_those_say_why_that_know_what_would() -> None:
    silent = Fixed([])
    silent.capabilities = Capabilities(operations=frozenset())
    silent.refusal = lambda operation: "not mine"  # type: ignore[method-assign]
    with pytest.raises(OperationNotSupported, match=r"^one: Use PUT; two: no$"):
        Routing({"silent": silent, "one": Fixed([], reason="Use PUT."), "two": Fixed([])}).choose(
            ACTION, SCHEMA
        )
    with pytest.raises(OperationNotSupported, match=r"^silent: not mine$"):
        Routing({"silent": silent}).choose(ACTION, SCHEMA)


@pytest.mark.parametrize("path", ["Equipment", "Equipment/1", "Equipment/1/Parts", "equipment/1"])
def test_an_entity_has_the_order_of_its_own_route(path: str) -> None:
    adapters = {"one": Fixed(["list", "get"]), "two": Fixed(["list", "get"])}
    routing = Routing(adapters, {"EQUIPMENT": ("two", "one")})
    assert chosen(routing, reading(path)) == ("two", False)
    assert chosen(routing, reading("Job")) == ("one", False)
    assert chosen(routing, reading("Equipment/1/Department")) == ("one", False)


def test_a_route_leaves_out_the_adapters_that_it_does_not_name() -> None:
    routing = Routing({"one": Fixed(["get"]), "two": Fixed([])}, {"Equipment": ("two",)})
    with pytest.raises(OperationNotSupported, match=r"^two: no$"):
        routing.choose(reading("Equipment/1"), SCHEMA)


def test_a_batch_goes_where_the_entity_of_its_first_member_goes() -> None:
    routing = Routing({"one": Fixed(["batch"]), "two": Fixed(["batch"])}, {"Job": ("two",)})
    batch = WriteBatch(
        members=(Member(id="1", write=change("Job/1")), Member(id="2", write=change("Site/1")))
    )
    assert chosen(routing, batch) == ("two", False)


def test_reads_are_made_of_scans_where_an_adapter_has_nothing_better() -> None:
    exporter, pager = Exporter({"Job": []}), Pager({})
    assert chosen(Routing({"exporter": exporter, "pager": pager}), reading("Job/1")) == ("exporter", True)
    assert chosen(Routing({"exporter": exporter, "pager": pager}), reading("Job")) == ("exporter", True)
    assert chosen(Routing({"exporter": exporter, "pager": pager}), reading("Site/1")) == ("pager", False)
    assert chosen(Routing({"pager": pager, "exporter": exporter}), reading("Job/1")) == ("pager", False)


def test_what_an_adapter_reads_by_itself_is_not_made_of_a_scan() -> None:
    routing = Routing({"exporter": Exporter({"Job": []}, kinds=("list", "get"))})
    assert chosen(routing, reading("Job/1")) == ("exporter", False)
    assert chosen(routing, reading("Job")) == ("exporter", True)


def test_what_cannot_be_made_of_a_scan_goes_to_the_next_adapter() -> None:
    routing = Routing({"exporter": Exporter({"Job": []}), "pager": Pager({})})
    expanded = GetRecord(place=place("Job/1"), expand=(("Department",),))
    assert chosen(routing, expanded) == ("pager", False)


def table(routing: Routing, kind: str) -> list[Served]:
    return [line for line in routing.capabilities() if line.operation == kind]


def test_the_table_has_every_operation_in_the_order_of_the_vocabulary() -> None:
    lines = Routing({"one": Fixed(["action", "get"])}).capabilities()
    assert [line.operation for line in lines] == [operation.kind for operation in OPERATIONS]
    assert table(Routing({"one": Fixed(["get"])}), "get") == [Served("get", "one")]
    assert table(Routing({"one": Fixed([], reason="why")}), "get") == [Served("get", None, reason="one: why")]
    assert table(Routing({}), "get") == [
        Served("get", None, reason="no adapter of this tenant knows this operation")
    ]


def test_the_table_says_what_the_gateway_does_itself() -> None:
    routing = Routing({"exporter": Exporter({"Job": []}, entities={"list": ("Job",)})})
    parts = ("navigation", "filter", "orderby", "select", "skip", "limit", "count")
    assert table(routing, "list") == [Served("list", "exporter", (), parts, ("Job",))]
    assert table(routing, "get") == [Served("get", "exporter", (), ("key", "navigation", "select"), ("Job",))]
    assert table(routing, "change") == [Served("change", "exporter", (), ("read-back",))]
    assert table(routing, "delete") == [Served("delete", "exporter")]
    assert table(Routing({"pager": Pager({})}), "list") == [Served("list", "pager", ("filter", "limit"))]


def test_adapters_that_share_an_operation_have_a_line_each() -> None:
    few = Fixed(["change"], entities={"change": ("Job", "Site")})
    more = Fixed(["change"], entities={"change": ("Site", "Vendor")})
    every = Fixed(["change"])
    assert table(Routing({"few": few, "more": more, "every": every}), "change") == [
        Served("change", "few", entities=("Job", "Site")),
        Served("change", "more", entities=("Vendor",)),
        Served("change", "every"),
    ]
    assert table(Routing({"every": every, "few": few}), "change") == [Served("change", "every")]
    assert table(Routing({"few": few}), "change") == [Served("change", "few", entities=("Job", "Site"))]


def test_the_table_follows_the_routes() -> None:
    adapters = {
        "every": Fixed(["get"]),
        "few": Fixed(["get"], entities={"get": ("Job", "Site")}),
        "none": Fixed([]),
    }
    routing = Routing(adapters, {"JOB": ("few", "every"), "Vendor": ("none",), "Unit": ("few", "every")})
    assert table(routing, "get") == [
        Served("get", "few", entities=("Job",)),
        Served("get", None, entities=("Vendor",), reason="none: no"),
        Served("get", "every"),
    ]
    assert table(routing, "action") == [Served("action", None, reason="every: no; few: no; none: no")]


def test_a_batch_is_served_by_single_writes_where_there_is_nothing_better() -> None:
    single = Fixed(["create", "change"], entities={"create": ("Job",), "change": ("Site", "Job")})
    entities = ("Job", "Site")
    assert table(Routing({"single": single}), "batch") == [
        Served("batch", "single", entities=entities, reason=ONE_BY_ONE)
    ]
    assert table(Routing({"single": Fixed(["change"]), "many": Fixed(["batch"])}), "batch") == [
        Served("batch", "many")
    ]
    some = Fixed(["batch"], entities={"batch": ("Job",)})
    assert table(Routing({"single": Fixed(["change"]), "some": some}), "batch") == [
        Served("batch", "some", entities=("Job",)),
        Served("batch", "single", reason=ONE_BY_ONE),
    ]


@pytest.mark.parametrize("path", ["Equipment/1", "Job/1", "Site/1", "Vendor/1"])
def test_the_table_is_what_is_chosen(path: str) -> None:
    adapters = {
        "few": Fixed(["change"], entities={"change": ("Job",)}),
        "more": Fixed(["change"], entities={"change": ("Job", "Site")}),
        "every": Fixed(["change"]),
    }
    routing = Routing(adapters, {"Job": ("more", "few"), "Vendor": ("few",)})
    lines = table(routing, "change")
    entity = place(path).entity.name
    named = {name: line.adapter for line in lines for name in line.entities or ()}
    expected = named.get(entity, lines[-1].adapter)
    try:
        found: str | None = chosen(routing, change(path))[0]
    except OperationNotSupported:
        found = None
    assert found == expected
