"""Workflows: their element ids, bodies, business rules, uploads."""

import base64
import hashlib
from typing import Any

import aiohttp
import pytest

from tests.unit.sandbox.client import Client, serving

REPORT = "1ba90cc1-b7f2-452d-8825-101ad7e7a682"
IMAGE = "d1fb01d5-77c2-48df-b95a-2ada578578df"
RESERVE = "0167a94a-5dae-4efe-bf13-029a47728b97"
MOVE = "3736d834-fa5e-4edc-9abd-f38962ff8afd"
CANCEL = "5d5a10ee-7b14-4dd4-8683-33822ea56f12"
LIST = "860ea091-4d76-47d9-a733-c3bb18440dde"
VALUE = "e57ecb14-6c6f-46ff-fbf7-e65c22a3df61"
FUNCTION_VALUE = "7dc5815c-1cce-470f-9656-02113d13e635"
POINT = "a90b326b-ff33-421a-a3a8-7d674e37ae22"
FUNCTION_POINT = "59275fff-2bcb-425c-a933-90513542c212"
TRACK = "32909ddd-068d-4a76-9f31-ba69bf7cf3ec"
ARTICLE_VENDOR = "09655272-a56b-457b-ae3d-3fbaf1ebd9c5"
CUSTOM = "c0000000-0000-4000-8000-00000000000"

JOB = {"Description": "Leak", "ReportText": "It drips"}


def refused(reply: Any, code: str) -> None:
    assert reply.error == (400, code)
    assert reply.json["type"] == 3
    assert "\r\nCause: " in reply.json["message"]


@pytest.mark.parametrize("element", [REPORT, REPORT.upper(), REPORT.replace("-", "")])
async def test_a_job_is_reported(client: Client, element: str) -> None:
    body = {**JOB, "EquipmentId": "00001", "Context": "JobContext.TD", "ReportDate": "2022-03-14 08:00:00"}
    reply = await client.run("rest_REPORTjob", element, body)
    assert (reply.status, reply.json) == (200, {"properties": {"JobId": "0000031"}})
    job = (await client.get("Job('0000031')")).json
    assert (job["Equipment"], job["Context"], job["ReportText"]) == ("00001", 1, "It drips")
    assert job["StatusCreatedReportDate"] == "2022-03-14T08:00:00Z"
    assert client.last.number == 2
    assert client.sandbox.ledger.calls[0].effect == "Insert Job 0000031"


@pytest.mark.parametrize("element", [None, "", "nonsense", IMAGE])
async def test_the_element_id_must_fit(client: Client, element: str | None) -> None:
    reply = await client.run("REST_ReportJob", element, JOB)
    assert reply.error == (400, "InvalidApplicationElementId")


async def test_unknown_workflows_and_methods(client: Client) -> None:
    assert (await client.run("REST_Nothing", REPORT, {})).error == (404, "ResourceNotFound")
    assert (await client.call("GET", "action/REST_ReportJob")).error == (405, "MethodNotAllowed")


async def test_workflows_must_be_granted(client: Client) -> None:
    assert (await client.run("REST_ReportJob", REPORT, JOB, key="sandbox-narrow")).status == 200
    reply = await client.run("REST_CancelReservation", CANCEL, {}, key="sandbox-narrow")
    assert reply.error == (404, "ResourceNotFound")


@pytest.mark.parametrize(
    "body",
    [
        {"Description": "x"},
        {"ReportText": "x"},
        {**JOB, "Context": "JobContext.Nope"},
        {**JOB, "SiteId": "nope"},
        {**JOB, "ReportDate": "yesterday"},
        {"Description": 5, "ReportText": "x"},
    ],
)
async def test_parameters_that_are_refused(client: Client, body: object) -> None:
    assert (await client.run("REST_ReportJob", REPORT, body)).error == (400, "InvalidParameter")


async def test_a_job_for_unknown_equipment_is_3399(client: Client) -> None:
    refused(await client.run("REST_ReportJob", REPORT, {**JOB, "EquipmentId": "nope"}), "3399")


async def test_images_are_attached_as_files(client: Client) -> None:
    form = aiohttp.FormData({"JobId": "0000002"})
    form.add_field("ImageFile", b"first", filename="a.jpg", content_type="image/jpeg")
    form.add_field("ImageFile4", b"fourth", filename="d.jpg")
    headers = {"ApplicationElementId": IMAGE}
    reply = await client.call("POST", "action/REST_AttachImageToJob", data=form, headers=headers)
    assert reply.json == {"properties": {"JobId": "0000002"}}
    files = client.sandbox.uploads.files
    assert [(file.owner, file.name, file.size) for file in files] == [
        ("Job 0000002", "a.jpg", 5),
        ("Job 0000002", "d.jpg", 6),
    ]
    assert files[0].sha256 == hashlib.sha256(b"first").hexdigest()


async def test_images_are_attached_as_texts(client: Client) -> None:
    text = base64.b64encode(b"image").decode()
    body = {"JobId": "0000002", "ImageFileBase64": text, "ImageFileBase64Extension": ".png"}
    assert (await client.run("REST_AttachImageToJob", IMAGE, body)).status == 200
    (file,) = client.sandbox.uploads.files
    assert (file.name, file.size) == ("ImageFileBase64.png", 5)
    broken = await client.run("REST_AttachImageToJob", IMAGE, {**body, "ImageFileBase64": "!"})
    assert broken.error == (400, "InvalidParameter")
    assert (await client.run("REST_AttachImageToJob", IMAGE, {"JobId": "0000002"})).status == 400


async def test_a_reservation_lives_and_ends(client: Client) -> None:
    slot = {"SpaceId": "0001", "StartTime": "2022-03-15 09:00:00", "EndTime": "2022-03-15T10:00:00Z"}
    made = await client.run(
        "REST_CreateReservation", RESERVE, {**slot, "ExternalId": "X", "ApplicantId": "000001"}
    )
    assert made.json == {"properties": {"UltimoId": "00000000003"}}
    period = {"SpaceId": "0001", "From": "2022-03-15 00:00:00", "Till": "2022-03-16 00:00:00"}
    found = (await client.run("REST_GetReservationsForSpace", LIST, period)).json["properties"]["Output"][
        "collection"
    ]
    assert found == [
        {
            "UltimoId": "00000000003",
            "ExternalId": "X",
            "Description": None,
            "SpaceId": "0001",
            "StartTime": "2022-03-15T09:00:00Z",
            "EndTime": "2022-03-15T10:00:00Z",
            "ApplicantId": "000001",
        }
    ]
    overlap = {**slot, "StartTime": "2022-03-15 09:59:00", "EndTime": "2022-03-15 11:00:00"}
    refused(await client.run("REST_CreateReservation", RESERVE, overlap), "1015")
    longer = {"UltimoId": "00000000003", "StartTime": "2022-03-15 09:30:00", "EndTime": "2022-03-15 10:00:00"}
    assert (await client.run("REST_UpdateReservation", MOVE, longer)).status == 200
    later = {"UltimoId": "00000000003", "StartTime": "2022-03-15 10:00:00", "EndTime": "2022-03-15 10:30:00"}
    assert (await client.run("REST_UpdateReservation", MOVE, later)).status == 200
    assert (await client.run("REST_CancelReservation", CANCEL, {"UltimoId": "00000000003"})).status == 200
    assert (await client.run("REST_CreateReservation", RESERVE, overlap)).status == 200


async def test_reservations_may_touch_but_not_lie_in_the_past(client: Client) -> None:
    first = {"SpaceId": "0001", "StartTime": "2022-03-15 09:00:00", "EndTime": "2022-03-15 10:00:00"}
    second = {**first, "StartTime": "2022-03-15 10:00:00", "EndTime": "2022-03-15 11:00:00"}
    assert (await client.run("REST_CreateReservation", RESERVE, first)).status == 200
    assert (await client.run("REST_CreateReservation", RESERVE, second)).status == 200
    onto = {"UltimoId": "00000000004", "StartTime": "2022-03-15 09:30:00", "EndTime": "2022-03-15 10:30:00"}
    refused(await client.run("REST_UpdateReservation", MOVE, onto), "1015")
    past = {**first, "StartTime": "2022-03-14 11:00:00", "EndTime": "2022-03-14 13:00:00"}
    refused(await client.run("REST_CreateReservation", RESERVE, past), "1166")
    backwards = {**first, "EndTime": "2022-03-15 08:00:00"}
    assert (await client.run("REST_CreateReservation", RESERVE, backwards)).error == (400, "InvalidParameter")


async def test_at_most_a_hundred_reservations_come_back(client: Client) -> None:
    for hour in range(105):
        day, at = 15 + hour // 24, hour % 24
        slot = {"StartTime": f"2022-03-{day} {at:02d}:00:00", "EndTime": f"2022-03-{day} {at:02d}:30:00"}
        assert (
            await client.run("REST_CreateReservation", RESERVE, {"SpaceId": "0003", **slot})
        ).status == 200
    period = {"SpaceId": "0003", "From": "2022-03-15 00:00:00", "Till": "2022-04-15 00:00:00"}
    reply = await client.run("REST_GetReservationsForSpace", LIST, period)
    assert len(reply.json["properties"]["Output"]["collection"]) == 100


TEMP = {"EquipmentId": "00001", "MeasurementPointId": "TEMP", "Date": "2022-03-14 10:00:00"}


async def test_values_and_differences_are_imported(client: Client) -> None:
    name = "REST_EquipmentMeasurementPointValue_Import"
    first = await client.run(name, VALUE, {**TEMP, "Value": "30.5", "Text": "ok"})
    assert first.json == {"properties": {"LineId": "00000000000004"}}
    await client.run(name, VALUE, {**TEMP, "Delta": 2})
    path = "EquipmentMeasurementPoint(Equipment='00001',Id='TEMP')/Values?select=Value,Difference&skip=3"
    assert (await client.get(path)).json["items"] == [
        {"Value": 30.5, "Difference": 7.5},
        {"Value": 32.5, "Difference": 2},
    ]
    for body in (TEMP, {**TEMP, "Value": 1, "Delta": 1}, {**TEMP, "Value": "x"}):
        assert (await client.run(name, VALUE, body)).error == (400, "InvalidParameter")
    for body in ({**TEMP, "MeasurementPointId": "NOPE"}, {**TEMP, "EquipmentId": "NOPE"}):
        refused(await client.run(name, VALUE, {**body, "Value": 1}), "3095")


async def test_values_of_process_functions(client: Client) -> None:
    body = {
        "ProcessFunctionId": "0001",
        "MeasurementPointId": "RUNHOURS",
        "Date": "2022-03-14 10:00:00",
        "Delta": 5,
    }
    reply = await client.run("REST_ProcessFunctionMeasurementPointValue_Import", FUNCTION_VALUE, body)
    assert reply.json == {"properties": {"LineId": "00000000000001"}}


async def test_25_values_a_day_on_3_of_10_days(client: Client) -> None:
    name = "REST_EquipmentMeasurementPointValue_Import"
    for _ in range(25):
        assert (await client.run(name, VALUE, {**TEMP, "Value": 1})).status == 200
    refused(await client.run(name, VALUE, {**TEMP, "Value": 1}), "3096")
    for day in (13, 12):
        body = {**TEMP, "Value": 1, "Date": f"2022-03-{day} 10:00:00"}
        assert (await client.run(name, VALUE, body)).status == 200
    refused(await client.run(name, VALUE, {**TEMP, "Value": 1, "Date": "2022-03-11 10:00:00"}), "3096")
    client.clock.now += 9 * 86_400
    assert (await client.run(name, VALUE, {**TEMP, "Value": 1, "Date": "2022-03-23 10:00:00"})).status == 200


async def test_points_are_created_once(client: Client) -> None:
    body = {"EquipmentId": "00002", "MeasurementPointId": "P", "Description": "Pressure"}
    assert (await client.run("REST_CreateEquipmentMeasurementPoint", POINT, body)).status == 200
    refused(await client.run("REST_CreateEquipmentMeasurementPoint", POINT, body), "0687")
    refused(
        await client.run("REST_CreateEquipmentMeasurementPoint", POINT, {**body, "EquipmentId": "x"}), "3395"
    )
    other = {"ProcessFunctionId": "0002", "MeasurementPointId": "P", "Description": "Pressure"}
    assert (
        await client.run("REST_CreateProcessFunctionMeasurementPoint", FUNCTION_POINT, other)
    ).status == 200


async def test_equipment_is_tracked(client: Client) -> None:
    name = "REST_Equipment_UpdateTrackAndTraceLocation"
    for who in ({"EquipmentId": "00001"}, {"ExternalId": "4711"}):
        assert (
            await client.run(name, TRACK, {"DynamicLocation": "Dock 4", "SpaceId": "0002", **who})
        ).status == 200
    for key in ("00001", "00002"):
        body = (await client.get(f"Equipment('{key}')")).json
        assert (body["TrackAndTraceLocation"], body["Space"]) == ("Dock 4", "0002")
    refused(await client.run(name, TRACK, {"DynamicLocation": "x", "EquipmentId": "nope"}), "3399")


async def test_articles_and_their_vendors_are_imported(client: Client) -> None:
    body = {"Articles": [{"ArticleId": "A1", "Description": "New"}, {"ArticleId": "0191", "LeadTime": "3"}]}
    reply = await client.run("REST_Article_Import", "anything", body)
    assert [item["Action"] for item in reply.json["properties"]["Output"]["collection"]] == [
        "Insert",
        "Update",
    ]
    old = (await client.get("Article('0191')")).json
    assert (old["LeadTime"], old["Description"]) == (3, "Oil filter")
    vendor = {"ArticleId": "A1", "VendorId": "2513", "PurchasePrice": 1.5}
    assert (await client.run("REST_ArticleVendor_Import", ARTICLE_VENDOR, vendor)).status == 200
    assert (await client.get("Article('A1')/Vendors")).json["items"][0]["PurchasePrice"] == 1.5


async def test_one_bad_article_undoes_the_others(client: Client) -> None:
    body = {"Articles": [{"ArticleId": "A1"}, {"Description": "no id"}]}
    assert (await client.run("REST_Article_Import", None, body)).error == (400, "InvalidParameter")
    assert (await client.get("Article('A1')")).status == 404


async def test_custom_results_come_as_text_and_as_collection(client: Client) -> None:
    echoed = await client.run("_CustomEcho", CUSTOM + "1", {"A": 1, "B": [True]})
    assert echoed.json == {"properties": {"Output": {"object": '{"A":1,"B":[true]}'}}}
    listed = await client.run("_CustomCollection", CUSTOM + "4", {"Count": 2})
    assert listed.json == {"properties": {"Output": {"collection": [{"Number": 1}, {"Number": 2}]}}}


async def test_a_200_can_carry_a_refusal(client: Client) -> None:
    message = await client.run("_CustomRefuse", CUSTOM + "2", {"Message": "no"})
    assert (message.status, message.json) == (200, {"properties": {"message": "no"}})
    summary = await client.run("_CustomRefuse", CUSTOM + "2", {"Message": "no", "Form": "summary"})
    assert summary.json == {"properties": {"ResponseSummary": {"Succes": False, "Message": "no"}}}
    text = await client.run("_CustomRefuse", CUSTOM + "2", {"Message": "no", "Form": "text"})
    assert '"Succes":false' in text.json["properties"]["Output"]["object"]


async def test_a_crash_is_a_500_with_its_trace(client: Client) -> None:
    reply = await client.run("_CustomCrash", CUSTOM + "5", {"Message": "boom"})
    assert reply.error == (500, "InternalServerError")
    assert reply.json["exceptionType"] == "System.RuntimeError"
    assert reply.json["detailMessage"] == "boom"
    assert reply.json["stackTrace"]


async def test_large_uploads_are_measured_while_they_stream(client: Client) -> None:
    megabyte = bytes(range(256)) * 4096

    async def content() -> Any:
        for _ in range(30):
            yield megabyte

    form = aiohttp.FormData({"Note": "big"})
    form.add_field("File", content(), filename="big.bin", content_type="application/octet-stream")
    headers = {"ApplicationElementId": CUSTOM + "3"}
    reply = await client.call("POST", "action/_CustomUpload", data=form, headers=headers)
    assert reply.status == 200, reply.body
    (file,) = client.sandbox.uploads.files
    assert (file.name, file.size) == ("big.bin", 30 * len(megabyte))
    assert file.sha256 == hashlib.sha256(megabyte * 30).hexdigest()
    assert client.last.size > file.size


async def test_the_same_name_again_overwrites(client: Client) -> None:
    for content in (b"one", b"three"):
        form = aiohttp.FormData()
        form.add_field("File", content, filename="a.txt")
        await client.call(
            "POST", "action/_CustomUpload", data=form, headers={"ApplicationElementId": CUSTOM + "3"}
        )
    assert [file.size for file in client.sandbox.uploads.files] == [5]


async def test_sizes_are_limited_while_they_are_counted() -> None:
    async with serving(action_bytes=1000, upload_bytes=5000) as client:
        reply = await client.run("_CustomEcho", CUSTOM + "1", {"A": "x" * 1000})
        assert reply.error == (413, "PayloadTooLarge")
        for chunked in (False, True):
            form = aiohttp.FormData()

            async def content() -> Any:
                for _ in range(10):
                    yield b"x" * 1000

            form.add_field("File", content() if chunked else b"x" * 10_000, filename="a.bin")
            headers = {"ApplicationElementId": CUSTOM + "3"}
            reply = await client.call("POST", "action/_CustomUpload", data=form, headers=headers)
            assert reply.error == (413, "PayloadTooLarge")
        assert client.sandbox.uploads.files == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--x\r\n\r\n",
        b"--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--\r\n",
        b'--x\r\nContent-Disposition: form-data; name="a\x00b"\r\n\r\na\r\n--x--\r\n',
        b"junk",
    ],
)
async def test_broken_multipart_bodies(client: Client, body: bytes) -> None:
    headers = {"ApplicationElementId": CUSTOM + "3", "Content-Type": "multipart/form-data; boundary=x"}
    reply = await client.call("POST", "action/_CustomUpload", data=body, headers=headers)
    assert reply.status == 400


async def test_a_multipart_body_without_boundary(client: Client) -> None:
    headers = {"ApplicationElementId": CUSTOM + "3", "Content-Type": "multipart/form-data"}
    reply = await client.call("POST", "action/_CustomUpload", data=b"x", headers=headers)
    assert reply.error == (400, "InvalidBody")
