"""Languages, query options and files on their way out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from email import message_from_bytes
from email.policy import HTTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.rest.addressing import Route
from adapters.rest.encoding import language, list_parameters, object_target, read_request
from adapters.rest.multipart import multipart
from contracts.errors import InvalidRequest
from contracts.filters import parse_filter
from contracts.operations import OrderBy, Query, Upload
from contracts.paths import parse_path


@pytest.mark.parametrize(
    ("header", "tag"),
    [
        (None, None),
        ("", None),
        ("NL", "NL"),
        ("nl", "NL"),
        ("en-us", "en-US"),
        ("nl-NL,nl;q=0.9,en;q=0.8", "nl-NL"),
        ("en;q=0.1, fr;q=0.7", "FR"),
        ("*", None),
        ("de;q=0, nl", "NL"),
        ("???, nl;q=0.5", "NL"),
    ],
)
def test_one_language_is_asked_for(header: str | None, tag: str | None) -> None:
    assert language(header) == tag


def test_every_query_option_as_the_upstream_spells_it() -> None:
    query = Query(
        filter=parse_filter("Status eq 1"),
        orderby=(OrderBy(("TargetDate",), True), OrderBy(("Vendor", "Name"))),
        select=(("Description",), ("Vendor", "Name")),
        expand=(("Vendor",), ("SpareParts",)),
        limit=5,
        skip=10,
        count=True,
    )
    parameters = list_parameters(query, Route(parse_path("Equipment")))
    assert parameters == {
        "filter": "Status eq 1",
        "orderby": "TargetDate desc,Vendor/Name",
        "select": "Description,Vendor/Name",
        "expand": "Vendor,SpareParts",
        "top": "5",
        "skip": "10",
        "count": "true",
    }


def test_a_filter_for_the_key_is_joined_to_the_callers() -> None:
    route = Route(parse_path("Building"), parse_filter("Id eq '01/02'"))
    query = Query(filter=parse_filter("Status eq 1 or Status eq 2"))
    assert list_parameters(query, route)["filter"] == "Id eq '01/02' and (Status eq 1 or Status eq 2)"


def test_reserved_characters_of_a_query_are_encoded() -> None:
    target = object_target(parse_path("Job"), {"filter": "Description eq 'a&b+c#d%'"})
    assert target == "/object/Job?filter=Description%20eq%20'a%26b%2Bc%23d%25'"


@pytest.mark.parametrize(("length", "sent"), [(1000, True), (1001, False)])
def test_a_request_that_is_longer_than_servers_take_is_not_made(length: int, sent: bool) -> None:
    parameters = {"select": "Id", "filter": "x" * (length - len("/object/Job?select=Id&filter="))}
    if sent:
        assert len(read_request(Route(parse_path("Job")), parameters, (), 1000).target) == length
        return
    with pytest.raises(InvalidRequest, match=r"1001 characters.*is the filter") as caught:
        read_request(Route(parse_path("Job")), parameters, (), 1000)
    assert caught.value.faults[0].pointer == "filter"


async def _written(parts: list[Upload]) -> bytes:
    async def source() -> AsyncIterator[Upload]:
        for part in parts:
            yield part

    content_type, body = multipart(source())
    return f"Content-Type: {content_type}\r\n\r\n".encode() + b"".join([chunk async for chunk in body])


async def _pieces(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def test_a_multipart_body_reads_back() -> None:
    written = await _written(
        [
            Upload("JobId", b"0000002"),
            Upload("ImageFile", _pieces(b"\x89PNG", b"\r\n--not-a-boundary"), "leak \u00e9.png", "image/png"),
        ]
    )
    field, file = message_from_bytes(written, policy=HTTP).iter_parts()
    assert (field["Content-Disposition"].params["name"], field.get_content().strip()) == ("JobId", "0000002")
    assert (file.get_content_type(), file.get_payload(decode=True)) == (
        "image/png",
        b"\x89PNG\r\n--not-a-boundary",
    )


@pytest.mark.parametrize(
    "given", ["image/png\r\nX: 1", "image/\u20ac", "a/\xe9", "\ud800", "", None, "a/b\x00"]
)
async def test_a_type_that_no_header_can_hold_is_as_good_as_none(given: str | None) -> None:
    (file,) = message_from_bytes(await _written([Upload("F", b"x", "f", given)]), policy=HTTP).iter_parts()
    assert (file.get_content_type(), file.get_payload(decode=True)) == ("application/octet-stream", b"x")


async def test_half_a_character_stops_no_upload() -> None:
    assert b'name="?"; filename="?"' in await _written([Upload("\ud800", b"x", "\udfff")])


@given(st.text(st.characters(codec="utf-8")))
async def test_no_name_breaks_out_of_its_header(name: str) -> None:
    written = await _written([Upload(name, b"x", name)])
    head = written.split(b"\r\n\r\n")[1]
    lines = head.split(b"\r\n")
    assert len(lines) == 3
    assert lines[1].count(b'"') == 4
