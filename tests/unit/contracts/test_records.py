"""Records in: the normalized form, and that both ways to it agree to the byte."""

import json
from collections.abc import Mapping
from functools import cache
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.entities import standard_schema
from contracts.records import MalformedAnswer, RecordCodec, as_dict
from contracts.schema import Entity, Property, PropertyType, Record

SCHEMA = standard_schema().extended(
    [
        Entity.of(
            "Reading", Property("Id", PropertyType.INTEGER), Property("Of", PropertyType.REFERENCE, "Nowhere")
        ),
        Entity.of("Job", Property("_Reading", PropertyType.REFERENCE, "Reading")),
        Entity.of("InvoiceLine", Property("LineId", PropertyType.INTEGER)),
        Entity.of(
            "One",
            Property("Number", PropertyType.DECIMAL),
            Property("Flag", PropertyType.BOOLEAN),
            Property("Day", PropertyType.DATE),
            Property("Ones", PropertyType.COLLECTION, "One"),
            Property("Two", PropertyType.REFERENCE, "Two"),
            Property("Parent", PropertyType.REFERENCE, "One"),
        ),
        Entity.of(
            "Two",
            Property("Reading", PropertyType.REFERENCE),
            Property("LineId", PropertyType.INTEGER),
            key=("One", "LineId"),
        ),
        Entity.of("Three", Property("Twos", PropertyType.COLLECTION, "Two"), key=("One", "Id"), open=True),
    ]
)
ZONE = ZoneInfo("Europe/Amsterdam")


CODEC = RecordCodec(SCHEMA, ZONE)


def lines(records: list[Record]) -> list[bytes]:
    return [msgspec.json.encode(record) for record in records]


def read(entity: str, record: object) -> str:
    return msgspec.json.encode(CODEC.record(SCHEMA.entity(entity), json.dumps(record).encode())).decode()


@pytest.mark.parametrize(
    ("entity", "given", "normalized"),
    [
        ("Equipment", {"Status": 2, "Id": "00001"}, {"Id": "00001", "Status": 2}),
        ("Equipment", {"STATUS": "2", "id": 1}, {"Id": "1", "Status": 2}),
        (
            "Equipment",
            {"zz": 1, "Status": None, "_a": {"b": [1]}},
            {"Status": None, "zz": 1, "_a": {"b": [1]}},
        ),
        (
            "Equipment",
            {"PurchasePrice": 100, "ReplacementCost": "1.10"},
            {"PurchasePrice": 100.0, "ReplacementCost": 1.1},
        ),
        ("Equipment", {"Code": "", "Vendor": "", "Status": ""}, {"Status": None, "Code": "", "Vendor": None}),
        ("Equipment", {"TrackAndTrace": 1}, {"TrackAndTrace": True}),
        ("Equipment", {"InstallDate": "2016-06-20T00:00:00"}, {"InstallDate": "2016-06-20"}),
        (
            "Equipment",
            {"RecordChangeDate": "2018-03-09T15:33:51.1355081"},
            {"RecordChangeDate": "2018-03-09T14:33:51.1355081Z"},
        ),
        ("Equipment", {"Description": {"NL": "a", "EN": None}}, {"Description": {"NL": "a", "EN": None}}),
        (
            "Equipment",
            {"Vendor": {"Status": "1", "id": "7", "_x": 1}},
            {"Vendor": {"Id": "7", "Status": 1, "_x": 1}},
        ),
        (
            "Equipment",
            {
                "Vendor": {"RecordChangeDate": "2018-07-09T15:33:51"},
                "Parts": [{"RecordChangeDate": "2018-07-09T15:33Z"}],
            },
            {
                "Vendor": {"RecordChangeDate": "2018-07-09T13:33:51Z"},
                "Parts": [{"RecordChangeDate": "2018-07-09T15:33:00Z"}],
            },
        ),
        (
            "Equipment",
            {"BuildingPart": {"ID": "2", "building": "1"}},
            {"BuildingPart": {"Building": "1", "Id": "2"}},
        ),
        (
            "Equipment",
            {"BuildingPart": {"Status": 1, "Id": {"Id": "2", "Building": "1"}}},
            {"BuildingPart": {"Id": {"Building": "1", "Id": "2"}, "Status": 1}},
        ),
        (
            "Equipment",
            {"SpareParts": [{"Quantity": "2", "Id": {"Article": "2", "Equipment": "1"}}, "odd"]},
            {"SpareParts": [{"Id": {"Equipment": "1", "Article": "2"}, "Quantity": 2.0}, "odd"]},
        ),
        (
            "Department",
            {"Site": {"Departments": [{"Site": {"status": "4"}}]}},
            {"Site": {"Departments": [{"Site": {"Status": 4}}]}},
        ),
        (
            "InvoiceLine",
            {"Id": {"LineId": "0001", "Invoice": "001"}},
            {"Id": {"Invoice": "001", "LineId": 1}},
        ),
        ("Job", {"_Reading": "7"}, {"_Reading": 7}),
        ("_Open", {"b": 1, "a": "2"}, {"b": 1, "a": "2"}),
    ],
)
def test_a_record_has_one_form(entity: str, given: object, normalized: object) -> None:
    assert read(entity, given) == json.dumps(normalized, separators=(",", ":"))
    assert read(entity, json.loads(read(entity, given))) == read(entity, given)


def page(**members: object) -> bytes:
    return json.dumps(members).encode()


def test_a_page_holds_records_count_and_link() -> None:
    equipment = SCHEMA.entity("Equipment")
    answer = CODEC.page(
        equipment, page(items=[{"Id": "1"}, {"Id": "2"}], count=7, nextPageLink="https://x/y", more=1)
    )
    assert lines(answer.items) == [b'{"Id":"1"}', b'{"Id":"2"}']
    assert (answer.count, answer.next_page_link) == (7, "https://x/y")
    assert CODEC.page(equipment, page(items=[])).items == []
    assert CODEC.page(equipment, page(count=7)) == CODEC.page(
        None, page(count=7, items=None, nextPageLink=None)
    )


def test_ordinary_records_are_decoded_straight_into_a_struct() -> None:
    record = {
        "Id": "1",
        "Vendor": {"Id": "2"},
        "Parts": [{"Id": "3"}],
        "BuildingPart": {"Building": "1", "Id": "2"},
    }
    naive = record | {"RecordChangeDate": "2018-03-09T15:33:51", "RecordCreateDate": "2018-03-09T15:33:51Z"}
    answer = CODEC.page(SCHEMA.entity("Equipment"), page(items=[record, naive]))
    assert [isinstance(item, msgspec.Struct) for item in answer.items] == [True, True]
    assert as_dict(answer.items[0]) == record
    assert as_dict(answer.items[1])["RecordChangeDate"] == "2018-03-09T14:33:51Z"


def test_without_an_entity_records_stay_as_they_came() -> None:
    assert CODEC.page(None, page(items=[{"b": "1", "A": 2.50}])).items == [{"b": "1", "A": 2.5}]
    assert CODEC.record(None, b'{"b": "1", "A": null}') == {"b": "1", "A": None}
    assert CODEC.record(SCHEMA.entity("_Open"), b'{"b": "1", "Id": 1}') == {"b": "1", "Id": 1}
    assert CODEC.normalize(SCHEMA.entity("_Open"), {"b": "1", "Id": 1}) == {"b": "1", "Id": 1}


@pytest.mark.parametrize("name", [None, "Equipment", "_Open"])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not JSON"),
        (b"<html>secret</html>", "not JSON"),
        (b'{"items": [{"Id": "\xff"}]}', "not JSON"),
        (b'{"items": [{"Id": NaN}]}', "not JSON"),
        (b"[]", "not of the shape"),
        (b'{"items": [1]}', "not of the shape"),
        (b'{"items": {}}', "not of the shape"),
        (b'{"items": [], "count": "many"}', "not of the shape"),
        (b"{}", "no list"),
        (b'{"message": "secret"}', "no list"),
        pytest.param(
            b'{"items": [{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]}", "too deeply", id="deep"
        ),
    ],
)
def test_what_is_no_page_is_malformed_and_not_quoted(name: str | None, content: bytes, reason: str) -> None:
    entity = None if name is None else SCHEMA.entity(name)
    with pytest.raises(MalformedAnswer, match=reason) as caught:
        CODEC.page(entity, content)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"[]", b'"x"', b"null", b'{"Id": 1'])
def test_what_is_no_record_is_malformed(content: bytes) -> None:
    with pytest.raises(MalformedAnswer):
        CODEC.record(SCHEMA.entity("Equipment"), content)


def test_a_layout_leaves_out_what_has_no_name_and_takes_the_later_of_two() -> None:
    layout = CODEC.layout(SCHEMA.entity("Equipment"), ("zz", "Status", None, "ID", "status"))
    record = layout.record([1, "2", "left out", 7, "3"])
    assert [*record.items()] == [("Id", "7"), ("Status", 3), ("zz", 1)]
    assert layout.record([None] * 5) == {"Id": None, "Status": None, "zz": None}


moments = st.from_regex(
    r"[12][0-9]{3}-[01][0-9]-[0-3][0-9]"
    r"([T ][0-2][0-9]:[0-5][0-9](:[0-5][0-9](\.[0-9]{1,7})?)?(Z|z|[+-]0[0-9](:?[0-5]0)?)?)?\n?",
    fullmatch=True,
)
numbers = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | st.just(10**400)
odd = st.one_of(
    st.none(),
    st.booleans(),
    numbers,
    st.text(max_size=12),
    numbers.map(str),
    moments,
    st.sampled_from(["", "true", "FALSE", "0", "2016-06-20", "2018-03-09T15:33:51Z", "1e5", "Z\nZ"]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(
        st.sampled_from(["Id", "id", "One", "Two", "x", "NL"]),
        st.none() | st.text(max_size=3),
        max_size=3,
    ),
)


def values(property: Property, levels: int) -> st.SearchStrategy[object]:
    """Mostly what the property should hold."""
    target = SCHEMA.target(property.target or "Nowhere")
    match property.type:
        case PropertyType.STRING if property.multilingual:
            return st.text(max_size=5) | st.dictionaries(
                st.sampled_from(["NL", "EN"]), st.none() | st.text(max_size=3)
            )
        case PropertyType.STRING:
            return st.text(max_size=5)
        case PropertyType.INTEGER:
            return st.integers(-(2**70), 2**70)
        case PropertyType.DECIMAL:
            return numbers
        case PropertyType.BOOLEAN:
            return st.booleans()
        case PropertyType.DATE:
            return st.dates().map(str)
        case PropertyType.DATETIME:
            return moments
        case PropertyType.REFERENCE if levels:
            return st.text(max_size=3) | records(target.name, levels - 1) | key_objects(target)
        case PropertyType.COLLECTION if levels:
            return st.lists(records(target.name, levels - 1), max_size=2)
        case PropertyType.KEY:
            return st.sampled_from(
                [{"One": "1", "Id": "2"}, {"Id": "1", "one": "2"}, {"LineId": 2, "One": "1"}]
            )
        case _:
            return st.text(max_size=3)


def key_objects(target: Entity) -> st.SearchStrategy[object]:
    return st.fixed_dictionaries(
        {}, optional={part: st.text(max_size=3) | st.integers(0, 9) for part in target.key}
    )


@cache
def records(name: str, levels: int) -> st.SearchStrategy[dict[str, object]]:
    known = {p.name: values(p, levels) | st.none() for p in SCHEMA.target(name).properties.values()}
    return st.builds(turned, st.fixed_dictionaries({}, optional=known), st.integers(0, 5))


def turned(record: dict[str, object], by: int) -> dict[str, object]:
    members = list(record.items())
    return dict(members[by:] + members[:by])


def disturbed(record: dict[str, object]) -> st.SearchStrategy[dict[str, object]]:
    names = [*record, *(name.upper() for name in record), "_custom", "Unknown"]
    return st.dictionaries(st.sampled_from(names), odd, max_size=2).map(lambda changes: record | changes)


@st.composite
def pages(draw: st.DrawFn) -> tuple[Entity, list[dict[str, object]]]:
    entity = SCHEMA.entity(draw(st.sampled_from(["One", "Two", "Three", "Reading"])))
    made = draw(st.lists(records(entity.name, 2), max_size=3))
    if draw(st.booleans()):
        made = [draw(disturbed(record)) for record in made]
    return entity, made


def general(entity: Entity, record: Mapping[str, object]) -> bytes:
    return msgspec.json.encode(CODEC.normalize(entity, record))


@settings(max_examples=200, deadline=None)
@given(pages())
def test_both_ways_to_the_normalized_form_agree_to_the_byte(
    made: tuple[Entity, list[dict[str, object]]],
) -> None:
    entity, items = made
    content = json.dumps({"items": items}).encode()
    untyped = msgspec.json.decode(content)["items"]
    slow = [general(entity, item) for item in untyped]
    assert lines(CODEC.page(entity, content).items) == slow
    assert [msgspec.json.encode(CODEC.record(entity, json.dumps(item).encode())) for item in items] == slow


@settings(max_examples=100, deadline=None)
@given(pages())
def test_normalizing_twice_changes_nothing(made: tuple[Entity, list[dict[str, object]]]) -> None:
    entity, items = made
    for item in items:
        once = general(entity, item)
        assert general(entity, msgspec.json.decode(once)) == once
