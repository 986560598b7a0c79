"""Deleting records, which a batch alone can do."""

import pytest

from tests.unit.sandbox.batches import NEW, send, statuses, write
from tests.unit.sandbox.client import Client


async def test_deleting(client: Client) -> None:
    found = await statuses(
        client,
        write("a", "DELETE", "Object/Job('0000030')"),
        write("b", "DELETE", "Object/Job('0000030')"),
        write("c", "DELETE", "Object/Job"),
        write("d", "DELETE", "Object/Equipment('00001')/Department"),
        write("e", "DELETE", "Object/EquipmentSparePart(ExternalId='0191')"),
        write("f", "delete", "Object/Equipment('00001')/SpareParts('0192')"),
        write("g", "DELETE", "Object/Equipment(ExternalId='nope')"),
    )
    assert found == [204, 404, 405, 400, 204, 204, 404]
    assert (await client.get("Job('0000030')")).status == 404
    assert (await client.get("Equipment('00001')/SpareParts")).ids == []
    assert client.sandbox.ledger.calls[0].batch is not None
    assert client.sandbox.ledger.calls[0].batch[0].effect == "Delete Job 0000030"
    assert (await client.call("DELETE", "object/Job('0000001')")).status == 405


@pytest.mark.parametrize(
    ("path", "user"),
    [
        ("Vendor('2513')", "Equipment 00002"),
        ("Invoice('001')", "InvoiceLine 001,0001"),
        ("BuildingPart(Building='0001',Id='002')", "BuildingFloor 0001,002,CODE01"),
        ("BuildingFloor(Building='0001',BuildingPart='001',Id='CODE01')", "Equipment 00002"),
        ("EquipmentMeasurementPoint(Equipment='00001',Id='TEMP')", "EquipmentMeasurementPointValue"),
        ("Job('0000002')", "Job 0000003"),
    ],
)
async def test_what_is_in_use_cannot_be_deleted(client: Client, path: str, user: str) -> None:
    """A choice: the page does not speak of it."""
    reply = await send(client, write("a", "DELETE", f"Object/{path}"))
    response = reply.json["responses"][0]
    assert (response["status"], response["body"]["code"], response["body"]["type"]) == (400, "1403", 3)
    assert f"cannot be deleted.\r\nCause: It is in use by {user}" in response["body"]["message"]
    assert (await client.get(path)).status == 200


async def test_a_record_may_refer_to_itself_and_links_go_with_it(client: Client) -> None:
    await client.patch("Equipment('00005')", {"PartOfEquipment": "00005"})
    await client.post("Job('0000005')/Equipments", NEW)
    found = await statuses(
        client,
        write("a", "PATCH", "Object/Job('0000004')", {"Equipment": None}),
        write("b", "PATCH", "Object/Job('0000013')", {"Equipment": None}),
        write("c", "PATCH", "Object/Job('0000022')", {"Equipment": None}),
        write("d", "DELETE", "Object/Equipment('00005')"),
        write("e", "DELETE", "Object/Job('0000005')"),
        write("f", "DELETE", "Object/Equipment('00013')"),
    )
    assert found == [200, 200, 200, 204, 204, 204]


async def test_a_link_does_not_outlive_its_record(client: Client) -> None:
    path = "Job('0000005')"
    made = (await client.post(f"{path}/Equipments", NEW)).json["Id"]
    found = await statuses(
        client,
        write("a", "DELETE", f"Object/{path}"),
        write("b", "PUT", f"Object/{path}", NEW),
    )
    assert found == [204, 201]
    assert (await client.get(f"{path}/Equipments")).ids == []
    assert (await client.get(f"Equipment('{made}')")).status == 200


async def test_a_deleted_record_comes_back_with_its_group(client: Client) -> None:
    before = (await client.get("EquipmentSparePart(ExternalId='0191')")).json
    found = await statuses(
        client,
        write("a", "DELETE", "Object/EquipmentSparePart(ExternalId='0191')", atomicityGroup="g"),
        write("b", "DELETE", "Object/EquipmentSparePart(ExternalId='0191')", atomicityGroup="g"),
    )
    assert found == [424, 404]
    assert (await client.get("EquipmentSparePart(ExternalId='0191')")).json == before


async def test_the_key_of_a_deleted_record_is_not_handed_out_again(client: Client) -> None:
    reply = await send(
        client,
        write("a", "DELETE", "Object/Job('0000030')"),
        write("b", "POST", "Object/Job", NEW),
        write("c", "DELETE", "Object/$b", dependsOn=["b"]),
        write("d", "POST", "Object/Job", NEW),
        write("e", "DELETE", "Object/InvoiceLine(Invoice='001',LineId='0002')"),
        write("f", "POST", "Object/Invoice('001')/Lines", NEW),
    )
    made = [item["body"]["Id"] for item in reply.json["responses"] if item["status"] == 201]
    assert made == ["0000031", "0000032", {"Invoice": "001", "LineId": "0003"}]
