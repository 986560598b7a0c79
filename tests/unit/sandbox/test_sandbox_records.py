"""The store and its file: order, transactions, what survives a restart."""

from contextlib import suppress
from decimal import Decimal
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from adapters.sandbox import Sandbox, SandboxOptions
from adapters.sandbox.archive import Archive
from adapters.sandbox.entities import build_model
from adapters.sandbox.model import Record
from adapters.sandbox.plant import seed_records
from adapters.sandbox.records import Store
from tests.unit.sandbox.client import serving


def record(key: str, **values: object) -> Record:
    return {"Id": key, **values}


class Undone(Exception):
    """Raised inside transactions that shall not happen."""


def test_the_seed_fits_the_model() -> None:
    model = build_model()
    store = Store(model)
    store.fill(seed_records(model))
    for entity in model:
        table = store.table(entity.name)
        assert table.order == sorted(table.rows)
        for key, row in table.rows.items():
            assert row["Id"] == entity.identity(key)
            unknown = row.keys() - {"Id", *entity.properties}
            assert not unknown, (entity.name, key, unknown)
            for prop in entity.properties.values():
                if prop.target is not None and row.get(prop.name) is not None:
                    target = model[prop.target]
                    assert store.get(target.name, target.key_of(row[prop.name])), (
                        entity.name,
                        key,
                        prop.name,
                    )
            for part, target_name in entity.key_targets.items():
                owner = entity.owner_key(key, part, model[target_name])
                assert store.get(target_name, owner), (entity.name, key, part)


def test_the_seed_has_many_jobs_of_several_states() -> None:
    jobs = [
        row for name, _, row in seed_records(build_model()) if name == "Job" and row["Department"] == "01"
    ]
    assert len(jobs) >= 20
    assert len({row["Status"] for row in jobs}) >= 5
    assert len({str(row["TargetDate"])[:7] for row in jobs}) >= 6


def test_a_transaction_that_fails_changes_nothing() -> None:
    store = Store(build_model())
    store.put("Equipment", ("1",), record("1", Code="old", ExternalId="e", DataProvider="Rest"))
    with suppress(Undone), store.transaction():
        store.put("Equipment", ("1",), record("1", Code="new"))
        store.put("Equipment", ("2",), record("2"))
        store.delete("Equipment", ("1",))
        raise Undone
    table = store.table("Equipment")
    assert table.order == [("1",)]
    assert table.rows[("1",)]["Code"] == "old"
    assert table.by_external("e", "Rest") == ("1",)


def test_an_inner_transaction_shares_the_fate_of_the_outer() -> None:
    store = Store(build_model())
    with suppress(Undone), store.transaction():
        store.put("Equipment", ("1",), record("1"))
        with store.transaction():
            store.put("Equipment", ("2",), record("2"))
        with suppress(Undone), store.transaction():
            store.put("Equipment", ("3",), record("3"))
            raise Undone
        assert store.table("Equipment").order == [("1",), ("2",)]
        raise Undone
    assert store.table("Equipment").order == []


_OPERATIONS = st.lists(st.tuples(st.booleans(), st.sampled_from("abcdef")), max_size=30)


@given(_OPERATIONS, _OPERATIONS)
def test_undoing_is_exact(kept: list[tuple[bool, str]], undone: list[tuple[bool, str]]) -> None:
    store = Store(build_model())

    def apply(operations: list[tuple[bool, str]]) -> None:
        for number, (put, key) in enumerate(operations):
            if put:
                store.put("Vendor", (key,), record(key, Name=number, ExternalId=key, DataProvider="Rest"))
            else:
                store.delete("Vendor", (key,))

    apply(kept)
    table = store.table("Vendor")
    before = (dict(table.rows), list(table.order), {key: table.by_external(key, "Rest") for key in "abcdef"})
    with suppress(Undone), store.transaction():
        apply(undone)
        raise Undone
    after = (dict(table.rows), list(table.order), {key: table.by_external(key, "Rest") for key in "abcdef"})
    assert before == after


def test_automatic_keys_pass_over_those_in_use() -> None:
    store = Store(build_model())
    invoice = store.model["Invoice"]
    store.put("Invoice", ("998",), record("998"))
    store.put("Invoice", ("00001",), record("00001"))
    assert store.next_key(invoice) == ("999",)
    store.put("Invoice", ("1000",), record("1000"))
    assert store.next_key(invoice) == ("1001",)


async def test_records_survive_in_the_file(tmp_path: Path) -> None:
    path = str(tmp_path / "records.sqlite")
    async with serving(file=path) as client:
        body = {
            "Context": 1,
            "Status": 2,
            "PurchasePrice": "10.10",
            "BuildingPart": {"Building": "0001", "Id": "001"},
        }
        assert (await client.put("Equipment('00042')", body)).status == 201
        assert (await client.patch("Equipment('00042')", {"Nope": 1})).status == 400
    async with serving(file=path) as client:
        reply = await client.get("Equipment('00042')")
        assert b'"PurchasePrice":10.10' in reply.body
        assert reply.json["BuildingPart"] == {"Building": "0001", "Id": "001"}
        assert (await client.get("Equipment?count=true")).ids[-1] == "00042"
        client.sandbox.reset()
    async with serving(file=path) as client:
        assert (await client.get("Equipment('00042')")).status == 404


def test_a_failed_transaction_is_not_written(tmp_path: Path) -> None:
    archive = Archive(str(tmp_path / "records.sqlite"))
    store = Store(build_model(), archive)
    with store.transaction():
        store.put("Equipment", ("1",), record("1", PurchasePrice=Decimal("1.10")))
    with suppress(Undone), store.transaction():
        store.delete("Equipment", ("1",))
        raise Undone
    assert list(archive.load()) == [("Equipment", ("1",), record("1", PurchasePrice=Decimal("1.10")))]
    store.delete("Equipment", ("1",))
    assert list(archive.load()) == []
    archive.close()


def test_many_records_start_quickly_and_in_order() -> None:
    sandbox = Sandbox(SandboxOptions(records=20_000))
    order = sandbox.store.table("Equipment").order
    assert len(order) == 20_000
    assert order == sorted(order)
