"""Answers as a store keeps them."""

from __future__ import annotations

import asyncio

import pytest

from gateway.http.kept import LARGE, Kept, decoded, encoded

HEADERS = ((b"etag", b'"a"'), (b"location", b"/v1/demo/objects/Job/1"))


@pytest.mark.parametrize("size", [0, 1, LARGE, 100_000])
async def test_an_answer_comes_back_byte_for_byte(size: int) -> None:
    kept = Kept(status=201, headers=HEADERS, body=b"x" * size, units=3, operation="create", form=b"f")
    assert await decoded(await encoded(kept)) == kept


async def test_what_is_large_is_read_beside_the_loop_however_small_it_has_become() -> None:
    stored = await encoded(Kept(status=200, headers=(), body=b"x" * 10_000_000))
    assert len(stored) < 64 * 1024
    reading = asyncio.create_task(decoded(stored))
    await asyncio.sleep(0)
    assert not reading.done()
    assert len((await reading).body) == 10_000_000


@pytest.mark.parametrize("stored", [b"", b"\1x", b"\0\xc1", b"\0\x91\xcc"])
async def test_what_is_no_answer_is_refused(stored: bytes) -> None:
    with pytest.raises(ValueError):
        await decoded(stored)
