"""Imports through Connector.ashx: actions, identification, nesting, values, refusals, measurements."""

from typing import Any

import pytest

from adapters.sandbox.connectors.definitions import ImportConnector
from tests.unit.sandbox.client import Client, serving
from tests.unit.sandbox.sites import data, failed, import_, outcomes, sent

NEW = {"Context": "1", "Status": "2"}


async def run(client: Client, name: str, *objects: str) -> list[tuple[str, str, Any]]:
    """Type, action and properties of each object of the answer."""
    reply = await import_(client, name, data(*objects))
    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/xml; charset=utf-8"), reply.body
    return outcomes(reply.body.decode())


async def equipment(client: Client, key: str) -> Any:
    return (await client.get(f"Equipment('{key}')")).json


async def refused(
    client: Client, properties: dict[str, str | None], code: str, action: str = "Insert"
) -> None:
    """The object is refused with the code, and nothing was stored."""
    before = (await client.get("Equipment?top=0&count=true")).json
    ((kind, done, given),) = await run(client, "IMP_EQUIPMENT", sent("Equipment", action, properties))
    assert (kind, done) == ("Equipment", "Error")
    assert given["ShortErrorMessage"].startswith(f"Message: Equipment_{code} ")
    assert given["ShortErrorMessage"] in given["ErrorMessage"]
    assert client.last.effect == "Import IMP_EQUIPMENT: Error Equipment"
    assert (await client.get("Equipment?top=0&count=true")).json == before


async def test_an_insert_names_the_new_key(client: Client) -> None:
    found = await run(client, "IMP_EQUIPMENT", sent("Equipment", "Insert", {**NEW, "Description": "Pump"}))
    assert found == [("Equipment", "Insert", {"Id": "00013"})]
    assert (client.last.effect, client.last.key) == (
        "Import IMP_EQUIPMENT: Insert Equipment 00013",
        "sandbox-user",
    )
    assert (await equipment(client, "00013"))["Description"] == "Pump"


async def test_values_of_every_type() -> None:
    async with serving(zone="Europe/Amsterdam") as client:
        job = {
            **NEW,
            "Id": "0000099",
            "Hours": "1.50",
            "Canceled": "True",
            "TargetDate": "2022-06-15T12:20:30.1234567",
            "ScheduledStartDate": "2022-01-15T12:00:00Z",
            "FeedbackText": "",
            "Text": None,
            "TotalCost": "",
            "Equipment.Id": "00001",
            "Vendor.Id": "",
        }
        assert await run(client, "IMP_JOB", sent("Job", "Insert", job)) == [
            ("Job", "Insert", {"Id": "0000099"})
        ]
        stored = (await client.get("Job('0000099')")).json
        assert (stored["Hours"], stored["Canceled"], stored["TotalCost"]) == (1.5, True, None)
        assert stored["TargetDate"] == "2022-06-15T10:20:30.1234567Z"
        assert stored["ScheduledStartDate"] == "2022-01-15T12:00:00Z"
        assert (stored["FeedbackText"], stored["Text"]) == ("", None)
        assert (stored["Equipment"], stored["Vendor"]) == ("00001", None)
        await run(client, "IMP_JOB", sent("Job", "Update", {"Id": "0000099", "Canceled": "0", "Hours": None}))
        stored = (await client.get("Job('0000099')")).json
        assert (stored["Canceled"], stored["Hours"], stored["Equipment"]) == (False, None, "00001")


async def test_dates_and_composite_references(client: Client) -> None:
    space = {**NEW, "Id": "0099", "BuildingFloor.Id.BuildingPart.Id.Building.Id": "0001"}
    space |= {"BuildingFloor.Id.BuildingPart.Id.Id": "001", "BuildingFloor.Id.Id": "1-0"}
    assert (await run(client, "IMP_SPACE", sent("Space", "Insert", space)))[0][1] == "Insert"
    floor = {"Building": "0001", "BuildingPart": "001", "Id": "1-0"}
    assert (await client.get("Space('0099')")).json["BuildingFloor"] == floor
    empty = dict.fromkeys([name for name in space if name.startswith("BuildingFloor")])
    await run(client, "IMP_SPACE", sent("Space", "Update", {"Id": "0099", **empty}))
    assert (await client.get("Space('0099')")).json["BuildingFloor"] is None
    values = {"Id": "00001", "InstallDate": "2022-04-07T00:00:00", "WarrantDate": "2022-04-08"}
    await run(client, "IMP_EQUIPMENT", sent("Equipment", "Update", values))
    stored = await equipment(client, "00001")
    assert (stored["InstallDate"], stored["WarrantDate"]) == ("2022-04-07", "2022-04-08")


async def test_references_by_external_id(client: Client) -> None:
    values = {"Id": "00001", "Site.ExternalId": "23", "Department.ExternalId": "01"}
    values |= {"Department.DataProvider": "Rest"}
    await run(client, "IMP_EQUIPMENT", sent("Equipment", "Update", values))
    stored = await equipment(client, "00001")
    assert (stored["Site"], stored["Department"]) == ("23", "01")


async def test_multilingual_texts_are_those_of_english(client: Client) -> None:
    await run(client, "IMP_PRIORITY", sent("Priority", "Update", {"Id": "01", "Description": "Urgent"}))
    texts = (await client.get("Priority('01')", key="sandbox-multilingual")).json["Description"]
    assert (texts["EN"], texts["NL"]) == ("Urgent", "Hoog")


async def test_line_ends_and_marks_survive(client: Client) -> None:
    text = 'a\r\nb\r"c" & <br /> ]]>'
    await run(client, "IMP_SITE", sent("Site", "Update", {"Id": "01", "Description": text}))
    assert (await client.get("Site('01')")).json["Description"] == text


@pytest.mark.parametrize(
    ("action", "key", "done"),
    [
        ("Insert", "00077", "Insert"),
        ("Insert", "00001", "Error"),
        ("Update", "00077", "Error"),
        ("Update", "00001", "Update"),
        ("InsertOrUpdate", "00077", "Insert"),
        ("InsertOrUpdate", "00001", "Update"),
        ("insertorskip", "00077", "Insert"),
        ("InsertOrSkip", "00001", "Skip"),
        (None, "00001", "Update"),
        (None, "00077", "Insert"),
        ("Delete", "00077", "Error"),
        ("Replace", "00001", "Error"),
    ],
)
async def test_actions(client: Client, action: str | None, key: str, done: str) -> None:
    values = {"Id": key, **NEW, "Code": "changed"} if key == "00077" else {"Id": key, "Code": "changed"}
    ((kind, answered, given),) = await run(client, "IMP_EQUIPMENT", sent("Equipment", action, values))
    assert (kind, answered, given["Id"]) == ("Equipment", done, key)
    stored = await client.get(f"Equipment('{key}')")
    changed = stored.status == 200 and stored.json["Code"] == "changed"
    assert changed == (done in ("Insert", "Update"))


async def test_a_delete(client: Client) -> None:
    await run(client, "IMP_SITE", sent("Site", "Insert", {"Id": "99", **NEW}))
    assert await run(client, "IMP_SITE", sent("Site", "Delete", {"Id": "99"})) == [
        ("Site", "Delete", {"Id": "99"})
    ]
    assert client.last.effect == "Import IMP_SITE: Delete Site 99"
    assert (await client.get("Site('99')")).status == 404
    ((_, done, given),) = await run(client, "IMP_SITE", sent("Site", "Delete", {"Id": "23"}))
    assert done == "Error"
    assert "\r\nCause: " in given["ErrorMessage"]


async def test_a_connector_can_fix_the_action() -> None:
    imports = (ImportConnector(name="FIXED", entity="Site", action="InsertOrSkip"),)
    async with serving(imports=imports) as client:
        found = await run(client, "FIXED", sent("Site", "Delete", {"Id": "01"}))
        assert found == [("Site", "Skip", {"Id": "01"})]


async def test_records_are_found_by_external_id(client: Client) -> None:
    known = sent("Site", "InsertOrUpdate", {"ExternalId": "23", "Description": "Quay"})
    assert await run(client, "IMP_SITE", known) == [("Site", "Update", {"Id": "23"})]
    new = {**NEW, "ExternalId": "erp-1", "DataProvider": "erp"}
    assert await run(client, "IMP_EQUIPMENT", sent("Equipment", None, new)) == [
        ("Equipment", "Insert", {"Id": "00013"})
    ]
    assert await run(client, "IMP_EQUIPMENT", sent("Equipment", None, new)) == [
        ("Equipment", "Update", {"Id": "00013"})
    ]
    other = {**new, "DataProvider": "Rest"}
    assert (await run(client, "IMP_EQUIPMENT", sent("Equipment", None, other)))[0][2] == {"Id": "00014"}


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"Status": "2"}, "PropertyMandatory"),
        ({"Context": "1"}, "PropertyMandatory"),
        ({**NEW, "Nothing": "1"}, "PropertyNotFound"),
        ({**NEW, "Department": "01"}, "PropertyNotFound"),
        ({**NEW, "SystemCompany": "01"}, "PropertyNotAllowed"),
        ({**NEW, "RecordCreateDate": "2022-01-01"}, "PropertyReadOnly"),
        ({**NEW, "Department.Id": "nope"}, "ReferenceNotFound"),
        ({**NEW, "Department.ExternalId": "nope"}, "ReferenceNotFound"),
        ({**NEW, "Department.Id": "01", "Department.ExternalId": "01"}, "InvalidBody"),
        ({**NEW, "BuildingPart.Id.Id": "001"}, "InvalidBody"),
        ({**NEW, "PurchasePrice": "cheap"}, "InvalidPropertyValue"),
        ({**NEW, "TrackAndTrace": "yes"}, "InvalidPropertyValue"),
        ({**NEW, "InstallDate": "yesterday"}, "InvalidPropertyValue"),
        ({**NEW, "Description": "x" * 201}, "InvalidPropertyValue"),
        ({**NEW, "Code": "1", "code": "2"}, "InvalidBody"),
        ({**NEW, "Id": "${Parent.Id}"}, "UnknownExpression"),
        ({**NEW, "ExternalId": "00001", "Id": "00055"}, "ExternalIdNotUnique"),
        ({**NEW, "Id": "00001"}, "RecordExists"),
    ],
)
async def test_what_is_refused(client: Client, values: dict[str, str | None], code: str) -> None:
    await refused(client, values, code)


async def test_what_an_update_may_not_change(client: Client) -> None:
    await refused(client, {"Id": "00001", "Context": "2"}, "PropertyInsertOnly", "Update")
    await refused(client, {"Id": "99999"}, "EntityNotFound", "Update")
    await refused(client, {}, "EntityNotFound", "Delete")


async def test_types_that_the_connector_does_not_take(client: Client) -> None:
    found = await run(client, "IMP_SITE", sent("Vendor", "Insert", NEW), sent("Nothing", "Insert", NEW))
    assert [(kind, done) for kind, done, _ in found] == [("Vendor", "Error"), ("Nothing", "Error")]
    assert "ResourceNotFound" in found[0][2]["ShortErrorMessage"]


async def test_a_refused_record_leaves_the_others(client: Client) -> None:
    reply = await import_(
        client,
        "IMP_SITE",
        data(
            sent("Site", "Insert", {"Id": "90", **NEW}),
            sent("Site", "Delete", {"Id": "23"}),
            sent("Site", "Insert", {"Id": "91", **NEW}),
        ),
    )
    assert b"&#xD;&#xA;Cause: " in reply.body
    assert [done for _, done, _ in outcomes(reply.body.decode())] == ["Insert", "Error", "Insert"]
    assert client.last.effect == "Import IMP_SITE: Insert Site 90; Error Site; Insert Site 91"


def invoice(number: str, line: str = "${Parent.Id}", **values: str) -> str:
    return sent(
        "Invoice",
        "Insert",
        {"Id": number, **NEW, **values},
        sent("InvoiceLine", "Insert", {"Id.Invoice.Id": line, **NEW}),
        sent("InvoiceLine", "Insert", {"Id.Invoice.Id": line, "Id.LineId": "0009", **NEW}),
    )


async def test_children_refer_to_their_parent(client: Client) -> None:
    found = await run(client, "IMP_INVOICE", invoice("900"), invoice("901"))
    lines = [("900", "0001"), ("900", "0009")]
    assert found[0] == ("Invoice", "Insert", {"Id": "900"})
    assert [tuple(keys.values()) for _, _, keys in found[1:3]] == lines
    assert list(found[1][2]) == ["Id.Invoice.Id", "Id.LineId"]
    assert (await client.get("Invoice('901')/Lines")).ids[0] == {"Invoice": "901", "LineId": "0001"}


async def test_a_child_of_a_refused_parent_is_refused_too(client: Client) -> None:
    found = await run(client, "IMP_INVOICE", invoice("902", **{"Vendor.Id": "nope"}))
    assert [done for _, done, _ in found] == ["Error"] * 3
    assert "ParentRefused" in found[1][2]["ErrorMessage"]
    assert (found[1][2].get("Id.Invoice.Id"), found[2][2]["Id.LineId"]) == (None, "0009")
    assert (await client.get("InvoiceLine(Invoice='902',LineId='0009')")).status == 404


async def test_a_parent_stands_when_its_child_is_refused(client: Client) -> None:
    found = await run(client, "IMP_INVOICE", invoice("903", line="nope"))
    assert [done for _, done, _ in found] == ["Insert", "Error", "Error"]
    assert (await client.get("Invoice('903')")).status == 200


async def test_grandchildren_and_composite_parents(client: Client) -> None:
    floor = {"Id.BuildingPart.Id.Building.Id": "${Parent.Parent.Id}", "Id.Id": "F1", **NEW}
    inner = sent("BuildingFloor", "Insert", {**floor, "Id.BuildingPart.Id.Id": "${Parent.Id.Id}"})
    part = sent("BuildingPart", "Insert", {"Id.Building.Id": "${Parent.Id}", "Id.Id": "P1", **NEW}, inner)
    found = await run(client, "IMP_BUILDING", sent("Building", "Insert", {"Id": "B9", **NEW}, part))
    assert [done for _, done, _ in found] == ["Insert"] * 3
    path = "BuildingFloor(Building='B9',BuildingPart='P1',Id='F1')"
    assert (await client.get(path)).status == 200


async def test_an_expression_counts_only_when_it_is_to_be_evaluated(client: Client) -> None:
    inner = '<Object Type="Site"><Property Name="Id" Value="98"/><Property Name="Context" Value="1"/>'
    inner += '<Property Name="Status" Value="1"/><Property Name="Description" Value="${Parent.Id}"/></Object>'
    await run(client, "IMP_SITE", sent("Site", "Insert", {"Id": "97", **NEW}, inner))
    assert (await client.get("Site('98')")).json["Description"] == "${Parent.Id}"


async def test_an_answer_can_be_flat() -> None:
    async with serving(imports=(ImportConnector(name="FLAT", entity="Invoice", flat=True),)) as client:
        reply = await import_(client, "FLAT", data(invoice("900")))
        assert reply.body.count(b"</Object>") == 3
        assert b"</Object></Object>" not in reply.body.replace(b"\r\n", b"")
        assert [done for _, done, _ in outcomes(reply.body.decode())] == ["Insert"] * 3


async def test_many_objects_are_counted_in_the_ledger(client: Client) -> None:
    objects = [sent("Equipment", "Insert", NEW) for _ in range(60)]
    assert len(await run(client, "IMP_EQUIPMENT", *objects, sent("Equipment", "Insert", {}))) == 61
    assert client.last.effect == "Import IMP_EQUIPMENT: 60 Insert, 1 Error"


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ("<Data><Object/></Data>", "not an object with a type"),
        ("<Data><Site/></Data>", "'Site' is not an object"),
        ('<Data><Object Type="Site"><Property/></Object></Data>', "A property has no name."),
        ("<Data><Object", "The document cannot be read"),
        ("hello", "The document cannot be read"),
        ("<Objects/>", "The root element 'Data' is expected"),
        ("<Data>" + '<Object Type="Site">' * 65 + "</Object>" * 65 + "</Data>", "nest more than 64"),
    ],
)
async def test_documents_that_cannot_be_read(client: Client, document: str, sentence: str) -> None:
    failed(await import_(client, "IMP_SITE", document), sentence)


def measurement(**values: str) -> str:
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in values.items())
    return f"<Measurement>{inner}</Measurement>"


async def take(client: Client, name: str, *measurements: str) -> list[tuple[str, str, Any]]:
    reply = await import_(client, name, f"<Measurements>{''.join(measurements)}</Measurements>")
    return outcomes(reply.body.decode())


TEMPERATURE = {"EquipmentId": "00001", "MeasurementPointId": "TEMP"}


async def test_measurements_become_values() -> None:
    async with serving(zone="Europe/Amsterdam") as client:
        found = await take(
            client,
            "IOT-MEASUREMENT",
            measurement(**TEMPERATURE, Value="25.5", Date="2022-03-14 12:00:00", Text="warm"),
            measurement(
                EquipmentId="00001", MeasurementPointId="NONE", Value="1", Date="2022-03-14T12:00:00"
            ),
            measurement(**TEMPERATURE, Value="26", Date="2022-03-14T12:30:00Z"),
        )
        assert [done for _, done, _ in found] == ["Insert", "Error", "Insert"]
        assert found[0][0] == "EquipmentMeasurementPointValue"
        assert found[0][2] == {
            "Id.EquipmentMeasurementPoint.Id.Equipment.Id": "00001",
            "Id.EquipmentMeasurementPoint.Id.Id": "TEMP",
            "Id.LineId": "00000000000004",
        }
        assert found[1][2]["Id.EquipmentMeasurementPoint.Id.Id"] == "NONE"
        assert "Message: 3095 " in found[1][2]["ErrorMessage"]
        assert "\r\nCause: " in found[1][2]["ErrorMessage"]
        path = "EquipmentMeasurementPoint(Equipment='00001',Id='TEMP')/Values"
        items = (await client.get(path)).json["items"]
        assert [(item["Value"], item["Date"], item["Text"]) for item in items[-2:]] == [
            (25.5, "2022-03-14T11:00:00Z", "warm"),
            (26, "2022-03-14T12:30:00Z", None),
        ]


async def test_process_functions_have_measurements_too(client: Client) -> None:
    for number, name in enumerate(("IOT-PROCESS-MEASUREMENT", "IOT-MEASUREMENT"), 2):
        values = {"ProcessFunctionId": "N.PRO.02", "MeasurementPointId": "DEFAULT"}
        ((kind, done, keys),) = await take(
            client, name, measurement(**values, Value="121", Date="2022-03-14T11:00:00Z")
        )
        assert (kind, done) == ("ProcessFunctionMeasurementPointValue", "Insert")
        assert keys["Id.LineId"] == f"{number:014d}"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({**TEMPERATURE, "Date": "2022-03-14"}, "InvalidParameter"),
        ({**TEMPERATURE, "Value": "hot", "Date": "2022-03-14"}, "InvalidParameter"),
        ({**TEMPERATURE, "Value": "1"}, "InvalidParameter"),
        ({"MeasurementPointId": "TEMP", "Value": "1", "Date": "2022-03-14"}, "InvalidParameter"),
        ({**TEMPERATURE, "Delta": "1", "Date": "2022-03-14"}, "InvalidParameter"),
    ],
)
async def test_measurements_that_are_refused(client: Client, values: dict[str, str], code: str) -> None:
    ((_, done, given),) = await take(client, "IOT-MEASUREMENT", measurement(**values))
    assert (done, code in given["ErrorMessage"]) == ("Error", True)


async def test_a_point_takes_no_more_than_its_share(client: Client) -> None:
    many = [measurement(**TEMPERATURE, Value="1", Date=f"2022-03-14T08:{n:02d}:00Z") for n in range(26)]
    found = await take(client, "IOT-MEASUREMENT", *many)
    assert [done for _, done, _ in found] == ["Insert"] * 25 + ["Error"]
    assert "3096" in found[-1][2]["ErrorMessage"]


async def test_measurements_in_the_wrong_shape(client: Client) -> None:
    failed(await import_(client, "IOT-MEASUREMENT", data()), "'Measurements' is expected")
    failed(await import_(client, "IOT-MEASUREMENT", "<Measurements><X/></Measurements>"), "not a measurement")
