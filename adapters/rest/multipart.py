"""Files on their way out: ``multipart/form-data`` (RFC 7578), written while its parts are read.

The boundary is random for each request: 128 bits of chance stand against it appearing in a file.
Nothing that the caller names a part or a type can end its header, or stop an upload that has begun.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterable, AsyncIterator

from contracts.operations import Upload

_HEADER_VALUE = re.compile(r"[\x20-\x7e]+")


def multipart(parts: AsyncIterable[Upload], boundary: str | None = None) -> tuple[str, AsyncIterator[bytes]]:
    """The ``Content-Type`` and the body; ``boundary`` is chosen at random when None."""
    mark = boundary or "ug-" + secrets.token_hex(16)
    return f"multipart/form-data; boundary={mark}", _body(parts, mark.encode())


async def _body(parts: AsyncIterable[Upload], mark: bytes) -> AsyncIterator[bytes]:
    async for part in parts:
        yield _head(part, mark)
        if isinstance(part.content, bytes):
            yield part.content
        else:
            async for chunk in part.content:
                yield chunk
        yield b"\r\n"
    yield b"--" + mark + b"--\r\n"


def _head(part: Upload, mark: bytes) -> bytes:
    disposition = f'form-data; name="{_quoted(part.name)}"'
    if part.filename is not None:
        disposition += f'; filename="{_quoted(part.filename)}"'
    lines = [b"--" + mark, b"Content-Disposition: " + disposition.encode(errors="replace")]
    if part.filename is not None or part.content_type:
        lines.append(b"Content-Type: " + _content_type(part.content_type).encode())
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _content_type(given: str | None) -> str:
    """A type that no header can hold is as good as none, and what has none is octets (RFC 9110 §8.3)."""
    return given if given and _HEADER_VALUE.fullmatch(given) else "application/octet-stream"


def _quoted(text: str) -> str:
    """Escaped as browsers do (HTML, "multipart/form-data encoding algorithm"): no quote or line break gets out."""
    return text.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")
