"""Reading as a caller does it: lists, pages, records, streams, special keys, dry runs."""

from __future__ import annotations

import json

import httpx2
import pytest

from adapters.sandbox import Sandbox
from tests.support.servers import Served

OBJECTS = "/v1/demo/objects"
JOBS = {
    "filter": "Status eq 1 and Department/Id eq '01'",
    "orderby": "TargetDate desc",
    "count": "true",
    "limit": "5",
}


async def test_the_vendors_example(client: httpx2.AsyncClient) -> None:
    answer = await client.get(f"{OBJECTS}/Equipment/00001")
    assert answer.status_code == 200
    record = answer.json()
    example = {
        "Id": "00001",
        "Code": None,
        "Context": 1,
        "Description": "Heftruck 1 type 35 ",
        "InstallDate": "2016-06-20",
        "ManufactureYear": 2013,
        "NextPmMaintenanceDate": "2022-12-25",
        "Status": 2,
        "SerialNumber": "2344-323AA",
        "CostCenter": "05",
        "Department": "05",
        "EquipmentType": "0025",
        "PartOfEquipment": None,
        "ProcessFunction": None,
    }
    assert {name: record[name] for name in example} == example
    assert answer.headers["quota-cost"] == "1"
    assert 'desc="rest"' in answer.headers["server-timing"]


async def test_names_are_matched_in_any_case(client: httpx2.AsyncClient) -> None:
    assert (await client.get(f"{OBJECTS}/eQuipment/00001/department")).json()["Id"] == "05"


@pytest.mark.parametrize("key", ["01%2F02", "50%25", "a%3Db"])
async def test_every_key_can_be_read(client: httpx2.AsyncClient, sandbox: Sandbox, key: str) -> None:
    answer = await client.get(f"{OBJECTS}/Building/{key}")
    assert answer.status_code == 200
    assert answer.json()["Id"] == {"01%2F02": "01/02", "50%25": "50%", "a%3Db": "a=b"}[key]
    assert len(sandbox.ledger.calls) == 1


async def test_what_belongs_to_a_record_with_a_special_key(client: httpx2.AsyncClient) -> None:
    answer = await client.get(f"{OBJECTS}/Building/01%2F02/BuildingParts")
    assert answer.status_code == 200
    assert {
        item["Building"] if "Building" in item else item["Id"]["Building"] for item in answer.json()["items"]
    } <= {"01/02"}


async def test_a_list_is_paged(client: httpx2.AsyncClient) -> None:
    answer = await client.get(f"{OBJECTS}/Job", params=JOBS)
    first = answer.json()
    assert len(first["items"]) == 5
    assert first["count"] > 5
    dates = [item["TargetDate"] for item in first["items"]]
    seen = [item["Id"] for item in first["items"]]
    while first["next"]:
        link = answer.headers["link"]
        assert link.endswith('; rel="next"')
        answer = await client.get(link[1 : link.index(">")])
        first = answer.json()
        seen += [item["Id"] for item in first["items"]]
        dates += [item["TargetDate"] for item in first["items"]]
    assert len(seen) == len(set(seen)) == first["count"]
    assert [date for date in dates if date] == sorted((date for date in dates if date), reverse=True)


async def test_a_cursor_is_bound_to_its_query_and_shows_no_address(
    client: httpx2.AsyncClient, sandbox: Sandbox
) -> None:
    cursor = (await client.get(f"{OBJECTS}/Job", params=JOBS)).json()["next"]
    sandbox.ledger.clear()
    for changed in ({**JOBS, "filter": "Status eq 2"}, {**JOBS, "orderby": "Id"}, {"limit": "5"}):
        answer = await client.get(f"{OBJECTS}/Job", params={**changed, "cursor": cursor})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")
    other_tenant = await client.get("/v1/plain/objects/Job", params={**JOBS, "cursor": cursor})
    assert other_tenant.json()["code"] == "invalid_cursor"
    forged = await client.get(f"{OBJECTS}/Job", params={**JOBS, "cursor": cursor[:-2] + "AA"})
    assert forged.json()["code"] == "invalid_cursor"
    assert sandbox.ledger.calls == []
    assert (
        await client.get(f"{OBJECTS}/Job", params={**JOBS, "limit": "2", "cursor": cursor})
    ).status_code == 200


async def test_select_and_expand(client: httpx2.AsyncClient) -> None:
    answer = await client.get(
        f"{OBJECTS}/Equipment/00001", params={"select": "Id,Description", "expand": "Department"}
    )
    record = answer.json()
    assert set(record) == {"Id", "Description", "Department"}
    assert record["Department"]["Id"] == "05"


async def test_an_etag_spares_the_body(client: httpx2.AsyncClient) -> None:
    first = await client.get(f"{OBJECTS}/Equipment/00001")
    again = await client.get(f"{OBJECTS}/Equipment/00001", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = await client.get(f"{OBJECTS}/Equipment/00001", headers={"If-None-Match": '"other"'})
    assert other.status_code == 200


async def test_languages_are_asked_for_and_answered(client: httpx2.AsyncClient, sandbox: Sandbox) -> None:
    answer = await client.get(f"{OBJECTS}/Department/01", headers={"Accept-Language": "en-us,nl;q=0.5"})
    assert answer.headers["content-language"] == "en-US"
    assert sandbox.ledger.calls[-1].headers["Accept-Language"] == "en-US"


async def test_a_stream_has_every_record_once_and_one_log_line(
    client: httpx2.AsyncClient, served: Served, sandbox: Sandbox
) -> None:
    answer = await client.get(f"{OBJECTS}/Job", headers={"Accept": "application/x-ndjson"})
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    ids = [json.loads(line)["Id"] for line in answer.text.splitlines()]
    assert len(ids) == len(set(ids)) == 30
    (line,) = served.lines()
    assert (line["records"], line["units"]) == (30, len(sandbox.ledger.calls))


async def test_a_dry_run_sends_nothing_and_hides_the_key(
    client: httpx2.AsyncClient, sandbox: Sandbox
) -> None:
    answer = await client.get(f"{OBJECTS}/Building/01%2F02", params={"dry_run": "true"})
    plan = answer.json()
    assert (answer.status_code, plan["adapter"], plan["units"]) == (200, "rest", 1)
    (request,) = plan["requests"]
    assert request["method"] == "GET"
    assert request["target"] == "/object/Building?filter=Id%20eq%20'01/02'&top=2"
    assert "sandbox-demo" not in answer.text
    assert sandbox.ledger.calls == []


async def test_head_answers_without_a_body(client: httpx2.AsyncClient) -> None:
    answer = await client.head(f"{OBJECTS}/Equipment/00001")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["etag"]


async def test_request_ids_and_traces_travel(
    client: httpx2.AsyncClient, served: Served, sandbox: Sandbox
) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    answer = await client.get(
        f"{OBJECTS}/Equipment/00001", headers={"X-Request-Id": "order-4711", "traceparent": trace}
    )
    assert answer.headers["x-request-id"] == "order-4711"
    headers = sandbox.ledger.calls[-1].headers
    assert (headers["X-Request-Id"], headers["traceparent"]) == ("order-4711", trace)
    (line,) = served.lines()
    assert line["request_id"] == "order-4711"
    assert line["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"


async def test_a_log_line_answers_the_question(client: httpx2.AsyncClient, served: Served) -> None:
    await client.get(f"{OBJECTS}/Equipment/00001")
    (line,) = served.lines()
    sends = line["sends"]
    assert isinstance(sends, list)
    (sent,) = sends
    assert sent["status"] == 200
    expected = {
        "tenant": "demo",
        "client": "tests",
        "operation": "get",
        "entity": "Equipment",
        "adapter": "rest",
        "units": 1,
        "attempts": 1,
        "status": 200,
        "outcome": None,
    }
    assert {name: line[name] for name in expected} == expected
    text = served.log.getvalue().decode()
    assert "00001" not in text
    assert "sandbox-demo" not in text
    assert "test-key" not in text
