"""The SOAP face: its description, both operations, faults, forms of the result."""

import csv
import io
import json
from collections.abc import AsyncIterator
from xml.etree import ElementTree

import pytest

from adapters.sandbox import Fault
from tests.unit.sandbox.client import Client, Reply, serving
from tests.unit.sandbox.sites import (
    SVC,
    data,
    envelope,
    export,
    outcomes,
    properties_of,
    request,
    root_of,
    rows,
    sent,
    soap,
)

ENV = "{http://schemas.xmlsoap.org/soap/envelope/}"
TEMPURI = "{http://tempuri.org/}"
XSD = "{http://www.w3.org/2001/XMLSchema}"
USER = {"userName": "sandbox-user", "password": "sandbox-password"}


@pytest.fixture(params=[False, True], ids=["escaped", "cdata"])
async def either(request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    """A client of a sandbox whose results are escaped, and of one whose results are CDATA."""
    async with serving(soap_cdata=request.param) as made:
        yield made


def result_of(reply: Reply, operation: str) -> str:
    """The text of the result, in its wrappers."""
    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/xml; charset=utf-8"), reply.body
    (body,) = ElementTree.fromstring(reply.body)
    (wrapper,) = body
    (result,) = wrapper
    tags = [f"{ENV}Body", f"{TEMPURI}{operation}Response", f"{TEMPURI}{operation}Result"]
    assert [body.tag, wrapper.tag, result.tag] == tags
    return result.text or ""


def fault_of(reply: Reply) -> tuple[str, str, str | None]:
    """Code, sentence and the message of the detail."""
    assert reply.status == 500
    (fault,) = ElementTree.fromstring(reply.body).iter(f"{ENV}Fault")
    message = next((item for item in fault.iter() if item.tag.endswith("}Message")), None)
    return (
        fault.findtext("faultcode", ""),
        fault.findtext("faultstring", ""),
        message.text if message is not None else None,
    )


async def call(client: Client, operation: str, **arguments: str) -> Reply:
    return await soap(client, operation, envelope(operation, {**USER, **arguments}))


async def test_an_export_is_that_of_the_other_face(either: Client) -> None:
    reply = await call(either, "ExportData", exportName="EXP_DEPARTMENT")
    assert (either.last.effect, either.last.key) == ("Export EXP_DEPARTMENT 3 records", "sandbox-user")
    found = root_of(result_of(reply, "ExportData"))
    expected = rows(await export(either, "EXP_DEPARTMENT"))
    assert [properties_of(item) for item in found] == expected
    assert either.sandbox.options.soap_cdata == (b"<![CDATA[" in reply.body)


async def test_texts_survive(either: Client) -> None:
    text = 'a\r\nb & <br /> ]]> "é" ]]]]>>'
    await either.put("Site('01')", {"Context": 1, "Status": 1, "Description": text})
    reply = await call(either, "ExportData", exportName="EXP_SITE", requestData=request(Id="01"))
    (found,) = root_of(result_of(reply, "ExportData"))
    assert properties_of(found)["Description"] == text


async def test_a_result_that_is_no_xml_may_hold_any_mark(either: Client) -> None:
    text = "]]> <a> & ]]]]>>"
    await either.put("Site('01')", {"Context": 1, "Status": 1, "Description": text})
    reply = await call(either, "ExportData", exportName="EXP_SITE_JSON", requestData=request(Id="01"))
    assert json.loads(result_of(reply, "ExportData"))[0]["Description"] == text


async def test_csv_keeps_its_line_ends_when_it_is_escaped(client: Client) -> None:
    reply = await call(client, "ExportData", exportName="EXP_SITE_CSV")
    text = result_of(reply, "ExportData")
    assert text.count("\r\n") == 3
    assert [row[0] for row in csv.reader(io.StringIO(text, newline=""), delimiter=";")] == ["Id", "01", "23"]


async def test_a_request_may_be_cdata_amid_spaces(client: Client) -> None:
    arguments = {"exportName": "EXP_SITE", **USER, "requestData": request(Id="23")}
    content = envelope("ExportData", arguments, cdata=True)
    content = content.replace(b"<![CDATA[<Data>", b"\n  <![CDATA[<Data>\n")
    reply = await soap(client, "ExportData", content)
    assert client.last.effect == "Export EXP_SITE 1 records"
    assert len(root_of(result_of(reply, "ExportData"))) == 1


async def test_an_import(either: Client) -> None:
    document = '<?xml version="1.0" encoding="utf-16"?>' + data(
        sent("Site", "Insert", {"Id": "90", "Context": "1", "Status": "1"}),
        sent("Site", "Delete", {"Id": "23"}),
    )
    reply = await call(either, "ImportData", importName="IMP_SITE", importData=document)
    found = outcomes(result_of(reply, "ImportData"))
    assert [done for _, done, _ in found] == ["Insert", "Error"]
    assert "\r\nCause: " in (found[1][2]["ErrorMessage"] or "")
    assert either.last.effect == "Import IMP_SITE: Insert Site 90; Error Site"
    assert (await either.get("Site('90')")).status == 200


@pytest.mark.parametrize(
    ("operation", "arguments", "sentence"),
    [
        ("ExportData", {"password": "wrong"}, "Username or password not correct, login failed."),
        ("ImportData", {"userName": "nobody"}, "Username or password not correct, login failed."),
        ("ExportData", {}, "Parameter 'ExportName' is missing."),
        ("ExportData", {"exportName": "EXP_INACTIVE"}, "Export connector 'EXP_INACTIVE' is not active."),
        ("ImportData", {"importName": "NONE"}, "Import connector 'NONE' does not exist."),
        ("ImportData", {"importName": "IMP_SITE"}, "There is no data to import."),
        ("ImportData", {"importName": "IMP_SITE", "importData": "<Other/>"}, "'Data' is expected"),
    ],
)
async def test_failures_are_faults(
    client: Client, operation: str, arguments: dict[str, str], sentence: str
) -> None:
    code, message, detail = fault_of(await call(client, operation, **arguments))
    assert code == f"s:{operation}"
    assert sentence in message
    assert detail is not None
    assert sentence in detail
    assert "\r\n   at " in detail


@pytest.mark.parametrize(
    "action",
    [
        "http://tempuri.org/SoapConnector/ExportData",
        '"http://tempuri.org/SoapConnector/ExportData"',
    ],
)
async def test_the_action_with_quotes_or_without(client: Client, action: str) -> None:
    content = envelope("ExportData", {"exportName": "EXP_SITE", **USER})
    assert (await soap(client, "ExportData", content, action)).status == 200


@pytest.mark.parametrize("action", [None, '""', "http://tempuri.org/ExportData", "ExportData"])
async def test_other_actions(client: Client, action: str | None) -> None:
    content = envelope("ExportData", {"exportName": "EXP_SITE", **USER})
    assert fault_of(await soap(client, "ExportData", content, action))[0] == "a:ActionNotSupported"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (envelope("ImportData", USER), "a:DeserializationFailed"),
        (envelope("ExportData", USER).replace(b"http://tempuri.org/", b"urn:x"), "a:DeserializationFailed"),
        (envelope("ExportData", USER).replace(b"/soap/envelope/", b"/other/"), "a:DeserializationFailed"),
        (b"<Envelope/>", "a:DeserializationFailed"),
        (b"", "s:Client"),
        (b"<e:Envelope", "s:Client"),
        (b"\xff\xfe", "s:Client"),
        (b"<!DOCTYPE x>" + envelope("ExportData", USER), "s:Client"),
    ],
)
async def test_messages_that_are_none_of_the_service(client: Client, content: bytes, code: str) -> None:
    found, _, detail = fault_of(await soap(client, "ExportData", content))
    assert (found, detail) == (code, None)


async def test_methods_types_and_sizes(client: Client) -> None:
    assert (await client.call("PUT", SVC, key=None)).status == 405
    reply = await client.call("POST", SVC, key=None, data=b"{}", headers={"Content-Type": "application/json"})
    assert reply.status == 415
    async with serving(connector_bytes=1_000) as small:
        reply = await call(small, "ExportData", exportName="EXP_SITE", requestData=" " * 1_000)
        assert (reply.status, reply.body) == (413, b"")


async def test_the_service_describes_itself(client: Client) -> None:
    reply = await client.call("GET", f"{SVC}?WSDL", key=None)
    root = ElementTree.fromstring(reply.body)
    imports = {item.attrib["namespace"]: item.attrib["schemaLocation"] for item in root.iter(f"{XSD}import")}
    here = f"{client.sandbox.url}{SVC}"
    assert list(imports.values()) == [f"{here}?xsd=xsd0", f"{here}?xsd=xsd1"]
    address = next(root.iter("{http://schemas.xmlsoap.org/wsdl/soap/}address"))
    assert address.attrib["location"] == here
    for namespace, location in imports.items():
        reply = await client.call("GET", location.removeprefix(client.sandbox.url), key=None)
        assert ElementTree.fromstring(reply.body).attrib["targetNamespace"] == namespace
    schema = ElementTree.fromstring((await client.call("GET", f"{SVC}?xsd=xsd0", key=None)).body)
    wrapper = schema.find(f"{XSD}element[@name='ExportData']")
    assert wrapper is not None
    parameters = [item.attrib["name"] for item in wrapper.iter(f"{XSD}element")][1:]
    assert parameters == ["exportName", "userName", "password", "requestData"]
    for query in ("", "?xsd=xsd7", "?help"):
        assert (await client.call("GET", f"{SVC}{query}", key=None)).status == 404


async def test_a_large_export_is_sent_in_pieces() -> None:
    async with serving(records=2_000) as client:
        reply = await call(client, "ExportData", exportName="EXP_EQUIPMENT")
        assert reply.headers["Transfer-Encoding"] == "chunked"
        assert len(root_of(result_of(reply, "ExportData"))) == 2_000


async def test_scripted_faults_strike_here_too(client: Client) -> None:
    client.sandbox.faults.add(Fault(action="too_many", path="soapconnector", retry_after=3))
    reply = await call(client, "ExportData", exportName="EXP_SITE")
    assert (reply.status, reply.headers["Retry-After"]) == (429, "3")
    client.sandbox.faults.add(Fault(action="truncate", path="soapconnector"))
    with pytest.raises(Exception, match="payload"):
        await call(client, "ExportData", exportName="EXP_SITE")
