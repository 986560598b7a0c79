"""``Connector.ashx``: parameters and XML over HTTP POST. Source: vendor pages "HTTP POST"."""

import codecs
import re
from collections.abc import Iterable, Iterator
from urllib.parse import parse_qsl

from adapters.sandbox.connectors.desk import Desk, Run
from adapters.sandbox.connectors.failures import (
    ConnectorFailure,
    login_failed,
    missing_parameter,
    unexpected,
)
from adapters.sandbox.connectors.sitecall import SiteCall
from adapters.sandbox.errors import Refusal
from adapters.sandbox.exchange import Answer
from adapters.sandbox.options import SandboxOptions

_XML_FIELDS = ("data", "xml", "importdata", "requestdata")
"""Form fields that may hold the XML; the vendor names none, so these names are a choice."""
_DECLARED = re.compile(rb"<\?xml[^>]*encoding=[\"']([A-Za-z0-9._-]+)")
_BOMS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


class Ashx:
    """Serves exports and imports.

    Parameters stand in the query or in a form, names in any case; those of the query come first. The XML is
    the body, or a field of the form. A form that begins like XML is taken for XML. Above the limit the
    answer is 413, which the vendor does not document for this face: a choice.
    """

    def __init__(self, desk: Desk, options: SandboxOptions) -> None:
        self._desk = desk
        self._options = options

    async def handle(self, call: SiteCall) -> Answer:
        """The answer to one call; it never raises."""
        user: str | None = None
        try:
            if call.method != "POST":
                return _plain(405, "The HTTP verb is not allowed.", {"Allow": "POST"})
            content = await call.content(self._options.connector_bytes)
            parameters, document = _read(call, content)
            caller = self._desk.log_on(parameters.get("username"), parameters.get("password"))
            user = caller.key.name
            match parameters.get("action", "").lower():
                case "export":
                    run = self._desk.export(parameters.get("exportname"), document)
                case "import":
                    run = await self._desk.import_(caller, parameters.get("importname"), document)
                case "":
                    raise missing_parameter("Action")
                case action:
                    raise ConnectorFailure(f"Action '{action}' is unknown.")
            return self._answer(run, user)
        except Refusal as refusal:
            return _plain(refusal.status, refusal.body.message)
        except ConnectorFailure as failure:
            return _plain(500, failure.text, user=user)
        except Exception as error:  # the upstream answers every failure of its own as 500
            return _plain(500, unexpected(error).text, user=user)

    def _answer(self, run: Run, user: str) -> Answer:
        encoding = self._options.connector_encoding
        return Answer(
            status=200,
            stream=_encoded(run.pieces, encoding),
            media=f"{run.media}; charset={encoding}",
            effect=run.effect,
            key=user,
        )


def _read(call: SiteCall, content: bytes) -> tuple[dict[str, str], str | None]:
    """Parameters, names in lower case, and the XML. Raises ``ConnectorFailure``."""
    pairs = parse_qsl(call.query, keep_blank_values=True)
    is_form = call.media_type == "application/x-www-form-urlencoded"
    if not is_form or content.lstrip().startswith(b"<"):
        return _folded(pairs), _decoded(content, call.charset) if content else None
    try:
        pairs += parse_qsl(content.decode(call.charset or "utf-8"), keep_blank_values=True)
    except (UnicodeDecodeError, LookupError) as error:
        raise login_failed() from error
    parameters = _folded(pairs)
    return parameters, next((parameters[name] for name in _XML_FIELDS if name in parameters), None)


def _folded(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in pairs:
        found.setdefault(name.lower(), value)
    return found


def _decoded(content: bytes, charset: str | None) -> str:
    """The text of a body: by its mark, else by the header, else by its declaration, else UTF-8."""
    for mark, encoding in _BOMS.items():
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace")
    declared = _DECLARED.match(content.lstrip())
    encoding = charset or (declared.group(1).decode() if declared is not None else "utf-8")
    try:
        return content.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise ConnectorFailure(f"The body is not {encoding}.", "System.Xml.XmlException") from error


def _encoded(pieces: Iterator[str], encoding: str) -> Iterator[bytes]:
    """The bytes of an answer; UTF-16 begins with its mark."""
    encoder = codecs.getincrementalencoder(encoding)()
    return (encoder.encode(piece) for piece in pieces)


def _plain(status: int, text: str, headers: dict[str, str] | None = None, user: str | None = None) -> Answer:
    media = "text/plain; charset=utf-8"
    return Answer(status=status, body=text.encode(), media=media, headers=headers or {}, key=user)
