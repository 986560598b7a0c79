"""What a tenant's credential is set up for decides what its callers see: companies, languages, grants, addresses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import httpx2
import pytest_asyncio

from adapters.sandbox import Sandbox
from tests.support.servers import KEY, gateway

KEYS = {
    "VENDOR_PAGE": "sandbox-vendor-page",
    "MULTILINGUAL": "sandbox-multilingual",
    "COMPANIES": "sandbox-companies",
    "READONLY": "sandbox-readonly",
    "ELSEWHERE": "sandbox-elsewhere",
    "ERP": "sandbox-erp",
    "NARROW": "sandbox-narrow",
    "NOBODY": "not-a-key",
}


def tenant(secret: str, **settings: object) -> Mapping[str, object]:
    return {"credentials": {"api_key": {"env": secret}}, **settings}


TENANTS = {
    "vendor-page": tenant("VENDOR_PAGE"),
    "all-languages": tenant("MULTILINGUAL", multilingual=True),
    "no-company": tenant("COMPANIES"),
    "company-one": tenant("COMPANIES", company="01"),
    "company-two": tenant("COMPANIES", company="02"),
    "onprem": tenant("READONLY", adapters={"rest": {"writes": False}}),
    "readonly": tenant("READONLY"),
    "elsewhere": tenant("ELSEWHERE"),
    "erp": tenant("ERP"),
    "narrow": tenant("NARROW"),
    "nobody": tenant("NOBODY"),
    "plain-text": {"strip_html": True},
    "dutch": {"language": "NL"},
}


@pytest_asyncio.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[httpx2.AsyncClient]:
    async with (
        gateway(sandbox.url + "/api/v1", TENANTS, secrets=KEYS) as served,
        httpx2.AsyncClient(base_url=served.url + "/v1/", headers={"X-API-Key": KEY}, verify=False) as running,
    ):
        yield running


async def test_only_what_is_granted_is_seen(client: httpx2.AsyncClient) -> None:
    record = (await client.get("vendor-page/objects/Equipment/00001")).json()
    assert record == {
        "Id": "00001",
        "Description": "Heftruck 1 type 35 ",
        "Context": 1,
        "Status": 2,
        "Code": None,
        "SerialNumber": "2344-323AA",
        "ManufactureYear": 2013,
        "InstallDate": "2016-06-20",
        "NextPmMaintenanceDate": "2022-12-25",
        "CostCenter": "05",
        "Department": "05",
        "EquipmentType": "0025",
        "PartOfEquipment": None,
        "ProcessFunction": None,
    }
    hidden = await client.get("narrow/objects/Invoice/001")
    assert (hidden.status_code, hidden.json()["code"]) == (404, "entity_not_found")


async def test_all_languages_at_once(client: httpx2.AsyncClient) -> None:
    place = "all-languages/objects/EquipmentType/0025"
    before = (await client.get(place)).json()["Description"]
    assert set(before) >= {"NL", "EN", "DE"}
    changed = await client.patch(place, json={"Description": {"DE": "Stapler"}})
    assert changed.json()["Description"] == before | {"DE": "Stapler"}


async def test_the_company_is_the_tenants(client: httpx2.AsyncClient, sandbox: Sandbox) -> None:
    undecided = await client.get("no-company/objects/Job")
    assert (undecided.status_code, undecided.json()["code"]) == (422, "upstream_rejected")
    one = {item["Id"] for item in (await client.get("company-one/objects/Job")).json()["items"]}
    two = {item["Id"] for item in (await client.get("company-two/objects/Job")).json()["items"]}
    assert one
    assert two
    assert not one & two
    assert sandbox.ledger.calls[-1].headers["Ultimo-Company"] == "02"


async def test_where_rest_takes_no_writes_nothing_is_sent(
    client: httpx2.AsyncClient, sandbox: Sandbox
) -> None:
    body = {"Context": 1, "Status": 1}
    refused = await client.put("onprem/objects/Equipment/00001", json=body)
    assert (refused.status_code, refused.json()["code"]) == (501, "operation_not_supported")
    assert sandbox.ledger.calls == []
    capabilities = (await client.get("onprem/capabilities")).json()["items"]
    served = {item["operation"]: item["adapter"] for item in capabilities}
    assert (served["get"], served["replace"]) == ("rest", None)
    unforeseen = await client.put("readonly/objects/Equipment/00001", json=body)
    assert unforeseen.json()["code"] == "upstream_auth_failed"


async def test_a_credential_that_is_not_accepted_is_the_gateways_fault(client: httpx2.AsyncClient) -> None:
    for name in ("nobody", "elsewhere"):
        answer = await client.get(f"{name}/objects/Equipment/00001")
        problem = answer.json()
        assert (answer.status_code, problem["code"], problem["outcome"]) == (
            502,
            "upstream_auth_failed",
            "refused",
        )
        assert "not-a-key" not in answer.text


async def test_external_ids_belong_to_the_keys_provider(client: httpx2.AsyncClient) -> None:
    mine = await client.get("erp/objects/Equipment/ExternalId=4711")
    named = await client.get("dutch/objects/Equipment/ExternalId=4711,DataProvider=erp")
    others = await client.get("erp/objects/Equipment/ExternalId=00001")
    assert mine.json()["Id"] == named.json()["Id"]
    assert (others.status_code, others.json()["code"]) == (404, "record_not_found")


async def test_markup_is_taken_out_where_the_tenant_says_so(client: httpx2.AsyncClient) -> None:
    rich = (await client.get("dutch/objects/Job/0000001")).json()["ReportText"]
    plain = (await client.get("plain-text/objects/Job/0000001")).json()["ReportText"]
    assert "<br />" in rich
    assert "<" not in plain


async def test_the_tenants_language_is_asked_for_unless_the_caller_says_another(
    client: httpx2.AsyncClient, sandbox: Sandbox
) -> None:
    await client.get("dutch/objects/EquipmentType/0025")
    await client.get("dutch/objects/EquipmentType/0025", headers={"Accept-Language": "de"})
    asked = [call.headers.get("Accept-Language") for call in sandbox.ledger.calls]
    assert asked == ["NL", "DE"]
