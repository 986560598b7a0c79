"""The elements of an array whose text comes in pieces: the same however it is cut, and nothing lost before a break."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters._json_elements import JsonElements
from contracts.records import MalformedAnswer
from tests.unit.adapters.connectors.rig import cut

SIZES = st.lists(st.integers(0, 12), max_size=30)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def elements(pieces: list[str]) -> list[object]:
    reader = JsonElements()
    found = [item for piece in pieces for item in reader.feed(piece)]
    reader.finish()
    return found


@given(
    st.lists(VALUES, max_size=5), st.none() | st.dictionaries(st.text(), st.integers()), SIZES, st.booleans()
)
def test_any_array_comes_out_as_it_is_however_it_is_cut(
    array: list[object], around: dict[str, object] | None, sizes: list[int], ascii: bool
) -> None:
    whole = array if around is None else {**around, "items": array, "count": [1, {"a": [2]}]}
    assert elements(cut(json.dumps(whole, ensure_ascii=ascii, indent=1), sizes)) == array


def test_an_escape_that_is_cut_takes_nothing_with_it() -> None:
    array = ['\\"[{', "\n,]", "\\"]
    assert elements(list(json.dumps(array))) == array
    for cut_at in range(30):
        assert elements(cut(json.dumps(array), [cut_at])) == array


@given(st.lists(VALUES, min_size=1, max_size=5), st.data())
def test_what_came_whole_before_a_break_is_given_and_the_break_is_told(
    array: list[object], data: st.DataObject
) -> None:
    text = json.dumps({"items": array})
    kept = data.draw(st.integers(0, len(text) - 1))
    reader = JsonElements()
    found = reader.feed(text[:kept])
    assert found == array[: len(found)]
    with pytest.raises(MalformedAnswer):
        reader.finish()


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "{}",
        '{"a": 1}',
        '{"a": {"b": [1]}}',
        "[1,]",
        "[,1]",
        "[1",
        "[1]]",
        "[1}",
        '{"a": [1]',
        "[1] [2]",
        "[1] x",
        "<html></html>",
        "[tru]",
        '["\\ud800"]',
        "[" * 100_000,
        '{"a": [1] "b": 2}',
        "]",
    ],
)
def test_what_is_no_list_is_told(text: str) -> None:
    with pytest.raises(MalformedAnswer) as told:
        elements([text])
    assert len(str(told.value)) < 60


def test_elements_before_a_fault_are_given_first_and_none_after_it() -> None:
    reader = JsonElements()
    assert reader.feed("[1, 2, x,") == [1, 2]
    with pytest.raises(MalformedAnswer):
        reader.feed("4]")
    with pytest.raises(MalformedAnswer):
        reader.finish()


def test_an_element_that_never_ends_is_refused() -> None:
    with pytest.raises(MalformedAnswer, match="too long"):
        elements(['["', *["x" * 1_000_000] * 17])
