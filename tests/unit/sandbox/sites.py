"""Calls to the connectors of a look-alike, as a client of Connector.ashx or SOAP would make them."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from tests.unit.sandbox.client import Client, Reply

USER = {"Username": "sandbox-user", "Password": "sandbox-password"}
ASHX = "/Ultimo/WebServices/Connector.ashx"
SVC = "/Ultimo/WebServices/SoapConnector.svc"
_XML = {"Content-Type": "text/xml; charset=utf-8"}

Row = dict[str, str | None]


async def send_form(client: Client, path: str = ASHX, **parameters: str) -> Reply:
    """All parameters in a form; the user's, unless others are given."""
    return await client.call("POST", path, key=None, data={**USER, **parameters})


async def send_xml(client: Client, document: str | bytes, path: str = ASHX, **parameters: str) -> Reply:
    """The XML as body, the parameters in the query."""
    target = f"{path}?{urlencode({**USER, **parameters}, quote_via=quote)}"
    return await client.call("POST", target, key=None, data=document, headers=_XML)


async def export(client: Client, name: str, **filters: str | None) -> Reply:
    """An export; double underscores in the names of filters are points."""
    if not filters:
        return await send_form(client, Action="export", ExportName=name)
    return await send_xml(client, request(**filters), Action="export", ExportName=name)


async def import_(client: Client, name: str, document: str) -> Reply:
    return await send_xml(client, document, Action="import", ImportName=name)


def request(**filters: str | None) -> str:
    """The document that narrows an export."""
    properties = "".join(prop(name.replace("__", "."), value) for name, value in filters.items())
    return f"<Data><RequestInfo>{properties}</RequestInfo></Data>"


def prop(name: str, value: str | None, attributes: str = "") -> str:
    marks = {'"': "&quot;", "\r": "&#13;", "\n": "&#10;"}
    given = "" if value is None else f' Value="{escape(value, marks)}"'
    return f'<Property Name="{name}"{given} {attributes}/>'


def sent(kind: str, action: str | None, properties: Mapping[str, str | None], *inner: str) -> str:
    """An object of an import; a value with an expression in it is marked to be evaluated."""
    marked = "".join(
        prop(name, value, 'Evaluate="true"' if value and "${" in value else "")
        for name, value in properties.items()
    )
    given = "" if action is None else f' Action="{action}"'
    return f'<Object Type="{kind}"{given}>{marked}{"".join(inner)}</Object>'


def data(*objects: str) -> str:
    return f"<Data>{''.join(objects)}</Data>"


def root_of(text: str) -> ElementTree.Element:
    """The ``Data`` of an answer, which declares UTF-16 whatever its bytes are."""
    declaration = '<?xml version="1.0" encoding="utf-16"?>'
    assert text.startswith(declaration)
    found = ElementTree.fromstring(text.removeprefix(declaration))
    assert found.tag == "Data"
    return found


def properties_of(element: ElementTree.Element) -> Row:
    return {item.attrib["Name"]: item.get("Value") for item in element.findall("Property")}


def rows(reply: Reply) -> list[Row]:
    """The records of an export in XML."""
    assert reply.status == 200, reply.body
    return [properties_of(element) for element in root_of(reply.body.decode()).findall("Object")]


def outcomes(text: str) -> list[tuple[str, str, Row]]:
    """Type, action and properties of the objects of an import's answer, children behind their parent."""
    return [
        (item.attrib["Type"], item.attrib["Action"], properties_of(item)) for item in _walk(root_of(text))
    ]


def _walk(parent: ElementTree.Element) -> Iterator[ElementTree.Element]:
    for element in parent.findall("Object"):
        yield element
        yield from _walk(element)


def failed(reply: Reply, sentence: str) -> None:
    """The call was refused as a whole, with a .NET exception."""
    assert (reply.status, reply.headers["Content-Type"]) == (500, "text/plain; charset=utf-8")
    first, second, *_ = reply.body.decode().split("\r\n")
    assert sentence in first
    assert ": " in first
    assert second.startswith("   at ")


def envelope(operation: str, arguments: dict[str, str], *, cdata: bool = False) -> bytes:
    """A SOAP message."""
    parts = "".join(
        f"<t:{name}>{f'<![CDATA[{value}]]>' if cdata else escape(value)}</t:{name}>"
        for name, value in arguments.items()
    )
    return (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:t="http://tempuri.org/">'
        f"<e:Header/><e:Body><t:{operation}>{parts}</t:{operation}></e:Body></e:Envelope>"
    ).encode()


async def soap(client: Client, operation: str, content: bytes, action: str | None = "") -> Reply:
    """A SOAP call; ``action`` is the operation's own unless another is given."""
    headers: dict[str, Any] = dict(_XML)
    if action is not None:
        headers["SOAPAction"] = action or f'"http://tempuri.org/SoapConnector/{operation}"'
    return await client.call("POST", SVC, key=None, data=content, headers=headers)
