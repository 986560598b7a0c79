"""POST on exports and imports: connectors as they are."""

import json
import math

import pytest

from contracts.operations import ImportObject, RunExport, RunImport
from tests.unit.http.serving import READ_KEY, Served

EXPORT = "/v1/demo/exports/EXP_EQ"
IMPORT = "/v1/demo/imports/IMP_EQ"
NDJSON = {"Accept": "application/x-ndjson"}
VENDOR: dict[str, object] = {"type": "Vendor", "action": "InsertOrUpdate", "properties": {"Id": "2513"}}


async def test_an_export_is_a_list_of_records(api: Served) -> None:
    reply = await api.send("POST", EXPORT, body={"filter": {"Code": "007"}, "format": "csv"}, key=READ_KEY)
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    assert reply.json == {"items": list(api.adapter.records.values())}
    assert api.adapter.calls[0].operation == RunExport(name="EXP_EQ", filter={"Code": "007"}, format="csv")
    (line,) = api.lines
    assert (line["operation"], line["connector"], line["records"]) == ("export", "EXP_EQ", 6)


@pytest.mark.parametrize("body", [None, {}, {"filter": {}, "format": None}])
async def test_an_export_needs_no_body(api: Served, body: object) -> None:
    assert (await api.send("POST", EXPORT, body=body)).status == 200
    assert api.adapter.calls[0].operation == RunExport(name="EXP_EQ")


async def test_an_export_streams_when_asked(api: Served) -> None:
    reply = await api.send("POST", EXPORT, NDJSON)
    assert reply.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line) for line in reply.content.splitlines()] == list(api.adapter.records.values())


async def test_an_export_that_breaks_off_gives_what_there_is_only_as_a_stream(api: Served) -> None:
    api.adapter.fails_at = "00003"
    *records, last = [
        json.loads(line) for line in (await api.send("POST", EXPORT, NDJSON)).content.splitlines()
    ]
    assert [record["Id"] for record in records] == ["00001", "00002"]
    assert last["error"]["code"] == "upstream_unavailable"
    assert (await api.send("POST", EXPORT)).code == "upstream_unavailable"
    api.adapter.fails_at = "00001"
    assert (await api.send("POST", EXPORT, NDJSON)).code == "upstream_unavailable"


async def test_what_one_document_does_not_hold_is_to_be_streamed(api: Served) -> None:
    api.adapter.records |= {f"Vendor/{n}": {"Id": str(n)} for n in range(10)}
    reply = await api.send("POST", EXPORT)
    assert (reply.status, reply.code) == (501, "operation_not_supported")
    assert "application/x-ndjson" in str(reply.json["detail"])
    assert not api.adapter.ended
    assert len((await api.send("POST", EXPORT, NDJSON)).content.splitlines()) == 16


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"filter": []}, {"/filter"}),
        ({"filter": {"Id": 1, "Code": None}}, {"/filter/Id", "/filter/Code"}),
        ({"filter": {"": "x"}}, {"/filter/"}),
        ({"format": "yaml", "filtr": {}}, {"/format", "/filtr"}),
    ],
)
async def test_what_is_wrong_with_an_export_is_told(api: Served, body: object, pointers: set[str]) -> None:
    reply = await api.send("POST", EXPORT, body=body)
    assert reply.code == "invalid_body"
    errors = reply.json["errors"]
    assert isinstance(errors, list)
    assert {error["pointer"] for error in errors} == pointers


async def test_a_dry_run_shows_what_would_be_sent_without_its_secrets(api: Served) -> None:
    reply = await api.send("POST", EXPORT + "?dry_run=true")
    assert reply.json["requests"] == [
        {
            "method": "POST",
            "target": "/Connector.ashx?ExportName=EXP_EQ&Username=***",
            "headers": {},
            "body": "<a>é</a><password>***</password>",
        }
    ]
    planned = await api.send("POST", IMPORT + "?dry_run=true", body={"objects": [VENDOR]})
    assert planned.status == 200
    assert api.adapter.calls == []


async def test_each_object_of_an_import_has_its_result(api: Served) -> None:
    objects = [VENDOR, {"type": "Other", "action": "Insert"}]
    reply = await api.send("POST", IMPORT, body={"objects": objects})
    assert reply.status == 200
    stored, refused = json.loads(reply.content)["results"]
    assert stored == {"type": "Vendor", "action": "Update", "key": "2513"}
    assert refused["error"]["code"] == "upstream_rejected"
    assert (refused["type"], refused["action"], "key" in refused) == ("Other", "Error", False)
    (line,) = api.lines
    assert (line["operation"], line["connector"]) == ("import", "IMP_EQ")
    assert (line["asked"], line["records"], line["failed"]) == (2, 2, {"upstream_rejected": 1})


async def test_an_import_arrives_exactly_as_it_was_given(api: Served) -> None:
    body = (
        b'{"objects":[{"type":"Invoice","action":"Insert","properties":{"Total":0.10,"Count":2,"Paid":true,'
        b'"Note":null,"Text":"]]>"},"objects":[{"type":"InvoiceLine","action":"Insert","properties":'
        b'{"Id.Invoice.Id":"${Parent.Id}"}}]}]}'
    )
    assert (await api.send("POST", IMPORT, body=body)).status == 200
    assert api.lines[0]["asked"] == 2
    assert api.adapter.calls[0].operation == RunImport(
        name="IMP_EQ",
        objects=(
            ImportObject(
                type="Invoice",
                action="Insert",
                properties={"Total": "0.10", "Count": 2, "Paid": True, "Note": None, "Text": "]]>"},
                objects=(
                    ImportObject(
                        type="InvoiceLine", action="Insert", properties={"Id.Invoice.Id": "${Parent.Id}"}
                    ),
                ),
            ),
        ),
    )


@pytest.mark.parametrize(
    ("item", "pointers"),
    [
        ({"action": "Insert"}, {"/type"}),
        ({"type": "", "action": "insert"}, {"/type", "/action"}),
        ({**VENDOR, "properties": []}, {"/properties"}),
        ({**VENDOR, "properties": {"a/b": {}, "c": []}}, {"/properties/a~1b", "/properties/c"}),
        ({**VENDOR, "object": []}, {"/object"}),
        ({**VENDOR, "objects": {}}, {"/objects"}),
        (
            {**VENDOR, "objects": [VENDOR, 1, {"type": 1}]},
            {"/objects/1", "/objects/2/type", "/objects/2/action"},
        ),
        (None, {""}),
    ],
)
async def test_what_is_wrong_with_an_import_is_told(api: Served, item: object, pointers: set[str]) -> None:
    reply = await api.send("POST", IMPORT, body={"objects": [item]})
    assert reply.code == "invalid_body"
    errors = reply.json["errors"]
    assert isinstance(errors, list)
    assert {error["pointer"] for error in errors} == {f"/objects/0{pointer}" for pointer in pointers}
    assert api.adapter.calls == []


def nested(levels: int) -> dict[str, object]:
    return {**VENDOR, "objects": [nested(levels - 1)]} if levels > 1 else {**VENDOR}


async def test_objects_are_nested_at_most_32_levels_deep(api: Served) -> None:
    assert (await api.send("POST", IMPORT, body={"objects": [nested(32)]})).status == 200
    for levels in (33, 34, 60):
        reply = await api.send("POST", IMPORT, body={"objects": [nested(levels)]})
        assert reply.code == "invalid_body"
        assert "levels deep" in str(reply.json["detail"])


@pytest.mark.parametrize(("roots", "children"), [(0, 0), (10_001, 0), (100, 100)])
async def test_there_are_one_to_ten_thousand_objects_with_their_children(
    api: Served, roots: int, children: int
) -> None:
    bare = {"type": "Vendor", "action": "Insert"}
    reply = await api.send("POST", IMPORT, body={"objects": [{**bare, "objects": [bare] * children}] * roots})
    assert reply.code == "invalid_body"
    assert "10,000" in str(reply.json["detail"])


@pytest.mark.parametrize("name", ["%20", "a%20b", "..%2e", "-x", "x" * 101, "a%2Fb"])
@pytest.mark.parametrize("kind", ["exports", "imports"])
async def test_a_name_that_can_be_none_is_not_found(api: Served, kind: str, name: str) -> None:
    reply = await api.send("POST", f"/v1/demo/{kind}/{name}", body={"objects": [VENDOR]})
    assert reply.status == 404
    assert api.adapter.calls == []


async def test_to_import_needs_the_right_to_write(api: Served) -> None:
    assert (await api.send("POST", IMPORT, body={"objects": [VENDOR]}, key=READ_KEY)).code == "forbidden"


async def test_both_have_the_longest_time_when_their_caller_says_nothing(api: Served) -> None:
    for target, body in ((EXPORT, None), (IMPORT, {"objects": [VENDOR]})):
        await api.send("POST", target, body=body)
        await api.send("POST", target, {"Request-Timeout": "5"}, body=body)
        long, short = api.adapter.calls[-2:]
        assert math.isclose(long.deadline - short.deadline, 295, abs_tol=5)
