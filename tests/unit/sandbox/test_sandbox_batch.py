"""What becomes of a batch: its answer, groups, dependencies, ledger and faults; vendor page "Inserting data in
batch".
"""

from typing import Any

import aiohttp
import pytest

from adapters.sandbox import ApiKey, Fault
from tests.unit.sandbox.batches import NEW, send, statuses, write
from tests.unit.sandbox.client import Client, serving

COMMON = ("Id", "Context", "Description", "Status")
PAGE = ApiKey(
    name="page",
    secret="page",
    grants={
        "Equipment": (
            *("Id", "Context", "Description", "InstallDate", "NextPmMaintenanceDate", "Status"),
            *("CostCenter", "Department"),
        ),
        "Department": COMMON,
        "Employee": (*COMMON, "Department"),
        "Invoice": (*COMMON, "Site", "Vendor"),
        "InvoiceLine": COMMON,
    },
)
"""A key that grants what the answers of the page's examples show."""


async def test_the_first_example_of_the_page() -> None:
    asset = {
        "Context": 1, "Description": "Asset", "InstallDate": "2022-04-07",
        "NextPmMaintenanceDate": "2023-04-07", "Status": 2, "CostCenter": "01", "Department": "01",
    }  # fmt: skip
    async with serving(keys=(PAGE, ApiKey(name="all", secret="all"))) as client:
        client.sandbox.store.clear()
        for path in ("CostCenter('01')", "Department('01')", "Equipment('39938')"):
            await client.put(path, NEW, key="all")
        reply = await send(
            client,
            write("1", "PUT", "Object/Equipment('00001')", asset),
            write("2", "POST", "Object/Equipment", asset),
            write("3", "PATCH", "Object/Equipment('00001')", {"Description": "Installation"}),
            write("4", "DELETE", "Object/Equipment('00001')"),
            key="page",
        )
        assert reply.json == {
            "responses": [
                {"id": "1", "status": 201, "body": {"Id": "00001", **asset}},
                {"id": "2", "status": 201, "body": {"Id": "39939", **asset}},
                {"id": "3", "status": 200, "body": {"Id": "00001", **asset, "Description": "Installation"}},
                {"id": "4", "status": 204},
            ]
        }
        assert reply.headers["Content-Type"] == "application/json; charset=utf-8"
        assert (await client.get("Equipment('00001')", key="page")).status == 404


async def test_the_second_example_of_the_page() -> None:
    department = {"Context": 1, "Description": "Department", "Status": 0}
    employee = {"Context": 1, "Description": "John Doe", "Status": 0, "Department": "01"}
    invoice = {"Context": 2, "Status": 1, "Description": "Invoice", "Vendor": "2513", "Site": "23"}
    lines = [{"Context": 2, "Status": 1, "Description": f"Invoice line {number}"} for number in (1, 2)]
    group = {"atomicityGroup": "group1"}
    async with serving(keys=(PAGE, ApiKey(name="all", secret="all"))) as client:
        client.sandbox.store.clear()
        for path in ("Department('01')", "Employee('000001')", "Vendor('2513')", "Site('23')"):
            await client.put(path, NEW, key="all")
        reply = await send(
            client,
            write("1", "PUT", "Object/Department('01')", department),
            write("2", "PUT", "Object/Employee('000001')", employee, dependsOn=["1"]),
            write("a1", "POST", "Object/Invoice", invoice, **group),
            write("a2", "POST", "Object/$a1/Lines", lines[0], dependsOn=["a1"], **group),
            write("a3", "POST", "Object/$a1/Lines", lines[1], dependsOn=["a1", "a2"], **group),
            key="page",
        )
        line = {"Invoice": "001", "LineId": "0001"}
        assert reply.json == {
            "responses": [
                {"id": "1", "status": 200, "body": {"Id": "01", **department}},
                {"id": "2", "status": 200, "body": {"Id": "000001", **employee}},
                {"id": "a1", "status": 201, "body": {"Id": "001", **invoice}},
                {"id": "a2", "status": 201, "body": {"Id": line, **lines[0]}},
                {"id": "a3", "status": 201, "body": {"Id": {**line, "LineId": "0002"}, **lines[1]}},
            ]
        }
        assert client.last.effect == "batch: 5 (5 written)"


async def test_a_group_succeeds_or_fails_as_a_whole(client: Client) -> None:
    before = client.sandbox.store.counts()
    group = {"atomicityGroup": "g"}
    reply = await send(
        client,
        write("a", "POST", "Object/Equipment", NEW, **group),
        write("b", "DELETE", "Object/Equipment('00012')", **group),
        write("c", "PATCH", "Object/Equipment('00002')", {"Nope": 1}, **group),
        write("d", "POST", "Object/Vendor", NEW, **group),
        write("e", "POST", "Object/Equipment", NEW),
    )
    responses = reply.json["responses"]
    assert [(item["id"], item["status"]) for item in responses] == [
        ("a", 424), ("b", 424), ("c", 400), ("d", 424), ("e", 201),
    ]  # fmt: skip
    assert responses[0]["body"] == {
        "message": "The request 'c' of its atomicityGroup failed.",
        "code": "FailedDependency",
    }
    assert responses[2]["body"]["code"] == "PropertyNotFound"
    after = client.sandbox.store.counts()
    assert {name for name in after if after[name] != before[name]} == {"Equipment"}
    assert after["Equipment"] == before["Equipment"] + 1
    assert client.last.effect == "batch: 5 (1 written)"
    assert [member.effect is None for member in client.last.batch] == [True, True, True, True, False]


async def test_neighbouring_groups_have_transactions_of_their_own(client: Client) -> None:
    good, bad = {"Code": "x"}, {"Nope": 1}
    url = "Object/Equipment('00002')"
    found = await statuses(
        client,
        write("a", "PATCH", url, good, atomicityGroup="g"),
        write("b", "PATCH", url, bad, atomicityGroup="g"),
        write("c", "PATCH", url, good, atomicityGroup="h"),
        write("d", "PATCH", url, good, atomicityGroup="h"),
    )
    assert found == [424, 400, 200, 200]


async def test_a_failed_dependency_is_handed_on(client: Client) -> None:
    url = "Object/Equipment('00002')"
    reply = await send(
        client,
        write("a", "PATCH", url, {"Nope": 1}),
        write("b", "PATCH", url, {"Code": "b"}, dependsOn=["a"]),
        write("c", "PATCH", url, {"Code": "c"}, dependsOn=["b"]),
        write("d", "PATCH", url, {"Description": "d"}, dependsOn=[]),
        write("e", "PATCH", url, {"Description": "e"}, dependsOn=["d", "a"]),
    )
    responses = reply.json["responses"]
    assert [item["status"] for item in responses] == [400, 424, 424, 200, 424]
    assert responses[4]["body"]["message"] == "The request 'a' that it depends on failed."
    record = (await client.get("Equipment('00002')")).json
    assert (record["Code"], record["Description"]) == ("P-A1", "d")


async def test_a_url_can_begin_at_the_record_of_an_earlier_request(client: Client) -> None:
    reply = await send(
        client,
        write("a.1", "POST", "Object/Invoice", {"Context": 2, "Status": 1}),
        write("b", "PATCH", "Object/$a.1", {"Description": "changed"}, dependsOn=["a.1"]),
        write("c", "POST", "object/$a.1/lines", {"Context": 2, "Status": 1}, dependsOn=["a.1"]),
        write("d", "PATCH", "Object/$c", {"Description": "line"}, dependsOn=["c"]),
        write("e", "PATCH", "Object/$a.1/Lines('0001')", {"Status": 2}, dependsOn=["a.1"]),
        write("f", "DELETE", "Object/$c", dependsOn=["c", "d", "e"]),
        write("g", "PATCH", "Object/$c", {"Status": 2}, dependsOn=["c"]),
        write("h", "PATCH", "Object/$a.1/Lines(ExternalId='x')", {"Status": 2}, dependsOn=["a.1"]),
    )
    responses = reply.json["responses"]
    assert [item["status"] for item in responses] == [201, 200, 201, 200, 200, 204, 404, 400]
    invoice = responses[0]["body"]["Id"]
    assert responses[1]["body"]["Description"] == "changed"
    assert responses[3]["body"]["Id"] == {"Invoice": invoice, "LineId": "0001"}
    assert (await client.get(f"Invoice('{invoice}')/Lines")).ids == []


async def test_the_record_of_an_external_id_goes_by_its_own_key(client: Client) -> None:
    found = await statuses(
        client,
        write("a", "PUT", "Object/Department(ExternalId='01')", NEW),
        write("b", "POST", "Object/$a/Jobs", NEW, dependsOn=["a"]),
    )
    assert found == [200, 201]
    assert (await client.get("Department('01')/Jobs?orderby=Id%20desc&top=1")).ids == ["0000031"]


async def test_what_the_key_and_the_headers_say_holds_for_all(client: Client) -> None:
    url = "Object/EquipmentType('0025')"
    reply = await send(
        client,
        write("a", "PATCH", url, {"Description": "x"}),
        write("b", "PATCH", url, {"Description": "y"}),
        headers={"Content-Language": "NL", "Accept-Language": "NL"},
    )
    assert [item["body"]["Description"] for item in reply.json["responses"]] == ["x", "y"]
    assert reply.headers["Content-Language"] == "NL"
    narrow = await statuses(
        client,
        write("a", "PATCH", "Object/Job('0000001')", {"Text": "x"}),
        write("b", "PATCH", "Object/Equipment('00001')", {"Code": "x"}),
        write("c", "DELETE", "Object/Job('0000001')"),
        write("d", "PATCH", "Object/Equipment('00001')", {"Description": "x"}),
        key="sandbox-narrow",
    )
    assert narrow == [404, 400, 404, 200]
    change = write("a", "PATCH", "Object/Equipment('00001')", {"Code": "x"})
    other = [change, write("b", "DELETE", "Object/Job('0000001')"), write("c", "POST", "Object/Invoice", NEW)]
    headers = {"Ultimo-Company": "02"}
    reply = await send(client, *other, key="sandbox-companies", headers=headers)
    assert [item["status"] for item in reply.json["responses"]] == [404, 404, 201]
    assert reply.json["responses"][2]["body"]["Currency"] == "GBP"
    assert (await send(client, change, key="sandbox-companies")).error == (400, "CompanyRequired")
    made = await send(
        client, write("a", "PUT", "Object/Equipment(ExternalId='4711')", NEW), key="sandbox-erp"
    )
    assert made.json["responses"][0]["body"]["Id"] == "00003"


async def test_what_the_ledger_tells(client: Client) -> None:
    await send(
        client,
        write("a", "post", "Object/Invoice", NEW, atomicityGroup="g"),
        write("b", "POST", "Object/$a/Lines", NEW, atomicityGroup="g", dependsOn=["a"]),
        write("c", "DELETE", "Object/Invoice('nope')"),
    )
    shown = (await client.call("GET", "/_sandbox/ledger")).json["calls"][-1]
    assert shown["effect"] == "batch: 3 (2 written)"
    assert shown["batch"] == [
        {"id": "a", "method": "POST", "url": "Object/Invoice", "group": "g", "depends_on": [],
         "status": 201, "effect": "Insert Invoice 002"},
        {"id": "b", "method": "POST", "url": "Object/$a/Lines", "group": "g", "depends_on": ["a"],
         "status": 201, "effect": "Insert InvoiceLine 002,0001"},
        {"id": "c", "method": "DELETE", "url": "Object/Invoice('nope')", "group": None, "depends_on": [],
         "status": 404, "effect": None},
    ]  # fmt: skip


async def test_an_answer_that_breaks_off_in_the_middle(client: Client) -> None:
    client.sandbox.faults.add(Fault(action="truncate", path="/batch"))
    requests = [write(str(number), "POST", "Object/Equipment", NEW) for number in range(10)]
    async with client.session.post(
        f"{client.sandbox.url}/api/v1/batch", json={"requests": requests}, headers={"ApiKey": "sandbox-demo"}
    ) as answer:
        assert answer.status == 200
        begun = await answer.content.readexactly(40)
        assert begun.startswith(b'{"responses":[{"id":"0","status":201,')
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.content.read()
    assert (client.last.effect, client.last.fault) == ("batch: 10 (10 written)", "truncate")


@pytest.mark.parametrize("action", ["wrong_length", "reset"])
async def test_other_faults_strike_after_the_work(client: Client, action: Any) -> None:
    client.sandbox.faults.add(Fault(action=action, path="/batch", after=True))
    with pytest.raises(aiohttp.ClientError):
        await send(client, write("a", "POST", "Object/Equipment", NEW))
    assert client.last.effect == "batch: 1 (1 written)"
    assert client.last.batch[0].effect == "Insert Equipment 00013"
    client.sandbox.faults.add(Fault(action="answer", path="/batch", status=504, after=True))
    assert (await send(client, write("a", "POST", "Object/Equipment", NEW))).status == 504
    assert client.last.batch[0].effect == "Insert Equipment 00014"


async def test_a_batch_is_kept_in_the_file(tmp_path: Any) -> None:
    file = str(tmp_path / "records.db")
    async with serving(file=file) as client:
        await send(
            client,
            write("a", "DELETE", "Object/Job('0000030')", atomicityGroup="g"),
            write("b", "POST", "Object/Job", NEW, atomicityGroup="g"),
            write("c", "DELETE", "Object/Job('0000029')", atomicityGroup="h"),
            write("d", "DELETE", "Object/Job('0000029')", atomicityGroup="h"),
        )
    async with serving(file=file) as client:
        found = [(await client.get(f"Job('{key}')")).status for key in ("0000030", "0000031", "0000029")]
        assert found == [404, 200, 200]
