"""The filter language, over the wire and against a plain model of it. Vendor page "Query options"."""

from contextlib import suppress
from datetime import UTC
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.sandbox.errors import Refusal
from adapters.sandbox.filters import parse_filter
from adapters.sandbox.model import Kind, Record
from adapters.sandbox.properties import PropertyPath
from tests.unit.sandbox.client import Client

EQUIPMENT = [f"{number:05d}" for number in range(1, 13)]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("Id eq '00001'", ["00001"]),
        ("id EQ '00001' OR Id eq '00002'", ["00001", "00002"]),
        ("Id in ('00001', '00009','x')", ["00001", "00009"]),
        ("Status in (4, 8)", ["00007", "00009"]),
        ("Status gt 4", ["00008", "00009"]),
        ("Status ge 4 and Status lt 64", ["00007", "00009"]),
        ("Context le -17", []),
        ("PurchasePrice eq 1234.5", ["00002"]),
        ("PurchasePrice lt 0.02", ["00006"]),
        ("TrackAndTrace eq true", ["00001"]),
        ("Description eq null", ["00005"]),
        ("Description eq ''", ["00004"]),
        ("Description ne null and Description ne ''", [i for i in EQUIPMENT if i not in ("00004", "00005")]),
        ("ManufactureYear ne 2013", [i for i in EQUIPMENT if i != "00001"]),
        ("not (ManufactureYear eq 2013)", [i for i in EQUIPMENT if i != "00001"]),
        ("not ManufactureYear lt 2000 and ManufactureYear ne null", ["00001"]),
        ("Description like 'HEFT%'", ["00001"]),
        ("Description like '%o_b%'", ["00007"]),
        ("Description like '%o''brien'", ["00007"]),
        ("Description eq 'heftruck 1 type 35 '", []),
        ("WarrantDate eq 2024-02-29", ["00007"]),
        ("InstallDate lt 2018-03-09T15:33:51.1355081Z", ["00001"]),
        ("RecordChangeDate gt 2022-06-15T10:20:30.1234566Z and Id lt '00003'", ["00001", "00002"]),
        ("RecordChangeDate gt 2022-06-15T10:20:30.1234567Z", []),
        ("RecordChangeDate ge 2022-06-15T12:20:30.1234567+02:00 and Id eq '00001'", ["00001"]),
        ("RecordCreateDate lt 2021-03-02 and Id eq '00001'", ["00001"]),
        ("Department/Id eq '05'", ["00001"]),
        ("Department eq '05'", ["00001"]),
        ("Department/Site/Description like 'harbour%'", ["00001", "00010", "00011"]),
        ("Vendor/Name eq 'Lift Works GmbH'", ["00002", "00003"]),
        ("BuildingFloor/Id eq 'CODE01'", ["00002"]),
        ("BuildingPart/Building eq '0001'", ["00002"]),
        ("EquipmentType/Description eq 'Forklift truck'", ["00001"]),
        ("(Id eq '00001' or Id eq '00002') and Status eq 2", ["00001", "00002"]),
        ("Id eq '00001' or Id eq '00002' and Status eq 99", ["00001"]),
        ("", EQUIPMENT),
    ],
)
async def test_what_a_filter_finds(client: Client, text: str, ids: list[str]) -> None:
    reply = await client.get(f"Equipment?filter={quote(text)}")
    assert reply.status == 200, reply.body
    assert reply.ids == ids


async def test_a_watermark_finds_what_changed_a_fraction_later(client: Client) -> None:
    await client.patch("Equipment('00001')", {"Code": "x"})
    client.clock.now += 0.5
    await client.patch("Equipment('00002')", {"Code": "x"})
    for watermark, ids in (
        ("12:00:00Z", ["00002"]),
        ("11:59:59.9Z", ["00001", "00002"]),
        ("12:00:00.5Z", []),
    ):
        path = f"Equipment?filter=RecordChangeDate+gt+2022-03-14T{watermark}+and+Id+lt+'00003'"
        assert (await client.get(path)).ids == ids


async def test_a_plus_is_a_space_unless_encoded(client: Client) -> None:
    assert (await client.get("Equipment?$filter=Id+eq+'00001'")).ids == ["00001"]
    encoded = "RecordChangeDate+ge+2022-06-15T12:20:30.1234567%2B02:00+and+Id+eq+'00001'"
    assert (await client.get(f"Equipment?filter={encoded}")).ids == ["00001"]
    bare = encoded.replace("%2B", "+")
    assert (await client.get(f"Equipment?filter={bare}")).error == (400, "FilterSyntaxError")


async def test_parts_of_a_composite_key_can_be_named(client: Client) -> None:
    for path in ("Equipment", "Id/Equipment", "Equipment/Id"):
        reply = await client.get(f"EquipmentSparePart?filter={path}+eq+'00002'")
        assert reply.ids == [{"Equipment": "00002", "Article": "0200"}]


@pytest.mark.parametrize(
    "text",
    [
        "Id", "Id eq", "Id eq '00001", "Id eq 00001", "Id is '1'", "eq 'x'", "Nope eq 1", "Id eq '1' and",
        "(Id eq '1'", "Id eq '1')", "Id eq '1' Id eq '2'", "Id gt null", "Id in ()", "Id in ('1'", "Id in (1)",
        "Status eq 'x'", "Status like '1%'", "Description eq 5", "TrackAndTrace gt true", "TrackAndTrace eq 1",
        "BuildingPart eq '001'", "Department/Nope eq 1", "Description/Id eq '1'", "SystemCompany eq '01'",
        "InstallDate eq '2020-01-01'", "InstallDate eq 2020-13-01", "Status eq 1.2.3", "Id eq \"1\"",
        "Parts/Id eq '1'", "RecordChangeDate gt 16:33:51.1355081", "(" * 100 + "Id eq '1'" + ")" * 100,
    ],
)  # fmt: skip
async def test_filters_that_cannot_be_used(client: Client, text: str) -> None:
    assert (await client.get(f"Equipment?filter={quote(text)}")).error == (400, "FilterSyntaxError")


async def test_properties_not_granted_cannot_be_asked_about(client: Client) -> None:
    refused = await client.get("Equipment?filter=PurchasePrice+gt+1", key="sandbox-narrow")
    assert refused.error == (400, "FilterSyntaxError")


def _find(name: str) -> PropertyPath:
    kinds = {"Text": Kind.STRING, "Number": Kind.INTEGER}
    if name not in kinds:
        raise Refusal(400, "FilterSyntaxError", name)
    return PropertyPath(name, kinds[name], lambda record: record.get(name))


def _holds(text: str, record: Record) -> bool:
    return parse_filter(text, _find, UTC)(record)


@given(st.text(), st.one_of(st.none(), st.text()))
def test_any_text_can_be_quoted(wanted: str, found: str | None) -> None:
    literal = wanted.replace("'", "''")
    assert _holds(f"Text eq '{literal}'", {"Text": found}) == (found == wanted)
    assert _holds(f"Text eq '{literal}'", {"Text": wanted})


@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(-50, 50))
def test_not_binds_tighter_than_and_and_that_than_or(low: int, high: int, number: int) -> None:
    text = f"not Number lt {low} and Number lt {high} or Number eq 7"
    expected = (not number < low and number < high) or number == 7
    assert _holds(text, {"Number": number}) == expected


@given(st.text(max_size=60))
def test_no_text_breaks_the_parser(text: str) -> None:
    with suppress(Refusal):
        parse_filter(text, _find, UTC)
