"""POST, PUT, PATCH and DELETE on objects: bodies, conditions, preferences, dry runs."""

import pytest

from contracts.call import Call
from contracts.errors import Outcome, OutcomeUnknown, UpstreamAnswer, UpstreamRejected
from contracts.operations import ChangeRecord, GetRecord
from gateway.http.exchange import Limits
from tests.unit.http.serving import Served, serving

BODY = {"Description": "New", "Context": 1, "Status": 2}
RECORD = "/v1/demo/objects/Equipment/00001"


async def test_a_record_that_is_made_tells_where_it_is(api: Served) -> None:
    reply = await api.send("POST", "/v1/demo/objects/Job", body=BODY)
    assert reply.status == 201
    assert reply.headers["location"] == "/v1/demo/objects/Job/0000009"
    assert reply.json == {"Id": "0000009", **BODY}


async def test_put_makes_or_replaces(api: Served) -> None:
    made = await api.send("PUT", "/v1/demo/objects/Equipment/9%2F9", body=BODY)
    assert (made.status, made.headers["location"]) == (201, "/v1/demo/objects/Equipment/9%2F9")
    replaced = await api.send("PUT", RECORD, body=BODY)
    assert replaced.status == 200
    assert "location" not in replaced.headers
    assert replaced.headers["etag"] == (await api.get(RECORD)).headers["etag"]


async def test_patch_changes_what_is_given(api: Served) -> None:
    reply = await api.send("PATCH", f"{RECORD}?upsert=true", body={"Description": "Other"})
    assert reply.json == {"Id": "00001", "Description": "Other", "Status": 2}
    operation = api.adapter.calls[0].operation
    assert isinstance(operation, ChangeRecord)
    assert operation.upsert


async def test_delete_answers_nothing(api: Served) -> None:
    reply = await api.send("DELETE", RECORD)
    assert (reply.status, reply.content) == (204, b"")
    assert "content-length" not in reply.headers
    assert "Equipment/00001" not in api.adapter.records


async def test_a_caller_may_want_the_key_alone(api: Served) -> None:
    reply = await api.send("PUT", RECORD, {"Prefer": "return=minimal"}, BODY)
    assert reply.json == {"Id": "00001"}
    assert reply.headers["preference-applied"] == "return=minimal"
    assert "etag" not in reply.headers


async def test_a_record_of_which_the_key_alone_is_known_has_no_tag(api: Served) -> None:
    api.adapter.tells = False
    reply = await api.send("PUT", RECORD, body=BODY)
    assert (reply.status, reply.json) == (200, {"Id": "00001"})
    assert "etag" not in reply.headers
    assert "preference-applied" not in reply.headers


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_a_condition_is_checked_by_a_read_before_the_write(api: Served, method: str) -> None:
    body = {"PUT": BODY, "PATCH": {"Description": "New"}, "DELETE": None}[method]
    tag = (await api.get(RECORD)).headers["etag"]
    api.adapter.calls.clear()
    refused = await api.send(method, RECORD, {"If-Match": '"other"'}, body)
    assert (refused.status, refused.code) == (412, "precondition_failed")
    assert [type(call.operation) for call in api.adapter.calls] == [GetRecord]
    weak = await api.send(method, RECORD, {"If-Match": f"W/{tag}"}, body)
    assert weak.status == 412
    done = await api.send(method, RECORD, {"If-Match": tag}, body)
    assert done.status in (200, 204)
    assert done.headers["quota-cost"] == "2"


async def test_the_star_means_any_record_at_all(api: Served) -> None:
    absent = "/v1/demo/objects/Equipment/77777"
    assert (await api.send("PUT", absent, {"If-Match": "*"}, BODY)).status == 412
    assert (await api.send("PUT", absent, {"If-None-Match": "*"}, BODY)).status == 201
    assert (await api.send("PUT", absent, {"If-None-Match": "*"}, BODY)).status == 412
    assert (await api.send("PUT", absent, {"If-Match": "*"}, BODY)).status == 200


async def test_what_is_wrong_with_a_conditional_write_is_found_before_its_read(api: Served) -> None:
    tag = {"If-Match": "*"}
    api.adapter.refuses = lambda operation: None if operation.safe else "not here"
    for method, body in (("PUT", BODY), ("PATCH", {"Description": "New"}), ("DELETE", None)):
        reply = await api.send(method, RECORD, tag, body)
        assert (reply.code, reply.headers["quota-cost"]) == ("operation_not_supported", "0")
    api.adapter.refuses = lambda operation: None
    malformed = await api.send("PUT", RECORD, {"If-None-Match": "abc"}, BODY)
    assert (malformed.code, malformed.headers["quota-cost"]) == ("invalid_request", "0")
    assert api.adapter.calls == []


async def test_a_condition_that_fails_is_logged_as_the_write_that_it_was_made_for(api: Served) -> None:
    reply = await api.send("PUT", RECORD, {"If-None-Match": "*"}, BODY)
    assert reply.json["title"] == "The record is not in the version asked for"
    assert (api.lines[0]["operation"], api.lines[0]["units"]) == ("replace", 1)


@pytest.mark.parametrize(
    ("method", "target", "name"),
    [
        ("POST", "/v1/demo/objects/Job", "If-Match"),
        ("POST", "/v1/demo/objects/Job", "If-None-Match"),
        ("POST", "/v1/demo/actions/REST_ReportJob", "If-Match"),
        ("GET", RECORD, "If-Match"),
        ("GET", "/v1/demo/objects/Job", "If-None-Match"),
    ],
)
async def test_a_condition_that_means_nothing_is_not_ignored(
    api: Served, method: str, target: str, name: str
) -> None:
    reply = await api.send(method, target, {name: "*"}, BODY if method == "POST" else None)
    assert (reply.status, reply.code) == (400, "invalid_request")
    assert name in str(reply.json["detail"])
    assert api.adapter.calls == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b'{"Description":"a","Description":"b","Context":1,"Status":2}', "/Description"),
        (b'{"Id":"1","Context":1,"Status":2}', "/Id"),
        (b'{"Description":"a"}', "/Context"),
        (b'{"Description":1,"Context":1,"Status":2}', "/Description"),
        (b'{"Descriptoin":"a","Context":1,"Status":2}', "/Descriptoin"),
    ],
)
async def test_every_fault_of_a_body_has_its_place(api: Served, body: bytes, pointer: str) -> None:
    reply = await api.send("PUT", RECORD, body=body)
    assert (reply.status, reply.code) == (400, "invalid_body")
    errors = reply.json["errors"]
    assert isinstance(errors, list)
    assert pointer in [error["pointer"] for error in errors]
    assert api.adapter.calls == []


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"{}", b'"x"', b"[" * 100_000])
async def test_a_body_that_is_no_object_is_refused(api: Served, body: bytes) -> None:
    reply = await api.send("PUT", RECORD, body=body)
    assert (reply.status, reply.code) == (400, "invalid_body")


async def test_a_body_of_another_kind_is_refused(api: Served) -> None:
    for headers in (
        {"Content-Type": "text/xml"},
        {"Content-Encoding": "gzip"},
        {"Content-Type": "multipart/form-data"},
    ):
        assert (await api.send("PUT", RECORD, headers, BODY)).code == "unsupported_media_type"
    for kind in ("application/json; charset=utf-8", "application/merge-patch+json"):
        assert (await api.send("PUT", RECORD, {"Content-Type": kind}, BODY)).status == 200


async def test_a_body_that_is_too_long_is_refused_by_its_length_alone_or_while_it_comes() -> None:
    async with serving(Limits(body=100)) as api:
        chunked = b"65\r\n{" + b" " * 99 + b"}\r\n0\r\n\r\n"
        nothing_sent = await api.send("PUT", RECORD, {"Content-Length": "101"})
        counted = await api.send("PUT", RECORD, {"Transfer-Encoding": "chunked"}, chunked)
        for reply in (nothing_sent, counted):
            assert (reply.status, reply.code) == (413, "payload_too_large")
        assert (await api.send("PUT", RECORD, {"Transfer-Encoding": "chunked"}, b"0\r\n\r\n")).status == 400
        assert api.adapter.calls == []


async def test_a_caller_that_goes_away_before_its_body_has_come_leaves_a_line(api: Served) -> None:
    _, writer = await api.open("PUT", RECORD, {"Content-Length": "100"}, b"{")
    writer.transport.abort()
    assert (await api.line())["status"] == 499


async def test_a_body_that_does_not_come_in_time_is_not_waited_for(api: Served) -> None:
    reply = await api.send("PUT", RECORD, {"Content-Length": "100", "Request-Timeout": "0.05"}, b"{")
    assert (reply.status, reply.code) == (504, "deadline_exceeded")
    assert reply.json["outcome"] == "not_sent"


async def test_a_key_that_cannot_be_read_is_refused_on_a_write_and_ignored_on_a_read(api: Served) -> None:
    assert (await api.send("PUT", RECORD, {"Idempotency-Key": '"abc'}, BODY)).code == "invalid_request"
    assert api.adapter.calls == []
    assert (await api.get(RECORD, {"Idempotency-Key": "abc"})).status == 200


async def test_a_dry_run_of_a_write_checks_all_and_sends_nothing(api: Served) -> None:
    target = f"{RECORD}?dry_run=true"
    planned = (await api.send("PUT", target, {"If-Match": '"x"'}, BODY)).json
    assert isinstance(planned["requests"], list)
    assert [request["method"] for request in planned["requests"]] == ["GET", "PUT"]
    assert planned["requests"][1]["body"] == BODY
    assert (planned["units"], planned["at_most"]) == (1, 2)
    assert (await api.send("PUT", target, body={"Id": "1"})).code == "invalid_body"
    assert (await api.send("DELETE", target)).status == 200
    assert api.adapter.calls == []
    assert [line["dry_run"] for line in api.lines] == [True, False, True]


async def test_what_the_upstream_said_comes_through(api: Served) -> None:
    def refuse(call: Call) -> None:
        raise UpstreamRejected("no", upstream=UpstreamAnswer("memory", 400, "1015", "Room taken"))

    api.adapter.before = refuse
    reply = await api.send("PUT", RECORD, body=BODY)
    assert (reply.status, reply.code) == (422, "upstream_rejected")
    assert reply.json["upstream"] == {
        "adapter": "memory",
        "status": 400,
        "code": "1015",
        "message": "Room taken",
    }
    assert (reply.json["retryable"], reply.json["outcome"]) == (False, Outcome.REFUSED)


async def test_a_write_of_unknown_outcome_is_told_apart(api: Served) -> None:
    def lose(call: Call) -> None:
        raise OutcomeUnknown("no answer")

    api.adapter.before = lose
    reply = await api.send("PUT", RECORD, body=BODY)
    assert (reply.status, reply.json["outcome"], reply.json["retryable"]) == (502, "unknown", False)


async def test_the_log_shows_no_key_and_no_body(api: Served) -> None:
    await api.send("PUT", "/v1/demo/objects/Equipment/SECRETKEY", body={**BODY, "Description": "SECRETBODY"})
    (line,) = api.lines
    assert (line["path"], line["entity"], line["operation"]) == ("Equipment/S…Y", "Equipment", "replace")
    for secret in (b"SECRETKEY", b"SECRETBODY", b"all-key"):
        assert secret not in api.log.getvalue()
