"""Who calls: the credential in the headers to one of the configured clients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec

from contracts.errors import Unauthenticated
from gateway.http.context import Headers
from gateway.http.tokens import TokenVerifier
from gateway.keys import KeyRing
from gateway.settings import ClientSettings

_HOW = "send 'Authorization: Bearer <key>' or 'X-API-Key: <key>'"
_MAX_CREDENTIAL = 8192


class Client(msgspec.Struct, frozen=True):
    """A caller that has shown who it is."""

    name: str
    scopes: frozenset[str]
    settings: ClientSettings


class Authenticator(Protocol):
    """Headers to a client. Raises :class:`~contracts.errors.Unauthenticated`."""

    def __call__(self, headers: Headers) -> Client: ...


class Principals:
    """The :class:`Authenticator` over the configured clients: keys by hash, tokens by subject."""

    def __init__(self, clients: Mapping[str, ClientSettings], tokens: TokenVerifier | None = None) -> None:
        self._clients = {name: Client(name, frozenset(item.scopes), item) for name, item in clients.items()}
        self._subjects = {item.subject: name for name, item in clients.items() if item.subject is not None}
        self._keys = KeyRing(clients)
        self._tokens = tokens

    def __call__(self, headers: Headers) -> Client:
        credential = _credential(headers)
        name = self._keys.find(credential)
        if name is None and self._tokens is not None and credential.count(".") == 2:
            name = self._subjects.get(self._tokens.subject(credential))
        if name is None:
            raise Unauthenticated("this credential is not known here")
        return self._clients[name]


def _credential(headers: Headers) -> str:
    """The bearer token (RFC 6750 §2.1) or the key; one of them, not both."""
    authorization, key = headers.get(b"authorization"), headers.get(b"x-api-key")
    if authorization is not None and key is not None:
        raise Unauthenticated("'Authorization' and 'X-API-Key' are both given; send one of them")
    if authorization is not None:
        scheme, _, key = authorization.partition(b" ")
        if scheme.lower() != b"bearer":
            raise Unauthenticated(f"'Authorization' is of another scheme; {_HOW}")
    if key is None or not key.strip():
        raise Unauthenticated(f"no credential is given; {_HOW}")
    if len(key) > _MAX_CREDENTIAL:
        raise Unauthenticated("this credential is not known here")
    return key.strip().decode("latin-1")
