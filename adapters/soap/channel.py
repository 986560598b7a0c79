"""The SOAP connector as a channel: calls wrapped in envelopes, texts taken out of them as they come."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from adapters._beside import beside
from adapters._connectors.channel import LARGEST_EXPORT
from adapters._connectors.failures import exception, failure
from adapters._connectors.records_xml import not_xml
from adapters._connectors.text import TextDecoder
from adapters.soap.codec import EXPORT, IMPORT, Codec, Exchange, FaultTold
from adapters.soap.envelope import EnvelopeReader
from contracts.errors import GatewayError, InvalidRequest
from contracts.operations import Operation
from contracts.records import MalformedAnswer
from contracts.wire import WireRequest, WireResponse, WireStream

_TARGET = "/WebServices/SoapConnector.svc"
_LARGEST_FAULT = 1_000_000
_OWN_CODES = (EXPORT.operation, IMPORT.operation)


class SoapChannel:
    """See :class:`adapters._connectors.channel.Channel`."""

    name = "soap"

    def __init__(self) -> None:
        self._codec = Codec()

    def export_request(self, connector: str, request: str | None) -> WireRequest:
        """See :meth:`adapters._connectors.channel.Channel.export_request`."""
        return self._request(EXPORT, connector, request, repeatable=True, max_response=LARGEST_EXPORT)

    def import_request(self, connector: str, document: str, *, repeatable: bool) -> WireRequest:
        """See :meth:`adapters._connectors.channel.Channel.import_request`."""
        return self._request(IMPORT, connector, document, repeatable=repeatable)

    async def text(self, operation: Operation, answer: WireStream) -> AsyncGenerator[str, None]:
        """See :meth:`adapters._connectors.channel.Channel.text`."""
        if answer.status >= 300:
            raise await self._failure(operation, answer)
        envelope = _Unwrapping(operation, answer.headers.get("content-type", ""))
        async for chunk in answer.chunks():
            if piece := envelope.feed(chunk):
                yield piece
        rest = envelope.finish()
        if envelope.fault is not None:
            raise await self._told(operation, answer.status, envelope.fault)
        yield rest

    async def _failure(self, operation: Operation, answer: WireStream) -> GatewayError:
        """The error that an answer of 300 or above means: that of its fault, or of its status."""
        content = b""
        async for chunk in answer.chunks():
            content += chunk
            if len(content) > _LARGEST_FAULT:
                break
        envelope = _Unwrapping(operation, answer.headers.get("content-type", ""))
        try:
            envelope.feed(content)
            envelope.finish()
            if answer.status == 500 and envelope.fault is not None:
                return await self._told(operation, answer.status, envelope.fault)
        except MalformedAnswer:
            pass
        # What stands in no fault is not the connector's to say: a proxy's page or sentence.
        return failure(self.name, operation, WireResponse(answer.status, answer.headers, content), "")

    async def _told(self, operation: Operation, status: int, envelope: str) -> GatewayError:
        """The error that the fault in an envelope means."""
        fault = await beside(self._codec.fault, envelope)
        return exception(self.name, operation, status, _exception_text(fault))

    def _request(
        self,
        exchange: Exchange,
        connector: str,
        data: str | None,
        *,
        repeatable: bool,
        max_response: int | None = None,
    ) -> WireRequest:
        if (reason := not_xml(connector)) is not None:
            raise InvalidRequest(f"in the name of the connector {reason}")
        message = self._codec.request(exchange, connector, data)
        return WireRequest(
            method="POST",
            target=_TARGET,
            headers=(("Content-Type", "text/xml; charset=utf-8"), ("SOAPAction", message.action)),
            content=message.content,
            repeatable=repeatable,
            max_response=max_response,
            template=_TARGET,
        )


class _Unwrapping:
    """An answer on its way from bytes to the text of its result."""

    def __init__(self, operation: Operation, content_type: str) -> None:
        self._decoder = TextDecoder(content_type)
        self._reader = EnvelopeReader((EXPORT if operation.safe else IMPORT).operation)
        self._beginning = ""

    @property
    def fault(self) -> str | None:
        """The whole envelope, when it has a fault in it."""
        return self._beginning if self._reader.fault else None

    def feed(self, content: bytes) -> str:
        """The text of the result that these bytes complete. Raises MalformedAnswer."""
        return self._read(self._decoder.feed(content))

    def finish(self) -> str:
        """The rest of it. Raises MalformedAnswer when the answer is not complete."""
        return self._read(self._decoder.finish()) + self._reader.finish()

    def _read(self, text: str) -> str:
        """What stands before a result is kept until that begins: it may turn out to be a fault."""
        piece = self._reader.feed(text)
        self._beginning = "" if self._reader.within else self._beginning + text
        if len(self._beginning) > _LARGEST_FAULT:
            raise MalformedAnswer("a SOAP envelope with too much before its result")
        return piece


def _exception_text(fault: FaultTold) -> str:
    """The text of the exception behind a fault: the connector's own, or one of the service around it.

    What the connector says stands in its ``ConnectorErrorMessage``, or where that is absent in the sentence
    of a fault with the code of the operation. Any other code is of the machinery (WCF's
    ``a:InternalServiceFault`` and the like), whose sentences say nothing of the call.
    """
    if fault.message:
        return fault.message
    own = (fault.code or "").rpartition(":")[2] in _OWN_CODES
    return fault.sentence or "" if own else f"System.ServiceModel.FaultException: {fault.sentence or ''}"
