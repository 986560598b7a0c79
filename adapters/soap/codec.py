"""Requests and faults, as the pinned description of the service says: zeep, as a codec and nothing else.

zeep opens no connection and no file here: its transport hands out the description that is shipped with this
package, and everything else is refused. What zeep would log of a message it logs where it sends, which it
never does here. Its client would add the headers of WS-Addressing, which a BasicHttpBinding does not speak,
with an id that differs each time: messages are made by the operations of the binding.
"""

# mypy: allow-untyped-calls

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import resources

import msgspec
from lxml import etree
from zeep import Client, Settings
from zeep.exceptions import Error, Fault
from zeep.wsdl.bindings.soap import Soap11Binding

from adapters._connectors.channel import LARGEST_REQUEST
from adapters.soap.envelope import SERVICE
from contracts.errors import PayloadTooLarge
from contracts.records import MalformedAnswer
from contracts.wire import Notation, Placeholder, Slot

_DESCRIPTION = "file:///SoapConnector.wsdl"
_BINDING = f"{{{SERVICE}}}BasicHttpBinding_SoapConnector"
_DECLARATION = re.compile(r"\s*<\?xml\b[^>]*\?>")
_CREDENTIAL = (("userName", Slot.USERNAME), ("password", Slot.PASSWORD))


class Exchange(msgspec.Struct, frozen=True):
    """An operation of the service, and its parameters for the connector's name and for what is sent to it."""

    operation: str
    name: str
    data: str


EXPORT = Exchange("ExportData", "exportName", "requestData")
IMPORT = Exchange("ImportData", "importName", "importData")


class Message(msgspec.Struct, frozen=True):
    """A request: the value of the header ``SOAPAction`` and the envelope in UTF-8, open for the credential."""

    action: str
    content: tuple[bytes | Placeholder, ...]


class FaultTold(msgspec.Struct, frozen=True):
    """What a fault says: its code, its sentence, and the one of its ``ConnectorErrorMessage`` where it has one."""

    code: str | None
    sentence: str | None
    message: str | None


class Codec:
    """Makes the messages of the service; reads its description once, when it is made."""

    def __init__(self) -> None:
        # The address has the scheme of a file since zeep takes imports of no other where it may fetch none.
        settings = Settings(strict=True, forbid_dtd=True, forbid_entities=True, forbid_external=True)
        self._client = Client(_DESCRIPTION, transport=_PinnedFiles(), settings=settings)
        binding = self._client.wsdl.bindings[_BINDING]
        if not isinstance(binding, Soap11Binding):
            raise TypeError("the pinned description has no binding of SOAP 1.1")
        self._binding = binding

    def request(self, exchange: Exchange, name: str, data: str | None) -> Message:
        """The request that runs a connector; without ``data`` the parameter for it is left out.

        ``name`` and ``data`` hold only characters of XML. Raises PayloadTooLarge above 20 MB.
        """
        given = {exchange.name: name} | ({} if data is None else {exchange.data: data})
        operation = self._binding.get(exchange.operation)
        message = operation.create(userName="", password="", **given)
        content = _parted(message.content)
        if sum(len(part) for part in content if isinstance(part, bytes)) > LARGEST_REQUEST:
            raise PayloadTooLarge("the upstream takes at most 20 MB in a request over SOAP; send it in parts")
        return Message(message.headers["SOAPAction"], content)

    def fault(self, text: str) -> FaultTold:
        """What the fault in an envelope says; ``text`` is one that an EnvelopeReader found a fault in.

        Raises MalformedAnswer for a fault that zeep cannot make out.
        """
        # The declared encoding is not that of these bytes.
        answer = _Answer(500, {}, _DECLARATION.sub("", text, count=1).encode())
        operation = self._binding.get(EXPORT.operation)
        try:
            self._binding.process_reply(self._client, operation, answer)
        except Fault as fault:
            # zeep calls a fault what has none in it, and then gives the whole answer for its detail.
            if not isinstance(fault.detail, bytes):
                return FaultTold(fault.code, fault.message, _connector_message(fault.detail))
        except Error:
            pass
        raise MalformedAnswer("a SOAP fault that cannot be read")


class _Answer(msgspec.Struct, frozen=True):
    """An answer as zeep wants it."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes


class _PinnedFiles:
    """The only files that zeep can load: those beside the pinned description."""

    def load(self, url: str) -> bytes:
        """Raises ValueError for anything else."""
        directory, _, name = url.rpartition("/")
        if directory != "file://" or re.fullmatch(r"SoapConnector\.(wsdl|xsd[01]\.xsd)", name) is None:
            raise ValueError("the description of the service refers to a file that is not shipped with it")
        return resources.files("adapters").joinpath("wsdl", name).read_bytes()


def _parted(envelope: etree._Element) -> tuple[bytes | Placeholder, ...]:
    """The bytes of a request, parted at the two elements of the credential.

    Where it goes stands a processing instruction. No text can look like one, since ``<`` is escaped in texts.
    """
    for element, _ in _CREDENTIAL:
        for place in envelope.iter(f"{{{SERVICE}}}{element}"):
            place.append(etree.ProcessingInstruction(element))
    rest = etree.tostring(envelope, xml_declaration=True, encoding="utf-8")
    parts: list[bytes | Placeholder] = []
    for element, slot in _CREDENTIAL:
        before, _, rest = rest.partition(etree.tostring(etree.ProcessingInstruction(element)))
        parts += [before, Placeholder(slot, Notation.XML)]
    return (*parts, rest)


def _connector_message(detail: etree._Element | None) -> str | None:
    """The text of ``ConnectorErrorMessage/Message``, whose namespace is that of the environment's own code."""
    return None if detail is None else detail.findtext("{*}ConnectorErrorMessage/{*}Message")
