"""Cursors: where the next page begins, signed and bound to the list that it belongs to."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Sequence

from contracts.errors import InvalidCursor

_MAC_BYTES = 16
_MAX_LENGTH = 8192


class Cursors:
    """Makes and reads cursors under one secret, which all replicas share.

    A cursor is base64url of a truncated HMAC-SHA256 (RFC 2104) and the continuation that it signs.
    The signature also covers ``binding``: what the list was asked for. A cursor given with anything
    else is refused, so that a page can never continue another list.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def seal(self, continuation: str, binding: Sequence[str]) -> str:
        """The cursor for a continuation of the list that ``binding`` describes."""
        payload = continuation.encode()
        return base64.urlsafe_b64encode(self._mac(payload, binding) + payload).rstrip(b"=").decode()

    def open(self, cursor: str, binding: Sequence[str]) -> str:
        """The continuation. Raises :class:`InvalidCursor` when it is not ours, was changed, or is of another list."""
        try:
            if len(cursor) > _MAX_LENGTH:
                raise ValueError
            sealed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            mac, payload = sealed[:_MAC_BYTES], sealed[_MAC_BYTES:]
            if not hmac.compare_digest(mac, self._mac(payload, binding)):
                raise ValueError
            return payload.decode()
        except (ValueError, binascii.Error) as error:
            raise InvalidCursor(
                "use 'next' of the previous page as it is, with the same path, filter, orderby, select, "
                "expand, skip and count; only the limit may change"
            ) from error

    def _mac(self, payload: bytes, binding: Sequence[str]) -> bytes:
        parts = [part.encode() for part in binding] + [payload]
        message = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
        return hmac.digest(self._secret, message, "sha256")[:_MAC_BYTES]
