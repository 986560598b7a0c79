"""An answer as a store keeps it, to be given again byte for byte."""

from __future__ import annotations

import asyncio
import zlib

import msgspec

from gateway.http.answers import Answer, Header

LARGE = 2048
"""Bytes above which an answer is kept compressed."""

_ASIDE = 64 * 1024
"""Bytes above which an answer is compressed beside the event loop."""

_PLAIN, _DEFLATED = b"\0", b"\1"


class Kept(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """The answer of a call under an idempotency key, and what it had cost.

    ``headers`` are its own: who it was for and what it took stand anew on each repetition. ``form`` tells what the
    form of the request held (:class:`~gateway.http.fingerprint.FormDigest`).
    """

    status: int
    headers: tuple[Header, ...]
    body: bytes
    units: int = 0
    operation: str = ""
    form: bytes | None = None

    def answer(self, *further: Header) -> Answer:
        """The same answer, with further headers."""
        return Answer(self.status, self.body, self.headers + further)


async def encoded(kept: Kept) -> bytes:
    """Bytes for a store."""
    return await asyncio.to_thread(_encode, kept) if len(kept.body) > _ASIDE else _encode(kept)


async def decoded(stored: bytes) -> Kept:
    """What :func:`encoded` was given. Raises ValueError for other bytes."""
    # A compressed answer does not tell its size: results that are all alike shrink to a thousandth.
    return await asyncio.to_thread(_decode, stored) if len(stored) > LARGE else _decode(stored)


def _encode(kept: Kept) -> bytes:
    plain = msgspec.msgpack.encode(kept)
    return _PLAIN + plain if len(plain) <= LARGE else _DEFLATED + zlib.compress(plain, 1)


def _decode(stored: bytes) -> Kept:
    try:
        plain = zlib.decompress(stored[1:]) if stored[:1] == _DEFLATED else stored[1:]
    except zlib.error as error:
        raise ValueError(f"the stored answer cannot be read: {error}") from error
    return msgspec.msgpack.decode(plain, type=Kept)
