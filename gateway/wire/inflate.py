"""Compressed answers, inflated under a cap: a few hundred kilobytes can stand for gigabytes.

Pure: bytes in, bytes out. Knows gzip and deflate (RFC 9110 §8.4.1), which is what the wire asks for.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from contracts.errors import UpstreamInvalidResponse

PIECE = 256 * 1024
"""The most bytes that one piece of inflated content has."""

_GZIP = 16 + zlib.MAX_WBITS
_ZLIB = zlib.MAX_WBITS
_RAW = -zlib.MAX_WBITS
_WINDOWS = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": _ZLIB}


class Inflater:
    """The body of one answer: raw chunks go in, pieces of content come out.

    Raises :class:`~contracts.errors.UpstreamInvalidResponse` for an encoding that was not asked
    for, for broken or truncated data, and when either side of it exceeds ``cap`` bytes.
    """

    def __init__(self, encoding: str, cap: int) -> None:
        """``encoding`` is the value of ``Content-Encoding``, empty where there is none."""
        self._encoding = encoding.strip().lower()
        if self._encoding not in ("", "identity", *_WINDOWS):
            raise UpstreamInvalidResponse("the answer is encoded in a way that was not asked for")
        self._cap = cap
        self._taken = 0
        self._given = 0
        self._plain = self._encoding not in _WINDOWS
        self._inflating: zlib._Decompress | None = None

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The content that ``chunk`` completes, in pieces of at most :data:`PIECE` bytes when inflated."""
        self._taken += len(chunk)
        if self._taken > self._cap:
            raise self._too_large()
        if self._plain:
            yield chunk
            return
        try:
            yield from self._inflated(chunk)
        except zlib.error:
            raise UpstreamInvalidResponse("the compressed answer is damaged") from None

    def finish(self) -> None:
        """There is no more: raises when the compressed data is not complete."""
        if self._taken and not self._plain and not (self._inflating and self._inflating.eof):
            raise UpstreamInvalidResponse("the compressed answer is incomplete")

    def _inflated(self, chunk: bytes) -> Iterator[bytes]:
        piece = b""
        # A full piece may leave more inside the inflater, with no input left to show for it.
        while chunk or len(piece) == PIECE:
            if self._inflating is None or (chunk and self._inflating.eof):
                # After the end of a member, what follows is the next one (RFC 1952 §2.2).
                self._inflating = zlib.decompressobj(self._window(chunk))
            piece = self._inflating.decompress(chunk, PIECE)
            self._given += len(piece)
            if self._given > self._cap:
                raise self._too_large()
            if piece:
                yield piece
            chunk = self._inflating.unconsumed_tail or self._inflating.unused_data

    def _window(self, chunk: bytes) -> int:
        window = _WINDOWS[self._encoding]
        # Many send the bare stream as "deflate"; the zlib header would begin with method 8 (RFC 1950 §2.2).
        if window == _ZLIB and chunk[0] & 0x0F != 8:
            return _RAW
        return window

    def _too_large(self) -> UpstreamInvalidResponse:
        return UpstreamInvalidResponse(f"the answer is larger than the {self._cap} bytes allowed")
