"""The path parser against a printer that is its inverse."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.sandbox.errors import Refusal
from adapters.sandbox.paths import KeyPart, Segment, decode_path, parse_path

_NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True).filter(
    lambda name: name.lower() not in ("externalid", "dataprovider")
)
_VALUES = st.text(st.characters(exclude_characters="/", exclude_categories=["Cs", "Cc"]), max_size=8)
_SINGLE = st.builds(lambda value: (KeyPart(None, value),), _VALUES)
_NAMED = st.lists(st.builds(KeyPart, _NAMES, _VALUES), min_size=1, max_size=3).map(tuple).filter(
    lambda parts: len({str(part.name).lower() for part in parts}) == len(parts)
)  # fmt: skip
_SEGMENTS = st.lists(
    st.builds(Segment, _NAMES, st.one_of(st.just(()), _SINGLE, _NAMED)), min_size=1, max_size=4
)


def _print(segment: Segment) -> str:
    if not segment.key:
        return segment.name
    parts = []
    for part in segment.key:
        value = part.value.replace("'", "''")
        parts.append(f"'{value}'" if part.name is None else f"{part.name}='{value}'")
    return f"{segment.name}({','.join(parts)})"


@given(_SEGMENTS)
def test_what_is_printed_is_read_back(segments: list[Segment]) -> None:
    assert parse_path("/".join(map(_print, segments))) == segments


@given(st.text(max_size=40))
def test_no_text_breaks_the_parser(text: str) -> None:
    with suppress(Refusal):
        parse_path(decode_path(text))


@pytest.mark.parametrize("character", list("<>*%&:\\?"))
def test_dangerous_characters_are_refused_even_encoded(character: str) -> None:
    with pytest.raises(Refusal):
        decode_path(f"Building('%{ord(character):02X}')")
    if character != "%":
        with pytest.raises(Refusal):
            decode_path(f"Building('{character}')")
