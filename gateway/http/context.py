"""Headers to the circumstances of a call: who to name it after, by when, how urgent, in which language, how new."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping

import msgspec

from contracts.errors import InvalidRequest
from gateway.http import caching
from gateway.http.negotiation import media_type

Headers = Mapping[bytes, bytes]

_REQUEST_ID = re.compile(rb"[\x21-\x7e]{1,128}")
_TRACEPARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_TRACESTATE = re.compile(rb"[\x20-\x7e\t]{1,512}")
_SECONDS = re.compile(rb"\d{1,9}(?:\.\d{1,9})?")
_URGENCY = re.compile(rb"(?:^|,)[ \t]*u=([0-7])[ \t]*(?=$|[,;])")
_LANGUAGE = re.compile(
    rb"(?:[A-Za-z0-9-]{1,35}|\*)(?:\s*;\s*q=[01](?:\.\d{0,3})?)?"
    rb"(?:\s*,\s*(?:[A-Za-z0-9-]{1,35}|\*)(?:\s*;\s*q=[01](?:\.\d{0,3})?)?)*"
)
_KEY_QUOTED = re.compile(rb'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\]){1,510})"')
_KEY_BARE = re.compile(rb"[\x21\x23-\x7e]{1,255}")
_MAX_KEY = 255
_MAX_LANGUAGE = 255


class Timeouts(msgspec.Struct, frozen=True):
    """Seconds: what a call gets when its caller does not say, and the most that a caller may ask for.

    A form with files gets the most (500 MB in the default would need a line of 17 MB/s), and so does what
    carries many records. ``idle`` is how long the reader of a stream may take nothing of it.
    """

    default: float = 30.0
    most: float = 300.0
    idle: float = 60.0


class Circumstances(msgspec.Struct, frozen=True, kw_only=True):
    """``timeout`` and ``max_age`` are in seconds; ``explicit`` says that the caller gave the timeout."""

    timeout: float
    explicit: bool
    urgency: int
    accept_language: str | None
    content_language: str | None
    idempotency_key: str | None
    max_age: float | None = None


def header_map(raw: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Headers by lower-case name; one that comes several times is joined with a comma (RFC 9110 §5.3)."""
    pairs = raw if isinstance(raw, list) else list(raw)
    headers = dict(pairs)
    if len(headers) == len(pairs):
        return headers
    joined: dict[bytes, bytes] = {}
    for name, value in pairs:
        joined[name] = joined[name] + b", " + value if name in joined else value
    return joined


def request_id(headers: Headers, now: float) -> str:
    """The caller's ``X-Request-Id`` when it is 1 to 128 visible ASCII characters, else a new UUIDv7 (RFC 9562)."""
    given = headers.get(b"x-request-id")
    if given is not None and _REQUEST_ID.fullmatch(given):
        return given.decode("ascii")
    noise = int.from_bytes(os.urandom(10), "big")
    low = 0x8000 | noise >> 48 & 0x3FFF
    return (
        f"{int(now * 1000) >> 16:08x}-{int(now * 1000) & 0xFFFF:04x}-7{noise >> 64 & 0xFFF:03x}"
        f"-{low:04x}-{noise & 0xFFFFFFFFFFFF:012x}"
    )


def traceparent(headers: Headers) -> str | None:
    """The caller's ``traceparent`` when it is well formed (W3C Trace Context §3.2); any other is ignored."""
    given = headers.get(b"traceparent")
    return given.decode("ascii") if given is not None and _TRACEPARENT.fullmatch(given) else None


def tracestate(headers: Headers) -> str | None:
    """The caller's ``tracestate``, which is others' and passed on as it is; one that is too long is ignored (§3.3)."""
    given = headers.get(b"tracestate")
    return given.decode("ascii") if given is not None and _TRACESTATE.fullmatch(given) else None


def circumstances(headers: Headers, timeouts: Timeouts, *, patient: bool = False) -> Circumstances:
    """Everything else that headers say of a call; a ``patient`` one gets the longest time where they do not.

    Raises :class:`InvalidRequest`.
    """
    timeout = _timeout(headers.get(b"request-timeout"), timeouts)
    unsaid = timeouts.most if patient or _form(headers.get(b"content-type")) else timeouts.default
    return Circumstances(
        timeout=unsaid if timeout is None else timeout,
        explicit=timeout is not None,
        urgency=_urgency(headers.get(b"priority")),
        accept_language=_language("Accept-Language", headers.get(b"accept-language")),
        content_language=_language("Content-Language", headers.get(b"content-language")),
        idempotency_key=_idempotency_key(headers.get(b"idempotency-key")),
        max_age=caching.max_age(headers.get(b"cache-control")),
    )


def minimal(headers: Headers) -> bool:
    """Whether the caller asks for the key alone: ``Prefer: return=minimal`` (RFC 7240 §4.2)."""
    given = headers.get(b"prefer")
    if given is None:
        return False
    preferences = [
        item.partition(b";")[0].replace(b" ", b"").replace(b'"', b"") for item in given.lower().split(b",")
    ]
    returns = [item for item in preferences if item.startswith(b"return=")]
    return bool(returns) and returns[0] == b"return=minimal"


def _form(content_type: bytes | None) -> bool:
    return content_type is not None and media_type(content_type) == "multipart/form-data"


def _timeout(given: bytes | None, timeouts: Timeouts) -> float | None:
    if given is None:
        return None
    seconds = float(given) if _SECONDS.fullmatch(given) else 0.0
    if not 0 < seconds <= timeouts.most:
        raise InvalidRequest(f"Request-Timeout is a number of seconds above 0 and at most {timeouts.most:g}")
    return seconds


def _urgency(given: bytes | None) -> int:
    """RFC 9218 §4.1: 3 when absent; what cannot be read is ignored, and the last of several counts."""
    found = _URGENCY.findall(given) if given is not None else None
    return int(found[-1]) if found else 3


def _language(name: str, given: bytes | None) -> str | None:
    if given is None:
        return None
    if len(given) > _MAX_LANGUAGE or not _LANGUAGE.fullmatch(given):
        raise InvalidRequest(f"{name} is a list of language tags such as 'nl' or 'en-US, nl;q=0.5'")
    return given.decode("ascii")


def _idempotency_key(given: bytes | None) -> str | None:
    if given is None:
        return None
    if quoted := _KEY_QUOTED.fullmatch(given):
        key = re.sub(rb'\\(["\\])', rb"\1", quoted.group(1))
    elif _KEY_BARE.fullmatch(given):
        key = given
    else:
        key = b""
    if not 0 < len(key) <= _MAX_KEY:
        raise InvalidRequest(f"Idempotency-Key is 1 to {_MAX_KEY} visible ASCII characters, quoted or bare")
    return key.decode("ascii")
