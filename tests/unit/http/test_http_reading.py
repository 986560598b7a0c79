"""GET on objects: lists, records, paging, streams, conditions."""

import json
import re
import time

import pytest

from contracts.call import Call
from contracts.errors import UpstreamUnavailable
from contracts.operations import GetRecord, ListRecords
from contracts.paths import Key, print_path
from gateway.http.context import Timeouts
from gateway.http.exchange import Limits
from tests.unit.http.serving import Served, serving


async def test_a_record_is_the_bare_object_with_a_tag(api: Served) -> None:
    reply = await api.get("/v1/demo/objects/Equipment/00001")
    assert reply.status == 200
    assert reply.json == {"Id": "00001", "Description": "Pump 1", "Status": 2}
    assert reply.headers["content-type"] == "application/json"
    assert re.fullmatch(r'"[0-9a-f]{32}"', reply.headers["etag"])
    assert reply.headers["quota-cost"] == "1"
    assert re.fullmatch(
        r'queue;dur=0\.00, upstream;dur=250\.00;desc="memory", gateway;dur=[\d.]+',
        reply.headers["server-timing"],
    )


async def test_a_tag_that_is_still_current_is_answered_without_a_body(api: Served) -> None:
    target = "/v1/demo/objects/Equipment/00001"
    tag = (await api.get(target)).headers["etag"]
    for given in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        reply = await api.get(target, {"If-None-Match": given})
        assert (reply.status, reply.content, reply.headers["etag"]) == (304, b"", tag)
    assert (await api.get(target, {"If-None-Match": '"other"'})).status == 200
    assert (await api.get(target, {"If-None-Match": "other"})).code == "invalid_request"


async def test_keys_reach_the_adapter_as_they_stand_on_the_line(api: Served) -> None:
    reply = await api.get("/v1/demo/objects/Building/01%2F02")
    assert reply.json["Id"] == "01/02"
    operation = api.adapter.calls[0].operation
    assert isinstance(operation, GetRecord)
    assert operation.place.path.last.key == Key.single("01/02")


@pytest.mark.parametrize(
    "path",
    [
        "..", "../tenants", "Equipment/../Job", "%2e%2e/Job", "Equipment//00001", "Equipment/%00", "Equipment/%zz",
        "Equipment('00001')", "Equipment\\00001", "Equipment/%ff", "", "/Equipment", "%2e",
    ],
)  # fmt: skip
async def test_a_path_that_leads_nowhere_is_refused_before_anything_is_sent(api: Served, path: str) -> None:
    reply = await api.get(f"/v1/demo/objects/{path}")
    assert (reply.status, reply.code) == (400, "invalid_path")
    assert api.adapter.calls == []


@pytest.mark.parametrize("path", ["Equipment%2F00001", "Equipment%2f00001", "Department%2F01/Jobs"])
async def test_an_encoded_slash_between_segments_is_explained(api: Served, path: str) -> None:
    reply = await api.get(f"/v1/demo/objects/{path}")
    assert (reply.status, reply.code) == (400, "invalid_path")
    assert "Equipment/00001" in str(reply.json["detail"])


@pytest.mark.parametrize(
    "prefix", ["//v1/demo/objects/", "/v1/demo//objects/", "/v1/demo%2Fobjects/", "/v1/d%65mo/objects/"]
)
async def test_the_way_to_objects_is_written_in_one_way(api: Served, prefix: str) -> None:
    reply = await api.get(f"{prefix}Equipment/00001")
    assert (reply.status, reply.code) == (400, "invalid_path")
    assert api.adapter.calls == []


async def test_a_double_encoded_key_is_decoded_once(api: Served) -> None:
    await api.get("/v1/demo/objects/Building/01%252F02")
    operation = api.adapter.calls[0].operation
    assert isinstance(operation, GetRecord)
    assert operation.place.path.last.key == Key.single("01%2F02")


async def test_an_unknown_entity_is_told_with_a_suggestion(api: Served) -> None:
    reply = await api.get("/v1/demo/objects/Equipmnt")
    assert (reply.status, reply.code) == (404, "entity_not_found")
    assert "Equipment" in str(reply.json["detail"])


async def test_pages_are_chained_by_cursor_and_link(api: Served) -> None:
    seen: list[object] = []
    target = "/v1/demo/objects/Equipment?count=true&orderby=Id+desc"
    while True:
        reply = await api.get(target)
        page = reply.json
        assert page["count"] == 5
        assert isinstance(page["items"], list)
        seen += [item["Id"] for item in page["items"]]
        if page["next"] is None:
            break
        link = re.fullmatch(r'<(\S+)>; rel="next"', reply.headers["link"])
        assert link is not None
        assert f"cursor={page['next']}" in link[1]
        target = link[1]
    assert "link" not in reply.headers
    assert seen == ["00001", "00002", "00003", "00004", "00005"]
    last = api.adapter.calls[-1].operation
    assert isinstance(last, ListRecords)
    assert last.query.orderby[0].descending


async def test_a_list_without_count_does_not_speak_of_it(api: Served) -> None:
    assert list((await api.get("/v1/demo/objects/Equipment")).json) == ["items", "next"]


async def test_a_cursor_serves_only_the_list_that_it_came_from(api: Served) -> None:
    target = "/v1/demo/objects/Equipment?filter=Status%20eq%202"
    cursor = (await api.get(target)).json["next"]
    assert (await api.get(f"{target}&limit=1&cursor={cursor}")).status == 200
    sent = len(api.adapter.calls)
    for foreign in (
        f"/v1/demo/objects/Equipment?cursor={cursor}",
        f"/v1/demo/objects/Equipment?filter=Status%20eq%204&cursor={cursor}",
        f"/v1/demo/objects/Job?filter=Status%20eq%202&cursor={cursor}",
        f"/v1/other/objects/Equipment?filter=Status%20eq%202&cursor={cursor}",
        f"{target}&count=true&cursor={cursor}",
        f"{target}&cursor={str(cursor)[:-2]}",
        f"{target}&cursor=",
        f"{target}&cursor=%C3%A9",
    ):
        assert (await api.get(foreign)).code == "invalid_cursor"
    assert len(api.adapter.calls) == sent


@pytest.mark.parametrize(
    ("query", "code", "hint"),
    [
        ("filter=Status%20=%202", "invalid_filter", "position 7"),
        ("filter=Statuss%20eq%202", "invalid_filter", "position 0"),
        ("$filter=Status%20eq%202", "invalid_request", "'filter'"),
        ("fliter=Status%20eq%202", "invalid_request", "did you mean 'filter'"),
        ("top=3", "invalid_request", "'limit'"),
        ("limit=1&limit=2", "invalid_request", "twice"),
        ("limit=0", "invalid_request", "from 1 to 1000"),
        ("limit=1001", "invalid_request", "from 1 to 1000"),
        ("limit=%2B1", "invalid_request", "from 1 to 1000"),
        ("skip=-1", "invalid_request", "'skip'"),
        ("count=yes", "invalid_request", "true or false"),
        ("orderby=Nothing", "invalid_request", "Nothing"),
        ("select=", "invalid_request", "select"),
        ("expand=Description", "invalid_request", "Description"),
        ("filter=%ff", "invalid_request", "UTF-8"),
    ],
)
async def test_a_wrong_parameter_is_explained_and_costs_nothing(
    api: Served, query: str, code: str, hint: str
) -> None:
    reply = await api.get(f"/v1/demo/objects/Equipment?{query}")
    assert (reply.status, reply.code) == (400, code)
    assert hint in str(reply.json["detail"])
    assert reply.headers["quota-cost"] == "0"
    assert api.adapter.calls == []


async def test_parameters_of_lists_are_not_for_records(api: Served) -> None:
    assert (await api.get("/v1/demo/objects/Equipment/00001?limit=1")).code == "invalid_request"
    assert api.adapter.calls == []


async def test_a_stream_holds_every_record_on_a_line_of_its_own(api: Served) -> None:
    reply = await api.get("/v1/demo/objects/Equipment", {"Accept": "application/x-ndjson"})
    assert reply.headers["content-type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in reply.content.splitlines()]
    assert [line["Id"] for line in lines] == ["00001", "00002", "00003", "00004", "00005"]
    (line,) = api.lines
    assert (line["status"], line["units"], line["records"], line["operation"]) == (200, 3, 5, "list")


async def test_a_stream_that_breaks_off_says_so_in_its_last_line(api: Served) -> None:
    def break_off(call: Call) -> None:
        if len(api.adapter.calls) == 2:
            raise UpstreamUnavailable("it went away")

    api.adapter.before = break_off
    reply = await api.get("/v1/demo/objects/Equipment", {"Accept": "application/x-ndjson"})
    *records, last = [json.loads(line) for line in reply.content.splitlines()]
    assert reply.status == 200
    assert len(records) == 2
    assert last["error"]["code"] == "upstream_unavailable"
    assert last["error"]["instance"] == reply.headers["x-request-id"]
    (line,) = api.lines
    assert (line["status"], line["code"], line["units"]) == (200, "upstream_unavailable", 2)
    assert (line["level"], line["detail"], line["answer_bytes"]) == (
        "warning",
        "it went away",
        len(reply.content),
    )


async def test_a_stream_that_cannot_begin_is_an_ordinary_problem(api: Served) -> None:
    def refuse(call: Call) -> None:
        raise UpstreamUnavailable("it is away")

    api.adapter.before = refuse
    reply = await api.get("/v1/demo/objects/Equipment", {"Accept": "application/x-ndjson"})
    assert (reply.status, reply.code) == (502, "upstream_unavailable")


async def test_the_default_deadline_is_for_each_page_and_a_given_one_for_the_stream(api: Served) -> None:
    accept = {"Accept": "application/x-ndjson"}
    await api.get("/v1/demo/objects/Equipment", accept)
    assert len({call.deadline for call in api.adapter.calls}) == 3
    api.adapter.calls.clear()
    await api.get("/v1/demo/objects/Equipment", accept | {"Request-Timeout": "5"})
    assert len({call.deadline for call in api.adapter.calls}) == 1


async def test_a_caller_that_goes_away_ends_its_stream(api: Served) -> None:
    api.adapter.records |= {f"Equipment/x{n}": {"Id": f"x{n}", "Text": "x" * 10_000} for n in range(10_000)}
    reader, writer = await api.open("GET", "/v1/demo/objects/Equipment", {"Accept": "application/x-ndjson"})
    await reader.readuntil(b"\r\n\r\n")
    writer.transport.abort()
    line = await api.line()
    assert line["status"] == 499
    assert len(api.adapter.calls) < 5_000


@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson"])
async def test_a_list_tells_its_language_and_what_it_depends_on(api: Served, accept: str) -> None:
    for language in ("nl", ""):
        headers = {"Accept": accept, "Accept-Language": language}
        reply = await api.get("/v1/demo/objects/Equipment", headers)
        assert reply.headers.get("content-language", "") == language
        assert reply.headers["vary"] == "accept, accept-language, prefer"


async def test_a_stream_that_passes_its_deadline_does_not_say_that_nothing_was_sent(api: Served) -> None:
    def dawdle(call: Call) -> None:
        while time.monotonic() < call.deadline:
            pass

    api.adapter.before = dawdle
    reply = await api.get(
        "/v1/demo/objects/Equipment", {"Accept": "application/x-ndjson", "Request-Timeout": "0.05"}
    )
    last = json.loads(reply.content.splitlines()[-1])["error"]
    assert (last["code"], last["outcome"]) == ("deadline_exceeded", "unknown")
    assert "part" in last["detail"]


@pytest.mark.parametrize("explicit", [{}, {"Request-Timeout": "0.2"}])
async def test_a_reader_that_does_not_read_is_let_go(explicit: dict[str, str]) -> None:
    times = Timeouts(idle=60 if explicit else 0.2)
    async with serving(Limits(timeouts=times, calls=1)) as api:
        api.adapter.records |= {f"Equipment/x{n}": {"Id": f"x{n}", "Text": "x" * 500_000} for n in range(100)}
        _, writer = await api.open(
            "GET", "/v1/demo/objects/Equipment", {"Accept": "application/x-ndjson", **explicit}
        )
        line = await api.line()
        writer.transport.abort()
        assert (line["code"], line["outcome"], line["level"]) == ("deadline_exceeded", "unknown", "warning")
        assert (await api.get("/v1/demo/objects/Equipment/00001")).status == 200


async def test_a_dry_run_sends_nothing_and_shows_no_secret(api: Served) -> None:
    reply = await api.get("/v1/demo/objects/Equipment?dry_run=true&filter=Status%20eq%202")
    assert reply.json == {
        "adapter": "memory",
        "units": 1,
        "at_most": 1,
        "completed": [],
        "requests": [
            {
                "method": "GET",
                "target": "/object/Equipment",
                "headers": {"ApiKey": "***", "Accept": "application/json"},
                "body": None,
            }
        ],
    }
    assert reply.headers["quota-cost"] == "0"
    assert api.adapter.calls == []
    assert (await api.get("/v1/demo/objects/Equipment?dry_run=true&filter=x")).code == "invalid_filter"


async def test_head_answers_as_get_does_without_the_body(api: Served) -> None:
    for target in ("/v1/demo/objects/Equipment/00001", "/v1/demo/objects/Equipment", "/docs", "/v1/nowhere"):
        whole, head = await api.get(target), await api.send("HEAD", target)
        assert head.status == whole.status
        assert head.content == b""
        assert head.headers.get("content-length") == whole.headers["content-length"]


async def test_the_circumstances_of_a_call_are_those_of_the_headers(api: Served) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    reply = await api.get(
        "/v1/demo/objects/Equipment/00001",
        {
            "X-Request-Id": "mine-1",
            "traceparent": trace,
            "tracestate": "vendor=1",
            "Priority": "u=1, i",
            "Accept-Language": "nl, en;q=0.5",
            "Request-Timeout": "2.5",
        },
    )
    (call,) = api.adapter.calls
    assert (call.request_id, call.traceparent, call.urgency) == ("mine-1", trace, 1)
    assert call.tracestate == "vendor=1"
    assert (call.accept_language, call.tenant, call.client) == ("nl, en;q=0.5", "demo", "all")
    assert (reply.headers["x-request-id"], reply.headers["traceparent"]) == ("mine-1", trace)
    assert reply.headers["content-language"] == "nl, en;q=0.5"
    assert api.lines[0]["trace_id"] == "0af7651916cd43dd8448eb211c80319c"


async def test_a_custom_entity_is_let_through(api: Served) -> None:
    await api.get("/v1/demo/objects/_MyEntity/01")
    operation = api.adapter.calls[0].operation
    assert isinstance(operation, GetRecord)
    assert print_path(operation.place.path) == "_MyEntity/01"
