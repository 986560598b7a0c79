"""What an adapter hands over to be sent, and what it gets back.

An adapter does no I/O of its own. It describes an upstream request as a :class:`WireRequest`
and gives it to the :class:`Wire` it was handed; the gateway's wire meters it, puts the
credential in, sends it and maps every failure of the transport to a
:class:`~contracts.errors.GatewayError` with the right outcome. A status of 400 or above is no
failure of the wire: what it means is the adapter's to say.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from typing import Protocol

import msgspec


class Slot(StrEnum):
    """A place in a request that the wire fills from the tenant's credential.

    Adapters never hold a secret; what prints a request prints the slot's name instead.
    """

    API_KEY = "api_key"
    USERNAME = "username"
    PASSWORD = "password"  # noqa: S105 - the name of a slot


HeaderValue = str | Slot


class Notation(StrEnum):
    """How a secret is written where it stands in a body: ``form`` percent-encoded, ``xml`` escaped."""

    FORM = "form"
    XML = "xml"


class Placeholder(msgspec.Struct, frozen=True):
    """A place in a body that the wire fills with a secret."""

    slot: Slot
    notation: Notation


Content = bytes | tuple[bytes | Placeholder, ...] | AsyncIterable[bytes]


class WireRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One upstream request.

    ``target`` is path and query as they go on the line, percent-encoded, relative to the base
    address of the adapter, and begins with ``/``. ``secrets`` are parameters added to its query, for
    interfaces that take a credential nowhere else. ``content`` is the whole body in bytes, with
    placeholders for secrets or without, or a source that is read once and streamed. ``repeatable``
    says that sending it twice leaves what sending it once leaves (RFC 9110 §9.2.2).
    ``max_response`` is the most bytes, after inflation, that the answer may have (the wire's own
    cap where it is None). ``template`` is the target's path for traces, with ``{…}`` where requests differ: no key
    of a record, nothing that a caller wrote.
    """

    method: str
    target: str
    headers: tuple[tuple[str, HeaderValue], ...] = ()
    secrets: tuple[tuple[str, Slot], ...] = ()
    content: Content | None = None
    repeatable: bool = False
    max_response: int | None = None
    template: str | None = None


class WireResponse(msgspec.Struct, frozen=True):
    """One upstream answer, read whole: header names in lower case, content inflated."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class WireStream(Protocol):
    """One upstream answer whose body is read as it comes."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    def chunks(self) -> AsyncIterator[bytes]:
        """The body, inflated, in pieces; raises what :meth:`Wire.send` raises when it breaks off."""
        ...


class Wire(Protocol):
    """The one way out."""

    async def send(self, request: WireRequest) -> WireResponse:
        """Send, and read the answer whole.

        Raises :class:`~contracts.errors.UpstreamUnavailable` (outcome ``not_sent``, or ``unknown``
        for a repeatable request), :class:`~contracts.errors.OutcomeUnknown` (one that is not repeatable
        was sent and no whole answer came), :class:`~contracts.errors.UpstreamInvalidResponse` (not
        HTTP, or larger than allowed) and :class:`~contracts.errors.DeadlineExceeded`.
        """
        ...

    def stream(self, request: WireRequest) -> AbstractAsyncContextManager[WireStream]:
        """Send, and read the answer as it comes; the connection is given back when the context ends."""
        ...
