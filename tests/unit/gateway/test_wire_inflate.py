"""Inflation: whatever the chunks, the same content; never more than the cap; nothing broken passes."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import Outcome, UpstreamInvalidResponse
from gateway.wire.inflate import PIECE, Inflater

CAP = 1_000_000


def raw_deflate(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


PACKERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("X-GZip", gzip.compress),
    "deflate with the zlib header": ("deflate", zlib.compress),
    "bare deflate": ("deflate", raw_deflate),
    "two gzip members": (
        "gzip",
        lambda content: (
            gzip.compress(content[: len(content) // 2]) + gzip.compress(content[len(content) // 2 :])
        ),
    ),
    "identity": ("identity", bytes),
    "nothing": ("", bytes),
}


def inflated(encoding: str, chunks: list[bytes], cap: int = CAP) -> bytes:
    inflater = Inflater(encoding, cap)
    pieces = [piece for chunk in chunks for piece in inflater.feed(chunk)]
    inflater.finish()
    return b"".join(pieces)


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@pytest.mark.parametrize("how", PACKERS)
@given(content=st.binary(max_size=2000), size=st.integers(1, 700))
def test_any_cut_inflates_to_the_same(how: str, content: bytes, size: int) -> None:
    encoding, pack = PACKERS[how]
    assert inflated(encoding, cut(pack(content), size)) == content


@pytest.mark.parametrize("how", ["gzip", "deflate with the zlib header", "bare deflate"])
@pytest.mark.parametrize("full", [1, 3])
def test_nothing_stays_behind_in_a_full_piece(how: str, full: int) -> None:
    encoding, pack = PACKERS[how]
    for length in range(full * PIECE - 2, full * PIECE + 260, 3):
        content = bytes(length)
        inflater = Inflater(encoding, CAP)
        pieces = list(inflater.feed(pack(content)))
        inflater.finish()
        assert b"".join(pieces) == content
        assert max(map(len, pieces)) <= PIECE


def test_a_bomb_is_stopped_within_one_piece_of_the_cap() -> None:
    pieces: list[bytes] = []
    bomb = gzip.compress(bytes(67_000_000), compresslevel=1)
    with pytest.raises(UpstreamInvalidResponse, match="larger than"):
        pieces.extend(Inflater("gzip", CAP).feed(bomb))
    assert sum(map(len, pieces)) <= CAP


def test_the_cap_holds_on_the_wire_too() -> None:
    with pytest.raises(UpstreamInvalidResponse, match="larger than the 10 bytes"):
        inflated("", [b"123456", b"123456"], cap=10)


@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_exactly_the_cap_is_allowed(encoding: str) -> None:
    content = bytes(range(100))
    data = gzip.compress(content) if encoding else content
    cap = len(data) if encoding else 100
    assert inflated(encoding, [data], cap=max(cap, 100)) == content


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
@given(content=st.binary(min_size=1, max_size=500), lost=st.integers(1, 20))
def test_what_is_cut_off_does_not_pass(encoding: str, content: bytes, lost: int) -> None:
    data = (gzip.compress if encoding == "gzip" else zlib.compress)(content)
    left = data[: max(1, len(data) - lost)]
    with pytest.raises(UpstreamInvalidResponse) as caught:
        inflated(encoding, [left])
    assert caught.value.outcome is Outcome.UNKNOWN


@given(garbage=st.binary(min_size=20, max_size=200).filter(lambda data: data[:2] != b"\x1f\x8b"))
def test_garbage_is_not_gzip(garbage: bytes) -> None:
    with pytest.raises(UpstreamInvalidResponse, match="damaged"):
        inflated("gzip", [garbage])


def test_an_empty_body_is_empty_whatever_its_encoding() -> None:
    assert inflated("gzip", []) == b""


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "compress", "GZIP;q=1"])
def test_what_was_not_asked_for_is_refused(encoding: str) -> None:
    with pytest.raises(UpstreamInvalidResponse, match="not asked for"):
        Inflater(encoding, CAP)
