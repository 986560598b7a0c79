"""One call and its answer, as the faces of the look-alike see them."""

import hashlib
from collections.abc import Iterator, Mapping

import msgspec
from aiohttp import StreamReader

from adapters.sandbox.caller import Caller
from adapters.sandbox.errors import Refusal
from adapters.sandbox.ledger import BatchMember

_CHUNK = 256 * 1024


class Body:
    """The body of a call, metered while it is read: bytes and sha256, whatever becomes of them."""

    def __init__(self, content: StreamReader) -> None:
        self._content = content
        self._hash = hashlib.sha256()
        self._pending = b""
        self._arrived = False
        self.size = 0
        self.limit: int | None = None

    @property
    def sha256(self) -> str:
        """The hash of what was read, empty when that was nothing."""
        return self._hash.hexdigest() if self.size else ""

    async def read(self, size: int = _CHUNK) -> bytes:
        """At most ``size`` bytes; none at the end. Raises ``Refusal`` 413 beyond ``limit``."""
        await self._fill()
        taken, self._pending = self._pending[:size], self._pending[size:]
        return taken

    async def readline(self, *, max_line_length: int | None = None) -> bytes:
        """The bytes up to and with the next line feed."""
        line = b""
        while not line.endswith(b"\n"):
            await self._fill()
            if not self._pending:
                break
            end = self._pending.find(b"\n") + 1 or len(self._pending)
            line += self._pending[:end]
            self._pending = self._pending[end:]
            if len(line) > (max_line_length or _CHUNK):
                raise Refusal(400, "InvalidBody", "A line of the multipart body is too long.")
        return line

    def at_eof(self) -> bool:
        return not self._pending and (self._arrived or self._content.at_eof())

    def unread_data(self, data: bytes) -> None:
        """Put bytes back that were read too much."""
        self._pending = data + self._pending

    async def whole(self, limit: int) -> bytes:
        """All bytes. Raises ``Refusal`` 413 when there are more than ``limit``."""
        self.limit = limit
        chunks = []
        while chunk := await self.read():
            chunks.append(chunk)
        return b"".join(chunks)

    def refuse_announced(self, length: int | None, limit: int) -> None:
        """Raise ``Refusal`` 413 when the announced length is above ``limit``."""
        if length is not None and length > limit:
            raise too_large(limit)

    async def arrive(self) -> None:
        """Take in all of it, to be read later: the caller may go away meanwhile, and the call stands."""
        chunks = [self._pending]
        while chunk := await self._content.readany():
            self._meter(chunk)
            chunks.append(chunk)
        self._pending = b"".join(chunks)
        self._arrived = True

    async def _fill(self) -> None:
        if not self._pending and not self._arrived:
            self._pending = await self._content.readany()
            self._meter(self._pending)
        if self.limit is not None and self.size > self.limit:
            raise too_large(self.limit)

    def _meter(self, chunk: bytes) -> None:
        self.size += len(chunk)
        self._hash.update(chunk)


def too_large(limit: int) -> Refusal:
    """A payload above the limit: vendor page "Limits and Quotas"."""
    return Refusal(413, "PayloadTooLarge", f"The payload exceeds the maximum of {limit} bytes.")


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One call, authenticated and admitted.

    ``path`` is the raw path from the root, ``rest`` the part behind the face's own, ``query`` the raw
    query, ``base`` scheme and host as the caller wrote them. ``length`` is the announced body size.
    """

    method: str
    path: str
    rest: str
    query: str
    base: str
    headers: Mapping[str, str]
    length: int | None
    caller: Caller
    body: Body

    @property
    def media_type(self) -> str:
        """The media type of the body in lower case, without parameters."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    def is_json(self) -> bool:
        """Whether the body is, or may be taken for, JSON."""
        return self.media_type in ("", "application/json", "text/json") or self.media_type.endswith("+json")


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What is answered: ``body`` as bytes of ``media``, and the ``effect`` and ``batch`` that the ledger notes.

    ``stream``, read once, stands in for a body that is not to be held as a whole. ``key`` is the name of
    the user who called, where it was not an API key.
    """

    status: int
    body: bytes = b""
    media: str = "application/json; charset=utf-8"
    headers: dict[str, str] = {}
    effect: str | None = None
    batch: tuple[BatchMember, ...] | None = None
    stream: Iterator[bytes] | None = None
    key: str | None = None


def encode(value: object) -> bytes:
    """JSON with decimals as numbers."""
    return msgspec.json.Encoder(decimal_format="number").encode(value)


def refused(refusal: Refusal) -> Answer:
    """The answer that a refusal stands for."""
    return Answer(status=refusal.status, body=encode(refusal.body), headers=refusal.headers)
