"""``SoapConnector.svc``: SOAP 1.1, document/literal wrapped. Source: vendor pages "SOAP"."""

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl

from lxml import etree

from adapters.sandbox.connectors.desk import Desk, Run
from adapters.sandbox.connectors.documents import parse
from adapters.sandbox.connectors.failures import ConnectorFailure, unexpected
from adapters.sandbox.connectors.rendering import escaped
from adapters.sandbox.connectors.sitecall import SiteCall
from adapters.sandbox.connectors.wsdl import FAULTS, NAMESPACE, schema, service
from adapters.sandbox.errors import Refusal
from adapters.sandbox.exchange import Answer
from adapters.sandbox.options import SandboxOptions

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_MEDIA = "text/xml; charset=utf-8"
_OPERATIONS = {f"{NAMESPACE}SoapConnector/{name}": name for name in ("ExportData", "ImportData")}
_UNHELD = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")

Arguments = dict[str, str]


class _Malformed(Exception):
    """A message that is not one of the service: the fault's code and sentence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Soap:
    """Serves ``ExportData`` and ``ImportData``, and the description of the service.

    ``ConnectorErrorMessage/Message`` holds the whole .NET exception, ``faultstring`` its sentence.
    """

    def __init__(self, desk: Desk, options: SandboxOptions) -> None:
        self._desk = desk
        self._options = options

    async def handle(self, call: SiteCall) -> Answer:
        """The answer to one call; it never raises."""
        if call.method == "GET":
            return _description(call)
        if call.method != "POST":
            return Answer(status=405, headers={"Allow": "GET, POST"})
        if call.media_type != "text/xml":
            return Answer(status=415, headers={"Accept": "text/xml"})
        operation = ""
        user: str | None = None
        try:
            content = await call.content(self._options.connector_bytes)
            operation = _operation(call.headers.get("SOAPAction"))
            arguments = _arguments(content, call.charset, operation)
            caller = self._desk.log_on(arguments.get("userName"), arguments.get("password"))
            user = caller.key.name
            if operation == "ExportData":
                run = self._desk.export(arguments.get("exportName"), arguments.get("requestData"))
            else:
                run = await self._desk.import_(
                    caller, arguments.get("importName"), arguments.get("importData")
                )
            return self._answer(operation, run, user)
        except Refusal as refusal:
            return Answer(status=refusal.status)
        except _Malformed as error:
            return _fault(error.code, error.message)
        except ConnectorFailure as failure:
            return _fault(f"s:{operation}", failure.message, failure.text, user)
        except Exception as error:  # the upstream answers every failure of its own as a fault
            return _fault(f"s:{operation}", str(error), unexpected(error).text, user)

    def _answer(self, operation: str, run: Run, user: str) -> Answer:
        cdata = self._options.soap_cdata
        pieces = _enveloped(operation, run.pieces, cdata=cdata)
        stream = (piece.encode() for piece in pieces)
        return Answer(status=200, stream=stream, media=_MEDIA, effect=run.effect, key=user)


def _enveloped(operation: str, pieces: Iterator[str], *, cdata: bool) -> Iterator[str]:
    yield f'<s:Envelope xmlns:s="{ENVELOPE}"><s:Body><{operation}Response xmlns="{NAMESPACE}">'
    yield f"<{operation}Result>" + ("<![CDATA[" if cdata else "")
    for piece in pieces:
        yield piece.replace("]]>", "]]]]><![CDATA[>") if cdata else _in_text(piece)
    yield ("]]>" if cdata else "") + f"</{operation}Result></{operation}Response></s:Body></s:Envelope>"


def _in_text(piece: str) -> str:
    """A text as it stands in an element; carriage returns are references, else they would be lost."""
    piece = piece.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#xD;")
    return _UNHELD.sub(lambda match: escaped(match.group()), piece)


def _operation(action: str | None) -> str:
    """The operation that a ``SOAPAction`` names, with quotes or without. Raises ``_Malformed``."""
    found = _OPERATIONS.get((action or "").strip().strip('"'))
    if found is None:
        message = f"The message with Action '{action or ''}' cannot be processed at the receiver."
        raise _Malformed("a:ActionNotSupported", message)
    return found


def _arguments(content: bytes, charset: str | None, operation: str) -> Arguments:
    """The texts of the operation's wrapper. Raises ``_Malformed``."""
    try:
        root = parse(content.decode(charset or "utf-8-sig"))
    except (ConnectorFailure, UnicodeDecodeError, LookupError) as error:
        raise _Malformed("s:Client", "The message could not be read.") from error
    body = root.find(f"{{{ENVELOPE}}}Body") if root.tag == f"{{{ENVELOPE}}}Envelope" else None
    wrappers = [] if body is None else list(body)
    if len(wrappers) != 1 or wrappers[0].tag != f"{{{NAMESPACE}}}{operation}":
        raise _Malformed("a:DeserializationFailed", f"The body is not one {operation} of {NAMESPACE}.")
    return {
        etree.QName(element).localname: element.text or ""
        for element in wrappers[0]
        if etree.QName(element).namespace == NAMESPACE
    }


def _fault(code: str, message: str, detail: str | None = None, user: str | None = None) -> Answer:
    inner = ""
    if detail is not None:
        inner = (
            f'<detail><ConnectorErrorMessage xmlns="{FAULTS}"'
            ' xmlns:i="http://www.w3.org/2001/XMLSchema-instance">'
            f"<Message>{_in_text(detail)}</Message></ConnectorErrorMessage></detail>"
        )
    other = ' xmlns:a="http://schemas.microsoft.com/ws/2005/05/addressing/none"'
    text = (
        f'<s:Envelope xmlns:s="{ENVELOPE}"><s:Body><s:Fault>'
        f"<faultcode{other if code.startswith('a:') else ''}>{code}</faultcode>"
        f'<faultstring xml:lang="en-US">{_in_text(message)}</faultstring>{inner}'
        "</s:Fault></s:Body></s:Envelope>"
    )
    return Answer(status=500, body=text.encode(), media=_MEDIA, key=user)


def _description(call: SiteCall) -> Answer:
    """The WSDL at ``?wsdl`` and its schemas at ``?xsd=xsd0`` and ``?xsd=xsd1``; 404 for anything else."""
    options = {name.lower(): value for name, value in parse_qsl(call.query, keep_blank_values=True)}
    address = f"{call.base}{call.path}"
    text = service(address) if "wsdl" in options else schema(options.get("xsd", "").lower(), address)
    if text is None:
        return Answer(status=404)
    return Answer(status=200, body=text.encode(), media=_MEDIA)
