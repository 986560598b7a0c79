"""``multipart/form-data`` (RFC 7578) as it comes in, part by part; nothing is kept on disk or whole in memory."""

from __future__ import annotations

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

MAX_PARTS = 100
MAX_FIELD = 1_048_576
_MAX_HEADER = 4096
_MAX_HEADERS = 8

Chunk = tuple[bytes, bool]
"""A piece of a body, and whether more will come."""


def boundary(content_type: bytes) -> bytes:
    """The boundary that the Content-Type names. Raises :class:`InvalidBody` without one of 1 to 70 characters."""
    _, options = parse_options_header(content_type.decode("latin-1"))
    value: str = options.get("boundary", "")
    if not (0 < len(value) <= 70 and value.isascii() and value.isprintable()):
        raise InvalidBody("the Content-Type of a multipart body names its boundary, of 1 to 70 characters")
    return value.encode()


class Uploads:
    """The parts of one body, in order, each to be read before the next.

    Fields come whole (at most 1 MiB each), files as they arrive; what is left unread of a file is
    skipped. Iterating raises :class:`InvalidBody`, :class:`PayloadTooLarge` past ``limit`` bytes in
    all, and what ``receive`` raises.
    """

    def __init__(self, separator: bytes, receive: Callable[[], Awaitable[Chunk]], limit: int) -> None:
        self._parser = PushMultipartParser(
            separator,
            max_header_size=_MAX_HEADER,
            max_header_count=_MAX_HEADERS,
            max_segment_count=MAX_PARTS,
        )
        self._receive = receive
        self._limit = limit
        self._size = 0
        self._more = True
        self._pending: Iterator[object] = iter(())

    async def __aiter__(self) -> AsyncIterator[Upload]:
        while (event := await self._next()) is not _END:
            if isinstance(event, MultipartSegment):
                yield await self._upload(event)

    async def _upload(self, segment: MultipartSegment) -> Upload:
        if not segment.name:
            raise InvalidBody('every part has a name: Content-Disposition: form-data; name="…"')
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
        """The parser's next event: a part's head, a piece of it, None at its end, or ``_END``."""
        while True:
            try:
                for event in self._pending:
                    return event
            except ParserLimitReached as error:
                raise PayloadTooLarge(f"the multipart body is over a limit: {error}") from error
            except MultipartError as error:
                raise InvalidBody(f"the multipart body cannot be read: {error}") from error
            if self._parser.closed:
                return _END
            self._pending = iter(self._parser.parse(await self._chunk()))

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


_END = object()
