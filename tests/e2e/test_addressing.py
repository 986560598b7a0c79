"""Keys that no path can hold, parts of composite keys, and questions that cost nothing to refuse."""

from __future__ import annotations

import time

import httpx2
import pytest
import pytest_asyncio

from adapters.sandbox import Sandbox
from contracts.entities import standard_schema

OBJECTS = "/v1/demo/objects"
LINE = "Building/ExternalId=a%2Fb,DataProvider=erp"


@pytest_asyncio.fixture
async def two_owners(client: httpx2.AsyncClient, sandbox: Sandbox) -> None:
    """Two buildings with one external id, each its provider's, and a part in each."""
    for key, provider in (("X1", "erp"), ("X2", "cad")):
        building = {"Context": 1, "Status": 1, "ExternalId": "a/b", "DataProvider": provider}
        part = {"Context": 1, "Status": 1}
        assert (await client.put(f"{OBJECTS}/Building/{key}", json=building)).status_code == 201
        made = await client.put(f"{OBJECTS}/BuildingPart/Building={key},Id=P", json=part)
        assert made.status_code == 201, made.text
    sandbox.ledger.clear()


@pytest.mark.usefixtures("two_owners")
async def test_an_external_id_that_no_path_can_hold_finds_its_record(client: httpx2.AsyncClient) -> None:
    record = (await client.get(f"{OBJECTS}/{LINE}")).json()
    assert (record["Id"], record["DataProvider"]) == ("X1", "erp")
    parts = (await client.get(f"{OBJECTS}/{LINE}/BuildingParts")).json()["items"]
    assert [part["Id"] for part in parts] == [{"Building": "X1", "Id": "P"}]
    planned = (await client.get(f"{OBJECTS}/{LINE}/BuildingParts?dry_run=true")).text
    assert "ExternalId" in planned
    assert "DataProvider" in planned


@pytest.mark.usefixtures("two_owners")
@pytest.mark.parametrize("rest", ["", "/BuildingParts"])
async def test_an_external_id_in_a_filter_needs_its_provider(
    client: httpx2.AsyncClient, sandbox: Sandbox, rest: str
) -> None:
    answer = await client.get(f"{OBJECTS}/Building/ExternalId=a%2Fb{rest}")
    assert (answer.status_code, answer.json()["code"]) == (501, "operation_not_supported")
    assert "DataProvider" in answer.json()["detail"]
    assert ". " in answer.json()["detail"]
    assert sandbox.ledger.calls == []


@pytest.mark.parametrize(
    "path",
    [
        "InvoiceLine/Invoice=001,LineId=a%2Fb",
        "Invoice/001/Lines/a%2Fb",
        "Building/0001/BuildingParts/a%2Fb",
        "BuildingFloor/Building=a%2Fb,BuildingPart=001,Id=1",
        "EquipmentSparePart/Equipment=00001,Article=a%2Fb",
    ],
)
async def test_a_composite_key_that_no_path_can_hold_is_asked_for(
    client: httpx2.AsyncClient, sandbox: Sandbox, path: str
) -> None:
    answer = await client.get(f"{OBJECTS}/{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, "record_not_found")
    assert len(sandbox.ledger.calls) == 1


async def test_every_part_of_a_key_is_filtered_and_sorted_by_in_the_id(client: httpx2.AsyncClient) -> None:
    for entity in standard_schema().entities.values():
        if not entity.composite:
            continue
        first = (await client.get(f"{OBJECTS}/{entity.name}?limit=1")).json()["items"][0]
        asked = {
            "filter": " and ".join(f"Id/{part} eq '{value}'" for part, value in first["Id"].items()),
            "orderby": ",".join(f"Id/{part} desc" for part in entity.key),
            "select": ",".join(f"Id/{part}" for part in entity.key),
        }
        listed = await client.get(f"{OBJECTS}/{entity.name}", params=asked)
        assert listed.json()["items"] == [{"Id": first["Id"]}], entity.name


@pytest.mark.parametrize(
    ("entity", "filter"),
    [
        ("InvoiceLine", "Invoice eq '{0}' and Invoice/Id eq '{0}' and Id/LineId eq '{1}'"),
        ("EquipmentSparePart", "Equipment/Id eq '{0}' and Article/Id eq '{1}'"),
        ("BuildingFloor", "Building/Id eq '{0}' and BuildingPart/Id/Id eq '{1}' and Id/Id eq '{2}'"),
    ],
)
async def test_a_part_of_a_key_that_is_a_reference_is_also_filtered_through(
    client: httpx2.AsyncClient, entity: str, filter: str
) -> None:
    first = (await client.get(f"{OBJECTS}/{entity}?limit=1")).json()["items"][0]
    key = list(first["Id"].values())
    listed = await client.get(f"{OBJECTS}/{entity}", params={"filter": filter.format(*key)})
    assert [item["Id"] for item in listed.json()["items"]] == [first["Id"]]


async def test_a_part_of_a_key_is_shown_and_sorted_by(client: httpx2.AsyncClient) -> None:
    listed = await client.get(
        f"{OBJECTS}/InvoiceLine", params={"select": "Id/LineId", "orderby": "Id/LineId desc,Invoice/Id"}
    )
    shown = listed.json()["items"]
    assert [item.keys() for item in shown] == [{"Id"}] * len(shown)
    lines = [item["Id"]["LineId"] for item in shown]
    assert lines == sorted(lines, reverse=True)
    expanded = await client.get(
        f"{OBJECTS}/EquipmentSparePart", params={"select": "Equipment", "expand": "Equipment", "limit": "1"}
    )
    assert expanded.json()["items"][0]["Equipment"]["Id"]


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("InvoiceLine?filter=LineId eq '0001'", "Id/LineId"),
        ("InvoiceLine?orderby=LineId", "Id/LineId"),
        ("InvoiceLine?select=LineId", "Id/LineId"),
        ("InvoiceLine?orderby=Id", "Id/Invoice"),
        ("InvoiceLine?orderby=Invoice", "Invoice is a reference; write Invoice/Id"),
        ("EquipmentSparePart?select=Equipment,Article", "select Id, or expand Equipment"),
        ("Equipment?select=SpareParts/Article&expand=SpareParts", "select SpareParts/Id"),
        ("BuildingPart?filter=Id eq '001'", "Id/Building"),
        ("Equipment?filter=BuildingPart eq '001'", "BuildingPart/Id/Building"),
        ("Equipment?orderby=Department", "Department is a reference; write Department/Id"),
        ("Equipment?orderby=SpareParts/Quantity", "SpareParts"),
        ("Equipment?filter=SpareParts/Quantity gt 1", "SpareParts"),
        ("Equipment?filter=Status eq 1 and InstallDate gt 5", "position 16"),
        ("Equipment?filter=Id eq 1", "a text"),
        ("Equipment?filter=ManufactureYear eq '2013'", "a number"),
        ("Equipment?filter=TrackAndTrace gt true", "eq, ne"),
        ("Equipment?filter=Department in ('01', 2)", "a text"),
    ],
)
async def test_what_the_upstream_would_refuse_costs_nothing(
    client: httpx2.AsyncClient, sandbox: Sandbox, question: str, said: str
) -> None:
    answer = await client.get(f"{OBJECTS}/{question.replace(' ', '%20')}")
    assert answer.status_code == 400, answer.text
    assert said in answer.json()["detail"]
    assert sandbox.ledger.calls == []


@pytest.mark.parametrize(
    "condition",
    [
        "ManufactureYear ge 2013.5",
        "PurchasePrice lt 10",
        "InstallDate lt 2018-03-09T15:33:51Z",
        "RecordChangeDate gt 2018-03-09",
        "InstallDate eq null",
        "TrackAndTrace ne null or TrackAndTrace eq true",
        "Department in ('01', '02') or Department/Id like '0%'",
        "Description gt 'a'",
    ],
)
async def test_what_the_upstream_takes_is_let_through(client: httpx2.AsyncClient, condition: str) -> None:
    assert (await client.get(f"{OBJECTS}/Equipment", params={"filter": condition})).status_code == 200


async def test_a_question_that_is_too_long_for_the_line_is_not_sent(
    client: httpx2.AsyncClient, sandbox: Sandbox
) -> None:
    condition = "Id in (" + ",".join(f"'{number:05d}'" for number in range(980)) + ")"
    answer = await client.get(f"{OBJECTS}/Equipment", params={"filter": condition})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert "filter" in answer.json()["detail"]
    assert sandbox.ledger.calls == []


async def test_a_body_of_nothing_but_mistakes_is_refused_at_once(client: httpx2.AsyncClient) -> None:
    begun = time.process_time()
    answer = await client.patch(f"{OBJECTS}/Equipment/00001", json={f"Descr{n}": 1 for n in range(45_000)})
    assert (answer.status_code, len(answer.json()["errors"])) == (400, 50)
    assert time.process_time() - begun < 1.5


async def test_what_the_tenant_cannot_write_costs_nothing(
    client: httpx2.AsyncClient, sandbox: Sandbox
) -> None:
    languages = await client.patch(f"{OBJECTS}/EquipmentType/0025", json={"Description": {"NL": "a"}})
    assert (languages.status_code, languages.json()["errors"][0]["pointer"]) == (400, "/Description")
    empty = await client.patch(
        f"{OBJECTS}/Equipment/00001", content=b"", headers={"Content-Type": "application/json"}
    )
    assert "the body is empty" in empty.json()["detail"]
    action = await client.post("/v1/demo/actions/REST_ReportJobb", json={})
    assert 'did you mean "REST_ReportJob"?' in action.json()["detail"]
    assert sandbox.ledger.calls == []
