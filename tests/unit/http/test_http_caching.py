"""What callers say of an answer's age, and what they are told of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.call import CacheUse
from gateway.http import caching


@pytest.mark.parametrize(
    ("said", "age"),
    [
        (None, None),
        (b"", None),
        (b"max-age=60", 60),
        (b"MAX-AGE=60", 60),
        (b'max-age="60"', 60),
        (b"max-age=0", 0),
        (b"max-age=007", 7),
        (b"max-age=60, max-age=5", 5),
        (b"no-cache", 0),
        (b"No-Cache, max-age=60", 0),
        (b"max-age=60 ,\tno-cache", 0),
        (b'no-cache="Id"', 0),
        (b"no-store, max-age=60, min-fresh=5, max-stale", 60),
        (b"no-store", None),
        (b"only-if-cached", None),
        (b"max-age", None),
        (b"max-age=", None),
        (b"max-age=-1", None),
        (b"max-age=1.5", None),
        (b"max-age = 60", None),
        (b"max-age=6 0", None),
        (b"max-age=x, max-age=60", 60),
        (b"x-max-age=60", None),
        (b"no-cached", None),
        (b'x="a, no-cache, max-age=5"', None),
        (b'x="a\\", no-cache", max-age=5', 5),
    ],
)  # fmt: skip
def test_max_age_and_no_cache_are_read_and_everything_else_ignored(
    said: bytes | None, age: int | None
) -> None:
    assert caching.max_age(said) == age


def test_any_number_of_seconds_is_a_number() -> None:
    age = caching.max_age(b"max-age=" + b"9" * 5000)
    assert age is not None
    assert age > 1e9


@given(st.binary(max_size=80) | st.from_regex(rb'(max-age|no-cache|[=",\\ 0-9])*', fullmatch=True))
def test_nothing_that_is_said_can_do_harm(said: bytes) -> None:
    age = caching.max_age(said)
    assert age is None or age >= 0


@pytest.mark.parametrize(
    ("use", "headers"),
    [
        (None, {}),
        (CacheUse("hit", age=17.2, ttl=42.8), {"cache-status": "ultimo-gateway; hit; ttl=42", "age": "18"}),
        (CacheUse("hit", ttl=60), {"cache-status": "ultimo-gateway; hit; ttl=60", "age": "0"}),
        (CacheUse("miss"), {"cache-status": "ultimo-gateway; fwd=miss"}),
        (CacheUse("miss", stored=True), {"cache-status": "ultimo-gateway; fwd=miss; stored"}),
        (CacheUse("refresh", stored=True), {"cache-status": "ultimo-gateway; fwd=request; stored"}),
        (CacheUse("collapsed"), {"cache-status": "ultimo-gateway; fwd=miss; collapsed"}),
    ],
)
def test_an_answer_says_what_became_of_it(use: CacheUse | None, headers: dict[str, str]) -> None:
    assert {name.decode(): value.decode() for name, value in caching.headers(use)} == headers
