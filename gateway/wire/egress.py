"""What may leave: a request is checked against the one address it may go to, and made httpx2's.

Pure. The scheme, the host, the port and the path prefix come from the settings and from nowhere
else; a target adds to them and cannot leave them. The target leaves byte for byte as it was given.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Mapping
from urllib.parse import quote
from xml.sax.saxutils import escape

import httpx2

from contracts.call import Call
from contracts.errors import InvalidRequest, Outcome, UpstreamAuthFailed
from contracts.wire import HeaderValue, Notation, Placeholder, Slot, WireRequest
from gateway.version import VERSION

_TARGET = re.compile(r"/[A-Za-z0-9\-._~!$&'()*+,;=:@/?]*(?:%[0-9A-Fa-f]{2}[A-Za-z0-9\-._~!$&'()*+,;=:@/?]*)*")
"""The characters of path and query (RFC 3986 §3.3, §3.4)."""

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+\-.^_`|~]+")
"""A field name (RFC 9110 §5.6.2)."""

_RESERVED = frozenset(
    {
        "accept-encoding",
        "connection",
        "cookie",
        "expect",
        "host",
        "proxy-authorization",
        "te",
        "traceparent",
        "tracestate",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "x-request-id",
    }
)
"""Fields that are the wire's own: framing, the connection, and what it says of itself."""

_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_PORTS = {"http": 80, "https": 443}
_NOTHING = httpx2.ByteStream(b"")
_MOST_CHECKED = 256


class Body(httpx2.AsyncByteStream):
    """A streamed body. ``error`` is what its source raised, which is no failure of the upstream."""

    def __init__(self, source: AsyncIterator[bytes], length: int | None) -> None:
        """``length`` is what the request announces, in bytes; a source of another length is refused."""
        self.error: Exception | None = None
        self._source = source
        self._left = length

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await anext(self._source, None)
            if self._left is not None:
                self._left -= len(chunk or b"")
                if self._left < 0 or (chunk is None and self._left > 0):
                    raise InvalidRequest("the body is not as long as announced", outcome=Outcome.UNKNOWN)
        except Exception as error:
            self.error = error
            raise
        if chunk is None:
            raise StopAsyncIteration
        return chunk


class Egress:
    """The address and the credential of one tenant's interface; ``address`` is its host and port."""

    def __init__(self, base_url: str, credential: Mapping[Slot, str]) -> None:
        """Raises :class:`ValueError` for an address or a secret that could not be sent; names no secret."""
        url = _address(base_url)
        self._url = url
        self.address = (url.host, url.port or _PORTS[url.scheme])
        self._prefix = url.raw_path.decode("ascii").rstrip("/")
        self._own = [
            (b"Host", url.netloc),
            (b"Accept-Encoding", b"gzip, deflate"),
            (b"User-Agent", f"ultimo-gateway/{VERSION}".encode("ascii")),
        ]
        for slot, secret in credential.items():
            if not (_sendable(secret) if slot is Slot.API_KEY else secret.isprintable()):
                raise ValueError(f"the {slot.value} has characters that cannot be sent")
        self._credential = dict(credential)
        self._checked: dict[tuple[tuple[str, HeaderValue], ...], tuple[tuple[bytes, bytes], ...]] = {}

    def request(self, request: WireRequest, call: Call, extensions: dict[str, object]) -> httpx2.Request:
        """The request to send for ``call``.

        Raises :class:`InvalidRequest` for what could lead elsewhere or break the message, and
        :class:`UpstreamAuthFailed` where the tenant has no such credential.
        """
        if request.method not in _METHODS:
            raise InvalidRequest("the method of the upstream request is not one that is sent")
        extensions["target"] = self._target(request)
        headers = self._headers(request, call)
        return httpx2.Request(
            request.method,
            self._url,
            headers=headers,
            stream=self._stream(request, headers),
            extensions=extensions,
        )

    def _target(self, request: WireRequest) -> bytes:
        target = request.target
        path = target.partition("?")[0] + "/"
        if _TARGET.fullmatch(target) is None or "/../" in path or "/./" in path or target.endswith("?"):
            raise InvalidRequest("the target of the upstream request is not a plain path and query")
        for name, slot in request.secrets:
            target += ("&" if "?" in target else "?") + f"{quote(name)}={quote(self._secret(slot), safe='')}"
        return (self._prefix + target).encode("ascii")

    def _headers(self, request: WireRequest, call: Call) -> list[tuple[bytes, bytes]]:
        headers = list(self._own)
        headers.append((b"X-Request-Id", _value("X-Request-Id", call.request_id)))
        if call.traceparent is not None:
            headers.append((b"traceparent", _value("traceparent", call.traceparent)))
            if call.tracestate is not None:
                headers.append((b"tracestate", _value("tracestate", call.tracestate)))
        headers += self._checked.get(request.headers) or self._check(request.headers)
        return headers

    def _check(self, given: tuple[tuple[str, HeaderValue], ...]) -> tuple[tuple[bytes, bytes], ...]:
        """The adapter's headers as they leave; an adapter has few different sets, and each is checked once."""
        checked = []
        for name, value in given:
            if _NAME.fullmatch(name) is None or name.lower() in _RESERVED:
                raise InvalidRequest("an upstream request has a header that is not the adapter's to set")
            text = self._secret(value) if isinstance(value, Slot) else value
            checked.append((name.encode("ascii"), _value(name, text)))
        if len(self._checked) < _MOST_CHECKED:
            self._checked[given] = tuple(checked)
        return tuple(checked)

    def _stream(self, request: WireRequest, headers: list[tuple[bytes, bytes]]) -> httpx2.AsyncByteStream:
        """The body; adds the field that frames it (RFC 9112 §6) to ``headers``."""
        content = request.content
        announced = _announced(headers)
        if content is None or isinstance(content, bytes | tuple):
            if announced is not None:
                raise InvalidRequest("only a streamed body announces its length")
            whole = b"".join(map(self._filled, content)) if isinstance(content, tuple) else content
            if whole or request.method in _WITH_BODY:
                headers.append((b"Content-Length", b"%d" % len(whole or b"")))
            return httpx2.ByteStream(whole) if whole else _NOTHING
        if announced is None:
            headers.append((b"Transfer-Encoding", b"chunked"))
        return Body(aiter(content), announced)

    def _filled(self, part: bytes | Placeholder) -> bytes:
        if isinstance(part, bytes):
            return part
        secret = self._secret(part.slot)
        return (quote(secret, safe="") if part.notation is Notation.FORM else escape(secret)).encode()

    def _secret(self, slot: Slot) -> str:
        try:
            return self._credential[slot]
        except KeyError:
            raise UpstreamAuthFailed(
                f"the tenant has no {slot.value} for this interface", outcome=Outcome.NOT_SENT
            ) from None


def _address(base_url: str) -> httpx2.URL:
    try:
        url = httpx2.URL(base_url)
    except httpx2.InvalidURL:
        raise ValueError("the upstream's address is not a URL") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError("the upstream's address is not an http or https URL with a host")
    if url.userinfo or url.query or url.fragment or "?" in base_url or "#" in base_url:
        raise ValueError("the upstream's address has more than scheme, host, port and path")
    return url


def _sendable(value: str) -> bool:
    return value.isascii() and (value.isprintable() or not value)


def _value(name: str, value: str) -> bytes:
    if not _sendable(value):
        raise InvalidRequest(f"the value of the header {name} has characters that a header cannot carry")
    return value.encode("ascii")


def _announced(headers: Iterable[tuple[bytes, bytes]]) -> int | None:
    lengths = [value for name, value in headers if name.lower() == b"content-length"]
    if not lengths:
        return None
    if len(lengths) > 1 or not lengths[0].isdigit():
        raise InvalidRequest("the announced length of the body is not a number")
    return int(lengths[0])
