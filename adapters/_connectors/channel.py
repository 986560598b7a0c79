"""What the two ways to the connectors differ in: how a call is wrapped, and how its answer is unwrapped."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

from contracts.operations import Operation
from contracts.wire import WireRequest, WireStream

LARGEST_REQUEST = 20 * 1024 * 1024
"""The most bytes of a request (vendor pages "HTTP POST" and "SOAP")."""

LARGEST_EXPORT = 2 * 1024 * 1024 * 1024
"""The most bytes of an export's answer: it is never held, so its own limit is far above the wire's."""


class Channel(Protocol):
    """Requests out of connector calls, and texts out of their answers. Pure but for reading the answer."""

    @property
    def name(self) -> str:
        """The adapter's name, for what it says of the upstream's answers."""
        ...

    def export_request(self, connector: str, request: str | None) -> WireRequest:
        """Run an export connector; ``request`` is the XML that narrows it. Is repeatable.

        Raises PayloadTooLarge above :data:`LARGEST_REQUEST`, InvalidRequest for a name that cannot be sent.
        """
        ...

    def import_request(self, connector: str, document: str, *, repeatable: bool) -> WireRequest:
        """Run an import connector over an XML document. Raises what :meth:`export_request` raises."""
        ...

    def text(self, operation: Operation, answer: WireStream) -> AsyncGenerator[str, None]:
        """The text of the connector's answer (XML, CSV or JSON), in pieces, at least one.

        Raises the :class:`~contracts.errors.GatewayError` that a failed status or a fault means, and
        :class:`~contracts.records.MalformedAnswer` for bytes that are no text, or no envelope with one in it.
        """
        ...
