"""What may leave: only below the one address, byte for byte, and nothing that breaks the message."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import InvalidRequest, Outcome, UpstreamAuthFailed
from contracts.wire import HeaderValue, Slot, WireRequest
from gateway.wire.egress import Body, Egress
from tests.faults.wires import SECRET, a_call

BASE = "https://upstream.example/Ultimo/api/v1"
EGRESS = Egress(BASE, {Slot.API_KEY: SECRET})


def leaving(request: WireRequest, egress: Egress = EGRESS) -> httpx2.Request:
    return egress.request(request, a_call(traceparent="00-ab-cd-01"), {})


def target(text: str) -> WireRequest:
    return WireRequest(method="GET", target=text)


@pytest.mark.parametrize(
    "text",
    [
        "/object/Equipment('00001')",
        "/object/Equipment?filter=Id%20eq%20'01%2F02'&top=1",
        "/object/Equipment('%2E%2E')",
        "/object/Equipment('a..b')/x.y",
        "/object/Equipment?filter=a/../b",
        "/object//Equipment",
        "/",
        "/batch?a?b",
    ],
)
def test_a_target_leaves_as_it_is(text: str) -> None:
    request = leaving(target(text))
    assert request.extensions["target"] == b"/Ultimo/api/v1" + text.encode()
    assert str(request.url) == BASE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "object/Equipment",
        "https://other.example/",
        "@other.example/",
        "/../secret",
        "/object/..",
        "/object/../../x",
        "/./object",
        "/object/.?x=1",
        "/a b",
        "/a#b",
        "/a\r\nHost: other.example",
        "/a\n",
        "/a\x00",
        "/a\tb",
        "/a\\b",
        "/caf\u00e9",
        '/a"b',
        "/a<b",
        "/100%",
        "/%zz",
        "/a?",
    ],
)
def test_a_target_that_could_lead_elsewhere_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        leaving(target(text))
    assert caught.value.outcome is Outcome.NOT_SENT


@given(st.text(max_size=60))
def test_no_target_leaves_the_prefix(text: str) -> None:
    try:
        request = leaving(target("/" + text))
    except InvalidRequest:
        return
    sent: bytes = request.extensions["target"]
    assert sent == b"/Ultimo/api/v1/" + text.encode("ascii")
    assert httpx2.URL("https://upstream.example" + sent.decode()).raw_path == sent


def test_the_headers_are_the_wires_and_the_adapters() -> None:
    request = leaving(
        WireRequest(method="GET", target="/x", headers=(("ApiKey", Slot.API_KEY), ("Accept-Language", "NL")))
    )
    headers = dict(request.headers.raw)
    assert headers.pop(b"User-Agent").startswith(b"ultimo-gateway/")
    assert headers == {
        b"Host": b"upstream.example",
        b"Accept-Encoding": b"gzip, deflate",
        b"X-Request-Id": b"req-1",
        b"traceparent": b"00-ab-cd-01",
        b"ApiKey": SECRET.encode(),
        b"Accept-Language": b"NL",
    }


def test_what_other_tracing_systems_say_leaves_with_the_trace_alone() -> None:
    def sent(traceparent: str | None) -> httpx2.Headers:
        call = msgspec.structs.replace(a_call(traceparent=traceparent), tracestate="a=b")
        return EGRESS.request(target("/object/Equipment"), call, {}).headers

    assert sent("00-ab-cd-01")["tracestate"] == "a=b"
    assert "tracestate" not in sent(None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-A", "a\r\nX-B: c"),
        ("X-A", "a\nb"),
        ("X-A", "a\x00b"),
        ("X-A", "\u20ac"),
        ("X-A\r\nX-B", "c"),
        ("X A", "c"),
        ("", "c"),
        ("Host", "other.example"),
        ("transfer-encoding", "chunked"),
        ("Connection", "close"),
        ("Cookie", "a=b"),
        ("Content-Length", "5"),
    ],
)
def test_a_header_that_breaks_the_message_is_refused(name: str, value: HeaderValue) -> None:
    with pytest.raises(InvalidRequest):
        leaving(WireRequest(method="POST", target="/x", headers=((name, value),), content=b"hello"))


@pytest.mark.parametrize("method", ["CONNECT", "get", "GET /x HTTP/1.1\r\n", ""])
def test_a_method_that_is_none_is_refused(method: str) -> None:
    with pytest.raises(InvalidRequest):
        leaving(WireRequest(method=method, target="/x"))


def test_a_caller_cannot_smuggle_through_the_request_id() -> None:
    call = msgspec.structs.replace(a_call(), request_id="a\r\nApiKey: other")
    with pytest.raises(InvalidRequest):
        EGRESS.request(target("/x"), call, {})


def test_without_the_credential_nothing_leaves() -> None:
    with pytest.raises(UpstreamAuthFailed) as caught:
        leaving(WireRequest(method="GET", target="/x", headers=(("ApiKey", Slot.API_KEY),)), Egress(BASE, {}))
    assert caught.value.outcome is Outcome.NOT_SENT


def test_a_secret_that_no_header_can_carry_is_refused_at_the_start_and_not_shown() -> None:
    with pytest.raises(ValueError, match="api_key") as caught:
        Egress(BASE, {Slot.API_KEY: SECRET + "\n"})
    assert SECRET not in str(caught.value)


def test_no_representation_shows_the_secret() -> None:
    request = leaving(WireRequest(method="GET", target="/x", headers=(("ApiKey", Slot.API_KEY),)))
    assert SECRET not in f"{EGRESS!r}{EGRESS}{request!r}{request}{request.stream!r}"


@pytest.mark.parametrize(
    "base_url",
    [
        "upstream.example",
        "ftp://upstream.example",
        "https://",
        "https://name:secret@upstream.example",
        "https://upstream.example/?a=b",
        "https://upstream.example/?",
        "https://upstream.example/#a",
        "https://upstream.example:port",
    ],
)
def test_an_address_that_is_none_is_refused_at_the_start(base_url: str) -> None:
    with pytest.raises(ValueError, match="the upstream's address"):
        Egress(base_url, {})


def framing(request: httpx2.Request) -> set[tuple[bytes, bytes]]:
    return {
        (name, value)
        for name, value in request.headers.raw
        if name.lower() in (b"content-length", b"transfer-encoding")
    }


async def pieces(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def test_a_body_is_framed_once() -> None:
    def of(
        method: str, content: bytes | AsyncIterator[bytes] | None, *headers: tuple[str, str]
    ) -> set[object]:
        return set(
            framing(leaving(WireRequest(method=method, target="/x", content=content, headers=headers)))
        )

    assert of("GET", None) == set()
    assert of("DELETE", None) == set()
    assert of("POST", None) == {(b"Content-Length", b"0")}
    assert of("POST", b"hello") == {(b"Content-Length", b"5")}
    assert of("POST", pieces(b"a")) == {(b"Transfer-Encoding", b"chunked")}
    assert of("POST", pieces(b"a"), ("content-length", "1")) == {(b"content-length", b"1")}


@pytest.mark.parametrize("announced", ["five", "-1", "1, 1", "\u0661"])
async def test_a_length_that_is_no_number_is_refused(announced: str) -> None:
    with pytest.raises(InvalidRequest):
        leaving(
            WireRequest(
                method="POST", target="/x", content=pieces(b"a"), headers=(("Content-Length", announced),)
            )
        )


@pytest.mark.parametrize("announced", [2, 4])
async def test_a_source_of_another_length_is_refused(announced: int) -> None:
    body = Body(pieces(b"a", b"bc"), announced)
    with pytest.raises(InvalidRequest) as caught:
        async for _ in body:
            pass
    assert body.error is caught.value


async def test_a_source_of_the_right_length_passes() -> None:
    body = Body(pieces(b"a", b"", b"bc"), 3)
    assert [chunk async for chunk in body] == [b"a", b"", b"bc"]
    assert body.error is None
