"""JSON bodies of the routes that take many things at once: read, and held against a form of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from contracts.errors import Fault
from contracts.json_objects import MAX_LEVELS, decode_body, pointer
from contracts.schema import suggestion
from gateway.http.exchange import Exchange
from gateway.http.negotiation import require_json

T = TypeVar("T")

_LARGE = 64 * 1024
"""Bytes above which a body is read beside the event loop."""


async def read_body(
    exchange: Exchange,
    limit: int,
    check: Callable[[dict[str, object]], T],
    *,
    levels: int = MAX_LEVELS,
    empty: bytes = b"",
) -> T:
    """What ``check`` makes of the body, of at most ``limit`` bytes; ``empty`` stands for one of no bytes.

    Raises what ``check`` raises, and UnsupportedMediaType, PayloadTooLarge and InvalidBody.
    """
    require_json(exchange.headers.get(b"content-type"), exchange.headers.get(b"content-encoding"))
    raw = await exchange.body(limit) or empty

    def read() -> T:
        return check(decode_body(raw, limit, levels))

    return await asyncio.to_thread(read) if len(raw) > _LARGE else read()


def items(body: Mapping[str, object], name: str, most: int) -> Iterator[Fault]:
    """The faults of a body that is to hold nothing but a list called ``name`` of 1 to ``most`` members."""
    yield from strangers(body, (name,), "")
    value = body.get(name)
    if not isinstance(value, list):
        yield Fault(pointer("", name), "a list is needed")
    elif not 1 <= len(value) <= most:
        yield Fault(pointer("", name), f"1 to {most:,} members are needed, and these are {len(value):,}")


def strangers(value: Mapping[str, object], known: Iterable[str], at: str) -> Iterator[Fault]:
    """A fault for each member that an object does not have."""
    names = tuple(known)
    for name in value:
        if name not in names:
            hint = suggestion(name, names) or f"; there are: {', '.join(names)}"
            yield Fault(pointer(at, name), f"there is no such member{hint}")


def text_fault(value: object, at: str, *, needed: bool = True) -> Iterator[Fault]:
    """A fault for what is no string with something in it; None is none where it is not ``needed``."""
    if value is None and not needed:
        return
    if not isinstance(value, str) or not value:
        yield Fault(at, "a string that is not empty is needed")
