"""Connector.ashx as a channel. Source: vendor pages "HTTP POST" (overview, requesting data, inserting data)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from adapters._connectors.channel import LARGEST_EXPORT, LARGEST_REQUEST
from adapters._connectors.failures import failure
from adapters._connectors.text import TextDecoder
from adapters.connector.options import AshxOptions
from contracts.errors import InvalidRequest, PayloadTooLarge
from contracts.operations import Operation
from contracts.records import MalformedAnswer
from contracts.wire import Content, Notation, Placeholder, Slot, WireRequest, WireResponse, WireStream

_TARGET = "/WebServices/Connector.ashx"
_LONGEST_FAILURE = 64 * 1024
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_PERCENT = ord("%")
_FORM = (("Content-Type", "application/x-www-form-urlencoded"),)
_XML = (("Content-Type", "text/xml; charset=utf-8"),)


class AshxChannel:
    """See :class:`adapters._connectors.channel.Channel`."""

    name = "connector"

    def __init__(self, options: AshxOptions) -> None:
        self._in_url = options.credentials_in_url
        self._xml_field = options.xml_field

    def export_request(self, connector: str, request: str | None) -> WireRequest:
        """See :meth:`adapters._connectors.channel.Channel.export_request`."""
        return self._request((("Action", "export"), ("ExportName", connector)), request, True, LARGEST_EXPORT)

    def import_request(self, connector: str, document: str, *, repeatable: bool) -> WireRequest:
        """See :meth:`adapters._connectors.channel.Channel.import_request`."""
        return self._request((("Action", "import"), ("ImportName", connector)), document, repeatable, None)

    async def text(self, operation: Operation, answer: WireStream) -> AsyncGenerator[str, None]:
        """See :meth:`adapters._connectors.channel.Channel.text`."""
        if answer.status >= 300:
            content = await _beginning(answer)
            said = WireResponse(answer.status, answer.headers, content)
            raise failure(self.name, operation, said, _text(said))
        decoder = TextDecoder(answer.headers.get("content-type", ""))
        async for piece in answer.chunks():
            yield decoder.feed(piece)
        yield decoder.finish()

    def _request(
        self, parameters: Sequence[tuple[str, str]], xml: str | None, repeatable: bool, most: int | None
    ) -> WireRequest:
        _check(parameters)
        if xml is not None and self._in_url:
            return WireRequest(
                method="POST",
                target=f"{_TARGET}?{_encoded(parameters).decode()}",
                headers=_XML,
                secrets=(("Username", Slot.USERNAME), ("Password", Slot.PASSWORD)),
                content=_limited(xml.encode()),
                repeatable=repeatable,
                max_response=most,
                template=_TARGET,
            )
        fields = [*parameters] if xml is None else [*parameters, (self._xml_field, xml)]
        return WireRequest(
            method="POST",
            target=_TARGET,
            headers=_FORM,
            content=_form(_limited(_encoded(fields))),
            repeatable=repeatable,
            max_response=most,
            template=_TARGET,
        )


def _form(fields: bytes) -> Content:
    return (
        b"Username=",
        Placeholder(Slot.USERNAME, Notation.FORM),
        b"&Password=",
        Placeholder(Slot.PASSWORD, Notation.FORM),
        b"&" + fields,
    )


def _encoded(fields: Sequence[tuple[str, str]]) -> bytes:
    return b"&".join(_quoted(name) + b"=" + _quoted(value) for name, value in fields)


def _quoted(text: str) -> bytes:
    """Percent-encoded UTF-8, as ``urllib`` has it but for megabytes: it takes each byte by itself."""
    content = text.encode()
    for byte in sorted(set(content) - _UNRESERVED, key=lambda byte: byte != _PERCENT):
        content = content.replace(bytes((byte,)), b"%%%02X" % byte)
    return content


def _check(parameters: Sequence[tuple[str, str]]) -> None:
    for _, value in parameters:
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InvalidRequest("the connector's name holds half of a character") from None


def _limited(content: bytes) -> bytes:
    if len(content) > LARGEST_REQUEST:
        raise PayloadTooLarge(
            f"the request to the connector would have {len(content)} bytes, and {LARGEST_REQUEST} are the most; "
            "send it in parts"
        )
    return content


async def _beginning(answer: WireStream) -> bytes:
    """As much of a failure's body as says what failed."""
    content = b""
    async for piece in answer.chunks():
        content += piece
        if len(content) >= _LONGEST_FAILURE:
            break
    return content[:_LONGEST_FAILURE]


def _text(answer: WireResponse) -> str:
    """The text of a body that may be cut off; empty for what is no text."""
    try:
        return TextDecoder(answer.headers.get("content-type", "")).feed(answer.content)
    except MalformedAnswer:
        return ""
