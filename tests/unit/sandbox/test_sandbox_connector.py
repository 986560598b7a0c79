"""Connector.ashx: who may call, exports in three formats, filters, failures of the whole call."""

import csv
import gc
import io
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from adapters.sandbox import Fault
from adapters.sandbox.connectors.definitions import ExportConnector
from adapters.sandbox.connectors.desk import Desk
from adapters.sandbox.entities import build_model
from adapters.sandbox.generator import generated_equipment
from adapters.sandbox.options import SandboxOptions, with_config
from adapters.sandbox.records import Store
from tests.unit.sandbox.client import Client, serving
from tests.unit.sandbox.sites import ASHX, export, failed, import_, request, rows, send_form, send_xml

AWKWARD = 'a & b <br />\r\n\t"q" ]]> é; €'


async def test_an_export_gives_every_record_with_every_property(client: Client) -> None:
    reply = await export(client, "EXP_DEPARTMENT")
    assert reply.headers["Content-Type"] == "text/xml; charset=utf-8"
    found = rows(reply)
    assert [row["Id"] for row in found] == ["01", "02", "05"]
    assert found[2] == {
        "Id": "05",
        "Context": "1",
        "Description": "Logistics",
        "Location": None,
        "City": None,
        "Status": "1",
        "Site.Id": "23",
        "CostCenter.Id": "05",
        "PartOfDepartment.Id": "01",
        "ExternalId": None,
        "DataProvider": None,
        "RecordCreateDate": "2021-03-01T07:30:00",
        "RecordChangeDate": "2022-06-15T10:20:30.1234567",
    }
    assert (client.last.effect, client.last.key) == ("Export EXP_DEPARTMENT 3 records", "sandbox-user")


@pytest.mark.parametrize(
    "path",
    [
        "/WebServices/Connector.ashx",
        "/webservices/CONNECTOR.ASHX",
        "/Ultimo/Webservices/connector.ashx",
        "/a/b/WebServices/Connector.ashx",
    ],
)
async def test_the_path_has_any_case_below_any_sub_path(client: Client, path: str) -> None:
    assert (await send_form(client, path, Action="export", ExportName="EXP_SITE")).status == 200


async def test_names_of_parameters_and_connectors_have_any_case(client: Client) -> None:
    body = "USERNAME=sandbox-user&password=sandbox-password&ACTION=Export&exportname=exp_site"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await client.call("POST", ASHX, key=None, data=body, headers=headers)).status == 200


async def test_credentials_in_a_query_do_not_reach_the_ledger(client: Client) -> None:
    assert len(rows(await export(client, "EXP_EQ", Id="00001"))) == 1
    entry = client.last
    assert entry.target == f"{ASHX}?Username=***&Password=***&Action=export&ExportName=EXP_EQ"
    assert (entry.key, entry.effect) == ("sandbox-user", "Export EXP_EQ 1 records")
    await client.call("POST", f"{ASHX}?%50assword=sandbox-password", key=None)
    assert "sandbox-password" not in client.last.target


async def test_the_xml_may_stand_in_the_form(client: Client) -> None:
    reply = await send_form(client, Action="export", ExportName="EXP_EQ", Data=request(Id="00002"))
    assert [row["Id"] for row in rows(reply)] == ["00002"]


async def test_a_form_that_begins_like_xml_is_xml(client: Client) -> None:
    target = f"{ASHX}?username=sandbox-user&password=sandbox-password&action=export&exportName=EXP_EQ"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    reply = await client.call("POST", target, key=None, data=request(Id="00002"), headers=headers)
    assert [row["Id"] for row in rows(reply)] == ["00002"]


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"Password": "wrong", "Action": "export"}, "Username or password not correct, login failed."),
        ({"Username": "nobody", "Action": "export"}, "Username or password not correct, login failed."),
        ({"Password": ""}, "Username or password not correct, login failed."),
        ({}, "Parameter 'Action' is missing."),
        ({"Action": "erase"}, "Action 'erase' is unknown."),
        ({"Action": "export"}, "Parameter 'ExportName' is missing."),
        ({"Action": "import"}, "Parameter 'ImportName' is missing."),
        ({"Action": "export", "ExportName": "EXP_NONE"}, "Export connector 'EXP_NONE' does not exist."),
        ({"Action": "export", "ExportName": "IMP_SITE"}, "Export connector 'IMP_SITE' does not exist."),
        ({"Action": "export", "ExportName": "EXP_INACTIVE"}, "'EXP_INACTIVE' is not active."),
        ({"Action": "import", "ImportName": "IMP_INACTIVE"}, "'IMP_INACTIVE' is not active."),
        ({"Action": "import", "ImportName": "IMP_SITE"}, "There is no data to import."),
        ({"Action": "export", "ExportName": "EXP_SITE", "Data": "<Data>"}, "The document cannot be read"),
        ({"Action": "export", "ExportName": "EXP_SITE", "Data": "<Other/>"}, "'Data' is expected"),
    ],
)
async def test_failures_of_the_call(client: Client, parameters: dict[str, str], sentence: str) -> None:
    failed(await send_form(client, **parameters), sentence)
    assert (client.last.status, client.last.effect) == (500, None)


async def test_a_filter_that_the_connector_does_not_know(client: Client) -> None:
    sentence = "Property 'Description' is not a request property of export 'EXP_SITE'."
    failed(await export(client, "EXP_SITE", Description="Main works"), sentence)


async def test_a_document_type_is_refused(client: Client) -> None:
    document = '<!DOCTYPE Data [<!ENTITY a "00001">]><Data><Object Type="Site"><Property Name="&a;"/></Object></Data>'
    failed(await import_(client, "IMP_SITE", document), "DTD is prohibited")


async def test_other_methods_and_sizes(client: Client) -> None:
    reply = await client.call("GET", f"{ASHX}?Action=export", key=None)
    assert (reply.status, reply.headers["Allow"]) == (405, "POST")
    async with serving(connector_bytes=200) as small:
        reply = await send_xml(small, " " * 201, Action="import", ImportName="IMP_SITE")
        assert reply.status == 413
        assert (await export(small, "EXP_SITE")).status == 200


async def test_several_filters_must_all_hold_and_ignore_case(client: Client) -> None:
    await client.put("Equipment('00001')", {"Context": 1, "Status": 2, "Code": "Pump-1"})
    assert [row["Id"] for row in rows(await export(client, "EXP_EQ", Code="PUMP-1"))] == ["00001"]
    assert len(rows(await export(client, "EXP_EQ", Code="pump-1", Id="00001"))) == 1
    assert rows(await export(client, "EXP_EQ", Code="pump-1", Id="00002")) == []
    without = [row["Id"] for row in rows(await export(client, "EXP_EQ")) if row["Code"] is None]
    assert [row["Id"] for row in rows(await export(client, "EXP_EQ", Code=None))] == without
    assert without


async def test_composite_keys_are_columns_through_their_owner(client: Client) -> None:
    name = "EXP_EQUIPMENTMEASUREMENTPOINTVALUE"
    filters = {
        "Id__EquipmentMeasurementPoint__Id__Equipment__Id": "00001",
        "Id__EquipmentMeasurementPoint__Id__Id": "TEMP",
        "Id__LineId": "00000000000002",
    }
    (row,) = rows(await export(client, name, **filters))
    assert (row["Value"], row["Date"]) == ("22", "2022-03-02T12:00:00")
    first = {
        "EXP_INVOICELINE": ["Id.Invoice.Id", "Id.LineId"],
        "EXP_EQUIPMENTSPAREPART": ["Id.Equipment.Id", "Id.Article.Id"],
        "EXP_BUILDINGFLOOR": ["Id.BuildingPart.Id.Building.Id", "Id.BuildingPart.Id.Id", "Id.Id"],
        "EXP_BUILDINGPART": ["Id.Building.Id", "Id.Id"],
    }
    for connector, columns in first.items():
        assert list(rows(await export(client, connector))[0])[: len(columns)] == columns
    space = rows(await export(client, "EXP_SPACE"))[0]
    assert (space["BuildingFloor.Id.BuildingPart.Id.Building.Id"], space["BuildingFloor.Id.Id"]) == (
        "0001",
        "CODE01",
    )


async def test_every_entity_has_its_connectors(client: Client) -> None:
    for entity in build_model():
        for ending in ("", "_CSV", "_JSON"):
            reply = await export(client, f"EXP_{entity.name.upper()}{ending}")
            assert reply.status == (500 if entity.link else 200)


async def test_texts_survive_in_every_format(client: Client) -> None:
    await client.put("Site('01')", {"Context": 1, "Status": 1, "Description": AWKWARD})
    await client.put("Site('23')", {"Context": 1, "Status": 1, "Description": ""})
    assert [row["Description"] for row in rows(await export(client, "EXP_SITE"))] == [AWKWARD, ""]
    text = (await export(client, "EXP_SITE_CSV")).body.decode()
    table = list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))
    assert [row[table[0].index("Description")] for row in table[1:]] == [AWKWARD, ""]
    listed = (await export(client, "EXP_SITE_JSON")).json
    assert [row["Description"] for row in listed] == [AWKWARD, ""]


async def test_csv_has_a_header_and_tells_null_from_empty() -> None:
    connectors = (
        ExportConnector(name="TAB", entity="Employee", format="csv", separator="\t"),
        ExportConnector(name="COMMA", entity="Site", format="csv", separator=","),
    )
    async with serving(exports=connectors) as client:
        reply = await export(client, "TAB", Id="000001")
        assert reply.headers["Content-Type"] == "text/csv; charset=utf-8"
        header, line, end = reply.body.decode().split("\r\n")
        fields = dict(zip(header.split("\t"), line.split("\t"), strict=True))
        assert (fields["Id"], fields["Phone"], fields["CostCenter.Id"], end) == ("000001", '""', "", "")
        assert (await export(client, "COMMA")).body.startswith(b"Id,Context,Description,")


async def test_json_is_typed_and_flat() -> None:
    connectors = (
        ExportConnector(name="JOBS", entity="Job", format="json"),
        ExportConnector(name="WRAPPED", entity="Site", format="json", wrapper="Data"),
    )
    async with serving(exports=connectors) as client:
        job = (await export(client, "JOBS", Id="0000012")).json[0]
        assert (job["Context"], job["Hours"], job["Canceled"], job["Text"]) == (1, 3, True, None)
        assert (job["Department.Id"], job["StatusCreatedReportDate"]) == ("01", "2022-01-01T08:00:00")
        assert [row["Id"] for row in (await export(client, "WRAPPED")).json["Data"]] == ["01", "23"]


async def test_values_are_texts_of_their_type() -> None:
    async with serving(zone="Europe/Amsterdam") as client:
        (row,) = rows(await export(client, "EXP_JOB", Id="0000006"))
        assert (row["Hours"], row["Canceled"], row["TotalCost"]) == ("1.5", "False", "150")
        assert row["StatusCreatedReportDate"] == "2022-07-01T10:00:00"
        assert row["RecordChangeDate"] == "2022-06-15T12:20:30.1234567"
        assert row["RecordCreateDate"] == "2021-03-01T08:30:00"
        (row,) = rows(await export(client, "EXP_EQUIPMENT", Id="00001"))
        assert (row["InstallDate"], row["ManufactureYear"]) == ("2016-06-20T00:00:00", "2013")
        (row,) = rows(await export(client, "EXP_PRIORITY", Id="01"))
        assert row["Description"] == "High"


async def test_what_is_declared_and_what_is_sent_may_differ() -> None:
    async with serving(connector_encoding="utf-16") as client:
        reply = await export(client, "EXP_EQ", Id="00001")
        assert reply.headers["Content-Type"] == "text/xml; charset=utf-16"
        assert reply.body[:2] == b"\xff\xfe"
        assert reply.body.count(b"\xff\xfe") == 1
        assert 'encoding="utf-16"' in reply.body.decode("utf-16")
    async with serving() as client:
        assert b'encoding="utf-16"' in (await export(client, "EXP_EQ", Id="00001")).body


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "latin-1"])
async def test_a_request_may_be_in_another_encoding(client: Client, encoding: str) -> None:
    await client.put("Site('%C3%A9')", {"Context": 1, "Status": 1})
    declared = {"latin-1": '<?xml version="1.0" encoding="ISO-8859-1"?>'}.get(encoding, "")
    target = f"{ASHX}?Username=sandbox-user&Password=sandbox-password&Action=export&ExportName=EXP_SITE"
    content = (declared + request(Id="é")).encode(encoding)
    reply = await client.call("POST", target, key=None, data=content, headers={"Content-Type": "text/xml"})
    assert [row["Id"] for row in rows(reply)] == ["é"]


async def test_a_large_export_is_sent_in_pieces() -> None:
    async with serving(records=2_000) as client:
        reply = await export(client, "EXP_EQUIPMENT")
        assert reply.headers["Transfer-Encoding"] == "chunked"
        keys = [row["Id"] for row in rows(reply)]
        assert len(keys) == 2_000
        assert keys == sorted(key or "" for key in keys)


def test_an_export_takes_the_memory_of_a_piece() -> None:
    store = Store(build_model())
    store.fill(generated_equipment(20_000, ()))
    desk = Desk(store, SandboxOptions())
    gc.collect()
    tracemalloc.start()
    try:
        size = _consumed(desk.export("EXP_EQUIPMENT", None).pieces)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size > 20_000_000
    assert peak < 2_000_000


def _consumed(pieces: Iterator[str]) -> int:
    return sum(len(piece) for piece in pieces)


async def test_calls_count_in_the_limits_only_when_told() -> None:
    async with serving(limits="fixed", rate=2) as client:
        assert [(await export(client, "EXP_SITE")).status for _ in range(3)] == [200] * 3
    async with serving(limits="fixed", rate=2, connectors_count=True) as client:
        assert [(await export(client, "EXP_SITE")).status for _ in range(3)] == [200, 200, 429]
        assert (await client.get("Site")).status == 429


async def test_scripted_faults_strike_here_too(client: Client) -> None:
    whole = (await export(client, "EXP_SITE")).body
    client.sandbox.faults.add(Fault(action="answer", path="connector.ashx", status=503, body="busy"))
    reply = await export(client, "EXP_SITE")
    assert (reply.status, reply.body) == (503, b"busy")
    client.sandbox.faults.add(Fault(action="slow", path="connector.ashx", seconds=0.01))
    assert (await export(client, "EXP_SITE")).body == whole
    client.sandbox.faults.add(Fault(action="foreign_link", path="connector.ashx"))
    assert (await export(client, "EXP_SITE")).body == whole
    client.sandbox.faults.add(Fault(action="answer", path="connector.ashx", status=503, after=True))
    document = '<Data><Object Type="Site" Action="Delete"><Property Name="Id" Value="23"/></Object></Data>'
    assert (await import_(client, "IMP_SITE", document)).status == 503
    assert (client.last.key, client.last.effect) == ("sandbox-user", "Import IMP_SITE: Error Site")


@pytest.mark.parametrize("action", ["truncate", "wrong_length", "reset"])
async def test_a_stream_can_be_cut(client: Client, action: str) -> None:
    client.sandbox.faults.add(Fault(action=action, path="connector.ashx"))  # type: ignore[arg-type]
    with pytest.raises(Exception, match=r"payload|disconnected|reset|length"):
        await export(client, "EXP_EQUIPMENT")
    assert client.last.fault == action


def test_connectors_come_from_a_configuration_file(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.json"
    path.write_text(
        """{"users": [{"name": "erp", "password": "p"}], "exports": [{"name": "E", "entity": "Site"}],
        "imports": [{"name": "I", "entity": "Site", "action": "Update"}], "connectors_count": true,
        "connector_encoding": "utf-16", "soap_cdata": true, "connector_bytes": 5}"""
    )
    options = with_config(SandboxOptions(), str(path))
    assert [user.name for user in options.users] == ["erp"]
    assert ([item.name for item in options.exports], options.imports[0].action) == (["E"], "Update")
    assert (options.connectors_count, options.soap_cdata, options.connector_bytes) == (True, True, 5)
    path.write_text('{"exports": [{"name": "E", "entity": "Site", "format": "pdf"}]}')
    with pytest.raises(msgspec.ValidationError):
        with_config(SandboxOptions(), str(path))
