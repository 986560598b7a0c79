"""The form of Connector.ashx: what stands where, and what would be too much."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.connector.channel import AshxChannel
from adapters.connector.options import AshxOptions
from contracts.errors import InvalidRequest, PayloadTooLarge
from contracts.wire import Placeholder, Slot, WireRequest

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def written(request: WireRequest, user: str = "{user}", password: str = "{password}") -> bytes:
    """The body, with these in the places of the credential."""
    assert isinstance(request.content, bytes | tuple)
    parts = (request.content,) if isinstance(request.content, bytes) else request.content
    secrets = {Slot.USERNAME: user, Slot.PASSWORD: password}
    return b"".join(
        quote(secrets[part.slot], safe="").encode() if isinstance(part, Placeholder) else part
        for part in parts
    )


@given(TEXT, TEXT, TEXT, TEXT)
def test_a_form_says_what_was_meant(name: str, xml: str, user: str, password: str) -> None:
    request = AshxChannel(AshxOptions(xml_field="the xml&")).import_request(name, xml, repeatable=False)
    assert parse_qsl(written(request, user, password).decode("ascii"), keep_blank_values=True) == [
        ("Username", user),
        ("Password", password),
        ("Action", "import"),
        ("ImportName", name),
        ("the xml&", xml),
    ]
    assert request.target == "/WebServices/Connector.ashx"
    assert request.secrets == ()


@given(TEXT, TEXT)
def test_with_the_credential_in_the_url_the_xml_is_the_body(name: str, xml: str) -> None:
    request = AshxChannel(AshxOptions(credentials_in_url=True)).export_request(name, xml)
    assert parse_qsl(request.target.partition("?")[2], keep_blank_values=True) == [
        ("Action", "export"),
        ("ExportName", name),
    ]
    assert request.target.isascii()
    assert [slot for _, slot in request.secrets] == [Slot.USERNAME, Slot.PASSWORD]
    assert request.content == xml.encode()


def test_without_xml_the_credential_stands_in_the_body_whatever_is_configured() -> None:
    request = AshxChannel(AshxOptions(credentials_in_url=True)).export_request("X", None)
    assert request.secrets == ()
    assert b"Username=" in written(request)


@pytest.mark.parametrize("in_url", [False, True])
def test_what_is_too_large_is_not_sent(in_url: bool) -> None:
    channel = AshxChannel(AshxOptions(credentials_in_url=in_url))
    with pytest.raises(PayloadTooLarge):
        channel.import_request("X", "x" * (20 * 1024 * 1024 + 1), repeatable=False)


def test_a_name_that_is_no_text_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        AshxChannel(AshxOptions()).export_request("a\ud800", None)
