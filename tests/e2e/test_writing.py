"""Writing as a caller does it: create, replace, change, upsert, conditions, actions, files."""

from __future__ import annotations

import httpx2
import pytest

from adapters.sandbox import Sandbox

OBJECTS = "/v1/demo/objects"
NEW = {"Context": 1, "Status": 2, "Description": "Pump"}


async def test_a_create_answers_where_the_record_is(client: httpx2.AsyncClient) -> None:
    answer = await client.post(f"{OBJECTS}/Equipment", json=NEW)
    assert answer.status_code == 201
    record = answer.json()
    assert answer.headers["location"] == f"{OBJECTS}/Equipment/{record['Id']}"
    assert record["Description"] == "Pump"
    again = await client.get(answer.headers["location"])
    assert again.json() == record
    assert again.headers["etag"] == answer.headers["etag"]


async def test_a_create_through_a_collection(client: httpx2.AsyncClient) -> None:
    answer = await client.post(f"{OBJECTS}/Department/01/Jobs", json={**NEW, "Status": 1})
    assert answer.status_code == 201
    assert answer.json()["Department"] == "01"
    line = await client.post(f"{OBJECTS}/Invoice/00001/Lines", json=NEW)
    assert line.headers["location"].startswith(f"{OBJECTS}/InvoiceLine/Invoice=00001,LineId=")
    assert (await client.get(line.headers["location"])).json() == line.json()


async def test_a_replace_empties_and_a_change_does_not(client: httpx2.AsyncClient) -> None:
    place = f"{OBJECTS}/Equipment/00042"
    created = await client.put(place, json={**NEW, "SerialNumber": "7"})
    assert (created.status_code, created.json()["SerialNumber"]) == (201, "7")
    changed = await client.patch(place, json={"Model": "M"})
    assert (changed.status_code, changed.json()["SerialNumber"], changed.json()["Model"]) == (200, "7", "M")
    replaced = await client.put(place, json=NEW)
    assert (replaced.status_code, replaced.json()["SerialNumber"], replaced.json()["Model"]) == (
        200,
        None,
        None,
    )


async def test_an_upsert_changes_creates_and_never_empties(
    client: httpx2.AsyncClient, sandbox: Sandbox
) -> None:
    place = f"{OBJECTS}/Equipment/00043"
    created = await client.patch(place, params={"upsert": "true"}, json={**NEW, "SerialNumber": "7"})
    assert created.status_code == 201
    assert [call.method for call in sandbox.ledger.calls] == ["PATCH", "PUT"]
    assert created.headers["quota-cost"] == "2"
    changed = await client.patch(place, params={"upsert": "true"}, json={"Model": "M"})
    assert (changed.status_code, changed.json()["SerialNumber"]) == (200, "7")
    assert [call.method for call in sandbox.ledger.calls] == ["PATCH", "PUT", "PATCH"]


async def test_an_upsert_that_could_not_create_says_what_is_missing(
    client: httpx2.AsyncClient, sandbox: Sandbox
) -> None:
    answer = await client.patch(f"{OBJECTS}/Equipment/00044", params={"upsert": "true"}, json={"Model": "M"})
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["outcome"]) == (400, "invalid_body", "refused")
    assert {fault["pointer"] for fault in problem["errors"]} == {"/Context", "/Status"}
    assert [call.method for call in sandbox.ledger.calls] == ["PATCH"]


async def test_a_change_of_what_is_absent_is_not_a_create(client: httpx2.AsyncClient) -> None:
    answer = await client.patch(f"{OBJECTS}/Equipment/00045", json={"Model": "M"})
    assert (answer.status_code, answer.json()["code"]) == (404, "record_not_found")


async def test_minimal_answers_have_the_key_alone(client: httpx2.AsyncClient) -> None:
    answer = await client.post(f"{OBJECTS}/Equipment", json=NEW, headers={"Prefer": "return=minimal"})
    assert (answer.status_code, list(answer.json())) == (201, ["Id"])
    assert answer.headers["preference-applied"] == "return=minimal"


async def test_if_match_guards_a_write(client: httpx2.AsyncClient, sandbox: Sandbox) -> None:
    place = f"{OBJECTS}/Equipment/00001"
    tag = (await client.get(place)).headers["etag"]
    sandbox.ledger.clear()
    changed = await client.patch(place, json={"Model": "M"}, headers={"If-Match": tag})
    assert changed.status_code == 200
    stale = await client.patch(place, json={"Model": "N"}, headers={"If-Match": tag})
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition_failed")
    assert [call.method for call in sandbox.ledger.calls] == ["GET", "PATCH", "GET"]
    assert (await client.get(place)).json()["Model"] == "M"


async def test_references_by_external_id(client: httpx2.AsyncClient) -> None:
    answer = await client.patch(f"{OBJECTS}/Equipment/00001", json={"Department": {"ExternalId": "01"}})
    assert answer.status_code == 200
    assert answer.json()["Department"] == "01"


async def test_a_text_is_written_in_the_language_that_is_named(client: httpx2.AsyncClient) -> None:
    place = "/v1/plain/objects/EquipmentType/0025"
    refused = await client.patch(place, json={"Description": "Productie"})
    assert (refused.status_code, refused.json()["code"]) == (422, "upstream_rejected")
    assert "Content-Language" in refused.json()["detail"]
    changed = await client.patch(
        place, json={"Description": "Produktion"}, headers={"Content-Language": "DE"}
    )
    assert changed.status_code == 200
    german = await client.get(place, headers={"Accept-Language": "de"})
    assert german.json()["Description"] == "Produktion"


async def test_a_dry_run_of_an_upsert_shows_both_requests(
    client: httpx2.AsyncClient, sandbox: Sandbox
) -> None:
    answer = await client.patch(
        f"{OBJECTS}/Equipment/00001", params={"upsert": "true", "dry_run": "true"}, json={"Model": "M"}
    )
    plan = answer.json()
    assert [request["method"] for request in plan["requests"]] == ["PATCH", "PUT"]
    assert (plan["units"], plan["at_most"]) == (1, 2)
    assert sandbox.ledger.calls == []


async def test_an_action_reports_a_job(client: httpx2.AsyncClient) -> None:
    body = {"Description": "Leak", "ReportText": "Oil on the floor", "EquipmentId": "00001", "Context": 1}
    answer = await client.post("/v1/demo/actions/REST_ReportJob", json=body)
    assert answer.status_code == 200
    job = await client.get(f"{OBJECTS}/Job/{answer.json()['result']['JobId']}")
    assert (job.json()["Description"], job.json()["Equipment"]) == ("Leak", "00001")


@pytest.mark.parametrize(
    ("action", "body", "code"),
    [
        (
            "REST_ReportJob",
            {"Description": "x", "ReportText": "x", "EquipmentId": "99999", "Context": 1},
            "3399",
        ),
        (
            "REST_EquipmentMeasurementPointValue_Import",
            {"EquipmentId": "00001", "MeasurementPointId": "NONE", "Date": "2026-11-22 10:00:00", "Value": 1},
            "3095",
        ),
    ],
)
async def test_a_business_rule_refuses(
    client: httpx2.AsyncClient, action: str, body: dict[str, object], code: str
) -> None:
    answer = await client.post(f"/v1/demo/actions/{action}", json=body)
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["outcome"]) == (422, "upstream_rejected", "refused")
    assert problem["upstream"]["code"] == code
    assert problem["detail"] == problem["upstream"]["message"]


async def test_a_picture_is_attached(client: httpx2.AsyncClient, sandbox: Sandbox) -> None:
    answer = await client.post(
        "/v1/demo/actions/REST_AttachImageToJob",
        data={"JobId": "0000002"},
        files={"ImageFile": ("leak.png", b"\x89PNG" + bytes(1000), "image/png")},
    )
    assert answer.status_code == 200
    assert answer.json()["result"]["JobId"] == "0000002"
    assert sandbox.ledger.calls[-1].headers["Content-Type"].startswith("multipart/form-data; boundary=")
