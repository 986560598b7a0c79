"""One call to the site, before anyone has logged on."""

from collections.abc import Mapping
from email.message import Message

import msgspec

from adapters.sandbox.exchange import Body


class SiteCall(msgspec.Struct, frozen=True, kw_only=True):
    """``path`` is the raw path from the root, ``query`` the raw query, ``base`` scheme and host as the caller
    wrote them, ``length`` the announced size of the body."""

    method: str
    path: str
    query: str
    base: str
    headers: Mapping[str, str]
    length: int | None
    body: Body

    @property
    def media_type(self) -> str:
        """The media type of the body in lower case, without parameters; empty when none is stated."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    @property
    def charset(self) -> str | None:
        """The charset that the media type states."""
        message = Message()
        message["Content-Type"] = self.headers.get("Content-Type", "")
        return message.get_content_charset()

    async def content(self, limit: int) -> bytes:
        """The whole body. Raises ``Refusal`` 413 when it is above ``limit`` bytes."""
        self.body.refuse_announced(self.length, limit)
        return await self.body.whole(limit)
