"""Secrets in bodies and queries: put in byte for byte as their place wants them, and shown nowhere."""

from __future__ import annotations

from urllib.parse import parse_qs
from xml.etree.ElementTree import fromstring

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import InvalidRequest, Outcome, UpstreamAuthFailed, UpstreamUnavailable
from contracts.wire import Content, Notation, Placeholder, Slot, WireRequest
from gateway.clock import SystemClock
from gateway.wire import UpstreamWire, WireSettings
from gateway.wire.egress import Egress
from tests.faults.wires import a_call

BASE = "https://upstream.example/Ultimo/api/v1"
PASSWORD = "p&ss <w\u00f6rd>'\"=+%/;"
CREDENTIAL = {Slot.USERNAME: "J\u00f8rgen & co", Slot.PASSWORD: PASSWORD}
SITE = Egress(BASE, CREDENTIAL)

FORM = (
    b"Username=",
    Placeholder(Slot.USERNAME, Notation.FORM),
    b"&Password=",
    Placeholder(Slot.PASSWORD, Notation.FORM),
    b"&Action=export",
)
XML = (b"<p>", Placeholder(Slot.PASSWORD, Notation.XML), b"</p>")


def leaving(request: WireRequest, egress: Egress = SITE) -> httpx2.Request:
    return egress.request(request, a_call(), {})


async def body(content: Content, egress: Egress = SITE) -> bytes:
    request = leaving(WireRequest(method="POST", target="/x", content=content), egress)
    assert isinstance(request.stream, httpx2.ByteStream)
    (sent,) = request.stream
    assert request.headers["content-length"] == str(len(sent))
    return sent


async def test_a_secret_is_put_into_a_form_percent_encoded() -> None:
    assert await body(FORM) == (
        b"Username=J%C3%B8rgen%20%26%20co&Password="
        b"p%26ss%20%3Cw%C3%B6rd%3E%27%22%3D%2B%25%2F%3B&Action=export"
    )


async def test_a_secret_is_put_into_xml_escaped() -> None:
    assert await body(XML) == "<p>p&amp;ss &lt;w\u00f6rd&gt;'\"=+%/;</p>".encode()


@given(st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1))
def test_a_secret_is_read_as_it_was_meant_in_either_notation(secret: str) -> None:
    egress = Egress(BASE, {Slot.USERNAME: "u", Slot.PASSWORD: secret})

    def sent(content: Content) -> bytes:
        request = leaving(WireRequest(method="POST", target="/x", content=content), egress)
        assert isinstance(request.stream, httpx2.ByteStream)
        (whole,) = request.stream
        return whole

    assert parse_qs(sent(FORM).decode("ascii"), strict_parsing=True)["Password"] == [secret]
    assert fromstring(sent(XML)).text == secret


def test_a_secret_is_added_to_the_query_where_an_interface_takes_it_nowhere_else() -> None:
    secrets = (("Username", Slot.USERNAME), ("Password", Slot.PASSWORD))
    for text, begun in (("/x.ashx", "?"), ("/x.ashx?Action=import", "&")):
        request = leaving(WireRequest(method="POST", target=text, secrets=secrets), SITE)
        assert request.extensions["target"] == (
            f"/Ultimo/api/v1{text}{begun}Username=J%C3%B8rgen%20%26%20co&"
            "Password=p%26ss%20%3Cw%C3%B6rd%3E%27%22%3D%2B%25%2F%3B"
        ).encode("ascii")


@pytest.mark.parametrize("slot", [Slot.USERNAME, Slot.PASSWORD])
def test_a_body_or_a_query_whose_secret_there_is_not_leaves_nothing_and_tells_none(slot: Slot) -> None:
    one = Egress(BASE, {({Slot.USERNAME, Slot.PASSWORD} - {slot}).pop(): PASSWORD})
    for request in (
        WireRequest(method="POST", target="/x", content=FORM),
        WireRequest(method="POST", target="/x", secrets=(("U", Slot.USERNAME), ("P", Slot.PASSWORD))),
    ):
        with pytest.raises(UpstreamAuthFailed, match=slot.value) as caught:
            leaving(request, one)
        assert caught.value.outcome is Outcome.NOT_SENT
        assert PASSWORD not in f"{caught.value!r}{caught.value}"


def test_a_placeholder_shows_no_secret_and_a_secret_that_cannot_be_sent_is_refused_at_the_start() -> None:
    request = leaving(WireRequest(method="POST", target="/x", content=FORM), SITE)
    assert PASSWORD not in f"{SITE!r}{SITE}{request!r}{request}{request.stream!r}{FORM!r}"
    for slot in Slot:
        with pytest.raises(ValueError, match=slot.value) as caught:
            Egress(BASE, {slot: "hunter\r\n2"})
        assert "hunter" not in str(caught.value)


def test_only_a_streamed_body_announces_its_length() -> None:
    with pytest.raises(InvalidRequest):
        leaving(
            WireRequest(method="POST", target="/x", content=FORM, headers=(("Content-Length", "5"),)), SITE
        )


async def test_a_send_that_fails_tells_of_no_secret() -> None:
    async def fail(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError(f"{request.extensions['target']!r}")

    wire = UpstreamWire(
        WireSettings(base_url=BASE),
        credential=CREDENTIAL,
        clock=SystemClock(),
        transport=httpx2.MockTransport(fail),
    )
    call = a_call()
    request = WireRequest(
        method="POST", target="/x", content=FORM, secrets=(("Password", Slot.PASSWORD),), repeatable=True
    )
    with pytest.raises(UpstreamUnavailable) as caught:
        await wire.bound(call).send(request)
    assert len(call.journal.sends) == 1
    for shown in (repr(caught.value), str(caught.value), repr(call), repr(wire)):
        assert PASSWORD not in shown
        assert "p%26ss" not in shown
