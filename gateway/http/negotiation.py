"""Which kind of answer a caller accepts, and which kind of body it sent (RFC 9110 §12.5.1, §8.3)."""

from __future__ import annotations

import re
from enum import Enum

from contracts.errors import NotAcceptable, UnsupportedMediaType

_QUALITY = re.compile(r";\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*$", re.IGNORECASE)
_NDJSON = "application/x-ndjson"
_JSON = ("application/json", "application/problem+json")


class Format(Enum):
    """The two kinds of answer."""

    JSON = "application/json"
    NDJSON = _NDJSON


def accepted(header: bytes | None) -> Format:
    """What the caller likes best; JSON unless it asks for NDJSON by name.

    Raises :class:`NotAcceptable` when it allows neither.
    """
    if header is None or header in (b"*/*", b"application/json"):
        return Format.JSON
    ranges = _ranges(header.decode("latin-1"))
    ndjson = ranges.get(_NDJSON, 0.0)
    json = max(_quality(ranges, kind) for kind in _JSON)
    if ndjson > 0 and ndjson >= json:
        return Format.NDJSON
    if json > 0:
        return Format.JSON
    raise NotAcceptable(f"application/json and {_NDJSON} can be made; 'Accept' allows neither")


def media_type(header: bytes | None) -> str:
    """The type of a body, in lower case and without parameters; empty when the caller gives none."""
    return "" if header is None else header.partition(b";")[0].strip().lower().decode("latin-1")


def require_json(content_type: bytes | None, content_encoding: bytes | None) -> None:
    """Raises :class:`UnsupportedMediaType` for a body that is said to be something else than plain JSON.

    A body without a Content-Type is taken as JSON.
    """
    kind = media_type(content_type)
    if kind not in ("", "application/json") and not (
        kind.startswith("application/") and kind.endswith("+json")
    ):
        raise UnsupportedMediaType(f"'{kind}' is not understood here; send application/json")
    require_plain(content_encoding)


def require_plain(content_encoding: bytes | None) -> None:
    """Raises :class:`UnsupportedMediaType` for a compressed body."""
    if content_encoding is not None and content_encoding.strip().lower() != b"identity":
        raise UnsupportedMediaType("a body with Content-Encoding is not understood; send it uncompressed")


def _ranges(header: str) -> dict[str, float]:
    ranges: dict[str, float] = {}
    for item in header.split(","):
        quality = _QUALITY.search(item)
        kind = item.partition(";")[0].strip().lower()
        if kind:
            ranges[kind] = float(quality.group(1)) if quality else 1.0
    return ranges


def _quality(ranges: dict[str, float], kind: str) -> float:
    for candidate in (kind, kind.partition("/")[0] + "/*", "*/*"):
        if candidate in ranges:
            return ranges[candidate]
    return 0.0
