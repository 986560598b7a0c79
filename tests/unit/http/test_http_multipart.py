"""Forms in pieces: however they are cut on the way, the parts are the same."""

import contextlib
import itertools
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import InvalidBody, PayloadTooLarge
from gateway.http import multipart
from gateway.http.multipart import MAX_FIELD, MAX_PARTS, Uploads

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["C"], exclude_characters='"\\%'), min_size=1)
Part = tuple[str, str | None, bytes]


def body(parts: list[Part]) -> bytes:
    out = b""
    for name, filename, content in parts:
        extra = "" if filename is None else f'; filename="{filename}"'
        out += (
            f'--b\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n'.encode()
            + content
            + b"\r\n"
        )
    return out + b"--b--\r\n"


def receiving(raw: bytes, cuts: list[int]) -> Callable[[], Awaitable[tuple[bytes, bool]]]:
    places = [0, *sorted(cut % (len(raw) + 1) for cut in cuts), len(raw)]
    pieces = [raw[begin:end] for begin, end in itertools.pairwise(places)]

    async def receive() -> tuple[bytes, bool]:
        piece = pieces.pop(0)
        return piece, bool(pieces)

    return receive


async def read(uploads: Uploads) -> list[Part]:
    parts: list[Part] = []
    async for part in uploads:
        if isinstance(part.content, bytes):
            parts.append((part.name, part.filename, part.content))
        else:
            parts.append((part.name, part.filename, b"".join([chunk async for chunk in part.content])))
    return parts


@given(
    parts=st.lists(st.tuples(NAMES, st.none() | NAMES, st.binary(max_size=200)), min_size=1, max_size=5),
    cuts=st.lists(st.integers(0, 10_000), max_size=20),
)
async def test_parts_are_the_same_however_the_body_is_cut(parts: list[Part], cuts: list[int]) -> None:
    raw = body(parts)
    assert await read(Uploads(b"b", receiving(raw, cuts), len(raw))) == parts


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=5))
async def test_whatever_comes_is_read_or_refused(raw: bytes, cuts: list[int]) -> None:
    with contextlib.suppress(InvalidBody, PayloadTooLarge):
        await read(Uploads(b"b", receiving(raw, cuts), 1000))


async def test_a_file_that_is_not_read_is_skipped() -> None:
    raw = body([("a", "x.bin", b"1" * 1000), ("b", None, b"2")])
    names = [part.name async for part in Uploads(b"b", receiving(raw, [50, 500]), len(raw))]
    assert names == ["a", "b"]


async def test_a_file_comes_in_pieces_and_not_whole() -> None:
    raw = body([("a", "x.bin", b"1" * 1000)])
    async for part in Uploads(b"b", receiving(raw, [200, 400, 600, 800]), len(raw)):
        assert not isinstance(part.content, bytes)
        sizes = [len(chunk) async for chunk in part.content]
        assert len(sizes) > 3
        assert sum(sizes) == 1000


async def test_there_are_limits_to_everything() -> None:
    for raw in (body([("a", None, b"1" * (MAX_FIELD + 1))]), body([("a", None, b"1")] * (MAX_PARTS + 1))):
        with pytest.raises(PayloadTooLarge):
            await read(Uploads(b"b", receiving(raw, []), len(raw)))
    raw = body([("a", "f", b"1")])
    with pytest.raises(PayloadTooLarge):
        await read(Uploads(b"b", receiving(raw, []), len(raw) - 1))


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        (b"multipart/form-data; boundary=abc", b"abc"),
        (b'multipart/form-data; charset=utf-8; boundary="a b"', b"a b"),
    ],
)
def test_the_boundary_is_in_the_content_type(content_type: bytes, expected: bytes) -> None:
    assert multipart.boundary(content_type) == expected


@pytest.mark.parametrize(
    "content_type", [b"multipart/form-data", b"multipart/form-data; boundary=", b"x; boundary=" + b"x" * 71]
)
def test_without_a_boundary_there_are_no_parts(content_type: bytes) -> None:
    with pytest.raises(InvalidBody):
        multipart.boundary(content_type)
