"""Characters on their way through text protocols: what XML holds comes back as REST gives it, the rest is not sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import quote

import httpx2
import pytest
import pytest_asyncio

from adapters.sandbox import Sandbox, SandboxOptions
from contracts.conformance import NOW, ZONE
from tests.support.four_tenants import CONNECTORS, READING, TENANTS, playing
from tests.support.problems import checked

pytestmark = pytest.mark.asyncio(loop_scope="module")

NEW = {"Context": 1, "Status": 1}
TEXTS: dict[str, str | None] = {
    "the end of CDATA": "a]]>b ]]]]>> <![CDATA[c",
    "markup": "<b>&amp;</b> &lt; &#x0; &nbsp; & <!-- -->",
    "quotes": "'single' \"double\" \"\"two\"\" ''two''",
    "a carriage return": "a\rb",
    "a line feed": "a\nb",
    "both": "a\r\nb\n\rc",
    "a tab": "a\tb",
    "blanks around": "  a  b  ",
    "white space around": "\r\n\t a \t\r\n",
    "blanks alone": "   ",
    "separators": 'a;b,c\td;"e"',
    "emoji": "\U0001f527\U0001f468\u200d\U0001f527 \u0416\u00e9e\u0301",
    "the ends of what XML holds": "\ud7ff\ue000\ufffd\U00010000\U0010ffff",
    "other line ends": "a\u0085b\u2028c\u2029d",
    "a mark of byte order": "\ufeffa\ufeff",
    "a reference to the parent": "${Parent.Id}",
    "a form": "a=b&Action=export&ExportName=x+%2B%00",
    "words of other types": "null",
    "a truth": "True",
    "a number": "007",
    "the empty text": "",
    "null": None,
}
ENTITIES = {
    "Equipment": "an export in XML",
    "Vendor": "one in CSV",
    "Department": "one in JSON",
}
UNHELD = {"NUL": "\0", "vertical tab": "\v", "escape": "\x1b", "U+FFFE": "\ufffe", "U+FFFF": "\uffff"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    options = SandboxOptions(limits="off", zone=ZONE, clock=lambda: NOW)
    async with Sandbox(options) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(sandbox: Sandbox) -> AsyncIterator[httpx2.AsyncClient]:
    async with playing(sandbox) as running:
        yield running


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("entity", ENTITIES, ids=ENTITIES.values())
async def test_a_text_comes_back_as_rest_gives_it(client: httpx2.AsyncClient, entity: str, name: str) -> None:
    records = []
    for tenant in TENANTS:
        url = f"/v1/{tenant}/objects/{entity}/T-1"
        body = {**NEW, "Description": TEXTS[name], "ExternalId": "x"}
        stored = await client.patch(url, params={"upsert": "true"}, json=body)
        assert stored.status_code == 201, stored.text
        assert stored.json()["Description"] == TEXTS[name]
        got = await client.get(url)
        assert got.content == stored.content
        records.append(got.content)
        assert (await client.delete(url)).status_code == 204
    assert set(records) == {records[0]}


@pytest.mark.parametrize("key", ["a & b", "]]>", "'", '"', " a ", "\U0001f527", "a;b", "${Parent.Id}"])
async def test_a_key_comes_back_as_rest_gives_it(client: httpx2.AsyncClient, key: str) -> None:
    """What REST cannot address is compared with what SOAP says."""
    records = []
    for tenant in ("demo-onprem", *CONNECTORS):
        url = f"/v1/{tenant}/objects/Vendor/{quote(key, safe='')}"
        stored = await client.patch(url, params={"upsert": "true"}, json=NEW)
        assert (stored.status_code, stored.json()["Id"]) == (201, key)
        got = await client.get(url)
        assert got.content == stored.content
        records.append(got.content)
        assert (await client.delete(url)).status_code == 204
    assert set(records) == {records[0]}


@pytest.mark.parametrize("character", UNHELD.values(), ids=UNHELD)
@pytest.mark.parametrize("tenant", CONNECTORS)
async def test_what_xml_cannot_hold_is_refused_with_its_place(
    client: httpx2.AsyncClient, sandbox: Sandbox, tenant: str, character: str
) -> None:
    bad = f"a{character}b"
    sent = len(sandbox.ledger.calls)

    async def refused(method: str, path: str, body: object, *pointers: str) -> None:
        answer = await client.request(method, f"/v1/{tenant}/{path}", json=body)
        problem = checked(answer, 400, "invalid_body")
        assert [fault["pointer"] for fault in answer.json()["errors"]] == list(pointers)
        assert problem["outcome"] == "not_sent"
        assert len(sandbox.ledger.calls) == sent

    new = {**NEW, "Description": bad}
    await refused("POST", "objects/Equipment", new, "/Description")
    await refused("PATCH", "objects/Equipment/00001", {"Vendor": bad}, "/Vendor")
    reference = {"Vendor": {"ExternalId": bad}}
    await refused("PATCH", "objects/Equipment/00001", reference, "/Vendor/ExternalId")
    members = [
        {"id": id, "method": "POST", "path": "Equipment", "body": body}
        for id, body in (("1", NEW), ("2", new), ("3", {**new, "Code": bad}))
    ]
    found = ("/operations/1/body/Description", "/operations/2/body/Description", "/operations/2/body/Code")
    await refused("POST", "batch", {"operations": members}, *found)
    child = {"type": bad, "action": "Insert", "properties": {bad: "x", "Description": bad}}
    parent = {"type": "Equipment", "action": "Insert", "properties": {"Id": "1"}, "objects": [child]}
    at = "/objects/1/objects/0"
    places = (f"{at}/type", f"{at}/properties/{bad}", f"{at}/properties/Description")
    await refused("POST", "imports/IMP_EQUIPMENT", {"objects": [parent | {"objects": []}, parent]}, *places)
    await refused("POST", "exports/EXP_EQ", {"filter": {bad: "x", "Id": bad}}, f"/filter/{bad}", "/filter/Id")


@pytest.mark.parametrize("character", UNHELD.values(), ids=UNHELD)
@pytest.mark.parametrize("tenant", CONNECTORS)
async def test_a_reading_that_xml_cannot_hold_is_refused_alone(
    client: httpx2.AsyncClient, sandbox: Sandbox, tenant: str, character: str
) -> None:
    sent = len(sandbox.ledger.calls)
    readings = [{**READING, name: f"a{character}b"} for name in ("equipment", "point", "text")]
    answer = await client.post(f"/v1/{tenant}/measurements", json={"measurements": readings})
    told = [
        (result["status"], result["error"]["errors"][0]["pointer"]) for result in answer.json()["results"]
    ]
    assert told == [
        (400, f"/measurements/{index}/{name}") for index, name in enumerate(("equipment", "point", "text"))
    ]
    assert len(sandbox.ledger.calls) == sent


@pytest.mark.parametrize("key", ["a%00b", "a%0Bb", "%EF%BF%BE", "%ED%A0%80", "%FF"])
@pytest.mark.parametrize("tenant", CONNECTORS)
async def test_a_key_that_xml_cannot_hold_is_not_sent(
    client: httpx2.AsyncClient, sandbox: Sandbox, tenant: str, key: str
) -> None:
    sent = len(sandbox.ledger.calls)
    url = f"/v1/{tenant}/objects/Vendor/{key}"
    for answer in (
        await client.patch(url, json={"City": "Bonn"}),
        await client.patch(url, params={"upsert": "true"}, json=NEW),
        await client.delete(url),
    ):
        assert checked(answer, 400, "invalid_path")["outcome"] == "not_sent"
    assert len(sandbox.ledger.calls) == sent


@pytest.mark.parametrize(
    "name",
    [
        "IMP_EQUIPMENT&Action=export",
        "IMP_EQUIPMENT%26Action%3Dexport",
        "IMP_EQUIPMENT%00",
        "IMP_EQUIPMENT%0B",
        "IMP_EQUIPMENT%0D%0AX-Injected:1",
        "IMP_EQUIPMENT%3C/ns0:importName%3E",
        "%EF%BF%BE",
        "%ED%A0%80",
        "..%2FConnector.ashx",
        "..",
        ".",
        "%2e%2e",
        "a%2Fb",
        "a%5Cb",
        "A" * 101,
        "A" * 20_000,
        "%20",
    ],
)
@pytest.mark.parametrize("tenant", CONNECTORS)
async def test_a_name_that_is_none_of_a_connector_is_not_sent(
    client: httpx2.AsyncClient, sandbox: Sandbox, tenant: str, name: str
) -> None:
    sent = len(sandbox.ledger.calls)
    for face, body in (("exports", {}), ("imports", {"objects": [{"type": "Vendor", "action": "Insert"}]})):
        target = f"/v1/{tenant}/{face}/{name}"
        request = client.build_request("POST", target, json=body)
        request.extensions["target"] = target.encode()
        answer = await client.send(request)
        assert answer.status_code in (400, 404), answer.text
        assert answer.json()["outcome"] == "not_sent"
        assert len(sandbox.ledger.calls) == sent
