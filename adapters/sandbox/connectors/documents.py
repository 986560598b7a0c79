"""Reading the XML that is sent: filters of an export, objects of an import, measurements.

A document is a text here, so what it declares as its encoding does not count.
"""

import re
from collections.abc import Sequence

import msgspec
from lxml import etree

from adapters.sandbox.connectors.failures import unreadable

_DECLARATION = re.compile(r"\A\ufeff?\s*<\?xml\s[^>]*\?>")
_DEEPEST = 64

Pair = tuple[str, str | None]
"""Name and value of a property; ``None`` where there is no ``Value``."""


class SentProperty(msgspec.Struct, frozen=True):
    """A property as it was sent; ``evaluate`` tells that the value may refer to the parent."""

    name: str
    value: str | None
    evaluate: bool


class SentObject(msgspec.Struct, frozen=True):
    """An object as it was sent, with those nested in it."""

    type: str
    action: str | None
    properties: Sequence[SentProperty]
    objects: Sequence["SentObject"]


def read_filters(text: str) -> list[Pair]:
    """The conditions of ``<Data><RequestInfo><Property/>…``. Raises ``ConnectorFailure``."""
    found = []
    for info in _elements(_root(text, "Data")):
        if info.tag != "RequestInfo":
            raise unreadable(f"The element '{info.tag}' is not expected in a request.")
        found += [(item.name, item.value) for item in _properties(info)]
    return found


def read_objects(text: str) -> list[SentObject]:
    """The objects of ``<Data><Object>…``. Raises ``ConnectorFailure``."""
    return [_object(element, 1) for element in _elements(_root(text, "Data"))]


def read_measurements(text: str) -> list[dict[str, str]]:
    """The measurements of ``<Measurements><Measurement>…``. Raises ``ConnectorFailure``."""
    found = []
    for element in _elements(_root(text, "Measurements")):
        if element.tag != "Measurement":
            raise unreadable(f"The element '{element.tag}' is not a measurement.")
        found.append({str(item.tag): item.text or "" for item in _elements(element)})
    return found


def parse(text: str) -> etree._Element:
    """The root of a document. Raises ``ConnectorFailure``, also for one with a document type."""
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,
        remove_comments=True,
        remove_pis=True,
    )
    content = _DECLARATION.sub("", text, count=1).lstrip("\ufeff").encode("utf-8", "replace")
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise unreadable(f"The document cannot be read: {error.msg}") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise unreadable("For security reasons DTD is prohibited in this XML document.")
    return root


def _root(text: str, name: str) -> etree._Element:
    root = parse(text)
    if root.tag != name:
        raise unreadable(f"The root element '{name}' is expected, not '{root.tag}'.")
    return root


def _elements(parent: etree._Element) -> list[etree._Element]:
    return list(parent)


def _properties(parent: etree._Element) -> list[SentProperty]:
    found = []
    for element in _elements(parent):
        if element.tag == "Property":
            name = element.get("Name")
            if not name:
                raise unreadable("A property has no name.")
            evaluate = (element.get("Evaluate") or "").lower() == "true"
            found.append(SentProperty(name, element.get("Value"), evaluate))
    return found


def _object(element: etree._Element, level: int) -> SentObject:
    kind = element.get("Type")
    if element.tag != "Object" or not kind:
        raise unreadable(f"The element '{element.tag}' is not an object with a type.")
    if level > _DEEPEST:
        raise unreadable(f"Objects nest more than {_DEEPEST} levels deep.")
    inner = [child for child in _elements(element) if child.tag != "Property"]
    return SentObject(
        kind, element.get("Action"), _properties(element), [_object(child, level + 1) for child in inner]
    )
