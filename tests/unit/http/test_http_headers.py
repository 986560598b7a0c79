"""Headers, tags, cursors and credentials: the pure parts."""

import contextlib
import time
from collections.abc import Mapping

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import InvalidCursor, InvalidRequest, Unauthenticated
from gateway.http import context
from gateway.http.context import Timeouts
from gateway.http.cursors import Cursors
from gateway.http.etags import entity_tag, parse_tags
from gateway.http.parameters import parse_parameters
from gateway.http.principals import Principals
from gateway.http.tokens import TokenVerifier
from gateway.settings import ClientSettings, JwtSettings, Secret

TIMES = Timeouts(default=30, most=300)


@given(st.text(), st.lists(st.text(), max_size=4))
def test_a_cursor_gives_back_what_it_was_made_of(continuation: str, binding: list[str]) -> None:
    cursors = Cursors(b"secret")
    cursor = cursors.seal(continuation, binding)
    assert cursors.open(cursor, binding) == continuation
    for other in (Cursors(b"another"), cursors):
        with pytest.raises(InvalidCursor):
            other.open(cursor, binding if other is not cursors else [*binding, ""])


@given(st.text(max_size=20), st.data())
def test_a_cursor_that_was_changed_is_refused(continuation: str, data: st.DataObject) -> None:
    cursors = Cursors(b"secret")
    cursor = cursors.seal(continuation, ["a"])
    place = data.draw(st.integers(0, len(cursor) - 2))
    changed = cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :]
    with pytest.raises(InvalidCursor):
        cursors.open(changed, ["a"])


@given(st.text())
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursor):
        Cursors(b"secret").open(text, [])


def test_a_binding_cannot_be_shifted() -> None:
    cursors = Cursors(b"secret")
    with pytest.raises(InvalidCursor):
        cursors.open(cursors.seal("x", ["ab", "c"]), ["a", "bc"])


def test_a_tag_says_which_bytes() -> None:
    assert entity_tag(b"a") != entity_tag(b"b")
    assert entity_tag(b"a") == entity_tag(b"a")


@pytest.mark.parametrize(
    ("header", "tag", "weak", "expected"),
    [
        ('"a"', '"a"', False, True),
        ('"b", "a"', '"a"', False, True),
        ('W/"a"', '"a"', False, False),
        ('W/"a"', '"a"', True, True),
        ("*", '"a"', False, True),
        ("*", None, False, False),
        ('"a"', None, False, False),
        ('"a,b"', '"a"', False, False),
        ('""', '""', False, True),
    ],
)
def test_a_condition_names_tags(header: str, tag: str | None, weak: bool, expected: bool) -> None:
    tags = parse_tags(header.encode("latin-1"))
    assert tags is not None
    assert tags.match(tag, weak=weak) is expected


@pytest.mark.parametrize("header", ["", "a", '"a', '"a" "b"', "*, *", 'w/"a"', '"' * 5000])
def test_what_is_no_list_of_tags_is_refused(header: str) -> None:
    with pytest.raises(InvalidRequest):
        parse_tags(header.encode("latin-1"))


@pytest.mark.parametrize(
    ("given", "seconds"), [(b"1", 1.0), (b"0.5", 0.5), (b"300", 300.0), (None, 30.0)]
)  # fmt: skip
def test_a_timeout_is_in_seconds(given: bytes | None, seconds: float) -> None:
    found = context.circumstances({} if given is None else {b"request-timeout": given}, TIMES)
    assert (found.timeout, found.explicit) == (seconds, given is not None)


@pytest.mark.parametrize("given", [b"0", b"-1", b"301", b"nan", b"inf", b"1e2", b"", b"1,2", b"0x1", b" 1"])
def test_a_timeout_out_of_bounds_is_refused(given: bytes) -> None:
    with pytest.raises(InvalidRequest):
        context.circumstances({b"request-timeout": given}, TIMES)


@pytest.mark.parametrize(
    ("given", "urgency"),
    [
        (b"u=0", 0), (b"u=7", 7), (b"i, u=1", 1), (b"u=1;x, i", 1), (b"u=1, u=5", 5), (b"u=8", 3), (b"u=-1", 3),
        (b"u=1.0", 3), (b"", 3), (b"urgent", 3), (b"au=1", 3), (b"U=1", 3),
    ],
)  # fmt: skip
def test_urgency_is_read_and_what_is_wrong_ignored(given: bytes, urgency: int) -> None:
    assert context.circumstances({b"priority": given}, TIMES).urgency == urgency


@pytest.mark.parametrize("given", [b"nl", b"en-US", b"*", b"nl, en;q=0.5", b"nl;q=1.000 ,en ; q=0"])
def test_languages_are_passed_on(given: bytes) -> None:
    found = context.circumstances({b"accept-language": given, b"content-language": given}, TIMES)
    assert found.accept_language == found.content_language == given.decode()


@pytest.mark.parametrize(
    "given", [b"", b"nl\r\nX: y", b"n\xc3\xa9", b"nl;", b"nl,,en", b"nl;q=2", b"a" * 36, b"nl," * 99]
)
def test_what_is_no_language_is_refused(given: bytes) -> None:
    with pytest.raises(InvalidRequest):
        context.circumstances({b"accept-language": given}, TIMES)


@pytest.mark.parametrize(
    ("given", "key"),
    [
        (b"abc", "abc"),
        (b'"a b"', "a b"),
        (rb'"a\"b\\c"', 'a"b\\c'),
        (b"x" * 255, "x" * 255),
        (b'"' + b"x" * 255 + b'"', "x" * 255),
    ],
)
def test_an_idempotency_key_is_quoted_or_bare(given: bytes, key: str) -> None:
    assert context.circumstances({b"idempotency-key": given}, TIMES).idempotency_key == key


@pytest.mark.parametrize(
    "given", [b"", b'""', b'"a', b"a b", b"x" * 256, b'"' + b"x" * 256 + b'"', b"\xc3\xa9", rb'"\a"']
)
def test_an_idempotency_key_of_another_form_is_refused(given: bytes) -> None:
    with pytest.raises(InvalidRequest):
        context.circumstances({b"idempotency-key": given}, TIMES)


@pytest.mark.parametrize(
    ("given", "accepted"),
    [
        (b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", True),
        (b"ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", False),
        (b"00-00000000000000000000000000000000-b7ad6b7169203331-01", False),
        (b"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", False),
        (b"00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", False),
        (b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\n", False),
    ],
)
def test_a_trace_is_taken_over_when_it_is_one(given: bytes, accepted: bool) -> None:
    assert (context.traceparent({b"traceparent": given}) is not None) is accepted


@given(st.floats(1_600_000_000, 4_000_000_000), st.floats(0.002, 10_000))
def test_new_request_ids_are_uuids_that_sort_by_time(now: float, later: float) -> None:
    first, second = context.request_id({}, now), context.request_id({}, now + later)
    assert first < second
    assert len(first) == 36
    assert (first[14], first[19] in "89ab") == ("7", True)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (b"return=minimal", True), (b'respond-async, return="minimal"', True), (b"return=representation", False),
        (b"return=representation, return=minimal", False), (b"minimal", False), (b"return = minimal;x=1", True),
    ],
)  # fmt: skip
def test_the_first_preference_counts(given: bytes, expected: bool) -> None:
    assert context.minimal({b"prefer": given}) is expected


def test_a_header_that_comes_twice_is_joined() -> None:
    assert context.header_map([(b"accept", b"a"), (b"x", b"1"), (b"accept", b"b")]) == {
        b"accept": b"a, b",
        b"x": b"1",
    }


@given(st.binary(max_size=60))
def test_whatever_query_comes_is_read_or_refused(query: bytes) -> None:
    with contextlib.suppress(InvalidRequest):
        parse_parameters(query, ("filter",))


JWT = JwtSettings(issuer="https://issuer", audience="gateway", algorithms=("HS256",), secret=Secret("s" * 32))
CLIENTS = {"erp": ClientSettings(scopes=frozenset({"read"}), tenants=("*",), subject="robot")}
CLAIMS = {"iss": "https://issuer", "aud": "gateway", "sub": "robot"}


def bearer(token: str) -> Mapping[bytes, bytes]:
    return {b"authorization": b"Bearer " + token.encode()}


def token(secret: str = "s" * 32, algorithm: str = "HS256", **claims: object) -> str:
    return jwt.encode({**CLAIMS, "exp": time.time() + 60, **claims}, secret, algorithm)


def test_a_token_shows_who_its_subject_is() -> None:
    assert Principals(CLIENTS, TokenVerifier(JWT))(bearer(token())).name == "erp"


@pytest.mark.parametrize(
    "wrong",
    [
        token("t" * 32),
        token(algorithm="HS512", secret="s" * 64),
        token(exp=time.time() - 60),
        token(exp=None),
        token(aud="another"),
        token(iss="another"),
        token(sub="nobody"),
        token(sub=None),
        token(nbf=time.time() + 120),
        jwt.encode({**CLAIMS, "exp": time.time() + 60}, "", "none"),
        jwt.encode(CLAIMS, "s" * 32, "HS256"),
        token()[:-3],
        "a.b.c",
        "..",
    ],
)
def test_a_token_that_is_not_meant_for_us_is_refused(wrong: str) -> None:
    with pytest.raises(Unauthenticated) as refused:
        Principals(CLIENTS, TokenVerifier(JWT))(bearer(wrong))
    assert wrong not in refused.value.detail or len(wrong) < 6


def test_a_key_of_a_set_verifies_by_its_id_and_never_as_a_secret() -> None:
    keys = {kid: ec.generate_private_key(ec.SECP256R1()) for kid in ("one", "two")}
    members = [
        jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": kid, "alg": "ES256"}
        for kid, key in keys.items()
    ]
    public = jwt.utils.force_bytes(str(members[0])).decode()
    settings = JwtSettings(issuer="https://issuer", audience="gateway", algorithms=("ES256", "HS256"))
    verifier = TokenVerifier(settings, msgspec.json.encode({"keys": members}).decode())
    claims = {**CLAIMS, "exp": time.time() + 60}
    good = jwt.encode(claims, keys["two"], "ES256", headers={"kid": "two"})
    assert verifier.subject(good) == "robot"
    for wrong in (
        jwt.encode(claims, keys["two"], "ES256", headers={"kid": "one"}),
        jwt.encode(claims, keys["two"], "ES256"),
        jwt.encode(claims, public, "HS256", headers={"kid": "two"}),
    ):
        with pytest.raises(Unauthenticated):
            verifier.subject(wrong)


def test_a_verifier_needs_one_kind_of_key_and_an_algorithm_that_fits_it() -> None:
    keyless = JwtSettings(issuer="i", audience="a")
    unfitting = JwtSettings(issuer="i", audience="a", algorithms=("RS256",), secret=Secret("s" * 32))
    for settings, keys in ((JWT, "{}"), (keyless, None), (keyless, "{}"), (unfitting, None)):
        with pytest.raises(ValueError):
            TokenVerifier(settings, keys)
