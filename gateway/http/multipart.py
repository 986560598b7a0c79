"""``multipart/form-data`` (RFC 7578) as it comes in, part by part; nothing is kept on disk or whole in memory."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

from multipart import (  # type: ignore[import-untyped]
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
    parse_options_header,
)

from contracts.errors import InvalidBody, PayloadTooLarge
from contracts.operations import Upload
from gateway.http.exchange import Exchange
from gateway.http.fingerprint import FormDigest
from gateway.http.negotiation import require_plain

MAX_PARTS = 100
MAX_FIELD = 1_048_576
_MAX_HEADER = 4096
_MAX_HEADERS = 8
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_VISIBLE = re.compile(r"[!-~]*")

Chunk = tuple[bytes, bool]
"""A piece of a body, and whether more will come."""


def boundary(content_type: bytes) -> bytes:
    """The boundary that the Content-Type names. Raises :class:`InvalidBody` without one of 1 to 70 characters."""
    _, options = parse_options_header(content_type.decode("latin-1"))
    value: str = options.get("boundary", "")
    if not value:
        raise InvalidBody("the Content-Type names no boundary; it is 'multipart/form-data; boundary=…'")
    if not (len(value) <= 70 and value.isascii() and value.isprintable()):
        raise InvalidBody("the boundary in the Content-Type is 1 to 70 printable ASCII characters")
    return value.encode()


def uploads(exchange: Exchange) -> Uploads:
    """The parts of the form that came. Raises UnsupportedMediaType, PayloadTooLarge and :class:`InvalidBody`."""
    limit = exchange.services.limits.upload
    require_plain(exchange.headers.get(b"content-encoding"))
    exchange.refuse_longer(limit)
    separator = boundary(exchange.headers.get(b"content-type", b""))
    return Uploads(separator, exchange.receive_chunk, limit, exchange.form)


async def take_in(exchange: Exchange) -> None:
    """Read the form to its end for ``exchange.form`` alone. Raises what iterating raises."""
    async for _ in uploads(exchange):
        pass


class Uploads:
    """The parts of one body, in order, each to be read before the next.

    Fields come whole (at most 1 MiB each), files as they arrive; what is left unread of a file is
    skipped. Iterating raises :class:`InvalidBody`, :class:`PayloadTooLarge` past ``limit`` bytes in
    all, and what ``receive`` raises. ``form`` takes in all that is read.
    """

    def __init__(
        self,
        separator: bytes,
        receive: Callable[[], Awaitable[Chunk]],
        limit: int,
        form: FormDigest | None = None,
    ) -> None:
        self._separator = separator.decode()
        self._parser = PushMultipartParser(
            separator,
            max_header_size=_MAX_HEADER,
            max_header_count=_MAX_HEADERS,
            max_segment_count=MAX_PARTS,
        )
        self._receive = receive
        self._limit = limit
        self._form = form
        self._size = 0
        self._more = True
        self._over = False
        self._pending: Iterator[object] = iter(())
        self._first: Upload | None = None

    async def begin(self) -> None:
        """Take in the first part's head, so that what is no form at all is known before anything is sent.

        Raises what iterating raises.
        """
        self._first = await self._part()
        if self._first is None:
            raise InvalidBody("the form has no part")

    async def __aiter__(self) -> AsyncIterator[Upload]:
        part = self._first or await self._part()
        while part is not None:
            yield part
            part = await self._part()

    async def _part(self) -> Upload | None:
        while (event := await self._next()) is not _END:
            if isinstance(event, MultipartSegment):
                return await self._upload(event)
        return None

    async def _upload(self, segment: MultipartSegment) -> Upload:
        _check_head(segment)
        if segment.filename is not None:
            return Upload(segment.name, self._content(), segment.filename, segment.content_type)
        value = bytearray()
        async for chunk in self._content():
            value += chunk
            if len(value) > MAX_FIELD:
                raise PayloadTooLarge(f"the field '{segment.name[:80]}' has more than {MAX_FIELD:,} bytes")
        return Upload(segment.name, bytes(value), None, segment.content_type)

    async def _content(self) -> AsyncIterator[bytes]:
        while isinstance(event := await self._next(), bytes | bytearray):
            yield bytes(event)

    async def _next(self) -> object:
        """The next event, taken in."""
        event = await self._event()
        if self._form is not None:
            if isinstance(event, MultipartSegment):
                self._form.part(event.name, event.filename, event.content_type)
            elif isinstance(event, bytes | bytearray):
                self._form.content(event)
            elif event is _END:
                self._form.end()
        return event

    async def _event(self) -> object:
        """The parser's next event: a part's head, a piece of it, None at its end, or ``_END``."""
        while True:
            try:
                for event in self._pending:
                    return event
            except ParserLimitReached as error:
                raise PayloadTooLarge(
                    f"a form may have {MAX_PARTS} parts, and the head of a part {_MAX_HEADERS} lines of "
                    f"{_MAX_HEADER:,} bytes"
                ) from error
            except MultipartError as error:
                raise self._unreadable() from error
            if self._parser.closed:
                return _END
            chunk = await self._chunk()
            self._over = not chunk
            self._pending = iter(self._parser.parse(chunk))

    def _unreadable(self) -> InvalidBody:
        if self._over:
            return InvalidBody(f"the body ends before its closing boundary, '--{self._separator}--'")
        return InvalidBody(
            f"the body is not multipart/form-data: each part is a line '--{self._separator}', a line "
            "'Content-Disposition: form-data; name=\"…\"', an empty line, and its content"
        )

    async def _chunk(self) -> bytes:
        """The next piece that is not empty; empty at the end, which the parser takes as such."""
        while self._more:
            chunk, self._more = await self._receive()
            self._size += len(chunk)
            if self._size > self._limit:
                raise PayloadTooLarge(f"a multipart body may have at most {self._limit:,} bytes")
            if chunk:
                return chunk
        return b""


def _check_head(segment: MultipartSegment) -> None:
    """Nothing that a part says of itself could end a line or be misread where it is passed on."""
    if not segment.name:
        raise InvalidBody('every part has a name: Content-Disposition: form-data; name="…"')
    if _CONTROL.search(segment.name) or _CONTROL.search(segment.filename or ""):
        raise InvalidBody("the name or the filename of a part holds a control character")
    if not _VISIBLE.fullmatch(segment.content_type or ""):
        raise InvalidBody("the Content-Type of a part is visible ASCII, such as image/png")


_END = object()
