"""JSON bodies, read strictly."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import InvalidBody, PayloadTooLarge
from contracts.json_objects import MAX_FAULTS, MAX_LEVELS, decode_body

LIMIT = 1_000_000


def nested(levels: int, inner: bytes = b"1") -> bytes:
    return b'{"a":' * levels + inner + b"}" * levels


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (b"{}", {}),
        (b'\xef\xbb\xbf {"a": 1}', {"a": 1}),
        (b'{"a": 1.10, "b": -0, "c": 1E2}', {"a": Decimal("1.10"), "b": 0, "c": Decimal(100)}),
        (b'{"a": {"b": 1}, "c": {"b": 2}}', {"a": {"b": 1}, "c": {"b": 2}}),
        (b'{"a": "\\ud83d\\ude00 {[\\"{"}', {"a": '\U0001f600 {["{'}),
        (b'{"a": [{"b": [null, true]}]}', {"a": [{"b": [None, True]}]}),
    ],
)
def test_an_object_is_read(raw: bytes, body: object) -> None:
    assert decode_body(raw, LIMIT) == body


def test_decimals_keep_what_the_caller_wrote() -> None:
    assert (
        str(decode_body(b'{"a": 0.10000000000000000000000001}', LIMIT)["a"]) == "0.10000000000000000000000001"
    )


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "the body is empty; send a JSON object"),
        (b"\xef\xbb\xbf \n", "the body is empty"),
        (b"{", "not JSON"),
        (b"{'a': 1}", "line 1 column 2"),
        (b'{"a": 1} 2', "not JSON"),
        (b"\xff{}", "not UTF-8: byte 0"),
        (b"[]", "not one JSON object"),
        (b"null", "not one JSON object"),
        (b'"text"', "not one JSON object"),
        pytest.param(b'{"a": "' + b'\\"' * 400_000, "not JSON", id="unclosed string"),
    ],
)
def test_what_is_no_object_is_refused(raw: bytes, said: str) -> None:
    with pytest.raises(InvalidBody, match=said):
        decode_body(raw, LIMIT)


@pytest.mark.parametrize(
    ("raw", "pointers"),
    [
        (b'{"a": 1, "a": 1}', ["/a"]),
        (b'{"a": [0, {"x/y": {"b~": 1, "c": 2, "b~": 3}}]}', ["/a/1/x~1y/b~0"]),
        (b'{"a": {"b": 1, "b": 1}, "a": NaN}', ["/a/b", "/a", "/a"]),
        (b'{"a": [1, -Infinity]}', ["/a/1"]),
        (b'{"a": 1e99999999}', ["/a"]),
        (b'{"a": 1e-99999999}', ["/a"]),
        (b'{"a": 1e99999999999999999999}', ["/a"]),
        pytest.param(b'{"a": ' + b"9" * 5000 + b"}", ["/a"], id="long integer"),
        pytest.param(b'{"a": 0.' + b"9" * 5000 + b"}", ["/a"], id="long decimal"),
        (b'{"a": ["x", "\\ud800"]}', ["/a/1"]),
        (b'{"\\udfff": 1}', ["/\ufffd"]),
    ],
)
def test_each_doubtful_thing_is_pointed_at(raw: bytes, pointers: list[str]) -> None:
    with pytest.raises(InvalidBody) as caught:
        decode_body(raw, LIMIT)
    assert [fault.pointer for fault in caught.value.faults] == pointers


def test_not_every_fault_of_very_many_is_told() -> None:
    with pytest.raises(InvalidBody, match=r"^/a/0: .* \(and at least 50 more\)$") as caught:
        decode_body(b'{"a": [' + b",".join([b"NaN"] * 10_000) + b"]}", LIMIT)
    assert len(caught.value.faults) == MAX_FAULTS


def test_the_way_to_a_fault_costs_nothing_where_there_is_none() -> None:
    """A name of 10 MB before 400,000 members: carried along, it would be terabytes."""
    members = b",".join(b'"%d":1' % number for number in range(400_000))
    raw = b'{"' + b"x" * 10_000_000 + b'":{' + members + b',"y":NaN}}'
    with pytest.raises(InvalidBody) as caught:
        decode_body(raw, 20_000_000)
    (fault,) = caught.value.faults
    assert fault.pointer == "/" + "x" * 100 + "…/y"


def test_nesting_ends_at_64_levels() -> None:
    assert decode_body(nested(MAX_LEVELS), LIMIT)
    assert decode_body(nested(MAX_LEVELS - 1, b"[1]"), LIMIT)


@pytest.mark.parametrize(
    "raw",
    [
        nested(MAX_LEVELS + 1),
        nested(MAX_LEVELS, b"[]"),
        b'{"a":' + b"[" * 400_000,
        nested(100_000),
        nested(MAX_LEVELS, b'{"a": NaN}'),
        nested(900, b"NaN"),
        nested(900, b'"\\ud800"'),
    ],
    ids=["object", "list", "unclosed", "deepest", "odd", "odder", "surrogate"],
)
def test_deeper_nesting_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidBody, match="64 levels"):
        decode_body(raw, LIMIT)


def test_brackets_in_strings_are_no_levels() -> None:
    assert decode_body(json.dumps({"a": "[" * 1000}).encode(), LIMIT) == {"a": "[" * 1000}


def test_many_objects_beside_each_other_are_not_deep() -> None:
    assert len(decode_body(json.dumps({str(n): {"x": [n]} for n in range(500)}).encode(), LIMIT)) == 500


def test_a_body_may_be_as_large_as_the_limit_and_no_larger() -> None:
    raw = b'{"a": 1}'
    assert decode_body(raw, len(raw)) == {"a": 1}
    with pytest.raises(PayloadTooLarge, match="8 bytes, and 7"):
        decode_body(raw, len(raw) - 1)


trees = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), trees, max_size=4), st.booleans())
def test_what_a_caller_writes_is_what_is_read(body: dict[str, object], ascii_only: bool) -> None:
    assert decode_body(json.dumps(body, ensure_ascii=ascii_only).encode(), LIMIT) == body


@given(st.binary(max_size=60) | st.text(alphabet='{}[]":,\\u01dae ', max_size=40).map(str.encode))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    try:
        body = decode_body(raw, LIMIT)
    except InvalidBody:
        return
    assert isinstance(body, dict)
