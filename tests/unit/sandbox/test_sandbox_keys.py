"""API keys: who gets in, and what a key sees."""

import pytest

from adapters.sandbox import ApiKey
from tests.unit.sandbox.client import Client, serving


async def test_a_key_is_required(client: Client) -> None:
    assert (await client.get("Equipment", key=None)).error == (401, "MissingApiKey")
    assert (await client.get("Equipment", key="wrong")).error == (401, "InvalidApiKey")
    assert client.last.key is None
    assert (await client.run("REST_ReportJob", None, {}, key=None)).error == (401, "MissingApiKey")


async def test_a_key_used_from_elsewhere_is_not_valid(client: Client) -> None:
    assert (await client.get("Equipment", key="sandbox-elsewhere")).error == (401, "InvalidApiKey")


@pytest.mark.parametrize(
    ("address", "networks", "admitted"),
    [
        ("192.0.2.7", ("192.0.2.0/24",), True),
        ("192.0.3.7", ("192.0.2.0/24",), False),
        ("2001:db8::5", ("192.0.2.0/24", "2001:db8::/32"), True),
        ("2001:db9::5", ("2001:db8::/32",), False),
        ("::ffff:192.0.2.7", ("192.0.2.7",), True),
        (None, ("192.0.2.0/24",), False),
        (None, (), True),
    ],
)
def test_allow_lists_know_both_families(
    address: str | None, networks: tuple[str, ...], admitted: bool
) -> None:
    assert ApiKey(name="k", secret="k", addresses=networks).admits(address) is admitted


async def test_a_key_of_several_companies_must_choose(client: Client) -> None:
    key = "sandbox-companies"
    assert (await client.get("Equipment", key=key)).error == (400, "CompanyRequired")
    wrong = await client.get("Equipment", key=key, headers={"Ultimo-Company": "03"})
    assert wrong.error == (400, "InvalidCompany")
    second = {"Ultimo-Company": "02"}
    reply = await client.get("Equipment?count=true", key=key, headers=second)
    assert (reply.json["count"], reply.ids) == (2, ["00010", "00011"])
    assert (await client.get("Equipment('00001')", key=key, headers=second)).status == 404
    assert (await client.get("Equipment('00001')", key=key, headers={"Ultimo-Company": "01"})).status == 200
    assert (await client.get("Priority('01')", key=key, headers=second)).status == 200


async def test_records_belong_to_the_company_that_made_them(client: Client) -> None:
    key, headers = "sandbox-companies", {"Ultimo-Company": "02"}
    made = await client.post("Equipment", {"Context": 1, "Status": 1}, key=key, headers=headers)
    path = f"Equipment('{made.json['Id']}')"
    assert (await client.get(path, key=key, headers=headers)).status == 200
    assert (await client.get(path, key=key, headers={"Ultimo-Company": "01"})).status == 404
    hidden = await client.put("Equipment('00001')", {"Context": 1, "Status": 1}, key=key, headers=headers)
    assert hidden.error == (404, "EntityNotFound")
    reference = await client.patch(path, {"Department": "01"}, key=key, headers=headers)
    assert reference.error == (400, "ReferenceNotFound")


async def test_a_key_of_one_company_needs_no_header() -> None:
    key = ApiKey(name="one", secret="s", companies=("02",))
    async with serving(keys=(key,)) as client:
        assert (await client.get("Equipment", key="s")).ids == ["00010", "00011"]
        assert client.last.key == "one"
        assert (await client.get("Equipment")).error == (401, "InvalidApiKey")


async def test_nothing_of_another_company_shows_in_an_expansion(client: Client) -> None:
    headers = {"Ultimo-Company": "01"}
    await client.patch("Equipment('00001')", {"PartOfEquipment": "00010"})
    path = "Equipment('00001')?expand=PartOfEquipment&select=PartOfEquipment"
    reply = await client.get(path, key="sandbox-companies", headers=headers)
    assert reply.json == {"PartOfEquipment": None}
