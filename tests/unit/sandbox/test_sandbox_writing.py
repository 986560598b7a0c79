"""Writing objects. Every rule is one of the vendor page "Inserting data"."""

import pytest

from adapters.sandbox import ApiKey
from tests.unit.sandbox.client import Client, serving

NEW = {"Context": 1, "Status": 2}


async def test_put_inserts_and_then_updates(client: Client) -> None:
    body = {**NEW, "Description": "Pump", "InstallDate": "2022-04-07", "Department": "01"}
    first = await client.put("Equipment('00042')", body, key="sandbox-vendor-page")
    assert first.status == 201
    assert len(first.json) == 14
    assert first.json["Id"] == "00042"
    assert client.last.effect == "Insert Equipment 00042"
    second = await client.put("Equipment('00042')", {**body, "Description": "Pump 2"})
    assert (second.status, second.json["Description"]) == (200, "Pump 2")
    assert client.last.effect == "Update Equipment 00042"


async def test_put_really_empties_what_is_granted_and_left_out(client: Client) -> None:
    reply = await client.put("Equipment('00002')", NEW)
    assert reply.json["Description"] is None
    assert reply.json["Vendor"] is None
    assert reply.json["ExternalId"] is None
    assert (await client.get("Equipment(ExternalId='4711')")).status == 404


async def test_put_leaves_alone_what_is_not_granted(client: Client) -> None:
    await client.put("Equipment('00002')", NEW, key="sandbox-narrow")
    body = (await client.get("Equipment('00002')")).json
    assert body["Description"] is None
    assert body["Department"] is None
    assert body["Vendor"] == "2513"
    assert body["PurchasePrice"] == 1234.5


async def test_put_sets_booleans_to_their_default(client: Client) -> None:
    assert (await client.put("Equipment('00001')", NEW)).json["TrackAndTrace"] is False


async def test_patch_changes_only_what_is_given(client: Client) -> None:
    before = (await client.get("Equipment('00002')")).json
    after = (await client.patch("Equipment('00002')", {"Code": "X"})).json
    assert {**before, "Code": "X"} == {**after, "RecordChangeDate": before["RecordChangeDate"]}
    assert (await client.patch("Equipment('00002')", {"Code": None})).json["Code"] is None


@pytest.mark.parametrize(
    ("value", "name"), [({"a": 1}, "an object"), ([], "an array"), (1.5, "a number"), (True, "a boolean")]
)
async def test_a_value_of_another_type_is_called_what_json_calls_it(
    client: Client, value: object, name: str
) -> None:
    reply = await client.patch("Equipment('00002')", {"Code": value})
    assert f"'Code' is not valid: {name} is not accepted here" in reply.json["message"]


async def test_patch_of_an_absent_record_is_not_found(client: Client) -> None:
    assert (await client.patch("Equipment('09999')", {"Code": "X"})).error == (404, "EntityNotFound")
    assert (await client.patch("Equipment(ExternalId='nope')", {"Code": "X"})).status == 404


@pytest.mark.parametrize(
    ("path", "identity"),
    [
        ("Equipment", "00013"),
        ("Job", "0000031"),
        ("Invoice", "002"),
        ("ReservationLine", "00000000003"),
        ("_MyEntity", "02"),
        ("Department('01')/Jobs", "0000031"),
        ("Invoice('00001')/Lines", {"Invoice": "00001", "LineId": "0003"}),
        ("Invoice(ExternalId='001')/Lines", {"Invoice": "001", "LineId": "0003"}),
        ("Job('0000002')/Equipments", "00013"),
    ],
)
async def test_post_hands_out_automatic_keys(client: Client, path: str, identity: object) -> None:
    reply = await client.post(path, NEW)
    assert (reply.status, reply.json["Id"]) == (201, identity)


async def test_post_through_a_navigation_sets_the_parent(client: Client) -> None:
    reply = await client.post("Department('01')/Jobs", NEW)
    assert reply.json["Department"] == "01"
    await client.post("Job('0000002')/Equipments", NEW)
    assert (await client.get("Job('0000002')/Equipments")).ids == ["00001", "00002", "00013"]
    assert (await client.post("Department('99')/Jobs", NEW)).error == (404, "EntityNotFound")


async def test_keys_handed_out_go_on_behind_the_highest(client: Client) -> None:
    await client.put("Equipment('00500')", NEW)
    assert (await client.post("Equipment", NEW)).json["Id"] == "00501"
    assert (await client.post("Equipment", NEW)).json["Id"] == "00502"


@pytest.mark.parametrize(
    "path", ["Vendor", "Building", "Purchase", "InvoiceLine", "Building('0001')/BuildingParts"]
)
async def test_post_needs_an_automatic_key(client: Client, path: str) -> None:
    assert (await client.post(path, NEW)).error == (400, "InvalidPath")


@pytest.mark.parametrize(
    ("method", "path", "error"),
    [
        ("PUT", "Equipment('00001')/Department('01')", (400, "InvalidPath")),
        ("POST", "Equipment('00001')/Department", (400, "InvalidPath")),
        ("PUT", "Equipment('00001')/Department", (400, "InvalidPath")),
        ("PATCH", "Equipment('00001')/Department", (400, "InvalidPath")),
        ("PATCH", "Equipment('00001')/Department('01')", (400, "InvalidPath")),
        ("PUT", "Department('01')/Jobs('0000001')", (400, "InvalidPath")),
        ("PUT", "Department(ExternalId='01')/Jobs(ExternalId='002')/Equipments", (400, "InvalidPath")),
        ("PUT", "Department(ExternalId='01')/Jobs('0002')/Equipments", (400, "InvalidPath")),
        ("PUT", "InvoiceLine(ExternalId='99')", (400, "InvalidPath")),
        ("PUT", "Employee(ExternalId='new')", (400, "InvalidPath")),
        ("PUT", "Equipment", (405, "MethodNotAllowed")),
        ("PATCH", "Equipment", (405, "MethodNotAllowed")),
        ("POST", "Equipment('00001')", (405, "MethodNotAllowed")),
        ("PUT", "BuildingPart(Building='nope',Id='1')", (400, "ReferenceNotFound")),
        ("PUT", "Nothing('1')", (404, "ResourceNotFound")),
    ],
)
async def test_refused_forms(client: Client, method: str, path: str, error: tuple[int, str]) -> None:
    reply = await client.call(method, f"object/{path}", json=NEW)
    assert reply.error == error


@pytest.mark.parametrize(
    "path",
    [
        "BuildingFloor(Building='0001',BuildingPart='001',Id='NEW')",
        "Building('0001')/BuildingParts('001')/BuildingFloors('NEW')",
        "Building('0001')/BuildingParts(Building='0001',Id='001')"
        "/BuildingFloors(Building='0001',BuildingPart='001',Id='NEW')",
    ],
)
async def test_composite_keys_can_be_put_in_every_form(client: Client, path: str) -> None:
    assert (await client.put(path, NEW)).status == 201
    assert (await client.patch(path, {"Description": "x"})).status == 200
    found = await client.get("BuildingFloor(Building='0001',BuildingPart='001',Id='NEW')")
    assert found.json["Description"] == "x"


async def test_patch_through_a_collection_is_allowed(client: Client) -> None:
    reply = await client.patch("Department('01')/Jobs('0000002')", {"Text": "x"})
    assert (reply.status, reply.json["Text"]) == (200, "x")


@pytest.mark.parametrize("missing", ["Context", "Status"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "Equipment"),
        ("PUT", "Equipment('00001')"),
        ("PUT", "Priority('09')"),
        ("PUT", "EquipmentSparePart(Equipment='00005',Article='0191')"),
        ("POST", "Invoice('001')/Lines"),
    ],
)
async def test_context_and_status_are_mandatory(client: Client, method: str, path: str, missing: str) -> None:
    body = {name: value for name, value in NEW.items() if name != missing}
    reply = await client.call(method, f"object/{path}", json={**body, "ExternalId": "x"})
    assert reply.error == (400, "PropertyMandatory")


async def test_context_and_currency_can_be_set_on_insert_only(client: Client) -> None:
    changed = await client.put("Equipment('00001')", {"Context": 2, "Status": 2})
    assert changed.error == (400, "PropertyInsertOnly")
    assert (await client.patch("Equipment('00001')", {"Context": 1})).status == 200
    assert (await client.patch("Invoice('001')", {"Currency": "GBP"})).error == (400, "PropertyInsertOnly")
    assert (await client.put("Invoice('001')", NEW | {"Context": 2})).json["Currency"] == "EUR"
    assert (await client.post("Invoice", {**NEW, "Currency": "USD"})).json["Currency"] == "USD"


async def test_the_currency_defaults_to_that_of_the_company(client: Client) -> None:
    assert (await client.post("Invoice", NEW)).json["Currency"] == "EUR"
    headers = {"Ultimo-Company": "02"}
    reply = await client.post("Invoice", NEW, key="sandbox-companies", headers=headers)
    assert reply.json["Currency"] == "GBP"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"Id": "00001"}, "PropertyNotAllowed"),
        ({"SystemCompany": "01"}, "PropertyNotAllowed"),
        ({"RecordChangeDate": "2022-01-01"}, "PropertyReadOnly"),
        ({"DataProvider": "erp"}, "ExternalIdNotUnique"),
        ({"DataProvider": "x" * 51}, "InvalidPropertyValue"),
        ({"Nope": 1}, "PropertyNotFound"),
        ({"description": "x"}, "PropertyNotFound"),
        ({"Parts": []}, "PropertyNotFound"),
        ({"Description": 5}, "InvalidPropertyValue"),
        ({"Description": "x" * 201}, "InvalidPropertyValue"),
        ({"ManufactureYear": "two"}, "InvalidPropertyValue"),
        ({"ManufactureYear": 1.5}, "InvalidPropertyValue"),
        ({"ManufactureYear": True}, "InvalidPropertyValue"),
        ({"ManufactureYear": 2**63}, "InvalidPropertyValue"),
        ({"PurchasePrice": "1,5"}, "InvalidPropertyValue"),
        ({"PurchasePrice": True}, "InvalidPropertyValue"),
        ({"TrackAndTrace": "true"}, "InvalidPropertyValue"),
        ({"InstallDate": "07-04-2022"}, "InvalidPropertyValue"),
        ({"InstallDate": "2022-02-30"}, "InvalidPropertyValue"),
        ({"Vendor": 2513}, "InvalidPropertyValue"),
        ({"Vendor": {"Id": "2513"}}, "InvalidPropertyValue"),
        ({"BuildingPart": "001"}, "InvalidPropertyValue"),
        ({"BuildingPart": {"Id": "001"}}, "InvalidPropertyValue"),
        ({"Vendor": "nope"}, "ReferenceNotFound"),
        ({"BuildingPart": {"Building": "0001", "Id": "nope"}}, "ReferenceNotFound"),
        ({"Department": {"ExternalId": "nope"}}, "ReferenceNotFound"),
        ({"Department": {"ExternalId": "01", "Id": "01"}}, "InvalidPropertyValue"),
        ({"Department": {"ExternalId": {"ExternalId": "01"}}}, "InvalidPropertyValue"),
        ({"Department": {"Site": {"ExternalId": "23"}}}, "InvalidPropertyValue"),
        ({}, "InvalidBody"),
        ([], "InvalidBody"),
        ("x", "InvalidBody"),
    ],
)
async def test_bodies_that_are_refused(client: Client, body: object, code: str) -> None:
    before = (await client.get("Equipment('00002')")).json
    assert (await client.patch("Equipment('00002')", body)).error == (400, code)
    assert (await client.get("Equipment('00002')")).json == before


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"Code":NaN}', b"[" * 100_000])
async def test_bodies_that_are_not_json(client: Client, body: bytes) -> None:
    reply = await client.call(
        "PATCH", "object/Equipment('00001')", data=body, headers={"Content-Type": "application/json"}
    )
    assert reply.error == (400, "InvalidBody")


async def test_other_media_types_are_not_read(client: Client) -> None:
    headers = {"Content-Type": "text/xml"}
    reply = await client.call("PATCH", "object/Equipment('00001')", data=b"<a/>", headers=headers)
    assert reply.error == (415, "UnsupportedMediaType")


async def test_properties_not_granted_cannot_be_written(client: Client) -> None:
    reply = await client.patch("Equipment('00001')", {"Code": "x"}, key="sandbox-narrow")
    assert reply.error == (400, "PropertyNotFound")


async def test_texts_for_numbers_are_accepted_and_decimals_stay_exact(client: Client) -> None:
    body = {"Context": "1", "Status": "2", "PurchasePrice": "12345678901234567890.12"}
    reply = await client.put("Equipment('00042')", body)
    assert reply.json["Context"] == 1
    assert b'"PurchasePrice":12345678901234567890.12' in reply.body


async def test_times_are_kept_in_utc() -> None:
    async with serving(zone="Europe/Amsterdam") as client:
        given = {"TargetDate": "2022-07-01T12:00:00", "ScheduledStartDate": "2022-07-01T12:00:00.5+05:30"}
        body = (await client.patch("Job('0000001')", given)).json
        assert body["TargetDate"] == "2022-07-01T10:00:00Z"
        assert body["ScheduledStartDate"] == "2022-07-01T06:30:00.5Z"


async def test_record_dates_are_maintained(client: Client) -> None:
    made = (await client.post("Equipment", NEW)).json
    assert made["RecordCreateDate"] == made["RecordChangeDate"] == "2022-03-14T12:00:00Z"
    client.clock.now += 1.5
    changed = (await client.patch(f"Equipment('{made['Id']}')", {"Code": "x"})).json
    assert changed["RecordCreateDate"] == "2022-03-14T12:00:00Z"
    assert changed["RecordChangeDate"] == "2022-03-14T12:00:01.5Z"


async def test_a_record_is_inserted_and_found_by_external_id(client: Client) -> None:
    first = await client.put("Equipment(ExternalId='E-1')", NEW)
    assert (first.status, first.json["Id"]) == (201, "00013")
    assert (first.json["ExternalId"], first.json["DataProvider"]) == ("E-1", "Rest")
    again = await client.put("Equipment(ExternalId='E-1')", NEW)
    assert (again.status, again.json["Id"], again.json["ExternalId"]) == (200, "00013", "E-1")
    other = await client.put("Equipment(ExternalId='E-1')", NEW, key="sandbox-erp")
    assert (other.status, other.json["Id"], other.json["DataProvider"]) == (201, "00014", "erp")


async def test_external_ids_are_unique_with_their_provider(client: Client) -> None:
    reply = await client.patch("Equipment('00005')", {"ExternalId": "4711"})
    assert reply.error == (400, "ExternalIdNotUnique")
    mixed = await client.put("Equipment(ExternalId='E-1')", {**NEW, "ExternalId": "E-2"})
    assert mixed.error == (400, "InvalidBody")


async def test_the_provider_is_that_of_the_key_unless_one_is_given(client: Client) -> None:
    path = "Equipment('00005')"
    given = await client.patch(path, {"ExternalId": "E-1", "DataProvider": "crm"})
    assert given.json["DataProvider"] == "crm"
    assert (await client.patch(path, {"Code": "x"})).json["DataProvider"] == "crm"
    assert (await client.get("Equipment(ExternalId='E-1',DataProvider='crm')")).json["Id"] == "00005"
    assert (await client.get("Equipment(ExternalId='E-1')")).status == 404
    assert (await client.patch(path, {"ExternalId": "E-2"})).json["DataProvider"] == "Rest"
    assert (await client.patch(path, {"ExternalId": None})).json["DataProvider"] is None
    other = await client.put("Equipment(ExternalId='E-3',DataProvider='crm')", {**NEW, "DataProvider": "erp"})
    assert other.error == (400, "InvalidBody")


async def test_a_composite_key_can_be_updated_by_external_id(client: Client) -> None:
    body = {"Context": 2, "Status": 1, "Description": "x"}
    reply = await client.put("InvoiceLine(ExternalId='01')", body)
    assert (reply.status, reply.json["Id"]) == (200, {"Invoice": "001", "LineId": "0001"})
    assert (await client.patch("InvoiceLine(ExternalId='01')", {"Description": "y"})).status == 200


async def test_references_can_be_given_by_external_id(client: Client) -> None:
    body = {
        "Department": {"ExternalId": "01"},
        "PartOfEquipment": {"ExternalId": "4711", "DataProvider": "erp"},
    }
    reply = await client.patch("Equipment('00001')", body)
    assert (reply.json["Department"], reply.json["PartOfEquipment"]) == ("01", "00003")


async def test_a_multilingual_value_needs_a_language(client: Client) -> None:
    refused = await client.patch("EquipmentType('0025')", {"Description": "x"})
    assert refused.error == (400, "ContentLanguageRequired")
    for tag, code in (("NL", "NL"), ("en-US", "EN")):
        headers = {"Content-Language": tag, "Accept-Language": tag}
        reply = await client.patch("EquipmentType('0025')", {"Description": f"x {tag}"}, headers=headers)
        assert reply.json["Description"] == f"x {tag}"
        stored = await client.get("EquipmentType('0025')", key="sandbox-multilingual")
        assert stored.json["Description"][code] == f"x {tag}"
        assert stored.json["Description"]["DE"] == "Gabelstapler"


@pytest.mark.parametrize("tag", ["nl", "EN-us", "xx"])
async def test_the_content_language_is_case_sensitive(client: Client, tag: str) -> None:
    headers = {"Content-Language": tag}
    reply = await client.patch("EquipmentType('0025')", {"Description": "x"}, headers=headers)
    assert reply.error == (400, "InvalidLanguage")


async def test_a_multilingual_key_writes_several_languages(client: Client) -> None:
    key = "sandbox-multilingual"
    reply = await client.patch(
        "EquipmentType('0025')", {"Description": {"NL": "a", "FR": "b", "DE": None}}, key=key
    )
    assert reply.json["Description"] == {"EN": "Forklift truck", "NL": "a", "FR": "b"}
    for body in ({"Description": "x"}, {"Description": {"XX": "x"}}, {"Description": {"NL": 1}}):
        assert (await client.patch("EquipmentType('0025')", body, key=key)).error == (
            400,
            "InvalidPropertyValue",
        )


async def test_a_put_empties_only_the_language_it_names(client: Client) -> None:
    headers = {"Content-Language": "NL"}
    await client.put("EquipmentType('0025')", NEW, headers=headers)
    stored = await client.get("EquipmentType('0025')", key="sandbox-multilingual")
    assert stored.json["Description"] == {"EN": "Forklift truck", "DE": "Gabelstapler"}
    await client.put("EquipmentType('0025')", NEW)
    assert (await client.get("EquipmentType('0025')")).json["Description"] == "Forklift truck"
    cleared = await client.put("EquipmentType('0025')", NEW, key="sandbox-multilingual")
    assert cleared.json["Description"] is None


async def test_a_read_only_key_writes_nothing(client: Client) -> None:
    reply = await client.patch("Equipment('00001')", {"Code": "x"}, key="sandbox-readonly")
    assert reply.error == (403, "WriteNotAllowed")
    assert (await client.get("Equipment('00001')", key="sandbox-readonly")).status == 200


async def test_a_failed_insert_leaves_nothing_behind() -> None:
    key = ApiKey(name="k", secret="k", grants={"Job": None, "Equipment": ("Id", "Context", "Status")})
    async with serving(keys=(key,)) as client:
        before = client.sandbox.store.counts()
        reply = await client.post("Job('0000002')/Equipments", {**NEW, "Code": "x"}, key="k")
        assert reply.error == (400, "PropertyNotFound")
        assert client.sandbox.store.counts() == before


async def test_a_body_of_more_than_a_megabyte_is_refused() -> None:
    async with serving(single_bytes=1000) as client:
        assert (await client.patch("Equipment('00001')", {"Code": "x" * 1000})).error == (
            413,
            "PayloadTooLarge",
        )

        async def pieces() -> object:
            for _ in range(20):
                yield b" " * 100

        headers = {"Content-Type": "application/json"}
        reply = await client.call("PATCH", "object/Equipment('00001')", data=pieces(), headers=headers)
        assert reply.error == (413, "PayloadTooLarge")
        assert client.last.status == 413
