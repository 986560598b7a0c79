"""API keys of the gateway's own callers: made here, configured as hashes only, found by hash.

A key has 256 random bits, so a plain SHA-256 cannot be turned round and no slow hash is needed
(OWASP Password Storage: slow hashes are for what people choose).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping

from gateway.settings.model import ClientSettings

PREFIX = "ug_"


def new_key() -> tuple[str, str]:
    """A key of 46 characters that need no quoting anywhere, and its hash for the configuration."""
    key = PREFIX + secrets.token_urlsafe(32)
    return key, hash_key(key)


def hash_key(key: str) -> str:
    """``sha256:`` and 64 hexadecimal digits."""
    return "sha256:" + hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


class KeyRing:
    """Which client a key belongs to. Holds hashes, never keys."""

    def __init__(self, clients: Mapping[str, ClientSettings]) -> None:
        self._owners = {hashed: name for name, client in clients.items() for hashed in client.keys}

    def find(self, key: str) -> str | None:
        """The name of the client, or None. What a look-up's time tells is about a hash, not about a key."""
        return self._owners.get(hash_key(key))
