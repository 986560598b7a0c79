"""What an idempotency key stands for: whose it is, and which request it was used for.

Of a request its method, path, query, languages and body count. A JSON body counts byte for byte; of a form it is
what it holds, since each repetition has a boundary of its own.
"""

from __future__ import annotations

import hashlib

from gateway.http.context import Circumstances


def scope(tenant: str, client: str, key: str) -> str:
    """The name under which a store knows the key: the same one is another for another tenant or client."""
    return _digest(tenant.encode(), client.encode(), key.encode()).hex()


def fingerprint(method: str, path: bytes, query: bytes, given: Circumstances, body: bytes | None) -> bytes:
    """32 bytes that tell the request from others; path and query are as they stand on the line.

    ``body`` is None for a form: :class:`FormDigest` tells those apart.
    """
    return _digest(
        method.encode(),
        path,
        query,
        (given.accept_language or "").encode(),
        (given.content_language or "").encode(),
        b"form" if body is None else hashlib.sha256(body).digest(),
    )


class FormDigest:
    """What a form holds, taken in while it is read: of each part its name, file name, type and content."""

    def __init__(self) -> None:
        self._parts = hashlib.sha256()
        self._content = hashlib.sha256()
        self._ended = False

    def part(self, name: str, filename: str | None, content_type: str | None) -> None:
        """Another part begins."""
        self._close()
        told = (name, *(("", "") if filename is None else ("f", filename)), content_type or "")
        self._parts.update(_digest(*(text.encode("utf-8", "surrogatepass") for text in told)))

    def content(self, piece: bytes | bytearray) -> None:
        """A piece of the part's content; how a content is cut makes no difference."""
        self._content.update(piece)

    def end(self) -> None:
        """The form has been read to its end."""
        if not self._ended:
            self._close()
            self._ended = True

    def whole(self) -> bytes | None:
        """32 bytes for the whole form; None when it was not read to its end."""
        return self._parts.digest() if self._ended else None

    def _close(self) -> None:
        self._parts.update(self._content.digest())
        self._content = hashlib.sha256()


def _digest(*parts: bytes) -> bytes:
    """One digest of several texts, which cannot run into each other."""
    joined = hashlib.sha256()
    for part in parts:
        joined.update(len(part).to_bytes(8, "big"))
        joined.update(part)
    return joined.digest()
